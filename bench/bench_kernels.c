/* The vector kernels against what they replace: ./dev bench kernels [NAME]. */
#include "bench/kernels.h"

#include <stdio.h>

static const struct {
	const char *name;
	void (*run)(void);
} kernels[] = {
	{ "base64", kernels_base64 }, { "canon", kernels_canon }, { "ed25519", kernels_ed25519 },
	{ "rsa", kernels_rsa },       { "lanes", kernels_lanes }, { "sha256", kernels_sha256 },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++)
		if (argc < 2 || strcmp(argv[1], kernels[i].name) == 0)
			kernels[i].run();
	return 0;
}
