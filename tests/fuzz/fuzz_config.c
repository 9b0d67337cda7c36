/* Any octets as a settings file: taken, or refused with one line; what is taken can be printed and read again. */
#include "control/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config cfg, again;
	char why[SCHEMA_WHY_MAX] = "";
	config_default(&cfg);
	if (config_parse(&cfg, bytes_of(data, n), "f", why, sizeof why) < 0) {
		if (!*why || strchr(why, '\n'))
			abort();
		return 0;
	}
	/* profiles are no part of that print */
	config_fini(&cfg);
	config_default(&again);
	cfg.profiles = again.profiles;
	char *text = config_json(&cfg);
	if (!text || config_parse(&again, bytes_str(text), "again", why, sizeof why) < 0 ||
	    memcmp(&cfg, &again, sizeof cfg))
		abort();
	free(text);
	return 0;
}
