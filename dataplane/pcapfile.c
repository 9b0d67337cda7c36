#include "dataplane/pcapfile.h"

/* draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng */
enum {
	PCAP_HEADER = 24,
	PCAP_MICRO = 0xa1b2c3d4u,
	PCAP_NANO = 0xa1b23c4du,
	PCAP_KUZNETZOV = 0xa1b2cd34u,

	NG_SECTION = 0x0a0d0d0a,
	NG_ORDER = 0x1a2b3c4d,
	NG_INTERFACE = 1,
	NG_PACKET = 2,
	NG_SIMPLE = 3,
	NG_ENHANCED = 6,
	NG_BLOCK_MIN = 12,
	NG_OPTION_TSRESOL = 9,
	NG_OPTION_TSOFFSET = 14,
};

static uint32_t get32(const uint8_t *p, bool swap)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return swap ? __builtin_bswap32(v) : v;
}

static uint16_t get16(const uint8_t *p, bool swap)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return swap ? __builtin_bswap16(v) : v;
}

static enum pcapfile_result bad(struct pcapfile *f, const char *why)
{
	f->why = why;
	return PCAPFILE_BAD;
}

/* LINKTYPE_ numbers as tcpdump.org lists them, and those DLT_ numbers that old files carry instead.
 */
static uint8_t link_of(uint32_t type)
{
	switch (type) {
	case 1:
		return PACKET_LINK_ETHERNET;
	case 0:
		return PACKET_LINK_NULL;
	case 108:
		return PACKET_LINK_LOOP;
	case 12:
	case 14:
	case 101:
	case 228:
	case 229:
		return PACKET_LINK_RAW;
	case 113:
		return PACKET_LINK_SLL;
	case 276:
		return PACKET_LINK_SLL2;
	case 9:
	case 50: /* HDLC framing or Cisco's */
	case 51: /* from the PPPoE header on */
	case 104: /* Cisco's HDLC */
		return PACKET_LINK_PPP;
	default:
		return PACKET_LINK_OTHER;
	}
}

static uint32_t magic_of(struct bytes head, bool *swap)
{
	if (head.n < 4)
		return 0;
	uint32_t magic = get32(head.p, false);
	*swap = false;
	if (magic == PCAP_MICRO || magic == PCAP_NANO || magic == PCAP_KUZNETZOV ||
	    magic == NG_SECTION)
		return magic;
	*swap = true;
	magic = __builtin_bswap32(magic);
	return magic == PCAP_MICRO || magic == PCAP_NANO || magic == PCAP_KUZNETZOV ? magic : 0;
}

bool pcapfile_magic(struct bytes head)
{
	bool swap;
	return magic_of(head, &swap) != 0;
}

static void fill(struct packet *pkt, const uint8_t *data, uint32_t len, uint32_t wire_len)
{
	pkt->data = data;
	pkt->len = len;
	/* some writers say less for frames they made longer */
	pkt->wire_len = wire_len > len ? wire_len : len;
	pkt->csum_hw = 0;
	pkt->owner = NULL;
}

/* ---- pcap ---- */

static enum pcapfile_result pcap_begin(struct pcapfile *f, struct bytes in, size_t *taken)
{
	if (in.n < PCAP_HEADER)
		return PCAPFILE_MORE;
	uint32_t magic = magic_of(in, &f->swap);
	if (get16(in.p + 4, f->swap) != 2)
		return bad(f,
			   "this version of pcap is not known: rewrite the file with tcpdump -r");
	f->nano = magic == PCAP_NANO;
	f->record = magic == PCAP_KUZNETZOV ? 24 : 16;
	/* the upper half holds the length of a frame check sequence */
	f->interface[0].link = link_of(get32(in.p + 20, f->swap) & 0xffff);
	f->begun = true;
	*taken = PCAP_HEADER;
	return PCAPFILE_SKIPPED;
}

static enum pcapfile_result pcap_next(struct pcapfile *f, struct bytes in, size_t *taken,
				      struct packet *pkt)
{
	if (in.n < f->record)
		return PCAPFILE_MORE;
	uint32_t len = get32(in.p + 8, f->swap);
	if (len > PCAPFILE_RECORD_MAX)
		return bad(f, "a record says it is over 262,144 octets long: copy the file again");
	if (in.n - f->record < len)
		return PCAPFILE_MORE;
	fill(pkt, in.p + f->record, len, get32(in.p + 12, f->swap));
	pkt->time_ns = get32(in.p, f->swap) * UINT64_C(1000000000) +
		       get32(in.p + 4, f->swap) * (f->nano ? UINT64_C(1) : UINT64_C(1000));
	pkt->link = f->interface[0].link;
	*taken = f->record + len;
	return PCAPFILE_PACKET;
}

/* ---- pcapng ---- */

/* Kept within 1970 and 2262, so that nobody behind us has to think of sums that overflow. */
static uint64_t time_of(const struct pcapfile_interface *at, uint64_t units)
{
	unsigned n = at->resolution & 0x7f;
	unsigned __int128 ns = units;
	if (at->resolution & 0x80) {
		ns = ns * 1000000000 >> n;
	} else {
		for (; n < 9; n++)
			ns *= 10;
		for (; n > 9 && ns; n--)
			ns /= 10;
	}
	__int128 sum = (__int128)ns + (__int128)at->offset_s * 1000000000;
	if (sum < 0)
		return 0;
	return sum > INT64_MAX ? INT64_MAX : (uint64_t)sum;
}

static enum pcapfile_result ng_section(struct pcapfile *f, struct bytes in)
{
	if (in.n < 16)
		return PCAPFILE_MORE;
	uint32_t order = get32(in.p + 8, false);
	if (order != NG_ORDER && order != __builtin_bswap32(NG_ORDER))
		return bad(f, "a section header without a byte order: copy the file again");
	f->swap = order != NG_ORDER;
	if (get16(in.p + 12, f->swap) != 1)
		return bad(f,
			   "this version of pcapng is not known: rewrite it with editcap -F pcap");
	f->n = 0;
	f->begun = true;
	return PCAPFILE_SKIPPED;
}

/* body: behind type and length, without the length at the end */
static enum pcapfile_result ng_interface(struct pcapfile *f, struct bytes body)
{
	if (body.n < 8)
		return bad(f, "an interface block is too short: copy the file again");
	if (f->n == PCAPFILE_INTERFACES_MAX)
		return bad(f, "over 1,024 interfaces: split the file with editcap");
	struct pcapfile_interface *at = &f->interface[f->n++];
	*at = (struct pcapfile_interface){
		.link = link_of(get16(body.p, f->swap)),
		.snaplen = get32(body.p + 4, f->swap),
		.resolution = 6,
	};
	struct bytes opt = bytes_from(body, 8);
	while (opt.n >= 4) {
		unsigned code = get16(opt.p, f->swap);
		size_t len = get16(opt.p + 2, f->swap);
		if (!code)
			break;
		if (len > opt.n - 4)
			return bad(f,
				   "an interface option goes over its block: copy the file again");
		if (code == NG_OPTION_TSRESOL && len >= 1)
			at->resolution = opt.p[4];
		if (code == NG_OPTION_TSOFFSET && len >= 8) {
			uint64_t seconds;
			memcpy(&seconds, opt.p + 4, 8);
			at->offset_s = (int64_t)(f->swap ? __builtin_bswap64(seconds) : seconds);
		}
		opt = bytes_from(opt, 4 + (len + 3) / 4 * 4);
	}
	return PCAPFILE_SKIPPED;
}

/* ENHANCED, and PACKET, which is older and has a 16-bit interface and a drop counter in its place
 */
static enum pcapfile_result ng_packet(struct pcapfile *f, uint32_t type, struct bytes body,
				      struct packet *pkt)
{
	if (body.n < 20)
		return bad(f, "a packet block is too short: copy the file again");
	uint32_t at = type == NG_PACKET ? get16(body.p, f->swap) : get32(body.p, f->swap);
	uint32_t len = get32(body.p + 12, f->swap);
	if (at >= f->n)
		return bad(f,
			   "a packet of an interface that was not described: copy the file again");
	if (len > body.n - 20)
		return bad(f, "a packet goes over its block: copy the file again");
	if (len > PCAPFILE_RECORD_MAX)
		return bad(f, "a packet is over 262,144 octets long: copy the file again");
	fill(pkt, body.p + 20, len, get32(body.p + 16, f->swap));
	f->time_ns = pkt->time_ns =
		time_of(&f->interface[at],
			(uint64_t)get32(body.p + 4, f->swap) << 32 | get32(body.p + 8, f->swap));
	pkt->link = f->interface[at].link;
	return PCAPFILE_PACKET;
}

/* No time of its own: that of the packet before it. */
static enum pcapfile_result ng_simple(struct pcapfile *f, struct bytes body, struct packet *pkt)
{
	if (body.n < 4 || !f->n)
		return bad(f, body.n < 4 ? "a packet block is too short: copy the file again"
					 : "a packet before its interface: copy the file again");
	uint32_t wire = get32(body.p, f->swap), len = wire, snap = f->interface[0].snaplen;
	if (snap && len > snap)
		len = snap;
	if (len > body.n - 4)
		return bad(f, "a packet goes over its block: copy the file again");
	if (len > PCAPFILE_RECORD_MAX)
		return bad(f, "a packet is over 262,144 octets long: copy the file again");
	fill(pkt, body.p + 4, len, wire);
	pkt->time_ns = f->time_ns;
	pkt->link = f->interface[0].link;
	return PCAPFILE_PACKET;
}

static enum pcapfile_result ng_skip(struct pcapfile *f, struct bytes in, size_t *taken)
{
	*taken = in.n < f->skip ? in.n : (size_t)f->skip;
	f->skip -= *taken;
	return *taken ? PCAPFILE_SKIPPED : PCAPFILE_MORE;
}

static enum pcapfile_result ng_next(struct pcapfile *f, struct bytes in, size_t *taken,
				    struct packet *pkt)
{
	if (f->skip)
		return ng_skip(f, in, taken);
	if (in.n < NG_BLOCK_MIN)
		return PCAPFILE_MORE;
	uint32_t type = get32(in.p, f->swap);
	enum pcapfile_result r = PCAPFILE_SKIPPED;
	if (type == NG_SECTION) /* reads the same in both orders */
		r = ng_section(f, in);
	if (r != PCAPFILE_SKIPPED)
		return r;
	uint32_t len = get32(in.p + 4, f->swap);
	if (len < NG_BLOCK_MIN + (type == NG_SECTION ? 16 : 0) || len % 4)
		return bad(f, "a block has an impossible length: copy the file again");
	if (len > PCAPFILE_BLOCK_MAX)
		return bad(f, "a block says it is over 64 MiB long: copy the file again");

	bool reads = type == NG_INTERFACE || type == NG_ENHANCED || type == NG_SIMPLE ||
		     type == NG_PACKET;
	if (!reads) {
		f->skip = len;
		return ng_skip(f, in, taken);
	}
	if (len > PCAPFILE_HEADER_MAX)
		return bad(f, "a block says it is over 512 KiB long: copy the file again");
	if (in.n < len)
		return PCAPFILE_MORE;
	if (get32(in.p + len - 4, f->swap) != len)
		return bad(f, "the two lengths of a block differ: copy the file again");
	struct bytes body = { in.p + 8, len - NG_BLOCK_MIN };
	if (type == NG_INTERFACE)
		r = ng_interface(f, body);
	else if (type == NG_SIMPLE)
		r = ng_simple(f, body, pkt);
	else
		r = ng_packet(f, type, body, pkt);
	if (r > 0)
		*taken = len;
	return r;
}

enum pcapfile_result pcapfile_next(struct pcapfile *f, struct bytes in, size_t *taken,
				   struct packet *pkt)
{
	*taken = 0;
	if (f->why)
		return PCAPFILE_BAD;
	if (f->begun)
		return f->record ? pcap_next(f, in, taken, pkt) : ng_next(f, in, taken, pkt);
	if (in.n < 4)
		return PCAPFILE_MORE;
	bool swap;
	uint32_t magic = magic_of(in, &swap);
	if (!magic)
		return bad(f, "not a capture: pcap and pcapng are read, also packed with gzip");
	return magic == NG_SECTION ? ng_next(f, in, taken, pkt) : pcap_begin(f, in, taken);
}
