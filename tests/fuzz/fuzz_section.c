/* Any settings file that is taken: a section put into it is refused, or found again as it was, and all else is the same. */
#include "control/section.h"

#include <stdlib.h>

#include "control/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char lists[] = "arc_sealers: {a: [a.example], b: []}\n";
	struct config before, after;
	struct bytes out;
	char why[SCHEMA_WHY_MAX] = "";
	config_default(&before);
	if (config_parse(&before, bytes_of(data, n), "f", why, sizeof why) < 0)
		return 0;
	struct profiles *p = section_parse(bytes_str(lists), KIND_SEALERS, "l", why, sizeof why);
	config_default(&after);
	int ret = section_splice(bytes_of(data, n), KIND_SEALERS, p, "f", &out, why, sizeof why);
	if (ret == 0 && config_parse(&after, out, "again", why, sizeof why) == 0) {
		/* a list that is named may have gone, so that the rest is refused: nothing to see */
		if (profiles_count(after.profiles, KIND_SEALERS) != 2 ||
		    profiles_count(after.profiles, KIND_SPF) !=
			    profiles_count(before.profiles, KIND_SPF) ||
		    before.flow_max != after.flow_max || strcmp(before.dns, after.dns))
			abort();
	}
	if (ret == 0)
		free((void *)out.p);
	profiles_free(p);
	config_fini(&before);
	config_fini(&after);
	return 0;
}
