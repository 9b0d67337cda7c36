#!/usr/bin/python3
"""N-13: `postern scan --evidence` judges with the DNS answers that records kept: the same octets as then, whatever the DNS says now, and
nothing is asked of the network.

evidence.py POSTERN
"""
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
try:
    import dkim
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rrset
    from cryptography.hazmat.primitives import serialization

    from dkim_messages import KEY, cut, public, quote
except ImportError as missing:
    print(f"skipped: {missing} (python3-dkim python3-cryptography python3-dnspython)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

POSTERN = os.path.abspath(sys.argv[1])
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, wanted {want!r}"


def write(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


def scan(*args, status=(0, 1)):
    done = subprocess.run([POSTERN, "scan", "--format", "json", *args], capture_output=True, timeout=120, check=False)
    assert done.returncode in status, (args, done.returncode, done.stderr)
    return done.stdout


def records(out):
    return [json.loads(line) for line in out.splitlines()]


def kept(*args):
    """With the evidence; every record has some."""
    out = scan("--config", "evidence.yaml", *args)
    assert all("evidence" in r for r in records(out)), out[:300]
    return out


def refused(name, *words, args=("m.eml",)):
    done = subprocess.run([POSTERN, "scan", "--evidence", name, *args], capture_output=True, check=False)
    err = done.stderr.decode()
    equal((done.returncode, done.stdout, err.count("\n")), (2, b"", 1), err)
    for word in (name, *words):
        assert word in err, f"{word!r} is not in {err!r}"


# ---- mail on the wire ----

def fold(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def frame(client, port, to_server, seq, ack, flags, payload):
    ends = [(bytes(map(int, client.split("."))), port), (bytes((198, 51, 100, 25)), 25)]
    (a, sport), (b, dport) = ends if to_server else ends[::-1]
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags, 65535, 0, 0) + payload
    tcp = tcp[:16] + struct.pack(">H", fold(a + b + struct.pack(">BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + a + b
    return b"\x02\0\0\0\0\1\2\0\0\0\0\2\x08\0" + head[:10] + struct.pack(">H", fold(head)) + head[12:] + tcp


def session(n, client, helo, mail_from, mail):
    talk = [(False, b"220 mx ESMTP\r\n"), (True, b"EHLO " + helo + b"\r\n"), (False, b"250 mx\r\n"),
            (True, b"MAIL FROM:<" + mail_from + b">\r\n"), (False, b"250 ok\r\n"), (True, b"RCPT TO:<bob@receiver.example>\r\n"),
            (False, b"250 ok\r\n"), (True, b"DATA\r\n"), (False, b"354 go\r\n"), (True, mail.replace(b"\r\n.", b"\r\n..") + b".\r\n"),
            (False, b"250 queued\r\n"), (True, b"QUIT\r\n"), (False, b"221 bye\r\n")]
    seq, port = [1000 + n, 5000 + n], 20000 + n
    yield frame(client, port, True, seq[1], 0, 2, b"")
    seq[1] += 1
    yield frame(client, port, False, seq[0], seq[1], 18, b"")
    seq[0] += 1
    for mine, octets in talk:
        for i in range(0, len(octets), 1400):
            yield frame(client, port, mine, seq[mine], seq[not mine], 24, octets[i:i + 1400])
            seq[mine] += len(octets[i:i + 1400])
    yield frame(client, port, True, seq[1], seq[0], 17, b"")


def capture(name, *sessions, at=int(time.time()) + 30):
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
    for i, f in enumerate(f for s in sessions for f in s):
        out.append(struct.pack("<IIII", at, i, len(f), len(f)) + f)
    return write(name, b"".join(out))


def signed(domain, selector=b"s1", body=b"hello\r\n", subject=b"hi"):
    mail = (b"From: Alice <alice@" + domain + b">\r\nTo: bob@receiver.example\r\nSubject: " + subject +
            b"\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n" + body)
    pem = KEY["rsa2048"].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                       serialization.NoEncryption())
    return dkim.sign(mail, selector, domain, pem, include_headers=[b"from", b"to", b"subject"]) + mail


def txt(name, text):
    return f"{name} TXT " + " ".join(quote(s) for s in cut(text)) + "\n"


KEYTXT = "v=DKIM1; p=" + public("rsa2048")
ZONE = "$TTL 777\n$ORIGIN example.org.\n" + "".join((
    txt("@", "v=spf1 ip4:192.0.2.0/28 include:inc.example.org a:a.example.org mx exists:%{ir}.e.example.org exp=why.example.org -all"),
    txt("inc", "v=spf1 ip4:198.51.100.0/24 ptr:p.example.org -all"), txt("why", "%{i} \u00fc is \\not\\ \"one\" of %{d}'s; see (x) $y @z"),
    "a A 192.0.2.100\na AAAA 2001:db8::100\n@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 192.0.2.101\nmx2 A 192.0.2.102\nmx2 AAAA 2001:db8::102\n",
    "103.2.0.192.e A 127.0.0.2\n104.2.0.192.in-addr.arpa. PTR host.p.example.org.\nhost.p A 192.0.2.104\n",
    txt("_dmarc", "v=DMARC1; p=reject; sp=quarantine; aspf=s"), txt("s1._domainkey", KEYTXT), txt("s1._domainkey.sub", KEYTXT),
    txt("slow", "v=spf1 exists:never.example.org -all"), ";ERROR,never.example.org,A,TIMEOUT\n;ERROR,_dmarc.fail.example.org,TXT,SERVFAIL\n",
    txt("loop", "v=spf1 include:loop.example.org -all"), txt("*.wild", "v=spf1 +all")))


def all_sessions():
    """Every mechanism, key and policy of the zone, and names that are not there."""
    froms = [b"example.org", b"sub.example.org", b"slow.example.org", b"fail.example.org", b"loop.example.org", b"x.wild.example.org",
             b"nothing.example.net"]
    for n in range(49):
        domain = froms[n % len(froms)]
        yield session(n, f"192.0.2.{(1, 100, 101, 102, 103, 104, 200)[n // 7]}", (b"mx1.example.org", b"bad helo", b"a.example.org")[n % 3],
                      b"" if n % 11 == 10 else b"bounce@" + domain, signed(domain, (b"s1", b"s1", b"gone")[n % 3], subject=b"n%d" % n))


# ---- a name server that takes its time ----

class Server:
    """Answers out of a dict of (name, type): texts, after a random while, so that the order is another one each time."""

    def __init__(self, data, late=()):
        self.data, self.late, self.asked, self.stop = data, late, 0, False
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(.1)
        self.dns = f"127.0.0.1@{self.udp.getsockname()[1]}"
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.udp.close()

    def run(self):
        rng, waiting = random.Random(7), []
        while not self.stop:
            try:
                octets, who = self.udp.recvfrom(4096)
                self.asked += 1
                name = dns.message.from_wire(octets).question[0].name.to_text().lower()
                wait = .8 if name in self.late else rng.choice((0, .01, .05, .1))
                waiting.append((time.monotonic() + wait, self.answer(octets), who))
            except socket.timeout:
                pass
            for item in [w for w in waiting if w[0] <= time.monotonic()]:
                waiting.remove(item)
                self.udp.sendto(item[1], item[2])
            self.udp.settimeout(.005 if waiting else .1)

    def answer(self, octets):
        query = dns.message.from_wire(octets)
        q = query.question[0]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        name = q.name.to_text().lower()
        rows = self.data.get((name, q.rdtype))
        if rows:
            reply.answer.append(dns.rrset.from_text(name, 300, 1, q.rdtype, *rows))
        elif not any(key[0] == name for key in self.data):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


# ---- the tests ----

@test
def captures():
    """The same octets: with one core and many, with the setting and without it, whatever --dns says."""
    capture("all.pcap", *all_sessions())
    first = kept("--dns", "zone:z", "all.pcap")
    assert len({r["auth"]["spf"]["result"] for r in records(first)}) >= 5, first
    write("R1", first)
    for more in ((), ("--config", "evidence.yaml"), ("--cores", "1"), ("--cores", "3"), ("--dns", "zone:/nonexistent"), ("--dns", "none")):
        equal(scan("--evidence", "R1", *more, "all.pcap"), first, more)


@test
def after_the_zone_changed():
    """Key revoked, SPF and DMARC changed: the DNS of today judges otherwise, the evidence as then."""
    capture("one.pcap", session(1, "192.0.2.1", b"mx1.example.org", b"a@example.org", signed(b"example.org")))
    first = kept("--dns", "zone:z", "one.pcap")
    write("R1", first)
    write("z2", "$ORIGIN example.org.\n" + txt("@", "v=spf1 -all") + txt("s1._domainkey", "v=DKIM1; p=") + txt("_dmarc", "v=DMARC1; p=none"))
    now, = records(scan("--dns", "zone:z2", "one.pcap"))
    then, = records(first)
    equal((now["auth"]["spf"]["result"], now["auth"]["dkim"][0]["reason"], now["auth"]["dmarc"]["result"]), ("fail", "key_revoked", "fail"))
    equal((then["auth"]["spf"]["result"], then["auth"]["dkim"][0]["result"], then["auth"]["dmarc"]["result"]), ("pass", "pass", "pass"))
    equal(scan("--evidence", "R1", "--dns", "zone:z2", "one.pcap"), first)


@test
def one_message():
    """A file is judged at the time of its record, unless another is given."""
    write("m.eml", signed(b"example.org"))
    envelope = ("--client-ip", "192.0.2.1", "--helo", "mx1.example.org", "--mail-from", "a@example.org")
    first = kept("--dns", "zone:z", *envelope, "m.eml")
    write("R1", first)
    time.sleep(1.1)
    equal(scan("--evidence", "R1", *envelope, "m.eml"), first)
    later = scan("--evidence", "R1", "--now", "4102444799", *envelope, "m.eml")
    equal(records(later)[0]["timestamp"], "2099-12-31T23:59:59.000000+0000")
    first = kept("--dns", "zone:z", "--now", "1700000001.5", *envelope, "m.eml")
    write("R1", first)
    equal(scan("--evidence", "R1", *envelope, "m.eml"), first)


@test
def the_same_mail_twice():
    """Two files with the same octets, judged on two days: each gets its own answers."""
    mail = b"From: a@example.org\r\nSubject: twice\r\n\r\n"
    envelope = ("--client-ip", "192.0.2.1", "--helo", "x", "--mail-from", "a@example.org")
    out = b""
    for name, who in (("a.eml", "192.0.2.1"), ("b.eml", "192.0.2.2")):
        write("zd", "$ORIGIN example.org.\n" + txt("@", f"v=spf1 ip4:{who} -all"))
        out += kept("--dns", "zone:zd", "--now", "1700000000", *envelope, write(name, mail))
    equal([r["auth"]["spf"]["result"] for r in records(out)], ["pass", "fail"])
    write("R1", out)
    equal(scan("--evidence", "R1", *envelope, "a.eml", "b.eml"), out)


@test
def a_message_out_of_a_capture():
    """Taken out with --extract, it gets what its record has: by its octets."""
    capture("one.pcap", session(1, "192.0.2.1", b"mx1.example.org", b"a@example.org", signed(b"example.org")))
    os.mkdir("out")
    first, = records(kept("--dns", "zone:z", "--extract", "out", "one.pcap"))
    write("R1", json.dumps(first) + "\n")
    name, = os.listdir("out")
    again, = records(scan("--evidence", "R1", "--client-ip", "192.0.2.1", "--helo", "mx1.example.org", "--mail-from", "a@example.org",
                          os.path.join("out", name)))
    equal(again["auth"], first["auth"])
    equal((again["timestamp"], again["evidence"]), (first["timestamp"], first["evidence"]))


@test
def asked_of_a_server_in_any_order():
    data = {}
    for name, text in (("example.org.", "v=spf1 include:i1.example.org include:i2.example.org include:i3.example.org -all"),
                       ("i1.example.org.", "v=spf1 a:a1.example.org -all"), ("i2.example.org.", "v=spf1 a:a2.example.org mx:m.example.org -all"),
                       ("i3.example.org.", "v=spf1 exists:%{i}.example.org -all"), ("_dmarc.example.org.", "v=DMARC1; p=reject"),
                       ("s1._domainkey.example.org.", KEYTXT)):
        data[name, 16] = [" ".join(quote(s) for s in cut(text))]
    data["a1.example.org.", 1] = ["192.0.2.1"]
    data["a2.example.org.", 1] = ["192.0.2.2"]
    data["m.example.org.", 15] = ["10 MX1.example.org."]
    data["mx1.example.org.", 1] = ["192.0.2.3"]
    data["192.0.2.4.example.org.", 1] = ["127.0.0.1"]
    capture("slow.pcap", *(session(n, f"192.0.2.{n % 6}", b"helo.example.net", b"a@example.org", signed(b"example.org", subject=b"s%d" % n))
                           for n in range(24)))
    with Server(data) as server:
        first = kept("--dns", server.dns, "slow.pcap")
        assert server.asked > 10, server.asked
        write("R1", first)
        asked = server.asked
        equal(scan("--evidence", "R1", "--dns", server.dns, "slow.pcap"), first)
        equal(server.asked, asked, "questions to the server")
    assert {r["auth"]["spf"]["result"] for r in records(first)} == {"pass", "fail"}, first


@test
def what_came_too_late_stays_too_late():
    """A message that waited in vain is judged so again, though others of the same records had the answer."""
    data = {("example.org.", 16): ['"v=spf1 include:i1.example.org -all"'], ("i1.example.org.", 16): ['"v=spf1 ip4:192.0.2.1 -all"'],
            ("_dmarc.example.org.", 16): ['"v=DMARC1; p=reject"'], ("s1._domainkey.example.org.", 16): [" ".join(quote(s) for s in cut(KEYTXT))]}
    sessions = [list(session(n, "192.0.2.1", b"helo.example.net", b"a@example.org", signed(b"example.org", subject=b"l%d" % n))) for n in range(3)]
    out = b""
    with Server(data, late=("i1.example.org.", "s1._domainkey.example.org.")) as server:
        for n, name in enumerate(("a.pcap", "b.pcap")):
            capture(name, *sessions[n:n + 2])
            deadline = ("300ms", "5s")[n]
            out += kept("--dns", server.dns, "--dns-message-deadline", deadline, "--dns-query-timeout", deadline, name)
    results = [(r["auth"]["spf"]["result"], r["auth"]["dkim"][0]["result"]) for r in records(out)]
    equal(results, [("temperror", "temperror")] * 2 + [("pass", "pass")] * 2)
    a, b, c, d = out.splitlines(True)
    # the second message is in both captures, with two stories: as a file of records each is good alone
    write("R1", a + b)
    equal(scan("--evidence", "R1", "a.pcap"), a + b)
    write("R2", a + d)
    first, _ = scan("--evidence", "R2", "a.pcap").splitlines(True)
    equal(first, a)
    write("R3", c + d)
    equal(scan("--evidence", "R3", "b.pcap"), c + d)


@test
def each_message_its_own():
    """Two captures of two days, one file of records: what differs is told apart by the message."""
    days = []
    for day, (policy, who) in enumerate((("none", "192.0.2.1"), ("reject", "192.0.2.9"))):
        write("zd", "$ORIGIN example.org.\n" + txt("@", f"v=spf1 ip4:{who} -all") + txt("_dmarc", f"v=DMARC1; p={policy}"))
        capture(f"day{day}.pcap", session(day, "192.0.2.1", b"x", b"a@example.org", b"From: a@example.org\r\nSubject: %d\r\n\r\n" % day),
                at=1700000000 + 86400 * day)
        days.append(kept("--dns", "zone:zd", f"day{day}.pcap"))
    write("R1", b"".join(days))
    for day in (0, 1):
        equal(scan("--evidence", "R1", f"day{day}.pcap"), days[day])
    # a message that is nobody's gets what they agree on
    write("m.eml", b"From: a@example.org\r\nSubject: 2\r\n\r\n")
    r, = records(scan("--evidence", "R1", "--client-ip", "192.0.2.1", "--helo", "x", "--mail-from", "a@example.org", "m.eml"))
    equal((r["auth"]["spf"]["result"], r["auth"]["dmarc"]["result"]), ("temperror", "temperror"))
    equal(next(e["status"] for e in r["evidence"] if e["name"] == "_dmarc.org"), "nxdomain")


@test
def what_is_not_there():
    """A question without an answer in the file is a timeout."""
    capture("one.pcap", session(1, "192.0.2.1", b"mx1.example.org", b"a@example.org", signed(b"example.org")))
    r, = records(kept("--dns", "zone:z", "one.pcap"))
    for name, key, reason in (("s1._domainkey.example.org", lambda a: a["dkim"][0], "key_timeout"),
                              ("example.org", lambda a: a["spf"], "dns_timeout")):
        less = dict(r, evidence=[e for e in r["evidence"] if e["name"] != name])
        write("R1", json.dumps(less) + "\n")
        again, = records(scan("--evidence", "R1", "one.pcap"))
        equal((key(again["auth"])["result"], key(again["auth"])["reason"]), ("temperror", reason))


@test
def too_much_to_keep():
    """H-4: answers over the room a record has: it says so, what was left out is a timeout, and it says so again."""
    texts = "".join(txt(f"t{i}", "v=spf1 include:t%d.example.org ip4:192.0.2.1 " % (i + 1) + "ip4:192.0.2.2 " * 4000) for i in range(11))
    write("big", "$ORIGIN example.org.\n" + texts + txt("h", "x" * 60000) + txt("_dmarc.t0", "y" * 60000) + txt("s1._domainkey", KEYTXT + "; n=" + "z" * 60000))
    capture("one.pcap", session(1, "192.0.2.1", b"h.example.org", b"a@t0.example.org", signed(b"example.org")))
    first = kept("--dns", "zone:big", "one.pcap")
    write("R1", first)
    then, = records(first)
    now, = records(scan("--evidence", "R1", "one.pcap"))
    equal((then["evidence_cut"], now["evidence_cut"], now["evidence"] == then["evidence"]), (True, True, True))
    equal(now["auth"]["spf"]["reason"], "dns_timeout")


@test
def check_asks_it_too():
    capture("one.pcap", session(1, "192.0.2.1", b"mx1.example.org", b"a@example.org", signed(b"example.org")))
    write("R1", kept("--dns", "zone:z", "one.pcap"))
    ask = lambda *args: json.loads(subprocess.run([POSTERN, "check", *args, "--evidence", "R1"], capture_output=True, check=True).stdout)
    equal(ask("spf", "--client-ip", "192.0.2.1", "--mail-from", "a@example.org")["result"], "pass")
    equal(ask("dkim-key", "s1", "example.org")["status"], "ok")
    equal(ask("dkim-key", "s2", "example.org")["status"], "timeout")


@test
def bad_files():
    write("m.eml", signed(b"example.org"))
    envelope = ("--client-ip", "192.0.2.1", "--helo", "x", "--mail-from", "a@example.org")
    good = kept("--dns", "zone:z", *envelope, "m.eml")
    refused("/nonexistent", "No such file")
    refused(write("R", b""), ":1: ", "evidence: true")
    refused(write("R", good + b"\n\nnonsense\n"), ":4: ", "JSON")
    refused(write("R", good[:-20] + b"\n"), ":1: ", "JSON")
    r, = records(good)
    without = {k: v for k, v in r.items() if k != "evidence"}
    refused(write("R", good + json.dumps(without).encode()), ":2: ", "evidence: true")
    refused(write("R", os.urandom(5000).replace(b"\n", b"")), ":1: ")
    for change in ({"type": "CAA"}, {"status": "fine"}, {"ttl": -1}, {"ttl": "60"}, {"data": "x"}, {"data": [""]}, {"data": ["\"a\nb\""]}, {"name": 5}):
        bad = dict(r, evidence=[dict(r["evidence"][0], status="data", data=["\"x\""]) | change])
        refused(write("R", json.dumps(bad)), ":1: evidence: ")
    # one message, two stories
    other = dict(r, evidence=[dict(e, status="nodata", data=[]) for e in r["evidence"]])
    refused(write("R", good + json.dumps(other).encode()), ":2: ", "another record of this message")
    # other events are passed over, a long line is none too long
    write("R", b'{"event_type":"stats"}\n' + json.dumps(dict(r, padding="x" * 5000000)).encode() + b"\n")
    equal(scan("--evidence", "R", *envelope, "m.eml"), good)


def main():
    failed = 0
    for f in TESTS:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            write("z", ZONE)
            write("evidence.yaml", "evidence: true\n")
            try:
                f()
            except Exception as e:  # pylint: disable=broad-except
                failed += 1
                print(f"failed: {f.__name__}: {type(e).__name__} {e}"[:2000])
            os.chdir("/")
    print("oracles: the records of the first run; python3-dkim signs, python3-dnspython answers")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
