/*
 * steer - the XDP program in front of net_af_xdp: frames of the mail ports go to the socket, all others
 * to the kernel.
 *
 * To the socket: TCP over IPv4 or IPv6, behind up to STEER_VLAN_MAX VLAN tags, from or to a port in the map
 * mail_ports; and fragments of TCP whose ports are not in them, because a message may be inside. Without a
 * socket the frame goes to the kernel too: when the engine dies mail flows on.
 * Not handled: tunnels, MPLS and PPPoE go to the kernel; for those take the port without steering.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { STEER_VLAN_MAX = 2, STEER_EXTENSIONS_MAX = 8 };

/* net_af_xdp looks for this name */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

/* port in host order -> unused; filled and changed by dataplane/steer.c */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u8);
} mail_ports SEC(".maps");

struct ports {
	__be16 src, dst;
};

struct extension { /* of IPv6; a fragment header has its offset where others have options */
	__u8 next, len;
	__be16 offset;
};

static __always_inline int to_socket(struct xdp_md *ctx)
{
	return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

/* p: where the TCP header begins. A header that is cut off before its ports can only be a fragment's. */
static __always_inline int by_port(struct xdp_md *ctx, void *p, void *end, bool fragment)
{
	struct ports *tcp = p;
	if ((void *)(tcp + 1) > end)
		return fragment ? to_socket(ctx) : XDP_PASS;
	__u16 src = bpf_ntohs(tcp->src), dst = bpf_ntohs(tcp->dst);
	if (bpf_map_lookup_elem(&mail_ports, &dst) || bpf_map_lookup_elem(&mail_ports, &src))
		return to_socket(ctx);
	return XDP_PASS;
}

static __always_inline int ipv4(struct xdp_md *ctx, void *p, void *end)
{
	struct iphdr *ip = p;
	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	__u16 frag = bpf_ntohs(ip->frag_off);
	if (frag & 0x1fff)
		return to_socket(ctx);
	return by_port(ctx, p + ip->ihl * 4, end, frag & 0x2000);
}

static __always_inline bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_AH || next == IPPROTO_FRAGMENT;
}

static __always_inline int ipv6(struct xdp_md *ctx, void *p, void *end)
{
	struct ipv6hdr *ip = p;
	bool fragment = false;
	if ((void *)(ip + 1) > end || ip->version != 6)
		return XDP_PASS;
	__u8 next = ip->nexthdr;
	p = ip + 1;
	for (int i = 0; i < STEER_EXTENSIONS_MAX && is_extension(next); i++) {
		struct extension *x = p;
		if ((void *)(x + 1) > end)
			return fragment ? to_socket(ctx) : XDP_PASS;
		__u8 kind = next;
		next = x->next;
		if (kind == IPPROTO_FRAGMENT) {
			__u16 offset = bpf_ntohs(x->offset);
			/* behind the first one only the protocol is told, and not even that before extensions */
			if (offset & 0xfff8)
				return next == IPPROTO_TCP || is_extension(next) ? to_socket(ctx)
										 : XDP_PASS;
			fragment = fragment || (offset & 1);
			p += 8;
		} else if (kind == IPPROTO_AH) {
			p += (x->len + 2) * 4;
		} else {
			p += (x->len + 1) * 8;
		}
	}
	/* still an extension: more of them than are looked at, and TCP may be behind */
	if (is_extension(next))
		return to_socket(ctx);
	return next == IPPROTO_TCP ? by_port(ctx, p, end, fragment) : XDP_PASS;
}

SEC("xdp")
int postern_steer(struct xdp_md *ctx)
{
	void *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = p;
	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	__be16 type = eth->h_proto;
	p = eth + 1;
#pragma unroll
	for (int i = 0; i < STEER_VLAN_MAX; i++) {
		__be16 *tag = p; /* tag control, then the next type */
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD) &&
		    type != bpf_htons(ETH_P_QINQ1))
			break;
		if ((void *)(tag + 2) > end)
			return XDP_PASS;
		type = tag[1];
		p = tag + 2;
	}
	if (type == bpf_htons(ETH_P_IP))
		return ipv4(ctx, p, end);
	if (type == bpf_htons(ETH_P_IPV6))
		return ipv6(ctx, p, end);
	return XDP_PASS;
}

char steer_license[] SEC("license") = "Dual BSD/GPL";
