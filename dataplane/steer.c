#include "dataplane/steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "steer.skel.h"

#define STEER_PROGRAM "postern_steer"
#define STEER_MAP "mail_ports"

enum { STEER_PATH_MAX = 128, STEER_MAPS_MAX = 16 };

/*
 * Who lives: each run binds an abstract Unix socket with the interface's number. It belongs to the
 * network namespace, as the interface does, and is gone with the process however that ends. So a
 * program of ours on an interface whose socket is free was left behind by a run that was killed.
 */
struct steer {
	char interface[IF_NAMESIZE];
	char path[STEER_PATH_MAX]; /* empty: no file */
	int ifindex;
	int lock; /* the socket */
	int program, map; /* file descriptors, -1: none */
	uint32_t program_id;
};

static int quiet_bpf(enum libbpf_print_level level, const char *text, va_list ap)
{
	return 0;
}

static int quiet_xdp(enum libxdp_print_level level, const char *text, va_list ap)
{
	return 0;
}

/* The program on the interface: a descriptor, *info filled and *flags its mode; -ENOENT: there is
 * none. */
static int program_on(int ifindex, struct bpf_prog_info *info, uint32_t *flags)
{
	struct bpf_xdp_query_opts query = { .sz = sizeof query };
	int err = bpf_xdp_query(ifindex, 0, &query);
	if (err)
		return err;
	*flags = 0;
	if (query.attach_mode == XDP_ATTACHED_DRV)
		*flags = XDP_FLAGS_DRV_MODE;
	else if (query.attach_mode == XDP_ATTACHED_SKB)
		*flags = XDP_FLAGS_SKB_MODE;
	uint32_t id = query.prog_id       ? query.prog_id
		      : query.drv_prog_id ? query.drv_prog_id
					  : query.skb_prog_id;
	if (!id)
		return -ENOENT;
	int fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	uint32_t len = sizeof *info;
	if (bpf_obj_get_info_by_fd(fd, info, &len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* The map of that name among those of a program: a descriptor or -ENOENT. */
static int map_of(int program, const char *name)
{
	uint32_t ids[STEER_MAPS_MAX] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = STEER_MAPS_MAX,
				      .map_ids = (uint64_t)(uintptr_t)ids };
	uint32_t len = sizeof info;
	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -errno;
	for (uint32_t i = 0; i < info.nr_map_ids && i < STEER_MAPS_MAX; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			continue;
		struct bpf_map_info map = { 0 };
		len = sizeof map;
		if (!bpf_obj_get_info_by_fd(fd, &map, &len) && strcmp(map.name, name) == 0)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static int no_permission(const struct steer *s, int err, char *why, size_t why_len)
{
	snprintf(why, why_len,
		 "interface %s: no permission for AF_XDP: run as root, or with the capabilities "
		 "net_admin, net_raw, ipc_lock and sys_admin",
		 s->interface);
	return err;
}

static bool is_ours(int program, const struct bpf_prog_info *info)
{
	if (strcmp(info->name, STEER_PROGRAM) != 0)
		return false;
	int map = map_of(program, STEER_MAP);
	if (map >= 0)
		close(map);
	return map >= 0;
}

/* Binds the socket that says: this interface is ours. */
static int claim(struct steer *s, char *why, size_t why_len)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int n = snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "postern/steer/%d",
			 s->ifindex);
	s->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->lock >= 0 &&
	    bind(s->lock, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
		return 0;
	int err = -errno;
	if (err == -EADDRINUSE)
		snprintf(why, why_len,
			 "interface %s: another postern is running on it: stop that one first "
			 "(postern ctl stop)",
			 s->interface);
	else
		snprintf(why, why_len, "interface %s: %s", s->interface, strerror(-err));
	return err;
}

/* Takes a stale program of ours off the interface; any other is an error. */
static int clear(struct steer *s, char *why, size_t why_len)
{
	struct bpf_prog_info info = { 0 };
	uint32_t flags;
	int fd = program_on(s->ifindex, &info, &flags);
	if (fd == -ENOENT)
		return 0;
	if (fd == -EPERM || fd == -EACCES)
		return no_permission(s, fd, why, why_len);
	if (fd < 0) {
		snprintf(why, why_len, "interface %s: XDP: %s", s->interface, strerror(-fd));
		return fd;
	}
	if (!is_ours(fd, &info)) {
		snprintf(why, why_len,
			 "interface %s: the XDP program \"%s\" (id %u) of somebody else is on it: "
			 "take it "
			 "off (ip link set dev %s xdp off) or choose another interface",
			 s->interface, info.name, info.id, s->interface);
		close(fd);
		return -EBUSY;
	}
	struct bpf_xdp_attach_opts only = { .sz = sizeof only, .old_prog_fd = fd };
	int err = bpf_xdp_detach(s->ifindex, flags, &only);
	close(fd);
	if (err)
		snprintf(why, why_len, "interface %s: XDP program of a killed run: %s",
			 s->interface, strerror(-err));
	else
		snprintf(why, why_len,
			 "interface %s: cleared the XDP program that a killed run had left",
			 s->interface);
	return err;
}

static int write_program(struct steer *s, char *why, size_t why_len)
{
	const char *dir = getenv("TMPDIR");
	snprintf(s->path, sizeof s->path, "%s/postern-steer-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkostemp(s->path, O_CLOEXEC);
	size_t size;
	const void *object = steer_bpf__elf_bytes(&size);
	int err = fd < 0 ? -errno : 0;
	if (!err && write(fd, object, size) != (ssize_t)size)
		err = errno ? -errno : -ENOSPC;
	if (fd >= 0)
		close(fd);
	if (!err)
		return 0;
	snprintf(why, why_len, "%s: %s: set TMPDIR to a folder that can be written", s->path,
		 strerror(-err));
	if (fd < 0)
		s->path[0] = 0;
	return err;
}

/* What AF_XDP cannot do on this interface is an error; what it would miss a warning. */
static int check_interface(const struct steer *s, char *why, size_t why_len)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq req = { 0 };
	memcpy(req.ifr_name, s->interface, sizeof req.ifr_name);
	if (ioctl(s->lock, SIOCGIFMTU, &req) == 0 && req.ifr_mtu > STEER_MTU_MAX) {
		snprintf(why, why_len,
			 "interface %s: its MTU of %d is over the %d of AF_XDP: ip link set dev %s "
			 "mtu %d, "
			 "or use -- --vdev net_af_packet0,iface=%s,framesz=16384,blocksz=65536",
			 s->interface, req.ifr_mtu, STEER_MTU_MAX, s->interface, STEER_MTU_MAX,
			 s->interface);
		return -EMSGSIZE;
	}
	int xsk = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (xsk < 0 && errno == EPERM)
		return no_permission(s, -EPERM, why, why_len);
	if (xsk >= 0)
		close(xsk);
	if (!why[0] && ioctl(s->lock, SIOCGIFFLAGS, &req) == 0 && !(req.ifr_flags & IFF_UP))
		snprintf(why, why_len, "interface %s is down: ip link set dev %s up", s->interface,
			 s->interface);
	req.ifr_data = (void *)&channels;
	if (why[0] || ioctl(s->lock, SIOCETHTOOL, &req) < 0)
		return 0;
	unsigned queues = channels.combined_count + channels.rx_count;
	if (queues > 1)
		snprintf(why, why_len,
			 "interface %s has %u receive queues and only the first is read: ethtool "
			 "-L %s "
			 "combined 1",
			 s->interface, queues, s->interface);
	return 0;
}

int steer_open(struct steer **out, const char *interface, char *why, size_t why_len)
{
	*out = NULL;
	why[0] = 0;
	libbpf_set_print(quiet_bpf);
	libxdp_set_print(quiet_xdp);
	unsigned ifindex = if_nametoindex(interface);
	if (!ifindex || strlen(interface) >= IF_NAMESIZE) {
		snprintf(why, why_len, "interface %s: there is no such interface: see ip link",
			 interface);
		return -ENODEV;
	}
	struct steer *s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(why, why_len, "out of memory");
		return -ENOMEM;
	}
	memcpy(s->interface, interface, strlen(interface));
	s->ifindex = (int)ifindex;
	s->lock = s->program = s->map = -1;
	int err = claim(s, why, why_len);
	if (!err)
		err = clear(s, why, why_len);
	if (!err)
		err = check_interface(s, why, why_len);
	if (!err)
		err = write_program(s, why, why_len);
	if (err) {
		steer_free(s);
		return err;
	}
	*out = s;
	return 0;
}

static void remove_file(struct steer *s)
{
	if (s->path[0])
		unlink(s->path);
	s->path[0] = 0;
}

void steer_free(struct steer *s)
{
	if (!s)
		return;
	remove_file(s);
	if (s->program >= 0) {
		struct bpf_prog_info info = { 0 };
		uint32_t flags;
		int fd = program_on(s->ifindex, &info, &flags);
		struct bpf_xdp_attach_opts only = { .sz = sizeof only, .old_prog_fd = fd };
		if (fd >= 0 && info.id == s->program_id)
			bpf_xdp_detach(s->ifindex, flags, &only);
		if (fd >= 0)
			close(fd);
		close(s->program);
	}
	if (s->map >= 0)
		close(s->map);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

const char *steer_path(const struct steer *s)
{
	return s->path;
}

const char *steer_interface(const struct steer *s)
{
	return s->interface;
}

int steer_attached(struct steer *s, char *why, size_t why_len)
{
	struct bpf_prog_info info = { 0 };
	uint32_t flags;
	int fd = program_on(s->ifindex, &info, &flags);
	remove_file(s);
	int map = fd >= 0 && is_ours(fd, &info) ? map_of(fd, STEER_MAP) : -ENOENT;
	if (map < 0) {
		snprintf(why, why_len, "interface %s: the XDP program did not get onto it (%s)",
			 s->interface, strerror(fd < 0 ? -fd : -map));
		if (fd >= 0)
			close(fd);
		return map;
	}
	s->program = fd;
	s->program_id = info.id;
	s->map = map;
	return 0;
}

static bool wanted(const struct config_ports *ports, uint16_t port)
{
	for (uint32_t i = 0; i < ports->n; i++)
		if (ports->port[i] == port)
			return true;
	return false;
}

static int add(int map, const struct config_ports *ports)
{
	uint8_t value = 1;
	for (uint32_t i = 0; i < ports->n; i++)
		if (bpf_map_update_elem(map, &ports->port[i], &value, BPF_ANY))
			return -errno;
	return 0;
}

int steer_ports(struct steer *s, const struct config *cfg)
{
	uint16_t old[2 * CONFIG_PORTS_MAX], port, *from = NULL;
	unsigned n = 0;
	int err = add(s->map, &cfg->smtp_ports);
	if (!err)
		err = add(s->map, &cfg->pop3_ports);
	if (err)
		return err;
	/* walk first, delete behind it: a walk over a map that changes may begin again */
	while (!bpf_map_get_next_key(s->map, from, &port)) {
		if (!wanted(&cfg->smtp_ports, port) && !wanted(&cfg->pop3_ports, port) &&
		    n < 2 * CONFIG_PORTS_MAX)
			old[n++] = port;
		from = &port;
	}
	for (unsigned i = 0; i < n; i++)
		if (bpf_map_delete_elem(s->map, &old[i]) && errno != ENOENT)
			return -errno;
	return 0;
}
