#include "control/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EVERY_NS = 200000000, BAR = 30 };

void progress_init(struct progress *p, uint64_t all, bool terminal, uint64_t now_ns)
{
	*p = (struct progress){ .on = terminal && all > PROGRESS_FROM,
				.all = all,
				.start_ns = now_ns };
}

static void out(const char *s, int n)
{
	/* what a bar cannot be written for is no reason to stop */
	if (write(STDERR_FILENO, s, (size_t)n) < 0)
		return;
}

void progress_tick(struct progress *p, uint64_t done, uint64_t now_ns)
{
	if (!p->on || now_ns - p->last_ns < EVERY_NS)
		return;
	char line[160], bar[BAR + 1];
	double part = done < p->all ? (double)done / (double)p->all : 1;
	double s = (double)(now_ns - p->start_ns) / 1e9;
	int full = (int)(part * BAR);
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(BAR - full));
	bar[BAR] = 0;
	int n = snprintf(line, sizeof line, "\r[%s] %3d%%  %.0f of %.0f MB  %.0f MB/s\033[K", bar,
			 (int)(part * 100), (double)done / 1e6, (double)p->all / 1e6,
			 s > 0 ? (double)done / 1e6 / s : 0);
	out(line, n);
	p->last_ns = now_ns;
	p->drawn = true;
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	out("\r\033[K", 4);
	p->drawn = false;
}
