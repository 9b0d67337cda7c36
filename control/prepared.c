#include "control/prepared.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "verify/auth/forged.h"
#include "verify/dns/suffixes.h"

static int names_load(struct config *cfg, char *why, size_t why_len)
{
	struct forged *forged;
	int err = forged_new(&forged, cfg->profiles);
	cfg->forged = err ? NULL : forged;
	if (err)
		snprintf(why, why_len, "forged_names: %s", strerror(-err));
	return err ? -1 : 0;
}

int prepared_load(struct config *cfg, char *why, size_t why_len)
{
	char words[512];
	struct suffixes *list = NULL;
	cfg->suffixes = NULL;
	if (names_load(cfg, why, why_len) < 0)
		return -1;
	/* where only the tree is walked nobody looks into it, and reading it takes 10 ms */
	if (!cfg->suffix_file[0] || cfg->dmarc_walk == WALK_RFC9989)
		return 0;
	int err = suffixes_load(&list, cfg->suffix_file, words, sizeof words);
	cfg->suffixes = list;
	if (!err)
		return 0;
	prepared_free(cfg);
	snprintf(why, why_len, "public suffix list: %s", words);
	return -1;
}

void prepared_free(struct config *cfg)
{
	forged_free((struct forged *)cfg->forged);
	cfg->forged = NULL;
	suffixes_free((struct suffixes *)cfg->suffixes);
	cfg->suffixes = NULL;
}

bool prepared_changed(const struct config *cfg, struct prepared_file *seen)
{
	struct stat st;
	if (!cfg->suffix_file[0] || stat(cfg->suffix_file, &st) < 0)
		return false;
	bool same = seen->dev == st.st_dev && seen->ino == st.st_ino && seen->size == st.st_size &&
		    seen->written.tv_sec == st.st_mtim.tv_sec &&
		    seen->written.tv_nsec == st.st_mtim.tv_nsec;
	*seen = (struct prepared_file){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
	return !same;
}
