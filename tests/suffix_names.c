/* For e2e/suffixes_oracle.py: suffix_names LIST prints for each line of input its registrable domain. */
#include "verify/dns/suffixes.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	struct suffixes *list;
	char why[512], line[512];
	if (argc != 2 || suffixes_load(&list, argv[1], why, sizeof why) < 0) {
		fprintf(stderr, "suffix_names: %s\n", argc == 2 ? why : "usage: suffix_names LIST");
		return 2;
	}
	while (fgets(line, sizeof line, stdin)) {
		struct bytes found = suffixes_organization(list, bytes_trim(bytes_str(line)));
		printf("%.*s\n", (int)found.n, (const char *)found.p);
	}
	suffixes_free(list);
	return 0;
}
