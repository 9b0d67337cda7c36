/* replay - runs a fuzz target over every file of the folders named, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return -1;
	fseek(f, 0, SEEK_END);
	long n = ftell(f);
	rewind(f);
	/* exact size, so that a sanitizer sees the first octet read too far */
	uint8_t *data = malloc(n > 0 ? (size_t)n : 1);
	int ok = data && n >= 0 && fread(data, 1, (size_t)n, f) == (size_t)n;
	fclose(f);
	if (ok)
		LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
	return ok ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned ran = 0;
	for (int i = 1; i < argc; i++) {
		struct dirent **entry;
		int n = scandir(argv[i], &entry, NULL, alphasort);
		for (int k = 0; k < n; k++) {
			char path[4096];
			snprintf(path, sizeof path, "%s/%s", argv[i], entry[k]->d_name);
			if (entry[k]->d_name[0] != '.') {
				if (replay_file(path) < 0) {
					perror(path);
					return 1;
				}
				ran++;
			}
			free(entry[k]);
		}
		if (n >= 0)
			free(entry);
	}
	printf("%u inputs\n", ran);
	return ran == 0;
}
