#!/usr/bin/python3
"""Every turn that SMTP and POP3 sessions take, on the wire: the records are the same in whatever pieces and order they come.

wire_mail.py POSTERN   (or POSTERN in the environment)
"""
import hashlib
import sys

import wire_case
from wire_case import case, differences, equal, scan, stable, w, whole

MAIL, OTHER = w.mail(2500, 11), w.mail(600, 12)
BINARY = b"From: a@b.example\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 8 + b"\r\n.\r\n.."
GREET = [(1, b"220 mx ESMTP\r\n"), (0, b"EHLO c.example\r\n"),
         (1, b"250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 BINARYMIME\r\n")]
FROM = [(0, b"MAIL FROM:<a@b.example> SIZE=9999\r\n"), (1, b"250 ok\r\n"), (0, b"RCPT TO:<c@d.example>\r\n"), (1, b"250 ok\r\n")]
DATA = [(0, b"DATA\r\n"), (1, b"354 go\r\n")]
DONE = [(1, b"250 2.0.0 queued\r\n")]
QUIT = [(0, b"QUIT\r\n"), (1, b"221 bye\r\n")]
POP3 = {"client": ("192.0.2.11", 21002), "server": ("198.51.100.110", 110)}


def ways(script, **where):
    """The records, after they were seen to be the same in 6 ways to cut and order the packets."""
    parts = w.talk(script, **where)
    want = stable(scan(w.frames(parts)))
    small = w.talk(script, mss=97, **where)
    for what, other in (("one octet", w.recut(parts, 1)), ("cut anyhow", w.recut(parts, None, 3)), ("mss 97", small),
                        ("reordered", w.reorder(w.recut(small, None, 4), 10, 4)), ("doubled", w.double(small, 0.5, 6, 5)),
                        ("overlapping", w.overlap(small))):
        got = stable(scan(w.frames(other)))
        assert got == want, f"{what}: {differences(got, want)}"
    return want


def clean(record, message, **envelope):
    whole(record, message)
    equal(record["message"]["flags"], envelope.pop("flags", []), "flags")
    for key, value in envelope.items():
        equal(record["smtp"][key], value, key)


@case
def sizes_at_the_limit():
    """Around limits.message_size: the digest is that of all octets, on either side of it."""
    for size in (4094, 4096, 4098, 4200, 9000, 200000):
        message = b"From: a@b.example\r\n\r\n"
        while len(message) < size:
            message += b"x" * min(70, size - len(message) - 2) + b"\r\n"
        record, = scan(w.frames(w.talk(GREET + FROM + DATA + [(0, w.stuff(message))] + DONE + QUIT)),
                       options=["--limits-message-size", "4096"])
        clean(record, message, flags=["too_large"] if size > 4096 else [])


@case
def f1_names_that_are_cut():
    """RFC 5321 4.5.3.1.3 allows 256 octets; of more than 1,024 the record says that they were cut."""
    for n, flags in ((1000, []), (3000, ["long_command"])):
        for sender, rcpt in ((b"s" * n, b"r@d.example"), (b"s@b.example", b"r" * n)):
            script = GREET + [(0, b"MAIL FROM:<%s>\r\n" % sender), (1, b"250 ok\r\n"), (0, b"RCPT TO:<%s>\r\n" % rcpt),
                              (1, b"250 ok\r\n")] + DATA + [(0, w.stuff(OTHER))] + DONE + QUIT
            record, = scan(w.frames(w.talk(script)))
            clean(record, OTHER, flags=flags, mail_from=sender.decode()[:1024], rcpt_to=[rcpt.decode()[:1024]])


@case
def several_messages():
    script = GREET + FROM + DATA + [(0, w.stuff(MAIL))] + DONE + FROM + DATA + [(0, w.stuff(OTHER))] + DONE + QUIT
    one, two = ways(script)
    clean(one, MAIL, mail_from="a@b.example", rcpt_to=["c@d.example"], helo="c.example", reply=250)
    clean(two, OTHER)


@case
def pipelining():
    """Commands in one segment, replies in one: they belong together by their order."""
    script = GREET + [(0, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<no@d.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
                      (1, b"250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"),
                      (0, w.stuff(MAIL) + b"MAIL FROM:<>\r\nRCPT TO:<e@f.example>\r\nDATA\r\n"),
                      (1, b"250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n"), (0, w.stuff(OTHER) + b"QUIT\r\n"),
                      (1, b"250 queued\r\n221 bye\r\n")]
    one, two = ways(script)
    clean(one, MAIL, rcpt_to=["c@d.example"])
    clean(two, OTHER, mail_from="", rcpt_to=["e@f.example"])


@case
def bdat():
    script = GREET + FROM + [(0, b"BDAT 700\r\n" + BINARY[:700]), (1, b"250 ok\r\n"), (0, b"BDAT 0\r\n"), (1, b"250 ok\r\n"),
                             (0, b"BDAT %d LAST\r\n" % (len(BINARY) - 700) + BINARY[700:])] + DONE + QUIT
    record, = ways(script)
    whole(record, BINARY)
    equal(record["smtp"]["rcpt_to"], ["c@d.example"], "recipients")


@case
def h9_bdat_refused():
    """H-9: the chunk of a refused BDAT is skipped, whatever it looks like; the last one's answer is the message's."""
    evil = b"\r\n.\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\n"
    good = FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT
    for last in (b"", b" LAST"):
        record, *more = reversed(ways(GREET + FROM + [(0, b"BDAT %d%s\r\n" % (len(evil), last) + evil), (1, b"554 no\r\n"),
                                                      (0, b"RSET\r\n"), (1, b"250 ok\r\n")] + good))
        clean(record, MAIL, mail_from="a@b.example")
        equal([r["smtp"]["reply"] for r in more], [554] if last else [], "records of the refused one")


@case
def h9_bdat_unknown_to_the_server():
    """Nobody offered CHUNKING: behind a BDAT that is not known come commands."""
    plain = [(1, b"220 mx\r\n"), (0, b"EHLO c.example\r\n"), (1, b"250-mx\r\n250 8BITMIME\r\n")]
    for code in (b"500", b"502"):
        record, = ways(plain + FROM + [(0, b"BDAT 100000 LAST\r\n"), (1, code + b" what\r\n"), (0, b"RSET\r\n"), (1, b"250 ok\r\n")] +
                       FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT)
        clean(record, MAIL)


@case
def h9_data_refused():
    script = GREET + FROM + [(0, b"DATA\r\n"), (1, b"554 no valid recipients\r\n"), (0, b"RSET\r\n"), (1, b"250 ok\r\n")]
    record, = ways(script + FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT)
    clean(record, MAIL)


@case
def message_refused_at_its_end():
    record, = ways(GREET + FROM + DATA + [(0, w.stuff(MAIL)), (1, b"550 5.7.1 spam\r\n")] + QUIT)
    clean(record, MAIL, reply=550)


@case
def auth():
    script = GREET + [(0, b"AUTH LOGIN\r\n"), (1, b"334 VXNlcm5hbWU6\r\n"), (0, b"Ym9i\r\n"), (1, b"334 UGFzc3dvcmQ6\r\n"),
                      (0, b"aHVudGVyMg==\r\n"), (1, b"235 ok\r\n")] + FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT
    record, = ways(script)
    clean(record, MAIL, authenticated=True)
    assert "hunter2" not in str(record) and "aHVudGVyMg" not in str(record)


@case
def auth_starts_in_the_middle():
    """No answer to a challenge is taken for content, wherever the capture begins."""
    parts = w.talk(GREET + [(0, b"AUTH LOGIN\r\n"), (1, b"334 VXNlcm5hbWU6\r\n"), (0, b"Ym9i\r\n"), (1, b"334 UGFzc3dvcmQ6\r\n"),
                            (0, b"aHVudGVyMg==\r\n"), (1, b"235 ok\r\n")] + FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT)
    for n in range(3, 12):
        record, = scan(w.frames(parts[n:]))
        clean(record, MAIL, mail_from="a@b.example")


@case
def starttls():
    hello = b"\x16\x03\x01" + bytes(200) + b"MAIL FROM:<x@y.example>\r\n"
    equal(ways(GREET + [(0, b"STARTTLS\r\n"), (1, b"220 go\r\n"), (0, hello), (1, hello)]), [], "records")
    script = GREET + [(0, b"STARTTLS\r\n"), (1, b"454 not now\r\n")] + FROM + DATA + [(0, w.stuff(MAIL))] + DONE + QUIT
    record, = ways(script)
    clean(record, MAIL, tls=False)


@case
def h9_dot_endings():
    """H-9: only CRLF.CRLF ends a message; what other servers would take for an end is told."""
    for odd, kept in ((b"\n.\n", b"\n.\n"), (b"\n.\r\n", b"\n.\r\n"), (b"\r\n.\n", b"\r\n\n"), (b"\r.\r", b"\r.\r")):
        sent = b"From: a@b.example\r\n\r\nbody%sMAIL FROM:<evil@b.example>\r\nmore\r\n"
        record, = ways(GREET + FROM + DATA + [(0, sent % odd + b".\r\n")] + DONE + QUIT)
        whole(record, sent % kept)
        assert "dot_ambiguous" in record["message"]["flags"], (odd, record["message"])


@case
def end_in_pieces():
    """The final dot line cut at each octet."""
    for at in range(1, 6):
        end = w.stuff(MAIL)
        record, = scan(w.frames(w.talk(GREET + FROM + DATA + [(0, end[:-at]), (0, end[-at:])] + DONE + QUIT)))
        clean(record, MAIL)


@case
def pop3_commands():
    script = [(1, b"+OK ready <1.2@mx>\r\n"), (0, b"CAPA\r\n"), (1, b"+OK\r\nTOP\r\nUIDL\r\n.\r\n"),
              (0, b"APOP bob c4c9334bac560ecc979e58001b3e22fb\r\n"), (1, b"+OK\r\n"), (0, b"LIST\r\n"),
              (1, b"+OK\r\n1 %d\r\n2 %d\r\n.\r\n" % (len(MAIL), len(OTHER))), (0, b"TOP 1 0\r\n"),
              (1, b"+OK\r\n" + w.stuff(MAIL[:MAIL.index(b"\r\n\r\n") + 4])), (0, b"RETR 9\r\n"), (1, b"-ERR no\r\n"),
              (0, b"RETR 2\r\nRETR 1\r\nQUIT\r\n"),
              (1, b"+OK\r\n" + w.stuff(OTHER) + b"+OK\r\n" + w.stuff(MAIL) + b"+OK bye\r\n")]
    two, one = ways(script, **POP3)
    for record, message, number in ((two, OTHER, 2), (one, MAIL, 1)):
        clean(record, message)
        equal((record["pop3"]["user"], record["pop3"]["number"]), ("bob", number), "pop3")
    assert "c4c9334bac" not in str(two)


LONG = w.mail(90000, 13)


def starts_in_the_middle(script, messages, side, first_line, **where):
    """From every packet on: what is whole in the capture is whole in the records, what is cut is told as cut.

    first_line: the message's own first line follows in a segment that may begin the capture, when what asked for it was not seen.
    """
    names = {hashlib.sha256(m).hexdigest(): n for n, m in enumerate(messages)}
    parts = w.talk(script, mss=700, **where)
    base = next(s.seq + 1 for s in parts if s.side == side and s.flags & w.SYN)
    said = b"".join(data for who, data in script if who == side)
    spans, at = [], 0
    for m in messages:
        spans.append((said.index(m[:60], at), said.index(m[:60], at) + len(w.stuff(m)) - 3))
        at = spans[-1][1]
    for n in list(range(3, 40)) + list(range(40, len(parts) - 8, 11)):
        rest = parts[n:]
        low = min((s.seq - base for s in rest if s.side == side and s.data), default=1 << 30)
        want = [i if low < a or (low == a and first_line) else "cut" for i, (a, b) in enumerate(spans) if low < b]
        got = [names.get(r["message"]["sha256"]) if r["message"]["complete"] else "cut" for r in scan(w.frames(rest))]
        equal(got, want, f"from packet {n} {rest[0].side} {rest[0].data[:20]!r}")


@case
def n15_smtp_starts_in_the_middle():
    script = GREET
    for m in (MAIL, LONG, OTHER):
        script = script + FROM + DATA + [(0, w.stuff(m))] + DONE
    starts_in_the_middle(script + QUIT, (MAIL, LONG, OTHER), 0, False)


@case
def n15_pop3_starts_in_the_middle():
    script = [(1, b"+OK ready\r\n"), (0, b"USER bob\r\n"), (1, b"+OK\r\n"), (0, b"PASS x\r\n"), (1, b"+OK\r\n"),
              (0, b"LIST\r\n"), (1, b"+OK\r\n1 200\r\n.\r\n")]
    for n, m in enumerate((MAIL, LONG, OTHER)):
        script += [(0, b"RETR %d\r\n" % n), (1, b"+OK\r\n" + w.stuff(m))]
    starts_in_the_middle(script + [(0, b"QUIT\r\n"), (1, b"+OK\r\n")], (MAIL, LONG, OTHER), 1, True, **POP3)


@case
def n15_slow_server():
    """Whoever sends early to a server that takes its time decides nothing: DATA is refused, what follows are commands."""
    early = (b"MAIL FROM:<a@b.example>\r\nRCPT TO:<no@d.example>\r\nDATA\r\nRSET\r\n"
             b"MAIL FROM:<x@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
    script = GREET + [(0, early), (1, b"250 a\r\n550 no\r\n554 none\r\n250 reset\r\n250 a\r\n250 b\r\n354 go\r\n"),
                      (0, w.stuff(MAIL))] + DONE + QUIT
    for step, size in ((400_000_000, 10), (1000, 1)):
        late, parts = 0, []
        for s in w.talk(script):
            for p in w.pieces(s, range(size, len(s.data), size)) if s.data == early else [s]:
                late += step
                parts.append(p.but(time=s.time + late))
        record, = scan(w.frames(parts))
        clean(record, MAIL, mail_from="x@b.example")


@case
def h9_flood_of_recipients():
    talk = GREET + FROM[:2]
    names = [b"r%d@d.example" % n for n in range(1200)]
    talk += [(0, b"".join(b"RCPT TO:<%s>\r\n" % n for n in names)), (1, b"250 ok\r\n" * len(names))]
    record, = scan(w.frames(w.talk(talk + DATA + [(0, w.stuff(OTHER))] + DONE + QUIT)))
    clean(record, OTHER, flags=["rcpt_overflow"])
    equal(record["smtp"]["rcpt_to"], [n.decode() for n in names[:1000]], "recipients")


@case
def not_mail():
    """Something else on these ports is left alone."""
    script = [(0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (1, b"HTTP/1.1 200 OK\r\n\r\nDATA\r\n.\r\n")]
    equal(ways(script), [], "records")


sys.exit(wire_case.main())
