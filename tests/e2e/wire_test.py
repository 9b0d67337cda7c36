#!/usr/bin/python3
"""What happens to packets does not happen to messages: every trouble of capture and TCP, made by tests/wire.py, gives the octets and
the records of the untroubled capture, or says exactly what is missing.

wire_test.py POSTERN   (or POSTERN in the environment)
"""
import hashlib
import os
import subprocess
import sys

import wire_case
from wire_case import FILE, POSTERN, case, cases, differences, equal, scan, stable, w, whole


# ---- one conversation of each kind, and its records when nothing is wrong ----

MAILS = [w.mail(3000, 1), w.mail(40000, 2), w.mail(700, 3)]
V6 = {"client": ("2001:db8::10", 21003), "server": ("2001:db8:1::25", 25)}


def smtp(**where):
    return w.talk(w.smtp(MAILS[:2], rcpt=(b"bob@receiver.example", b"carol@receiver.example")), **where)


def pop3(**where):
    where = {"client": ("192.0.2.11", 21002), "server": ("198.51.100.110", 110), "start": w.START + 50_000} | where
    return w.talk(w.pop3([MAILS[2], MAILS[0]]), **where)


def everything(**more):
    return w.merge(smtp(**more), pop3(**more), smtp(start=w.START + 70_000, **V6, **more))


BASE = None


def base():
    global BASE
    if BASE is None:
        BASE = stable(scan(w.frames(everything())))
    return BASE


def same(segments, what="", **how):
    frame_how = {k: how.pop(k) for k in ("link", "l2", "tunnels", "fragment", "snap", "options", "extensions") if k in how}
    got = stable(scan(w.frames(segments, **frame_how), **how))
    want = base()
    assert got == want, f"{what} {differences(got, want)}"


@case
def untroubled():
    records = scan(w.frames(everything()))
    equal(len(records), 6, "records")
    by_proto = {"smtp": MAILS[:2], "pop3": [MAILS[2], MAILS[0]]}
    for r in records:
        whole(r, by_proto[r["app_proto"]][r["tx_id"]])
        equal(r["message"]["flags"], [], "flags")
        equal(r["dest_port"], {"smtp": 25, "pop3": 110}[r["app_proto"]], "server")
        assert r["src_port"] > 20000, "the client is the source"
        if r["app_proto"] == "smtp":
            equal((r["smtp"]["helo"], r["smtp"]["mail_from"], r["smtp"]["rcpt_to"], r["smtp"]["reply"]),
                  ("mx.sender.example", "alice@sender.example", ["bob@receiver.example", "carol@receiver.example"],
                   250), "envelope")
        else:
            equal((r["pop3"]["user"], r["pop3"]["number"]), ("bob", r["tx_id"] + 1), "pop3")
    equal(sorted({r["src_ip"] for r in records}), ["192.0.2.10", "192.0.2.11", "2001:db8::10"], "clients")


# ---- section 2: files, links, tunnels, fragments ----

@cases({"big-endian": {"little": False}, "nanoseconds": {"ns": True}, "gzip": {"gz": True},
        "big-endian nanoseconds gzip": {"little": False, "ns": True, "gz": True}})
def pcap(_name, how):
    same(everything(), **how)


@cases({"plain": {}, "big-endian": {"little": False}, "three sections": {"sections": 3},
        "nanoseconds": {"tsresol": 9}, "2^-20 seconds": {"tsresol": 0x94}, "gzip": {"gz": True, "sections": 2},
        "bare": {"noise": False}})
def pcapng(_name, how):
    same(everything(), write=w.write_pcapng, **how)


@case
def pcapng_time():
    for tsresol in (None, 6, 9, 0x9e):
        for r in scan(w.frames(smtp()), write=w.write_pcapng, tsresol=tsresol):
            assert r["timestamp"].startswith("2026-09-21T"), r["timestamp"]


@case
def pcapng_time_offset():
    want = [r["timestamp"] for r in scan(w.frames(smtp()))]
    for tsoffset in (3600, -7200, 1_700_000_000):
        for little in (True, False):
            got = scan(w.frames(smtp()), write=w.write_pcapng, tsresol=9, tsoffset=tsoffset, little=little)
            equal([r["timestamp"] for r in got], want, f"offset {tsoffset}")


@case
def pcapng_mixed_links():
    parts = everything()
    out = []
    for i, s in enumerate(parts):
        out += w.frames([s], link=("ethernet", "raw", "sll", "ppp")[i % 4])
    got = stable(scan(out, write=w.write_pcapng, sections=2))
    assert got == base(), differences(got, base())


@cases({link: link for link in w.LINKS if link not in ("ipv4", "ipv6")})
def link_type(_name, link):
    same(everything(), link=link)
    same(everything(), link=link, little=False)


@case
def link_type_ip_only():
    for link, of in (("ipv4", smtp()), ("ipv6", smtp(start=w.START + 70_000, **V6))):
        got = stable(scan(w.frames(of, link=link)))
        want = [r for r in base() if r["src_ip"] == of[0].src[0]]
        assert got == want, f"{link} {differences(got, want)}"


@cases({"vlan": ([w.vlan(7)], [7]), "qinq": ([w.vlan(7, 8, outer=0x88a8)], [7, 8]),
        "mpls": ([w.mpls(100, 200)], None), "pppoe": ([w.pppoe], None), "pppoe in vlan": ([w.pppoe, w.vlan(9)], [9]),
        "mpls in qinq": ([w.mpls(5), w.vlan(1, 2)], [1, 2])})
def l2(_name, how):
    same(everything(), l2=how[0])
    for r in scan():
        if how[1]:
            equal(r["vlan"], how[1], "vlan")


@case
def vlan_of_one_direction():
    """Both directions of a link may be tagged differently."""
    parts = []
    for s in everything():
        parts += w.frames([s], l2=[w.vlan(10 + s.side)])
    got = stable(scan(parts))
    assert got == base(), differences(got, base())


@cases({name: [f] for name, f in w.TUNNELS.items()} | {
    "gre in ipip in vxlan": [w.tunnel_gre, w.tunnel_ipip, w.tunnel_vxlan],
    "geneve in ipv6": [w.tunnel_geneve, w.tunnel_ip6]})
def tunnel(_name, tunnels):
    same(everything(), tunnels=tunnels)
    same(everything(), tunnels=tunnels, l2=[w.vlan(3)])


@case
def h11_tunnels_too_deep():
    """H-11: 20 tunnels inside each other are counted, not followed, and stop nothing else."""
    deep = w.frames(w.talk(w.smtp([b"From: x\r\n\r\nx\r\n"]), client=("192.0.2.99", 9999)), tunnels=[w.tunnel_ipip] * 20)
    got = stable(scan(sorted(deep + w.frames(everything()), key=lambda f: f.time)))
    assert got == base(), differences(got, base())


@cases({"forward": {"size": 512}, "backward": {"size": 512, "order": "backward"}, "any": {"size": 104, "order": "any"},
        "tiny": {"size": 8}, "overlapping": {"size": 256, "overlapping": True},
        "overlapping, any": {"size": 256, "overlapping": True, "order": "any"}})
def h11_fragments(_name, how):
    same(everything(), fragment=how)
    same(everything(), fragment=how, tunnels=[w.tunnel_gre])


@case
def h11_options():
    same(everything(), options=b"\1\1\1\x94\4\0\0\0")
    same(everything(), extensions=[(0, b""), (60, b"\1\4\0\0\0\0"), (43, b"\0\0\0\0\0\0")])


@case
def snap_length():
    """Cut frames are holes: never other octets, and each message says that something is missing."""
    records = scan(w.frames(everything(), snap=600))
    for r in records:
        assert not r["message"]["complete"] or r["message"]["sha256"] in {
            hashlib.sha256(m).hexdigest() for m in MAILS}, r["message"]
    assert sum(not r["message"]["complete"] for r in records) >= 3
    for r in records:
        if not r["message"]["complete"]:
            assert r["message"]["missing"] > 0 and "hole" in r["message"]["flags"], r["message"]
    same(everything(mss=500), snap=600)


@case
def damaged_file():
    w.write_pcap(FILE, w.frames(everything()))
    size = os.path.getsize(FILE)
    for cut in (1, 100, size // 2):
        records = scan(w.frames(everything()), cut=cut, status=(2,))
        equal(scan.err.count("\n"), 1, "lines on stderr: " + scan.err)
        assert FILE in scan.err, scan.err
        assert cut > 100 or len(records) >= 6, "what comes before the damage is scanned"


# ---- section 3: TCP ----

@cases({f"by {reach}, seed {seed}": (reach, seed) for reach in (2, 6, 20) for seed in (1, 2, 3)})
def n15_reordered(_name, how):
    same(w.reorder(everything(), *how))


@cases({f"seed {seed}": seed for seed in range(4)})
def n15_doubled(_name, seed):
    same(w.double(everything(), 0.5, 8, seed))


@cases({"1 octet": 1, "2": 2, "3": 3, "7": 7, "100": 100, "anyhow": None, "anyhow, mss 9000": -1})
def n15_recut(_name, size):
    if size == -1:
        same(w.recut(everything(mss=9000), None, 5))
    else:
        same(w.recut(everything(), size))


@cases({str(mss): mss for mss in (1, 64, 536, 8960, 60000)})
def n15_other_mss(_name, mss):
    same(everything(mss=mss))


@cases({f"seed {seed}": seed for seed in range(6)})
def n15_all_together(_name, seed):
    parts = w.recut(everything(), None, seed)
    parts = w.overlap(parts, seed=seed)
    parts = w.reorder(w.double(parts, 0.3, 6, seed), 12, seed)
    same(parts, l2=[w.vlan(7)], fragment={"size": 400, "order": "any", "seed": seed})


@case
def overlap_same_octets():
    for seed in range(3):
        same(w.overlap(everything(), seed=seed))
        same(w.overlap(w.recut(everything(), None, seed), seed=seed))


def overlapped(segments):
    """The octets are those of the base; the flag says that there were others."""
    got = stable(scan(w.frames(segments)))
    for r in got:
        assert "overlap" in r["message"]["flags"], r["message"]
        r["message"]["flags"].remove("overlap")
    assert got == base(), differences(got, base())


@case
def h10_overlap_with_other_octets():
    overlapped(w.second_copies(w.second_copies(everything(), 0), 1))


@case
def h10_overlap_with_other_octets_recut():
    """In part behind the reader: the first octets win."""
    overlapped(w.overlap(w.recut(everything(mss=100), None, 3), differ=True))


@case
def h10_overlap_out_of_order():
    """The first copy of a held segment wins over a second one."""
    parts = []
    data = b"A" * 100 + b"\r\n"
    message = b"From: a@b.example\r\n\r\n" + data * 20
    for s in w.talk(w.smtp([message]), mss=80):
        if s.side == 0 and len(s.data) == 80:
            half = w.pieces(s, [40])
            parts += [half[1], half[1].but(data=b"#" * 40), half[0]]
        else:
            parts.append(s)
    record, = scan(w.frames(parts))
    whole(record, message)
    equal(record["message"]["flags"], ["overlap"], "flags")


@cases({name: getattr(w, name) for name in ("bad_checksum", "rst_wrong", "rst_bad_checksum", "far", "no_ack", "ack_lie",
                                            "keep_alive", "keep_alive_octet", "syn_decoy", "rst_right")})
def h10_decoys(_name, make):
    same(w.decoys(everything(), make, 3), _name)
    same(w.decoys(everything(mss=200), make, 2), _name)


@case
def checksums_of_an_offloading_end():
    """A direction that never sends a right checksum is believed; always does not believe it."""
    parts = [s.but() for s in everything()]
    for s in parts:
        s.bad = s.side == 0
    same(parts)


@case
def checksum_settings():
    """auto believes a direction without a right checksum, always does not, never takes everything."""
    offload = [s.but() for s in everything()]
    for s in offload:
        s.bad = s.side == 0
    for setting, records in (("auto", 6), ("always", 2), ("never", 6)):
        got = [r for r in scan(w.frames(offload), options=["--checksum", setting]) if r["message"]["complete"]]
        equal(len(got), records, f"messages with {setting}")
    decoyed = w.decoys(everything(), w.bad_checksum, 3)
    for setting in ("auto", "always"):
        assert stable(scan(w.frames(decoyed), options=["--checksum", setting])) == base(), setting
    assert stable(scan(w.frames(decoyed), options=["--checksum", "never"])) != base(), "never believes decoys"


@case
def ports_settable():
    """Up to 16 of each; the protocol is what the words say."""
    sixteen = [str(p) for p in range(2500, 2516)]
    for option in ("--smtp-ports", "--pop3-ports"):
        for make, at in ((smtp, "2500"), (pop3, "2515")):
            parts = make(server=("198.51.100.25", int(at)))
            got = scan(w.frames(parts), options=[option, ",".join(sixteen)])
            equal([r["message"]["complete"] for r in got], [True, True], f"{option} {at}")
            equal(scan(w.frames(parts)), [], "on other ports")
        scan(w.frames(smtp()), options=[option, ",".join(sixteen + ["2516"])], status=(2,))
        assert "up to 16" in scan.err, scan.err


@case
def h10_holes_settable():
    """Given up 64 packets or a second after the peer acknowledged them; both settable."""
    parts = w.talk(w.smtp([w.mail(300000, 3)]))
    lost = [i for i, s in enumerate(parts) if s.side == 0 and len(s.data) > 1000][3]
    for late, step, options, complete in ((60, 1000, [], True), (70, 1000, [], False),
                                          (60, 1000, ["--limits-hole-packets", "8"], False),
                                          (70, 1000, ["--limits-hole-packets", "200"], True),
                                          (10, 50_000_000, [], True), (30, 50_000_000, [], False),
                                          (30, 50_000_000, ["--limits-hole-time", "10s"], True)):
        order = parts[:lost] + parts[lost + 1:lost + late] + [parts[lost]] + parts[lost + late:]
        record, = scan(w.frames([s.but(time=w.START + step * n) for n, s in enumerate(order)]), options=options)
        told = record["message"]
        equal((told["complete"], told["missing"]), (complete, 0 if complete else 1460), f"{late} packets late {options}")


@case
def h10_flow_table_full():
    """Mail among more idle connections than the table has room for: the idle ones go."""
    idle = [w.talk([(1, b"220 x\r\n"), (0, b"EHLO c\r\n"), (1, b"250 x\r\n")], client=("192.0.2.12", 1000 + n), close=False,
                   start=w.START + n * 100_000) for n in range(500)]
    got = scan(w.frames(w.merge(everything(), *idle)), options=["--limits-flow-max", "64"])
    assert stable(got) == base(), differences(stable(got), base())


@case
def wrap_of_numbers():
    for isn in ((0xffffffff, 0xfffffffe), (0xffffff00, 0xfffffff0), (0x7fffffff, 0x80000000), (0xffff8000, 0x7fff8000)):
        same(everything(isn=isn))
        same(w.reorder(w.recut(everything(isn=isn), None, 1), 8, 1))


@case
def lost_in_the_body():
    """A hole of known size: the rest of the session goes on behind it."""
    parts = smtp()
    start = sum(len(d) for side, d in w.smtp(MAILS[:2], rcpt=(b"bob@receiver.example", b"carol@receiver.example"))[:10]
                if side == 0)
    for first, n in ((start + 1000, 1), (start + 500, 1460), (start + 999, 3)):
        records = stable(scan(w.frames(w.lose(parts, 0, first, n))))
        equal(len(records), 2, "records")
        told = records[0]["message"]
        equal((told["complete"], told["missing"]), (False, n), "hole")
        assert "hole" in told["flags"], told
        whole(records[1], MAILS[1])


@case
def lost_for_the_capture_only_in_time():
    """A copy that comes later, before the grace is over, fills the hole."""
    parts = smtp()
    big = [i for i, s in enumerate(parts) if s.side == 0 and len(s.data) > 1000]
    i = big[3]
    late = parts[:i] + parts[i + 1:i + 10] + [parts[i]] + parts[i + 10:]
    got = stable(scan(w.frames([s.but(time=t.time) for s, t in zip(late, parts)])))
    want = [r for r in base() if r["src_ip"] == "192.0.2.10"]
    assert got == want, differences(got, want)


@case
def one_side_only():
    """Client alone: SMTP messages whole, acceptance assumed. Server alone: POP3 messages whole."""
    records = stable(scan(w.frames(w.one_sided(smtp(), 0))))
    equal(len(records), 2, "records")
    for r, m in zip(records, MAILS):
        whole(r, m)
        equal(r["message"]["flags"], ["no_replies"], "flags")
        equal(r["smtp"]["mail_from"], "alice@sender.example", "sender")
    records = stable(scan(w.frames(w.one_sided(pop3(), 1))))
    equal(len(records), 2, "records")
    for r, m in zip(records, (MAILS[2], MAILS[0])):
        whole(r, m)


@case
def mid_stream():
    """Every start: messages that are whole in the capture are whole in the records."""
    parts = smtp()
    for n in range(0, len(parts), 3):
        last = [r for r in scan(w.frames(w.midstream(parts, n))) if r["message"]["complete"]]
        for r in last:
            assert r["message"]["sha256"] in {hashlib.sha256(m).hexdigest() for m in MAILS}, (n, r["message"])
        if n < 10:
            equal(len(last), 2, f"messages from packet {n} on")
    second = [i for i, s in enumerate(parts) if s.data.startswith(b"MAIL")][1]
    record, = scan(w.frames(w.midstream(parts, second)))
    whole(record, MAILS[1])
    equal((record["smtp"]["helo"], record["smtp"]["mail_from"]), (None, "alice@sender.example"), "envelope")


@case
def cut_off_at_the_end():
    parts = smtp()
    for n in range(30, len(parts), 5):
        for r in scan(w.frames(parts[:n])):
            if r["message"]["complete"]:
                assert r["message"]["sha256"] in {hashlib.sha256(m).hexdigest() for m in MAILS}, (n, r["message"])
            else:
                assert "no_end" in r["message"]["flags"], (n, r["message"])


@case
def port_reuse():
    """Five connections on the same ports, each with other numbers, ended by FIN, RST or not at all."""
    parts, want, time = [], [], w.START
    for n in range(5):
        message = w.mail(1000 + n, n)
        one = w.talk(w.smtp([message], sender=b"n%d@sender.example" % n), close=n < 2, isn=(n * 0x33333333 + 1, n * 0x55555555 + 9),
                     start=time)
        if n == 3:
            one.append(one[-1].but(side=0, src=one[0].src, dst=one[0].dst, seq=one[-1].ack, data=b"",
                                   flags=w.RST, time=one[-1].time + 1))
        time = one[-1].time + 1_000_000
        parts += one
        want.append(message)
    records = scan(w.frames(parts))
    equal(len(records), 5, "records")
    for n, (r, m) in enumerate(zip(records, want)):
        whole(r, m)
        equal((r["smtp"]["mail_from"], r["tx_id"]), (f"n{n}@sender.example", 0), "envelope")
    equal(len({r["flow_id"] for r in records}), 5, "flow ids")


@case
def h10_syn_with_data():
    """A client that speaks first, in its SYN, answered for all, some or none of it."""
    message = w.mail(2000, 9)
    first = b"EHLO early.example\r\n"
    script = w.smtp([message])
    for taken in (len(first), 5, 0):
        talk = w.Conversation(syn_data=first)
        talk.next[0] = talk.next[0] - len(first) + taken
        talk.segments[1].ack = talk.segments[2].seq = talk.next[0]
        talk.say(0, first[taken:])
        for side, data in script[:1] + script[2:]:
            talk.say(side, data)
        record, = scan(w.frames(talk.close().segments))
        whole(record, message)
        equal((record["smtp"]["helo"], record["message"]["flags"]), ("early.example", []), f"{taken} taken")


@case
def h10_two_syns():
    """The SYN that is answered counts, first or last."""
    parts = smtp()
    want = [r for r in base() if r["src_ip"] == "192.0.2.10"]
    decoy = parts[0].but(seq=parts[0].seq + 0x12345678)
    for order in ([decoy, parts[0]], [parts[0], decoy]):
        got = stable(scan(w.frames(order + parts[1:])))
        assert got == want, differences(got, want)


@case
def h10_fin_then_data():
    parts = smtp()
    fin = next(s for s in parts if s.side == 0 and s.flags & w.FIN)
    more = fin.but(seq=fin.seq + 1, flags=w.ACK, data=b"MAIL FROM:<evil@sender.example>\r\n")
    glued = fin.but(flags=w.ACK, data=b"MAIL FROM:<evil@sender.example>\r\n")
    got = stable(scan(w.frames(parts + [more, glued])))
    want = [r for r in base() if r["src_ip"] == "192.0.2.10"]
    assert got == want, differences(got, want)
    # with the last data
    talk = [s for s in parts if not s.flags & w.FIN]
    quit_ = next(i for i, s in enumerate(talk) if s.data.startswith(b"QUIT"))
    talk[quit_] = talk[quit_].but(flags=talk[quit_].flags | w.FIN)
    got = stable(scan(w.frames(talk)))
    assert got == want, differences(got, want)


@case
def h10_zero_window():
    """A server that takes one octet at a time and lies about its window."""
    parts = []
    for s in smtp():
        if s.side == 1:
            s = s.but(window=0)
        if s.side == 0 and len(s.data) > 1000:
            probe = w.pieces(s, [1])[0]
            parts += [probe, probe]
        parts.append(s)
    got = stable(scan(w.frames(parts)))
    want = [r for r in base() if r["src_ip"] == "192.0.2.10"]
    assert got == want, differences(got, want)


@case
def h10_half_open_flood():
    """20,000 SYNs nobody answers, between the packets of the mails."""
    flood = [w.Segment(w.START + n * 1000, (f"203.0.{n >> 8 & 255}.{n & 255}", 1024 + n % 60000),
                       ("198.51.100.25", 25), 0, n * 77777, 0, w.SYN) for n in range(20000)]
    same(w.merge(flood, everything()))


@case
def reset_in_a_message():
    talk = w.Conversation()
    for side, data in w.smtp([MAILS[0]], quit_=False)[:-1]:
        talk.say(side, data[:1500] if data.startswith(b"From:") else data)
    record, = scan(w.frames(talk.reset(0).segments))
    equal((record["message"]["complete"], record["message"]["flags"]), (False, ["no_end"]), "message")


@case
def many_connections_interleaved():
    talks = [w.talk(w.smtp([w.mail(500 + n * 37, n)], sender=b"c%d@sender.example" % n), client=("192.0.2.10", 30000 + n),
                    isn=(n * 99991, n * 88883), start=w.START + n * 1000) for n in range(60)]
    records = scan(w.frames(w.reorder(w.merge(*talks), 40, 4)))
    equal(len(records), 60, "records")
    for r in records:
        n = r["src_port"] - 30000
        whole(r, w.mail(500 + n * 37, n))
        equal((r["smtp"]["mail_from"], r["message"]["flags"]), (f"c{n}@sender.example", []), "envelope")


@case
def same_octets_twice():
    """Two runs over one capture print the same octets."""
    w.write_pcap(FILE, w.frames(w.reorder(everything(), 8, 1)))
    outs = [subprocess.run([POSTERN, "scan", "--format", "json", "--dns", "none", FILE], capture_output=True, timeout=60,
                           check=False).stdout for _ in range(2)]
    assert outs[0] and outs[0] == outs[1]


sys.exit(wire_case.main())
