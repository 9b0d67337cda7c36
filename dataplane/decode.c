#include "dataplane/decode.h"

#include "dataplane/tcp.h"

/*
 * A frame is walked layer by layer. Each step looks at one header at w->at, moves behind it and
 * names the next layer, or ends the walk with an outcome. `left` octets are there; `wire` octets
 * were on the wire from here to the end of the innermost layer whose length is known, so wire -
 * left are cut off.
 */
enum layer {
	LAYER_ETHERNET,
	LAYER_TYPE, /* w->type is an EtherType */
	LAYER_LLC,
	LAYER_PPPOE,
	LAYER_PPP,
	LAYER_MPLS,
	LAYER_IP, /* by version nibble */
	LAYER_IP4,
	LAYER_IP6,
	LAYER_PROTOCOL, /* w->type is an IP protocol number */
	LAYER_UDP,
	LAYER_GRE,
	LAYER_ERSPAN,
	LAYER_VXLAN,
	LAYER_GENEVE,
	LAYER_TCP,
	LAYER_DONE,
};

enum { /* EtherTypes */
       TYPE_IP4 = 0x0800,
       TYPE_BRIDGED = 0x6558,
       TYPE_VLAN = 0x8100,
       TYPE_IP6 = 0x86dd,
       TYPE_MPLS = 0x8847,
       TYPE_MPLS_UPSTREAM = 0x8848,
       TYPE_PPPOE = 0x8864,
       TYPE_PPP = 0x880b,
       TYPE_PROVIDER = 0x88a8,
       TYPE_ERSPAN = 0x88be,
       TYPE_QINQ = 0x9100,
       TYPE_LENGTH_MAX = 0x05ff, /* up to here an 802.3 length */
};

enum { /* protocol numbers */
       IP_HOP_BY_HOP = 0,
       IP_IP4 = 4,
       IP_TCP = 6,
       IP_UDP = 17,
       IP_IP6 = 41,
       IP_ROUTING = 43,
       IP_FRAGMENT = 44,
       IP_GRE = 47,
       IP_AUTHENTICATION = 51,
       IP_DESTINATION = 60,
       IP_MOBILITY = 135,
       IP_MPLS = 137,
       IP_HIP = 139,
       IP_SHIM6 = 140,
};

enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081 };

struct walk {
	struct packet *pkt;
	struct decode_fragment *frag;
	const uint8_t *at;
	size_t left, wire;
	unsigned layers;
	unsigned headers; /* of IP, met so far */
	unsigned type;
	sum_fn *sum; /* NULL: checksums are not wanted */
	bool wrong;
	enum decode_outcome outcome;
};

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static enum layer done(struct walk *w, enum decode_outcome outcome)
{
	w->outcome = outcome;
	return LAYER_DONE;
}

/* n <= left */
static void step(struct walk *w, size_t n)
{
	w->at += n;
	w->left -= n;
	w->wire -= n;
}

/* What follows is at most n octets; fewer may have been kept. n <= wire is not required. */
static void limit(struct walk *w, size_t n)
{
	w->wire = n;
	if (w->left > n)
		w->left = n;
}

/* One more tag, tunnel or IP header was met. */
static bool nested(struct walk *w)
{
	return ++w->layers > DECODE_NEST_MAX;
}

static enum layer inside(struct walk *w, enum layer next)
{
	return nested(w) ? done(w, DECODE_NESTED) : next;
}

/* What the port said of checksums was said of the outside of a tunnel. */
static bool sums_wanted(const struct walk *w)
{
	return w->sum && (w->headers > 1 || !w->pkt->csum_hw);
}

/* ---- links ---- */

static enum layer walk_ethernet(struct walk *w)
{
	if (w->left < 14)
		return done(w, DECODE_SHORT);
	w->type = get16(w->at + 12);
	step(w, 14);
	return LAYER_TYPE;
}

static enum layer walk_vlan(struct walk *w)
{
	struct packet *pkt = w->pkt;
	if (nested(w))
		return done(w, DECODE_NESTED);
	if (w->left < 4)
		return done(w, DECODE_SHORT);
	if (pkt->n_vlan < PACKET_VLAN_MAX)
		pkt->vlan[pkt->n_vlan++] = get16(w->at) & 0x0fff;
	w->type = get16(w->at + 2);
	step(w, 4);
	return LAYER_TYPE;
}

static enum layer walk_type(struct walk *w)
{
	switch (w->type) {
	case TYPE_IP4:
		return LAYER_IP4;
	case TYPE_IP6:
		return LAYER_IP6;
	case TYPE_VLAN:
	case TYPE_PROVIDER:
	case TYPE_QINQ:
		return walk_vlan(w);
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM:
		return LAYER_MPLS;
	case TYPE_PPPOE:
		return LAYER_PPPOE;
	case TYPE_PPP:
		return LAYER_PPP;
	case TYPE_BRIDGED:
		return inside(w, LAYER_ETHERNET);
	default:
		return w->type <= TYPE_LENGTH_MAX ? LAYER_LLC : done(w, DECODE_OTHER_LINK);
	}
}

/* RFC 1042: LLC and SNAP before the EtherType */
static enum layer walk_llc(struct walk *w)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 3, 0, 0, 0 };
	if (w->left < 8)
		return done(w, DECODE_SHORT);
	w->type = get16(w->at + 6);
	if (memcmp(w->at, snap, sizeof snap) || w->type <= TYPE_LENGTH_MAX)
		return done(w, DECODE_OTHER_LINK);
	step(w, 8);
	return LAYER_TYPE;
}

/* RFC 2516 section 4: version and type 1, code 0 is session data */
static enum layer walk_pppoe(struct walk *w)
{
	if (nested(w))
		return done(w, DECODE_NESTED);
	if (w->left < 6)
		return done(w, DECODE_SHORT);
	size_t len = get16(w->at + 4);
	if (w->at[0] != 0x11 || w->at[1] != 0)
		return done(w, DECODE_OTHER_LINK);
	step(w, 6);
	if (len < w->wire)
		limit(w, len);
	return LAYER_PPP;
}

/*
 * RFC 1661, RFC 1662: address and control may be left out, the protocol may be one octet. Captures
 * of PPP links may also hold Cisco's HDLC (an EtherType behind 0f 00 or 8f 00) or start with
 * PPPoE's header.
 */
static enum layer walk_ppp(struct walk *w)
{
	if (w->left < 4)
		return done(w, DECODE_SHORT);
	if (w->at[0] == 0x11 && w->at[1] == 0)
		return LAYER_PPPOE;
	if ((w->at[0] == 0x0f || w->at[0] == 0x8f) && w->at[1] == 0) {
		w->type = get16(w->at + 2);
		step(w, 4);
		return LAYER_TYPE;
	}
	if (w->at[0] == 0xff && w->at[1] == 3)
		step(w, 2);
	bool brief = w->at[0] & 1;
	unsigned protocol = brief ? w->at[0] : get16(w->at);
	step(w, brief ? 1 : 2);
	switch (protocol) {
	case 0x0021:
		return LAYER_IP4;
	case 0x0057:
		return LAYER_IP6;
	case 0x0281:
	case 0x0283:
		return LAYER_MPLS;
	default:
		return done(w, DECODE_OTHER_LINK);
	}
}

/* Would an Ethernet frame that starts n octets from here carry something known? */
static bool looks_ethernet(const struct walk *w, size_t n)
{
	if (w->left < n + 14)
		return false;
	unsigned type = get16(w->at + n + 12);
	return type == TYPE_IP4 || type == TYPE_IP6 || type == TYPE_VLAN || type == TYPE_PROVIDER ||
	       type == TYPE_QINQ || type == TYPE_PPPOE || type == TYPE_MPLS;
}

/* RFC 3032; what is behind the stack is not said and has to be guessed. RFC 4448: pseudo-wires. */
static enum layer walk_mpls(struct walk *w)
{
	bool bottom = false;
	if (nested(w))
		return done(w, DECODE_NESTED);
	for (unsigned n = 0; !bottom; n++) {
		if (n == DECODE_NEST_MAX)
			return done(w, DECODE_NESTED);
		if (w->left < 4)
			return done(w, DECODE_SHORT);
		bottom = w->at[2] & 1;
		step(w, 4);
	}
	if (!w->left)
		return done(w, DECODE_SHORT);
	unsigned nibble = w->at[0] >> 4;
	if (nibble == 4 || nibble == 6)
		return nibble == 4 ? LAYER_IP4 : LAYER_IP6;
	if (nibble == 0 && looks_ethernet(w, 4)) {
		step(w, 4); /* the control word */
		return inside(w, LAYER_ETHERNET);
	}
	return looks_ethernet(w, 0) ? inside(w, LAYER_ETHERNET) : done(w, DECODE_OTHER_LINK);
}

/* ---- IP ---- */

static enum layer walk_ip(struct walk *w)
{
	if (!w->left)
		return done(w, DECODE_SHORT);
	unsigned version = w->at[0] >> 4;
	if (version != 4 && version != 6)
		return done(w, DECODE_BAD_IP);
	return version == 4 ? LAYER_IP4 : LAYER_IP6;
}

/* w is behind the headers, at the fragment's own octets */
static enum layer fragment(struct walk *w, uint32_t id, uint8_t protocol, unsigned offset,
			   bool more)
{
	*w->frag = (struct decode_fragment){
		.ip_version = w->pkt->ip_version,
		.src = w->pkt->src,
		.dst = w->pkt->dst,
		.id = id,
		.protocol = protocol,
		.offset = (uint16_t)offset,
		.more = more,
		.cut = w->left < w->wire,
		.csum_wrong = w->wrong,
		.data = { w->at, w->left },
		.layers = (uint8_t)w->layers,
	};
	return done(w, DECODE_FRAGMENT);
}

static enum layer walk_ip4(struct walk *w)
{
	struct packet *pkt = w->pkt;
	const uint8_t *p = w->at;
	if (nested(w))
		return done(w, DECODE_NESTED);
	w->headers++;
	if (w->left < 20)
		return done(w, DECODE_SHORT);
	size_t hdr_len = (size_t)(p[0] & 15) * 4, total = get16(p + 2);
	if (!total) /* a segment the port was to cut up (TSO): as long as it is */
		total = w->wire;
	if (p[0] >> 4 != 4 || hdr_len < 20 || total < hdr_len)
		return done(w, DECODE_BAD_IP);
	if (w->left < hdr_len)
		return done(w, DECODE_SHORT);
	if (sums_wanted(w) && sum_fold(sum_words(p, hdr_len)) != 0xffff)
		w->wrong = true;
	limit(w, total);
	step(w, hdr_len);
	pkt->ip_version = 4;
	pkt->src = p + 12;
	pkt->dst = p + 16;
	w->type = p[9];
	unsigned place = get16(p + 6);
	if (place & 0x3fff)
		return fragment(w, get16(p + 4), p[9], (place & 0x1fff) * 8, place & 0x2000);
	return LAYER_PROTOCOL;
}

/* RFC 2675 section 2: the length of a jumbogram from the options of its hop-by-hop header; 0: none
 */
static size_t jumbo_len(const uint8_t *p, size_t n)
{
	size_t i = 2;
	while (i + 1 < n) {
		if (p[i] == 0xc2 && p[i + 1] == 4 && i + 6 <= n)
			return get32(p + i + 2);
		i += p[i] ? 2u + p[i + 1] : 1u;
	}
	return 0;
}

/*
 * While segments are left the destination stands in the routing header (RFC 8200 section 4.4, RFC
 * 8754 section 2), and it is what the TCP checksum covers (RFC 8200 section 8.1).
 */
static void routing(struct walk *w, const uint8_t *p, size_t len)
{
	if (!p[3] || len < 24)
		return;
	if (p[2] == 4)
		w->pkt->dst = p + 8;
	else if (p[2] == 0 || p[2] == 2)
		w->pkt->dst = p + len - 16;
}

/* Moves over the extension headers from w->type on; RFC 8200 section 4. */
static enum layer extensions(struct walk *w, bool jumbo)
{
	for (unsigned n = 0;; n++) {
		const uint8_t *p = w->at;
		unsigned type = w->type;
		if (type != IP_HOP_BY_HOP && type != IP_ROUTING && type != IP_FRAGMENT &&
		    type != IP_AUTHENTICATION && type != IP_DESTINATION && type != IP_MOBILITY &&
		    type != IP_HIP && type != IP_SHIM6)
			return LAYER_PROTOCOL;
		if (n == DECODE_EXTENSIONS_MAX)
			return done(w, DECODE_NESTED);
		if (w->left < 8)
			return done(w, DECODE_SHORT);
		size_t len = type == IP_AUTHENTICATION ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
		if (type == IP_FRAGMENT)
			len = 8;
		if (len > w->wire)
			return done(w, DECODE_BAD_IP);
		if (len > w->left)
			return done(w, DECODE_SHORT);
		if (type == IP_HOP_BY_HOP && jumbo && n == 0) {
			size_t total = jumbo_len(p, len);
			if (total && (total <= UINT16_MAX || total > w->wire))
				return done(w, DECODE_BAD_IP);
			if (total)
				limit(w, total);
		} else if (type == IP_HOP_BY_HOP && jumbo_len(p, len)) {
			return done(w, DECODE_BAD_IP);
		}
		if (type == IP_ROUTING)
			routing(w, p, len);
		w->type = p[0];
		step(w, len);
		if (type == IP_FRAGMENT && get16(p + 2) & 0xfff9) /* 0: whole (RFC 6946) */
			return fragment(w, get32(p + 4), p[0], get16(p + 2) & 0xfff8, p[3] & 1);
	}
}

static enum layer walk_ip6(struct walk *w)
{
	struct packet *pkt = w->pkt;
	const uint8_t *p = w->at;
	if (nested(w))
		return done(w, DECODE_NESTED);
	w->headers++;
	if (w->left < 40)
		return done(w, DECODE_SHORT);
	if (p[0] >> 4 != 6)
		return done(w, DECODE_BAD_IP);
	size_t len = get16(p + 4);
	step(w, 40);
	if (len) /* else a jumbogram, or a segment the port was to cut up */
		limit(w, len);
	pkt->ip_version = 6;
	pkt->src = p + 8;
	pkt->dst = p + 24;
	w->type = p[6];
	return extensions(w, len == 0);
}

static enum layer walk_protocol(struct walk *w)
{
	switch (w->type) {
	case IP_TCP:
		return LAYER_TCP;
	case IP_UDP:
		return LAYER_UDP;
	case IP_IP4:
		return LAYER_IP4;
	case IP_IP6:
		return LAYER_IP6;
	case IP_GRE:
		return LAYER_GRE;
	case IP_MPLS:
		return LAYER_MPLS;
	case IP_AUTHENTICATION: /* behind IPv4; IPv6 was over it already */
		return w->pkt->ip_version == 4 ? extensions(w, false) : done(w, DECODE_NOT_TCP);
	default:
		return done(w, DECODE_NOT_TCP);
	}
}

/* ---- tunnels ---- */

static enum layer walk_udp(struct walk *w)
{
	if (w->left < 8)
		return done(w, DECODE_SHORT);
	unsigned port = get16(w->at + 2);
	size_t len = get16(w->at + 4);
	if ((port != PORT_VXLAN && port != PORT_GENEVE) || len < 8)
		return done(w, DECODE_NOT_TCP);
	if (len < w->wire)
		limit(w, len);
	step(w, 8);
	return port == PORT_VXLAN ? LAYER_VXLAN : LAYER_GENEVE;
}

/* RFC 7348 section 5 */
static enum layer walk_vxlan(struct walk *w)
{
	if (w->left < 8)
		return done(w, DECODE_SHORT);
	if (!(w->at[0] & 0x08))
		return done(w, DECODE_NOT_TCP);
	step(w, 8);
	return inside(w, LAYER_ETHERNET);
}

/* RFC 8926 section 3.4 */
static enum layer walk_geneve(struct walk *w)
{
	if (w->left < 8)
		return done(w, DECODE_SHORT);
	size_t len = 8 + (size_t)(w->at[0] & 0x3f) * 4;
	if (w->at[0] >> 6 || len > w->wire)
		return done(w, DECODE_NOT_TCP);
	if (len > w->left)
		return done(w, DECODE_SHORT);
	w->type = get16(w->at + 2);
	step(w, len);
	return inside(w, LAYER_TYPE);
}

/* RFC 2784, RFC 2890; version 1 (PPTP) is not read. Network virtualization (RFC 7637) needs no
 * more. */
static enum layer walk_gre(struct walk *w)
{
	if (w->left < 4)
		return done(w, DECODE_SHORT);
	unsigned flags = get16(w->at);
	size_t len =
		4 + (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
	if (flags & 0x4007)
		return done(w, DECODE_NOT_TCP);
	if (w->left < len)
		return done(w, DECODE_SHORT);
	w->type = get16(w->at + 2);
	step(w, len);
	if (w->type == TYPE_ERSPAN) /* type I has no sequence number and no header */
		return inside(w, flags & 0x1000 ? LAYER_ERSPAN : LAYER_ETHERNET);
	if (w->type <= TYPE_LENGTH_MAX) /* a keep-alive, or something of old */
		return done(w, DECODE_NOT_TCP);
	return inside(w, LAYER_TYPE);
}

/* Type II: version 1, eight octets (draft-foschiano-erspan) */
static enum layer walk_erspan(struct walk *w)
{
	if (w->left < 8)
		return done(w, DECODE_SHORT);
	if (w->at[0] >> 4 != 1)
		return done(w, DECODE_NOT_TCP);
	step(w, 8);
	return LAYER_ETHERNET;
}

/* ---- TCP ---- */

static enum layer walk_tcp(struct walk *w)
{
	struct packet *pkt = w->pkt;
	struct bytes segment = { w->at, w->left };
	enum tcp_result r = tcp_header(pkt, segment, w->wire);
	if (r != TCP_OK)
		return done(w, r == TCP_BAD ? DECODE_BAD_TCP : DECODE_SHORT);
	if (w->wrong)
		pkt->csum = PACKET_CSUM_WRONG;
	else if (!sums_wanted(w))
		pkt->csum = PACKET_CSUM_RIGHT;
	else if (w->left < w->wire)
		pkt->csum = PACKET_CSUM_UNKNOWN;
	else
		pkt->csum =
			tcp_sum_right(pkt, segment, w->sum) ? PACKET_CSUM_RIGHT : PACKET_CSUM_WRONG;
	return done(w, DECODE_TCP);
}

static enum decode_outcome walk_all(struct walk *w, enum layer next)
{
	static enum layer (*const row[])(struct walk *) = {
		[LAYER_ETHERNET] = walk_ethernet,
		[LAYER_TYPE] = walk_type,
		[LAYER_LLC] = walk_llc,
		[LAYER_PPPOE] = walk_pppoe,
		[LAYER_PPP] = walk_ppp,
		[LAYER_MPLS] = walk_mpls,
		[LAYER_IP] = walk_ip,
		[LAYER_IP4] = walk_ip4,
		[LAYER_IP6] = walk_ip6,
		[LAYER_PROTOCOL] = walk_protocol,
		[LAYER_UDP] = walk_udp,
		[LAYER_GRE] = walk_gre,
		[LAYER_ERSPAN] = walk_erspan,
		[LAYER_VXLAN] = walk_vxlan,
		[LAYER_GENEVE] = walk_geneve,
		[LAYER_TCP] = walk_tcp,
	};
	while (next != LAYER_DONE)
		next = row[next](w);
	return w->outcome;
}

/* Address families of BSDs and Linux behind one name; the version nibble decides. */
static enum layer walk_null(struct walk *w)
{
	if (w->left < 4)
		return done(w, DECODE_SHORT);
	uint32_t family = get32(w->at);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	step(w, 4);
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30
		       ? LAYER_IP
		       : done(w, DECODE_OTHER_LINK);
}

/* Linux cooked captures: the EtherType stands at `type`, the header is hdr_len octets long */
static enum layer walk_cooked(struct walk *w, size_t type, size_t hdr_len)
{
	if (w->left < hdr_len)
		return done(w, DECODE_SHORT);
	w->type = get16(w->at + type);
	step(w, hdr_len);
	if (w->type == 4) /* LINUX_SLL_P_802_2 */
		return LAYER_LLC;
	return w->type <= TYPE_LENGTH_MAX ? done(w, DECODE_OTHER_LINK) : LAYER_TYPE;
}

static enum layer walk_link(struct walk *w)
{
	switch ((enum packet_link)w->pkt->link) {
	case PACKET_LINK_ETHERNET:
		return LAYER_ETHERNET;
	case PACKET_LINK_NULL:
	case PACKET_LINK_LOOP:
		return walk_null(w);
	case PACKET_LINK_RAW:
		return LAYER_IP;
	case PACKET_LINK_SLL:
		return walk_cooked(w, 14, 16);
	case PACKET_LINK_SLL2:
		return walk_cooked(w, 0, 20);
	case PACKET_LINK_PPP:
		return LAYER_PPP;
	case PACKET_LINK_OTHER:
		break;
	}
	return done(w, DECODE_OTHER_LINK);
}

enum decode_outcome decode_frame(struct packet *pkt, sum_fn *sum, struct decode_fragment *frag)
{
	pkt->n_vlan = 0;
	pkt->csum = PACKET_CSUM_RIGHT;
	struct walk w = {
		.pkt = pkt,
		.frag = frag,
		.at = pkt->data,
		.left = pkt->len,
		.wire = pkt->wire_len,
		.sum = sum,
	};
	return walk_all(&w, walk_link(&w));
}

enum decode_outcome decode_datagram(struct packet *pkt, struct bytes data, uint8_t protocol,
				    unsigned layers, sum_fn *sum, struct decode_fragment *frag)
{
	struct walk w = {
		.pkt = pkt,
		.frag = frag,
		.at = data.p,
		.left = data.n,
		.wire = data.n,
		.layers = layers,
		.headers = 2, /* the port saw pieces: its word does not count */
		.type = protocol,
		.sum = sum,
		.wrong = sum && pkt->csum == PACKET_CSUM_WRONG,
	};
	if (pkt->ip_version == 6)
		return walk_all(&w, extensions(&w, false));
	return walk_all(&w, LAYER_PROTOCOL);
}
