#include "dataplane/live.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_telemetry.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/capture_dpdk.h"
#include "dataplane/eal.h"
#include "dataplane/port.h"
#include "dataplane/steer.h"

enum { LIVE_PORTS_MAX = CAPTURE_DPDK_PORTS_MAX, LIVE_WARNINGS_MAX = 32, LIVE_LINE_MAX = 256 };

struct live {
	struct eal_args args; /* EAL keeps pointers to them */
	bool started;
	unsigned devices; /* named by the user */
	struct port port[LIVE_PORTS_MAX];
	unsigned n_port;
	struct steer *steer[LIVE_PORTS_MAX];
	unsigned n_steer;
	struct capture *capture[LIVE_CAPTURES_MAX];
	unsigned n_capture;
	unsigned core[LIVE_CORES_MAX], n_core;
	char warning[LIVE_WARNINGS_MAX][LIVE_LINE_MAX];
	unsigned n_warning;
};

static void warn(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct live *l, const char *format, ...)
{
	va_list ap;
	if (l->n_warning == LIVE_WARNINGS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(l->warning[l->n_warning++], LIVE_LINE_MAX, format, ap);
	va_end(ap);
}

/* ---- arguments ---- */

/* The value of key in "driver,key=value,...", copied; false when it is not there. */
static bool device_value(const char *device, const char *key, char *out, size_t len)
{
	size_t n = strlen(key);
	for (const char *p = strchr(device, ','); p; p = strchr(p, ',')) {
		p++;
		if (strncmp(p, key, n) == 0 && p[n] == '=') {
			size_t value = strcspn(p + n + 1, ",");
			snprintf(out, len, "%.*s", (int)(value < len ? value : len - 1), p + n + 1);
			return true;
		}
	}
	return false;
}

/* Adds a virtual device; an AF_XDP one without a program of its own gets ours. */
static int add_device(struct live *l, const struct config *cfg, const char *device, char *why,
		      size_t why_len)
{
	char interface[64], value[64];
	l->devices++;
	if (strncmp(device, "net_af_xdp", 10) != 0 || !cfg->steer ||
	    device_value(device, "xdp_prog", value, sizeof value) ||
	    !device_value(device, "iface", interface, sizeof interface))
		return eal_args_add(&l->args, "--vdev=%s", device);
	if (device_value(device, "queue_count", value, sizeof value) && strcmp(value, "1") != 0) {
		warn(l,
		     "interface %s: with several queues its program gives us every frame, not only "
		     "mail",
		     interface);
		return eal_args_add(&l->args, "--vdev=%s", device);
	}
	if (l->n_steer == LIVE_PORTS_MAX) {
		snprintf(why, why_len, "more than %d ports", LIVE_PORTS_MAX);
		return -E2BIG;
	}
	int err = steer_open(&l->steer[l->n_steer], interface, why, why_len);
	if (err)
		return err;
	if (why[0])
		warn(l, "%s", why);
	return eal_args_add(&l->args, "--vdev=%s,xdp_prog=%s", device,
			    steer_path(l->steer[l->n_steer++]));
}

/* One word of the interface setting: an interface's name, a PCI address, or a virtual device. */
static int add_interface(struct live *l, const struct config *cfg, const char *word, char *why,
			 size_t why_len)
{
	char device[128];
	if (strncmp(word, "net_", 4) == 0)
		return add_device(l, cfg, word, why, why_len);
	if (strchr(word, ':')) {
		l->devices++;
		return eal_args_add(&l->args, "--allow=%s", word);
	}
	snprintf(device, sizeof device, "net_af_xdp_%s,iface=%s", word, word);
	return add_device(l, cfg, device, why, why_len);
}

static int make_args(struct live *l, const struct config *cfg, char *const *args, int n,
		     const char *prefix, char *why, size_t why_len)
{
	char list[sizeof cfg->interface];
	int err = 0;
	snprintf(list, sizeof list, "%s", cfg->interface);
	char *rest = list;
	for (char *word; !err && (word = strsep(&rest, " "));)
		if (*word && strcmp(word, "none") != 0)
			err = add_interface(l, cfg, word, why, why_len);
	for (int i = 0; i < n && !err; i++) {
		if (strcmp(args[i], "--vdev") == 0 && i + 1 < n)
			err = add_device(l, cfg, args[++i], why, why_len);
		else if (strncmp(args[i], "--vdev=", 7) == 0)
			err = add_device(l, cfg, args[i] + 7, why, why_len);
		else
			err = eal_args_add(&l->args, "%s", args[i]);
	}
	if (!err && !l->devices && !eal_args_has(&l->args, "allow", 'a') &&
	    !eal_args_has(&l->args, "block", 'b')) {
		snprintf(
			why, why_len,
			"no port to read: name an interface (postern run --interface eth1), a PCI "
			"device "
			"(-- -a 0000:03:00.0) or a virtual one (-- --vdev net_pcap0,rx_pcap=FILE)");
		return -ENODEV;
	}
	int core = sched_getcpu();
	if (!err)
		err = eal_args_complete(&l->args, eal_hugepages_free_mb(),
					core < 0 ? 0 : (unsigned)core, prefix);
	if (err && !why[0])
		snprintf(why, why_len, "EAL arguments: %s", strerror(-err));
	return err;
}

/* ---- ports ---- */

static int open_ports(struct live *l, const struct config *cfg, char *why, size_t why_len)
{
	uint16_t id;
	unsigned n = rte_eth_dev_count_avail();
	if (n == 0 || n < l->devices) {
		bool pci = eal_args_has(&l->args, "allow", 'a');
		const char *log = eal_log_first();
		snprintf(why, why_len, "%u of the ports named could not be opened: %s: %s",
			 l->devices > n ? l->devices - n : 1, log[0] ? log : "no driver takes it",
			 geteuid() != 0 ? "run as root"
			 : pci ? "give the card to DPDK first (dpdk-devbind.py --bind vfio-pci "
				 "ADDRESS)"
			       : "see what its arguments are and that nobody else has it; -- "
				 "--log-level=debug tells more");
		return -ENODEV;
	}
	unsigned most = l->n_core > 1 ? l->n_core / 2 : 1;
	RTE_ETH_FOREACH_DEV(id)
	{
		if (l->n_port == LIVE_PORTS_MAX) {
			snprintf(why, why_len, "more than %d ports", LIVE_PORTS_MAX);
			return -E2BIG;
		}
		struct port *p = &l->port[l->n_port];
		int err = port_open(p, id, cfg->queues, most, why, why_len);
		if (err)
			return err;
		l->n_port++;
		if (!p->symmetric)
			warn(l,
			     "port %s (%s) cannot keep both directions of a connection in one of "
			     "its %u "
			     "queues: sessions will be judged from one side; set queues: 1",
			     p->name, p->driver, p->queues);
		if (port_link(p) == 0)
			warn(l,
			     "port %s: the link is down: nothing comes in until the other side is "
			     "there",
			     p->name);
	}
	return 0;
}

static int open_captures(struct live *l, const struct config *cfg, char *why, size_t why_len)
{
	const struct port *all[LIVE_PORTS_MAX];
	unsigned most = 0;
	int err = 0;
	for (unsigned i = 0; i < l->n_port; i++) {
		all[i] = &l->port[i];
		most = l->port[i].queues > most ? l->port[i].queues : most;
	}
	unsigned groups = cfg->join_ports ? 1 : l->n_port, size = cfg->join_ports ? l->n_port : 1;
	for (unsigned g = 0; g < groups && !err; g++) {
		unsigned queues = cfg->join_ports ? most : all[g]->queues;
		for (unsigned q = 0; q < queues && !err; q++) {
			if (l->n_capture == LIVE_CAPTURES_MAX)
				err = -E2BIG;
			else
				err = capture_dpdk_open(&l->capture[l->n_capture], &all[g], size,
							(uint16_t)q);
			if (!err)
				l->n_capture++;
		}
	}
	if (err == -E2BIG)
		snprintf(why, why_len, "more than %d queues: set fewer (queues)",
			 LIVE_CAPTURES_MAX);
	else if (err)
		snprintf(why, why_len, "%s", strerror(-err));
	return err;
}

static void cores_of_process(struct live *l, const cpu_set_t *set)
{
	for (unsigned i = 0; i < CPU_SETSIZE && l->n_core < LIVE_CORES_MAX; i++)
		if (CPU_ISSET(i, set))
			l->core[l->n_core++] = i;
}

static void cores_of_eal(cpu_set_t *set)
{
	unsigned lcore;
	CPU_ZERO(set);
	RTE_LCORE_FOREACH(lcore)
	{
		rte_cpuset_t one = rte_lcore_cpuset(lcore);
		CPU_OR(set, set, &one);
	}
}

int live_open(struct live **out, const struct config *cfg, char *const *args, int n,
	      const char *prefix, char *why, size_t why_len)
{
	struct live *l = calloc(1, sizeof *l);
	*out = NULL;
	why[0] = 0;
	if (!l) {
		snprintf(why, why_len, "out of memory");
		return -ENOMEM;
	}
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	int err = make_args(l, cfg, args, n, prefix, why, why_len);
	if (!err)
		err = eal_start(&l->args, why, why_len);
	if (err)
		goto err0;
	l->started = true;
	if (l->args.cores)
		cores_of_eal(&set);
	cores_of_process(l, &set);
	/* EAL has tied us, and so all threads to come, to one core */
	sched_setaffinity(0, sizeof set, &set);
	err = open_ports(l, cfg, why, why_len);
	for (unsigned i = 0; i < l->n_steer && !err; i++)
		err = steer_attached(l->steer[i], why, why_len);
	if (!err && (err = live_config(l, cfg)))
		snprintf(why, why_len, "list of mail ports for steering: %s", strerror(-err));
	if (!err)
		err = open_captures(l, cfg, why, why_len);
	if (err)
		goto err0;
	*out = l;
	return 0;
err0:
	live_close(l);
	return err;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n_capture; i++)
		l->capture[i]->ops->free(l->capture[i]);
	for (unsigned i = 0; i < l->n_port; i++)
		port_close(&l->port[i]);
	if (l->started)
		eal_stop();
	for (unsigned i = 0; i < l->n_steer; i++)
		steer_free(l->steer[i]);
	eal_args_free(&l->args);
	free(l);
}

unsigned live_captures(const struct live *l)
{
	return l->n_capture;
}

struct capture *live_capture(const struct live *l, unsigned i)
{
	return l->capture[i];
}

int live_config(struct live *l, const struct config *cfg)
{
	int err = 0;
	for (unsigned i = 0; i < l->n_steer && !err; i++)
		err = steer_ports(l->steer[i], cfg);
	return err;
}

/* The network interface under a virtual device; false: it has none. */
static bool port_interface(const struct live *l, const struct port *p, char *out, size_t len)
{
	size_t n = strlen(p->name);
	for (int i = 0; i < l->args.n; i++) {
		const char *a = l->args.arg[i];
		if (strncmp(a, "--vdev=", 7) == 0 && strncmp(a + 7, p->name, n) == 0 &&
		    a[7 + n] == ',' && device_value(a, "iface", out, len))
			return true;
	}
	return false;
}

static bool steered(const struct live *l, const char *interface)
{
	for (unsigned i = 0; i < l->n_steer; i++)
		if (strcmp(steer_interface(l->steer[i]), interface) == 0)
			return true;
	return false;
}

void live_describe(const struct live *l, char *out, size_t len)
{
	size_t at = 0;
	out[0] = 0;
	for (unsigned i = 0; i < l->n_port && at < len; i++) {
		const struct port *p = &l->port[i];
		char name[64];
		bool on = port_interface(l, p, name, sizeof name);
		at += (size_t)snprintf(out + at, len - at, "%s%s (%s, %u queue%s%s)", i ? ", " : "",
				       on ? name : p->name, p->driver, p->queues,
				       p->queues == 1 ? "" : "s",
				       on && steered(l, name) ? ", steered" : "");
	}
}

const char *live_warning(const struct live *l, unsigned i)
{
	return i < l->n_warning ? l->warning[i] : NULL;
}

unsigned live_cores(const struct live *l, unsigned *core, unsigned max)
{
	unsigned n = l->n_core < max ? l->n_core : max;
	memcpy(core, l->core, n * sizeof core[0]);
	return n;
}

int live_thread_begin(void)
{
	return rte_thread_register() ? -rte_errno : 0;
}

void live_thread_end(void)
{
	rte_thread_unregister();
}

/* ---- telemetry ---- */

static live_sum *telemetry_sum;
static void *telemetry_ctx;

/* {"<group>":{"<name>":n}}; the rows of one group follow each other. */
static int telemetry_stats(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint64_t n[STAT_N] = { 0 };
	int worker = params && *params ? atoi(params) : -1;
	struct rte_tel_data *group = NULL;
	char name[64] = "";
	if (!telemetry_sum(telemetry_ctx, worker, n))
		return -EINVAL;
	rte_tel_data_start_dict(d);
	for (int i = 0; i < STAT_N; i++) {
		const char *row = stats_name((enum stats_row)i);
		size_t len = strcspn(row, ".");
		if (!group || strncmp(row, name, len) != 0 || name[len]) {
			snprintf(name, sizeof name, "%.*s", (int)len, row);
			group = rte_tel_data_alloc();
			if (!group)
				return -ENOMEM;
			rte_tel_data_start_dict(group);
			rte_tel_data_add_dict_container(d, name, group, 0);
		}
		rte_tel_data_add_dict_u64(group, row + len + 1, n[i]);
	}
	return 0;
}

int live_telemetry(live_sum *sum, void *ctx)
{
	telemetry_sum = sum;
	telemetry_ctx = ctx;
	return rte_telemetry_register_cmd("/postern/stats", telemetry_stats,
					  "Counters. Parameter: a worker's number; none: the sum");
}
