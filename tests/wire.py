"""wire - captures made to order: conversations, what goes wrong with them, and the files they are kept in.

A conversation is a list of Segments with right numbers and acknowledgements. Functions on lists of segments
(reorder, recut, double, lose, ...) make trouble; frames() puts them on a link, in VLANs, tunnels and fragments;
write_pcap() and write_pcapng() keep them. Plain Python; nothing random but what the seed says.
"""
import copy
import gzip
import ipaddress
import random
import struct

SYN, FIN, RST, PSH, ACK, URG = 2, 1, 4, 8, 16, 32
START = 1_790_000_000_000_000_000  # ns: 2026-09-21
LINKS = {"null": 0, "ethernet": 1, "ppp": 9, "raw": 101, "loop": 108, "sll": 113, "ipv4": 228, "ipv6": 229,
         "sll2": 276}


class Segment:
    """One TCP segment. side 0 is the client. bad: the checksum is made wrong. cut: octets not captured."""

    def __init__(self, time, src, dst, side, seq, ack, flags, data=b"", options=b"", window=65000):
        self.time, self.src, self.dst, self.side = time, src, dst, side
        self.seq, self.ack, self.flags, self.data = seq & 0xffffffff, ack & 0xffffffff, flags, data
        self.options, self.window = options, window
        self.bad = False
        self.keep_first = False  # transformers leave it where it is

    def but(self, **change):
        other = copy.copy(self)
        for name, value in change.items():
            setattr(other, name, value)
        other.seq &= 0xffffffff
        other.ack &= 0xffffffff
        return other


class Conversation:
    """say(side, octets) sends in segments of mss octets; the other side acknowledges them at its next word."""

    def __init__(self, client=("192.0.2.10", 21001), server=("198.51.100.25", 25), isn=(1000, 70000), mss=1460,
                 start=START, step=200_000, syn_data=b""):
        self.end = (client, server)
        self.next = [n & 0xffffffff for n in isn]
        self.mss, self.time, self.step = mss, start, step
        self.segments = []
        option = struct.pack("!BBH", 2, 4, mss) + b"\1\3\3\7"
        self._add(0, SYN, syn_data, ack=0, options=option)
        self.next[0] += 1 + len(syn_data)
        self._add(1, SYN | ACK, options=option)
        self.next[1] += 1
        self._add(0, ACK)

    def _add(self, side, flags, data=b"", ack=None, options=b""):
        self.time += self.step
        self.segments.append(Segment(self.time, self.end[side], self.end[not side], side, self.next[side],
                                     self.next[not side] if ack is None else ack, flags, data, options))
        return self.segments[-1]

    def say(self, side, data, acked=True):
        """acked: the other side sends a pure ACK behind every second segment, as hosts do."""
        for n, i in enumerate(range(0, len(data), self.mss)):
            part = data[i:i + self.mss]
            self._add(side, ACK | (PSH if i + self.mss >= len(data) else 0), part)
            self.next[side] += len(part)
            if acked and n % 2:
                self._add(1 - side, ACK)
        return self

    def ack(self, side):
        self._add(side, ACK)
        return self

    def close(self, first=0):
        for side in (first, 1 - first):
            self._add(side, FIN | ACK)
            self.next[side] += 1
        self._add(first, ACK)
        return self

    def reset(self, side=0):
        self._add(side, RST | ACK)
        return self


def talk(script, close=True, **where):
    """script: [(side, octets), ...]. The segments of the whole conversation."""
    conversation = Conversation(**where)
    for side, data in script:
        conversation.say(side, data)
    if close:
        conversation.close()
    return conversation.segments


# ---- protocols ----

def stuff(message):
    """Dot-stuffed, with the final dot line (RFC 5321 4.5.2); message ends in CRLF."""
    return (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def smtp(messages, helo=b"mx.sender.example", sender=b"alice@sender.example", rcpt=(b"bob@receiver.example",),
         quit_=True):
    script = [(1, b"220 mx.receiver.example ESMTP\r\n"), (0, b"EHLO " + helo + b"\r\n"),
              (1, b"250-mx.receiver.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")]
    for message in messages:
        script += [(0, b"MAIL FROM:<" + sender + b">\r\n"), (1, b"250 2.1.0 Ok\r\n")]
        for r in rcpt:
            script += [(0, b"RCPT TO:<" + r + b">\r\n"), (1, b"250 2.1.5 Ok\r\n")]
        script += [(0, b"DATA\r\n"), (1, b"354 End data with <CR><LF>.<CR><LF>\r\n"), (0, stuff(message)),
                   (1, b"250 2.0.0 Ok: queued as 12345\r\n")]
    if quit_:
        script += [(0, b"QUIT\r\n"), (1, b"221 2.0.0 Bye\r\n")]
    return script


def pop3(messages, user=b"bob"):
    script = [(1, b"+OK POP3 ready\r\n"), (0, b"USER " + user + b"\r\n"), (1, b"+OK\r\n"), (0, b"PASS secret\r\n"),
              (1, b"+OK Logged in.\r\n"), (0, b"STAT\r\n"),
              (1, b"+OK %d %d\r\n" % (len(messages), sum(map(len, messages))))]
    for n, message in enumerate(messages, 1):
        script += [(0, b"RETR %d\r\n" % n), (1, b"+OK %d octets\r\n" % len(message) + stuff(message))]
    return script + [(0, b"QUIT\r\n"), (1, b"+OK Bye\r\n")]


def mail(size=3000, seed=1, subject=b"test"):
    """A message of about size octets, with lines that begin with dots."""
    rnd = random.Random(seed)
    body = b""
    while len(body) < size:
        line = bytes(rnd.choice(b"abcdefghijklmnopqrstuvwxyz .,") for _ in range(rnd.randrange(1, 76)))
        body += rnd.choice((b"", b"", b"", b".", b"..")) + line + b"\r\n"
    return (b"From: Alice <alice@sender.example>\r\nTo: Bob <bob@receiver.example>\r\nSubject: " + subject +
            b"\r\nMessage-ID: <%d.%d@sender.example>\r\nDate: Mon, 21 Sep 2026 10:00:00 +0000\r\n\r\n" % (size, seed) +
            body)


# ---- trouble ----

def _timed(segments):
    """The same times in the new order: time goes on, whoever is first."""
    times = sorted(s.time for s in segments)
    return [s.but(time=t) for s, t in zip(segments, times)]


def reorder(segments, reach=8, seed=1):
    """Every segment moves by at most about reach places."""
    rnd = random.Random(seed)
    ranked = sorted(enumerate(segments), key=lambda e: e[0] + rnd.random() * (0 if e[1].keep_first else reach))
    return _timed([s for _, s in ranked])


def double(segments, rate=0.3, later=5, seed=1):
    """Copies, up to `later` places behind the first."""
    rnd = random.Random(seed)
    out = [(float(i), s) for i, s in enumerate(segments)]
    out += [(i + 0.5 + rnd.randrange(later), s) for i, s in enumerate(segments) if rnd.random() < rate]
    return [s.but(time=s.time) for _, s in sorted(out, key=lambda e: e[0])]


def pieces(segment, cuts):
    """One segment as several, cut before the octets `cuts`."""
    marks = [0] + sorted(set(c for c in cuts if 0 < c < len(segment.data))) + [len(segment.data)]
    out = []
    for a, b in zip(marks, marks[1:]):
        last = b == len(segment.data)
        flags = segment.flags if last else segment.flags & ~(PSH | FIN)
        out.append(segment.but(seq=segment.seq + a, data=segment.data[a:b], flags=flags))
    return out


def recut(segments, size=None, seed=1):
    """Segments of size octets, or of any (None). SYNs stay whole."""
    rnd = random.Random(seed)
    out = []
    for s in segments:
        if len(s.data) < 2 or s.flags & SYN:
            out.append(s)
        elif size:
            out += pieces(s, range(size, len(s.data), size))
        else:
            out += pieces(s, [rnd.randrange(1, len(s.data)) for _ in range(rnd.randrange(6))])
    return out


def overlap(segments, differ=False, seed=1):
    """Behind a segment comes one that repeats some of it, cut anew; with other octets when differ."""
    rnd = random.Random(seed)
    out, last = [], {}
    for s in segments:
        before = last.get((s.src, s.dst))
        if before and s.data and not s.flags & SYN and (before.seq + len(before.data)) & 0xffffffff == s.seq:
            back = rnd.randrange(1, min(len(before.data), 200) + 1)
            again = before.data[-back:]
            out.append(s.but(seq=s.seq - back, data=(b"#" * back if differ else again) + s.data))
        else:
            out.append(s)
        if s.data and not s.flags & SYN:
            last[s.src, s.dst] = s
    return out


def second_copies(segments, side=0, octet=b"#"):
    """Behind every data segment of side another copy with other octets: the first must win."""
    out = []
    for s in segments:
        out.append(s)
        if s.side == side and s.data and not s.flags & SYN:
            out.append(s.but(data=octet * len(s.data)))
    return out


def lose(segments, side, first, n):
    """Octets first to first + n of side (from the octet behind its SYN) are in no segment."""
    start = next(s.seq + 1 for s in segments if s.side == side and s.flags & SYN)
    out = []
    for s in segments:
        at = (s.seq + (1 if s.flags & SYN else 0) - start) & 0xffffffff
        if s.side != side or not s.data or s.flags & SYN or at + len(s.data) <= first or at >= first + n:
            out.append(s)
            continue
        for p in pieces(s, [first - at, first + n - at]):
            if not first <= (p.seq - start) & 0xffffffff < first + n:
                out.append(p)
    return out


def decoys(segments, make, every=3):
    """make(segment) gives what goes in front of every third segment behind the handshake, or None; keep-alives only where all is acknowledged."""
    out, acked = [], {}
    for i, s in enumerate(segments):
        acked[s.dst, s.src] = s.ack
        idle = acked.get((s.src, s.dst)) == s.seq or make not in (keep_alive, keep_alive_octet)
        extra = make(s) if idle and i > 2 and i % every == 0 and not s.flags & SYN else None
        out += [extra, s] if extra else [s]
    return out


def bad_checksum(s):
    other = s.but(data=b"#" * max(len(s.data), 20), flags=s.flags | FIN)
    other.bad = True
    return other


def rst_wrong(s):
    return s.but(seq=s.seq + 50_000, data=b"", flags=RST)


def rst_right(s):
    """Right number, but its sender goes on: it never reached the other end."""
    return s.but(data=b"", flags=RST)


def rst_bad_checksum(s):
    other = s.but(data=b"", flags=RST | ACK)
    other.bad = True
    return other


def syn_decoy(s):
    return s.but(seq=s.seq + 99_999_999, data=b"", flags=SYN)


def far(s):
    return s.but(seq=s.seq + 0x7ff00000, data=b"#" * 50)


def no_ack(s):
    return s.but(data=b"#" * max(len(s.data), 20), flags=0)


def ack_lie(s):
    return s.but(ack=s.ack + 5000, data=b"", flags=ACK)


def keep_alive(s):
    return s.but(seq=s.seq - 1, data=b"", flags=ACK)


def keep_alive_octet(s):
    return s.but(seq=s.seq - 1, data=b"\0", flags=ACK)


def one_sided(segments, side):
    return [s for s in segments if s.side == side]


def midstream(segments, n):
    return segments[n:]


def merge(*conversations):
    return sorted((s for c in conversations for s in c), key=lambda s: s.time)


# ---- on the link ----

def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Ip:
    """An IP packet before it is octets: fragments and tunnels need its parts."""
    count = 0

    def __init__(self, src, dst, protocol, data, options=b"", extensions=()):
        self.src, self.dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
        self.version, self.protocol, self.data = self.src.version, protocol, data
        self.options, self.extensions = options, extensions
        Ip.count += 1
        self.id = Ip.count & 0xffffffff

    def octets(self, data=None, offset=0, more=False, fragmented=False):
        data = self.data if data is None else data
        if self.version == 4:
            options = self.options + b"\0" * (-len(self.options) % 4)
            head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(data),
                               self.id & 0xffff, offset // 8 | (0x2000 if more else 0), 64, self.protocol, 0,
                               self.src.packed, self.dst.packed) + options
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data
        chain, after = [], self.protocol
        if fragmented:
            data = struct.pack("!BBHI", after, 0, offset | more, self.id) + data
            after = 44
        for kind, content in reversed(self.extensions):
            content += b"\1\0" + b"\0" * ((-len(content) - 4) % 8)  # PadN of no octets, Pad1
            data = bytes([after, (len(content) + 2) // 8 - 1]) + content + data
            after = kind
        return struct.pack("!IHBB16s16s", 6 << 28, len(data), after, 64, self.src.packed, self.dst.packed) + data

    def fragments(self, size, order="forward", overlapping=False, seed=1):
        """size: octets of each, rounded down to 8; order forward, backward or any."""
        size = max(8, size // 8 * 8)
        if len(self.data) <= size:
            return [self.octets()]
        out = []
        for off in range(0, len(self.data), size):
            end = min(off + size + (8 if overlapping else 0), len(self.data))
            out.append(self.octets(self.data[off:end], off, end < len(self.data), True))
            if end == len(self.data):
                break
        if order == "backward":
            out.reverse()
        elif order == "any":
            random.Random(seed).shuffle(out)
        return out


def tcp(segment):
    options = segment.options + b"\0" * (-len(segment.options) % 4)
    head = struct.pack("!HHIIBBHHH", segment.src[1], segment.dst[1], segment.seq, segment.ack,
                       (5 + len(options) // 4) << 4, segment.flags, segment.window, 0, 0) + options
    src, dst = ipaddress.ip_address(segment.src[0]), ipaddress.ip_address(segment.dst[0])
    pseudo = src.packed + dst.packed
    length = len(head) + len(segment.data)
    pseudo += struct.pack("!BBH", 0, 6, length) if src.version == 4 else struct.pack("!II", length, 6)
    total = checksum(pseudo + head + segment.data)
    if segment.bad:
        total ^= 0x5555
    return head[:16] + struct.pack("!H", total) + head[18:] + segment.data


def udp(sport, dport, data):
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def ethertype(packet):
    return 0x0800 if packet[0] >> 4 == 4 else 0x86dd


def ethernet(kind, data):
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack("!H", kind) + data


OUTER = ("203.0.113.1", "203.0.113.2")
OUTER6 = ("2001:db8:ffff::1", "2001:db8:ffff::2")


def _outer(protocol, data, ends=OUTER):
    return Ip(*ends, protocol, data).octets()


def tunnel_ipip(packet):
    return _outer(4 if packet[0] >> 4 == 4 else 41, packet)


def tunnel_ip6(packet):
    return _outer(4 if packet[0] >> 4 == 4 else 41, packet, OUTER6)


def tunnel_gre(packet):
    return _outer(47, struct.pack("!HH", 0, ethertype(packet)) + packet)


def tunnel_gre_key(packet):
    return _outer(47, struct.pack("!HHII", 0x3000, ethertype(packet), 77, 1) + packet)


def tunnel_vxlan(packet):
    return _outer(17, udp(40000, 4789, struct.pack("!II", 0x08000000, 42 << 8) + ethernet(ethertype(packet), packet)))


def tunnel_geneve(packet):
    option = struct.pack("!HBBI", 0x0102, 3, 1, 9)
    return _outer(17, udp(40000, 6081, struct.pack("!BBHI", len(option) // 4, 0, 0x6558, 42 << 8) + option +
                          ethernet(ethertype(packet), packet)))


def tunnel_erspan(packet):
    return _outer(47, struct.pack("!HHI", 0x1000, 0x88be, 1) + struct.pack("!HHI", 0x1007, 0x0005, 0) +
                  ethernet(ethertype(packet), packet))


TUNNELS = {name[7:]: f for name, f in list(globals().items()) if name.startswith("tunnel_")}


def vlan(*ids, outer=0x8100):
    """For frames(l2=...): 802.1Q tags, outermost first; outer 0x88a8 for QinQ."""
    def put(kind, packet):
        for n, tag in reversed(list(enumerate(ids))):
            packet = struct.pack("!HH", tag, kind) + packet
            kind = outer if n == 0 else 0x8100
        return kind, packet
    return put


def mpls(*labels):
    def put(_kind, packet):
        stack = b"".join(struct.pack("!I", label << 12 | (n == len(labels) - 1) << 8 | 64)
                         for n, label in enumerate(labels))
        return 0x8847, stack + packet
    return put


def pppoe(kind, packet):
    return 0x8864, struct.pack("!BBHHH", 0x11, 0, 9, len(packet) + 2,
                               0x0021 if kind == 0x0800 else 0x0057) + packet


def _link(link, packet, l2, little):
    kind = ethertype(packet)
    for f in l2:
        kind, packet = f(kind, packet)
    if link == "ethernet":
        return ethernet(kind, packet)
    if link in ("raw", "ipv4", "ipv6"):
        return packet
    if link in ("null", "loop"):
        family = 2 if kind == 0x0800 else 30
        return struct.pack("<I" if link == "null" and little else "!I", family) + packet
    if link == "sll":
        return struct.pack("!HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1\0\0", kind) + packet
    if link == "sll2":
        return struct.pack("!HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\2\0\0\0\0\1\0\0") + packet
    if link == "ppp":
        return struct.pack("!BBH", 0xff, 3, 0x0021 if kind == 0x0800 else 0x0057) + packet
    raise ValueError(link)


class Frame:
    def __init__(self, time, data, wire=None, link="ethernet"):
        self.time, self.data, self.wire, self.link = time, data, wire or len(data), link


def frames(segments, link="ethernet", l2=(), tunnels=(), fragment=None, snap=None, little=True, options=b"",
           extensions=()):
    """fragment: octets, or a dict for Ip.fragments. tunnels: innermost first. snap: octets kept of each frame."""
    out = []
    for s in segments:
        ip = Ip(s.src[0], s.dst[0], 6, tcp(s), options, extensions)
        if not fragment:
            packets = [ip.octets()]
        else:
            packets = ip.fragments(**fragment) if isinstance(fragment, dict) else ip.fragments(fragment)
        for n, packet in enumerate(packets):
            for f in tunnels:
                packet = f(packet)
            data = _link(link, packet, l2, little)
            out.append(Frame(s.time + n * 100, data[:snap] if snap else data, len(data), link))
    return out


# ---- files ----

def write_pcap(path, frame_list, little=True, ns=False, gz=False, cut=None):
    """cut: the file ends so many octets too early."""
    order = "<" if little else ">"
    link = LINKS[frame_list[0].link] if frame_list else 1
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if ns else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)]
    for f in frame_list:
        part = f.time % 10**9
        out.append(struct.pack(order + "IIII", f.time // 10**9, part if ns else part // 1000, len(f.data), f.wire))
        out.append(f.data)
    _write(path, b"".join(out), gz, cut)


def _block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def write_pcapng(path, frame_list, little=True, gz=False, cut=None, sections=1, tsresol=None, noise=True,
                 tsoffset=0):
    """An interface for each link type and a second one that is not used; sections share the frames out, every other in the other byte order.

    tsresol: the option's octet (6: us, 9: ns, 0x80 + n: 2^-n s). tsoffset: seconds. noise: blocks and options nobody needs.
    """
    out = []
    share = (len(frame_list) + sections - 1) // sections
    for n in range(sections):
        order = "<" if little ^ (n & 1) else ">"
        comment = struct.pack(order + "HH", 1, 5) + b"hello\0\0\0" + struct.pack(order + "HH", 0, 0) if noise else b""
        out.append(_block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1) + comment))
        part = frame_list[n * share:(n + 1) * share]
        links = sorted(set(f.link for f in part))
        options = b""
        if tsresol is not None:
            options += struct.pack(order + "HHB3x", 9, 1, tsresol)
        if tsoffset:
            options += struct.pack(order + "HHq", 14, 8, tsoffset)
        if options:
            options += struct.pack(order + "HH", 0, 0)
        if noise:
            out.append(_block(order, 1, struct.pack(order + "HHI", 147, 0, 0)))
        for link in links:
            out.append(_block(order, 1, struct.pack(order + "HHI", LINKS[link], 0, 262144) + options))
        if noise:
            out.append(_block(order, 4, struct.pack(order + "HH", 0, 0)))
            out.append(_block(order, 0x0bad0001, b"what nobody knows"))
        for f in part:
            unit = 10**6 if tsresol is None else 2**(tsresol & 127) if tsresol & 128 else 10**tsresol
            stamp = (f.time - tsoffset * 10**9) * unit // 10**9
            out.append(_block(order, 6, struct.pack(order + "IIIII", links.index(f.link) + (1 if noise else 0),
                                                    stamp >> 32, stamp & 0xffffffff, len(f.data), f.wire) +
                              f.data + b"\0" * (-len(f.data) % 4) + comment))
        if noise:
            out.append(_block(order, 5, struct.pack(order + "III", 0, 0, 0)))
    _write(path, b"".join(out), gz, cut)


def _write(path, data, gz, cut):
    if cut:
        data = data[:-cut]
    if gz:
        data = gzip.compress(data)
    with open(path, "wb") as f:
        f.write(data)
