#!/usr/bin/python3
"""`postern scan` as its user sees it: inputs of every kind, formats, exit status, errors with place and cure, --extract, and the
same octets whatever the number of cores.

scan_cli.py POSTERN
"""
import fcntl
import gzip
import hashlib
import json
import mailbox
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import dkim

POSTERN = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.pop("NO_COLOR", None)
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, wanted {want!r}"


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr.decode()

    def records(self):
        return [json.loads(line) for line in self.out.decode().splitlines()]

    def one_line(self, *words):
        equal(self.err.count("\n"), 1, "lines on stderr: " + self.err)
        for word in words:
            assert word in self.err, f"{word!r} is not in {self.err!r}"


def postern(*args, data=None, timeout=60):
    return Result(subprocess.run([POSTERN, *map(str, args)], input=data, capture_output=True, timeout=timeout, check=False))


def scan(*args, **more):
    return postern("scan", "--now", "4102444799", *args, **more)


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- captures ----

def frame(client, sport, dport, to_server, seq, ack, flags, payload):
    a, b = (client, "198.51.100.25") if to_server else ("198.51.100.25", client)
    ports = (sport, dport) if to_server else (dport, sport)
    ip = lambda s: bytes(map(int, s.split(".")))
    tcp = struct.pack(">HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags, 65535, 0, 0) + payload
    pseudo = ip(a) + ip(b) + struct.pack(">BBH", 0, 6, len(tcp))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + ip(a) + ip(b)
    add = lambda x: x[:10] + struct.pack(">H", fold(x)) + x[12:]
    tcp = tcp[:16] + struct.pack(">H", fold(pseudo + tcp)) + tcp[18:]
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + add(head) + tcp


def fold(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def session(n, talk, dport=25):
    """Frames of one connection; talk is a list of (from the client?, octets)."""
    client, sport = f"192.0.2.{n % 200 + 1}", 20000 + n
    seq = [1000 + n, 5000 + n]
    out = [frame(client, sport, dport, True, seq[1], 0, 2, b"")]
    seq[1] += 1
    out.append(frame(client, sport, dport, False, seq[0], seq[1], 18, b""))
    seq[0] += 1
    for mine, octets in talk:
        for i in range(0, len(octets), 1400):
            part = octets[i:i + 1400]
            out.append(frame(client, sport, dport, mine, seq[mine], seq[not mine], 24, part))
            seq[mine] += len(part)
    out.append(frame(client, sport, dport, True, seq[1], seq[0], 17, b""))
    out.append(frame(client, sport, dport, False, seq[0], seq[1] + 1, 17, b""))
    return out


def smtp(n, *messages):
    talk = [(False, b"220 mx.receiver.example ESMTP\r\n"), (True, b"EHLO mx.sender.example\r\n"),
            (False, b"250 mx.receiver.example\r\n")]
    for i, m in enumerate(messages):
        stuffed = m.replace(b"\r\n.", b"\r\n..")
        talk += [(True, f"MAIL FROM:<a{n}.{i}@sender.example>\r\n".encode()), (False, b"250 ok\r\n"),
                 (True, b"RCPT TO:<bob@receiver.example>\r\n"), (False, b"250 ok\r\n"),
                 (True, b"DATA\r\n"), (False, b"354 go\r\n"), (True, stuffed + b".\r\n"), (False, b"250 queued\r\n")]
    return session(n, talk + [(True, b"QUIT\r\n"), (False, b"221 bye\r\n")])


def pcap(frames):
    out = [struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
    for i, f in enumerate(frames):
        out.append(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, len(f), len(f)) + f)
    return b"".join(out)


class Mails:
    """Messages with signatures of a key in a zone file; every seventh is changed after signing, every fifth not signed."""

    def __init__(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                     serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        import base64
        p = base64.b64encode(public).decode()
        write("keys.zone", f's1._domainkey.sender.example. 300 IN TXT "v=DKIM1; k=rsa; p=" "{p[:120]}" "{p[120:]}"\n'.encode())
        self.random = random.Random(7)

    def make(self, n):
        lines = [bytes(self.random.choices(b"abcdefgh .", k=self.random.randint(0, 70))) for _ in range(self.random.randint(1, 60))]
        m = (f"From: Alice <alice@sender.example>\r\nTo: bob@receiver.example\r\nSubject: number {n}\r\n"
             f"Message-ID: <{n}@sender.example>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n").encode() + b"\r\n".join(lines) + b"\r\n"
        if n % 5:
            m = dkim.sign(m, b"s1", b"sender.example", self.pem, include_headers=[b"from", b"to", b"subject"]) + m
            if n % 7 == 0:
                m += b"more\r\n"
        return m

    @staticmethod
    def want(n):
        return "none" if n % 5 == 0 else "fail" if n % 7 == 0 else "pass"


MAIL = b"From: a@sender.example\r\nSubject: x\r\n\r\nbody\r\n..dots\r\n"
ZONE = ("--dns", "zone:keys.zone")


# ---- messages ----

@test
def bare_message():
    r = scan("--dns", "none", write("a.eml", MAIL))
    equal((r.status, r.err), (0, ""))
    m, = r.records()
    equal((m["message"]["sha256"], m["message"]["size"], m["source"], m["app_proto"]), (sha256(MAIL), len(MAIL), "a.eml", "file"))
    equal(m["timestamp"], "2099-12-31T23:59:59.000000+0000")
    equal([d["result"] for d in m["auth"]["dkim"]], ["none"])


@test
def text_and_raw():
    write("lf.eml", MAIL.replace(b"\r\n", b"\n"))
    m, = scan("--dns", "none", "lf.eml").records()
    equal((m["message"]["sha256"], m["message"]["flags"]), (sha256(MAIL), ["text"]))
    m, = scan("--dns", "none", "--raw", "lf.eml").records()
    equal((m["message"]["sha256"], m["message"]["flags"]), (sha256(MAIL.replace(b"\r\n", b"\n")), ["bare_lf"]))


@test
def empty_file():
    r = scan("--dns", "none", write("empty.eml", b""))
    equal((r.status, r.err), (0, ""))
    equal((r.records()[0]["message"]["size"], r.records()[0]["message"]["sha256"]), (0, sha256(b"")))


@test
def envelope_is_data():
    r = scan("--dns", "none", "--client-ip", "2001:db8::1", "--helo", "", "--mail-from", "<>", "--rcpt-to", "b@c", "--rcpt-to=<d@e>", "a.eml")
    m, = r.records()
    equal(m["src_ip"], "2001:db8::1")
    equal((m["smtp"]["helo"], m["smtp"]["mail_from"], m["smtp"]["rcpt_to"]), ("", "", ["b@c", "d@e"]))
    r = scan("--dns", "none", "--client-ip", "not an address", "--helo", "[?", "--mail-from", "@@", "a.eml")
    equal((r.status, r.err, r.records()[0]["src_ip"]), (0, "", None))


@test
def mbox_maildir_stdin():
    messages = [MAILS.make(n) for n in range(1, 9)]
    for m in ("in.mbox", "Maildir"):
        box = mailbox.mbox(m) if m == "in.mbox" else mailbox.Maildir(m)
        for x in messages:
            # a line that begins with "From " must be quoted
            box.add(x.replace(b"\r\n", b"\n"))
        box.close()
    want = [sha256(m) for m in messages]
    r = scan(*ZONE, "in.mbox")
    equal([m["message"]["sha256"] for m in r.records()], want)
    equal([m["auth"]["dkim"][0]["result"] for m in r.records()], [Mails.want(n) for n in range(1, 9)])
    equal([m["source"] for m in r.records()], [f"in.mbox#{n}" for n in range(1, 9)])
    equal(sorted(m["message"]["sha256"] for m in scan(*ZONE, "Maildir").records()), sorted(want))
    with open("in.mbox", "rb") as f:
        box = f.read()
    got = scan(*ZONE, "-", data=box).records()
    equal([m["message"]["sha256"] for m in got], want)
    equal(got[0]["source"], "standard input#1")
    with open("in.mbox", "rb") as f:  # a file, not a pipe
        done = subprocess.run([POSTERN, "scan", *ZONE, "-"], stdin=f, capture_output=True, check=False)
    equal([m["message"]["sha256"] for m in Result(done).records()], want)
    m, = scan("--dns", "none", "-", data=MAIL).records()
    equal(m["message"]["sha256"], sha256(MAIL))
    m, = scan("--dns", "none", "-", data=b"").records()
    equal(m["message"]["size"], 0)


@test
def quoted_from_lines():
    body = b"Subject: q\n\nFrom here on\n>From there\n"
    box = mailbox.mbox("q.mbox")
    box.add(body)
    box.close()
    # the library writes mboxo: ">From there" stays as it is and loses its sign when read as mboxrd
    m, = scan("--dns", "none", "q.mbox").records()
    equal(m["message"]["sha256"], sha256(b"Subject: q\r\n\r\nFrom here on\r\nFrom there\r\n"))
    write("rd.mbox", b"From a Sat Nov 21 10:00:00 2026\nSubject: q\n\n>From here on\n>>From there\n\n")
    m, = scan("--dns", "none", "rd.mbox").records()
    equal(m["message"]["sha256"], sha256(b"Subject: q\r\n\r\nFrom here on\r\n>From there\r\n"))


@test
def not_utf8():
    r = scan("--dns", "none", write("odd.eml", b"Subject: \xff\x00\x1b[2J\r\nFrom: \xe9\r\n\r\n"))
    m, = r.records()
    equal((m["email"]["subject"], m["email"]["from"]), ("\xff\0\x1b[2J", ["\xe9"]))
    assert b"\x1b" not in r.out
    equal(m["message"]["flags"], ["nul", "8bit"])


@test
def now_decides_what_is_expired():
    """C-57: to the second, x= with the skew of 60 s, whatever form --now has; the same at the other end for t=."""
    mail = b"From: a@sender.example\r\n\r\nx\r\n"
    field = dkim.sign(mail, b"s1", b"sender.example", MAILS.pem, include_headers=[b"from"])
    at = int(field.split(b"t=")[1].split(b";")[0])
    write("timed.eml", field + mail)

    def result(now):
        m, = postern("scan", *ZONE, "--now", now, "timed.eml").records()
        return m["auth"]["dkim"][0]["result"], m["auth"]["dkim"][0]["reason"], m["timestamp"]
    for now, want in ((at - 60, "pass"), (at - 61, "policy"), (at, "pass")):
        forms = [time.strftime(f, time.gmtime(now)) for f in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dt%H:%M:%S+00:00", "%Y-%m-%d %H:%M:%Sz")]
        for form in [now, *forms]:
            equal(result(form)[0], want, f"--now {form}")
    equal(result(0), ("policy", "future", "1970-01-01T00:00:00.000000+0000"))


# ---- captures ----

@test
def captures():
    mails = [MAILS.make(n) for n in range(6)]
    data = pcap(smtp(1, *mails[:2]) + smtp(2, *mails[2:]))
    write("c.pcap", data)
    write("c.pcap.gz", gzip.compress(data))
    for r in (scan(*ZONE, "c.pcap"), scan(*ZONE, "c.pcap.gz"), scan(*ZONE, "-", data=data), scan(*ZONE, "-", data=gzip.compress(data))):
        equal((r.status, r.err), (0, ""))
        equal([m["message"]["sha256"] for m in r.records()], [sha256(m) for m in mails])
        equal([m["auth"]["dkim"][0]["result"] for m in r.records()], [Mails.want(n) for n in range(6)])
        equal([m["tx_id"] for m in r.records()], [0, 1, 0, 1, 2, 3])
        m = r.records()[1]
        equal((m["smtp"]["mail_from"], m["smtp"]["reply"], m["src_ip"], m["dest_port"]), ("a1.1@sender.example", 250, "192.0.2.2", 25))
        assert all(m["message"]["complete"] for m in r.records())


@test
def inputs_in_their_order():
    write("one.pcap", pcap(smtp(1, MAIL)))
    write("two.pcap", pcap(smtp(2, MAIL, MAIL)))
    for cores in (1, 2, 4):
        r = scan("--dns", "none", "--cores", cores, "a.eml", "one.pcap", "in.mbox", "Maildir", "two.pcap", "one.pcap", "a.eml", "a.eml")
        got = [m["app_proto"] for m in r.records()]
        equal(got, ["file"] + ["smtp"] + ["file"] * 16 + ["smtp"] * 3 + ["file"] * 2)


@test
def same_octets_on_any_number_of_cores():
    frames = []
    for n in range(60):
        frames += smtp(n, *[MAILS.make(n * 5 + i) for i in range(5)])
    write("many.pcap", pcap(frames))
    for inputs in (["many.pcap"], ["in.mbox", "many.pcap", "Maildir"]):
        first = scan(*ZONE, "--cores", 1, *inputs)
        equal(len(first.records()), 300 if len(inputs) == 1 else 316)
        for cores in (1, 2, 3, 4, 16):
            equal(sha256(scan(*ZONE, "--cores", cores, *inputs).out), sha256(first.out), f"{cores} cores")
    equal(sum(m["auth"]["dkim"][0]["result"] == "pass" for m in scan(*ZONE, "many.pcap").records()),
          sum(Mails.want(n) == "pass" for n in range(300)))


@test
def cpu_level_by_environment():
    f = write("cpu.pcap", pcap(sum((smtp(n, MAILS.make(n), MAILS.make(n + 100)) for n in range(50)), [])))
    os.environ.pop("POSTERN_CPU", None)
    want = scan(*ZONE, f).out
    for word in ("scalar", "avx2", "avx512", "", "fastest", "AVX2", "a\nb"):
        os.environ["POSTERN_CPU"] = word
        r = scan(*ZONE, f)
        equal(r.out, want, word)
        if word in ("scalar", "avx2", "avx512", ""):
            equal(r.err, "", word)
        else:
            r.one_line("POSTERN_CPU", word.replace("\n", "?"), "scalar, avx2 or avx512")
    del os.environ["POSTERN_CPU"]


@test
def damaged_capture():
    data = pcap(smtp(1, MAIL) + smtp(2, MAIL))
    whole = len(scan("--dns", "none", write("whole.pcap", data)).records())
    equal(whole, 2)
    r = scan("--dns", "none", write("cut.pcap", data[:-30]))
    equal((r.status, len(r.records())), (2, 2))
    r.one_line("cut.pcap", "scanned")
    bad = bytearray(data)
    at = len(pcap(smtp(1, MAIL)))
    bad[at + 8:at + 16] = b"\xff" * 8
    r = scan("--dns", "none", write("bad.pcap", bytes(bad)), "a.eml")
    equal((r.status, len(r.records())), (2, 2))
    r.one_line("bad.pcap", "scanned")
    # the damage is in the middle of a message
    m = scan(*ZONE, write("middle.pcap", pcap(smtp(1, MAIL, b"Subject: x\r\n\r\n" + b"y" * 7000)[:-9]))).records()
    equal([(x["message"]["complete"], "no_end" in x["message"]["flags"]) for x in m], [(True, False), (False, True)])
    r = scan("--dns", "none", write("head.pcap", data[:10]))
    equal(r.status, 2)
    r.one_line("head.pcap")


@test
def holes_and_l():
    """What a signature covers is judged where it is all there; a hole is never a failure."""
    short = b"From: a@sender.example\r\n\r\n" + b"covered\r\n" * 200
    field = dkim.sign(short, b"s1", b"sender.example", MAILS.pem, include_headers=[b"from"], length=True)
    whole = dkim.sign(short + b"more\r\n" * 2000, b"s1", b"sender.example", MAILS.pem, include_headers=[b"from"])
    mail = field + whole + short + b"more\r\n" * 2000
    frames = smtp(1, mail)
    data = [i for i, f in enumerate(frames) if len(f) > 1400]
    for lost, want in ((None, [("pass", None), ("pass", None)]), (data[-2], [("pass", None), ("unverifiable", "octets_missing")]),
                       (data[1], [("unverifiable", "octets_missing")] * 2), (data[0], None)):
        # the capture's clock is far from ours
        r = postern("scan", *ZONE, "--now", str(int(time.time())), write("hole.pcap", pcap([f for i, f in enumerate(frames) if i != lost])))
        m, = r.records()
        equal((r.status, m["message"]["complete"], m["message"]["missing"]), (0, lost is None, 0 if lost is None else 1400))
        if want:
            equal([(d["result"], d["reason"]) for d in m["auth"]["dkim"]], want, f"without frame {lost}")
            assert all(d["result"] != "pass" or d.get("body_octets", 1800) == 1800 for d in m["auth"]["dkim"]), m["auth"]
        else:
            equal(m["verdict"]["result"], "unverifiable")
            assert all(d["result"] == "unverifiable" for d in m["auth"]["dkim"]), m["auth"]


# ---- output ----

@test
def exit_status():
    good, broken = MAILS.make(1), MAILS.make(7)
    equal(scan(*ZONE, write("good.eml", good)).status, 0)
    r = scan(*ZONE, write("broken.eml", broken))
    equal((r.status, r.records()[0]["verdict"]["action"]), (1, "flag"))
    equal(r.records()[0]["verdict"]["asked"], [{"check": "dkim", "profile": "default", "action": "flag"}])
    equal(scan(*ZONE, "good.eml").records()[0]["verdict"]["asked"], [])
    equal(scan(*ZONE, "good.eml", "broken.eml", "good.eml").status, 1)
    equal(scan(*ZONE, "good.eml", "broken.eml", "missing.eml").status, 2)


@test
def missing_file_is_named_and_others_go_on():
    r = scan("--dns", "none", "a.eml", "missing.eml", "nowhere/x.pcap", "a.eml")
    equal((r.status, len(r.records())), (2, 2))
    equal(r.err.count("\n"), 2)
    assert "missing.eml: No such file" in r.err and "nowhere/x.pcap" in r.err
    os.mkdir("folder")
    r = scan("--dns", "none", "folder", "a.eml")
    equal((r.status, len(r.records())), (2, 1))
    r.one_line("folder", "Maildir", "name the files")


@test
def text_format():
    r = scan(*ZONE, "--format", "text", "many.pcap", "broken.eml")
    lines = r.out.decode().splitlines()
    equal(len(lines), 303)
    assert lines[0].startswith("TIME") and "VERDICT" in lines[0]
    assert all(len(x) <= 120 for x in lines[:-1])
    assert "\033" not in r.out.decode()
    assert lines[-1].startswith("301 messages (300 smtp, 0 pop3, 1 file)"), lines[-1]
    r = scan("--dns", "none", "--format", "text", "odd.eml")
    assert b"\x1b" not in r.out and b"\\x1b[2J" not in r.out  # the table does not show the subject at all


@test
def c64_to_c66_log():
    """A line each result, of the messages' numbers in the order of the inputs; the words of AsyncOS on request."""
    inputs = ["many.pcap", "a.eml", "in.mbox", "many.pcap"]
    n = 300 + 1 + 8 + 300
    r = scan(*ZONE, "--format", "log", *inputs)
    lines = r.out.decode("ascii").splitlines()
    form = re.compile(r"([A-Z][a-z]{2} [A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d \d{4}) Info: MID (\d+) (Message|SPF|DKIM|ARC|DMARC|Verdict): (.+)")
    found = [form.fullmatch(line).groups() for line in lines]
    seen = [int(mid) for _, mid, _, _ in found]
    equal((seen, sorted(set(seen))), (sorted(seen), list(range(1, n + 1))), "numbers")
    equal(found[0][0], time.asctime(time.gmtime(int(1700000000))), "the capture's time")
    records = scan(*ZONE, "--format", "json", *inputs).records()
    got = {}
    for _, mid, method, text in found:
        got.setdefault(int(mid), []).append((method, text.split()))
    for mid, record in enumerate(records, 1):
        of = lambda method: [words for m, words in got[mid] if m == method]
        equal([words[0] for words in of("DKIM")], [d["result"] for d in record["auth"]["dkim"]], mid)
        equal(of("ARC")[0][0], record["auth"]["arc"]["result"], mid)
        equal(of("DMARC")[0][0], record["auth"]["dmarc"]["result"], mid)
        equal(of("Verdict")[0][:2], [record["verdict"]["action"], "result=" + record["verdict"]["result"]], mid)
        spf = record["auth"]["spf"]
        assert spf["identity"] in ("mailfrom", "helo"), spf
        equal([words[3] for words in of("SPF") if words[0] == spf["identity"]] or ["none"], [spf["result"]], mid)
    equal(scan(*ZONE, "--format", "log", "--cores", 1, *inputs).out, r.out, "one core")
    asyncos = scan(*ZONE, "--format", "log", "--headers-style", "asyncos", *inputs).out.decode("ascii")
    for mid, record in enumerate(records, 1):
        want = {"none": "no signature", "pass": "verified pass", "fail": "permfail (body_hash)"}[record["auth"]["dkim"][0]["result"]]
        assert f" Info: MID {mid} DKIM: {want}\n" in asyncos, (mid, want)
    for client in ([], ["--client-ip", "192.0.2.1"]):
        r = scan(*ZONE, "--format", "log", "--headers-style", "asyncos", "--now", 1186407338, "--mail-from", "spam@test.com", *client, "a.eml")
        assert b"\nMon Aug  6 13:35:38 2007 Info: MID 1 DKIM: no signature\n" in r.out, r.out
        assert b"\nMon Aug  6 13:35:38 2007 Info: MID 1 SPF: mailfrom identity spam@test.com None\n" in r.out, r.out
    r = scan("--dns", "none", "--format", "log", "--mail-from", "x\nMon Aug  6 13:35:38 2007 Info: MID 9 DKIM: verified pass", "a.eml")
    assert b"MID 9 DKIM" in r.out and not re.search(rb"^.{0,40}MID 9", r.out, re.M), r.out


def on_terminal(*args, columns=100, env=None, err=False):
    """What a terminal of so many columns shows on standard output (err: standard error)."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdout": subprocess.PIPE, "stderr": side} if err else {"stdout": side, "stderr": subprocess.DEVNULL}
    p = subprocess.Popen([POSTERN, "scan", *args], stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, **streams)
    os.close(side)
    got = []

    def drain():
        while True:
            try:
                data = os.read(main, 65536)
            except OSError:
                return
            if not data:
                return
            got.append(data)
    reader = threading.Thread(target=drain)
    reader.start()
    if err:
        p.stdout.read()
    p.wait(120)
    reader.join()
    os.close(main)
    return b"".join(got).decode()


@test
def terminal():
    shown = on_terminal(*ZONE, "good.eml", "broken.eml")
    assert "\033[32mpass sender.example" in shown and "2 messages" in shown, shown
    plain = on_terminal(*ZONE, "good.eml", "broken.eml", env={"NO_COLOR": "1"})
    assert "\033" not in plain and "pass sender.example" in plain
    for columns in (80, 100, 200):
        lines = on_terminal(*ZONE, "good.eml", columns=columns, env={"NO_COLOR": "1"}).splitlines()
        assert all(len(x) <= columns for x in lines[:-1]) and len(lines) == 3, lines
    assert on_terminal(*ZONE, "--format", "json", "good.eml").startswith("{")
    evil = on_terminal("--dns", "none", "--mail-from", "\033]0;x\007", "a.eml", env={"NO_COLOR": "1"})
    assert "\033" not in evil and "\007" not in evil and "\\x1b]0;x" in evil, evil


@test
def progress_bar():
    """Over 100 MB, and only where stderr is a terminal."""
    with open("big.mbox", "wb") as f:
        one = b"From a Sat Nov 21 10:00:00 2026\nSubject: x\n\n" + b"y" * 70 + b"\n"
        one += b"y" * 70 + b"\n"
        block = b"From a Sat Nov 21 10:00:00 2026\nSubject: x\n\n" + (b"y" * 70 + b"\n") * 14000 + b"\n"
        for _ in range(110):
            f.write(block)
    shown = on_terminal("--dns", "none", "big.mbox", err=True)
    assert " MB/s" in shown and shown.rstrip(" ").endswith("\033[K"), shown[-200:]
    equal(on_terminal("--dns", "none", "many.pcap", err=True), "")
    r = scan("--dns", "none", "big.mbox")
    equal((r.status, r.err, len(r.records())), (0, "", 110))
    os.unlink("big.mbox")


@test
def extract():
    r = scan(*ZONE, "--extract", "out", "many.pcap", "in.mbox", "empty.eml")
    names = sorted(os.listdir("out"))
    equal(names, sorted({m["message"]["sha256"] + ".eml" for m in r.records()}))
    for name in names:
        with open(os.path.join("out", name), "rb") as f:
            equal(sha256(f.read()) + ".eml", name)
    scan(*ZONE, "--extract", "out", "many.pcap")  # a second time into the same folder
    equal(sorted(os.listdir("out")), sorted(set(names)))
    r = scan("--dns", "none", "--extract", "a.eml", "a.eml")
    equal((r.status, r.out), (2, b""))
    r.one_line("--extract a.eml", "no folder")
    r = scan("--dns", "none", "--extract", "no/such/place", "a.eml")
    equal(r.status, 2)
    r.one_line("no/such/place")
    r = scan("--dns", "none", "--extract", "out", "--digest=false", "a.eml")
    equal(r.status, 2)
    r.one_line("--digest")


@test
def too_large_for_extract():
    write("large.eml", b"Subject: x\r\n\r\n" + b"z" * 5000)
    r = scan("--dns", "none", "--limits-message-size", "4KiB", "--extract", "out2", "large.eml")
    equal((r.status, r.records()[0]["message"]["flags"]), (2, ["too_large", "long_line"]))
    equal(r.records()[0]["message"]["sha256"], sha256(b"Subject: x\r\n\r\n" + b"z" * 5000))
    equal(os.listdir("out2"), [])
    r.one_line("limits.message_size")


@test
def reader_that_stops():
    p = subprocess.Popen([POSTERN, "scan", *ZONE, *["many.pcap"] * 200], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    assert p.wait(60) in (0, 1), p.returncode
    equal(err, b"")


@test
def full_disk():
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "wb") as f:
        done = subprocess.run([POSTERN, "scan", "--dns", "none", "a.eml"], stdout=f, stderr=subprocess.PIPE, check=False)
    equal(done.returncode, 2)
    assert b"standard output: No space" in done.stderr, done.stderr


@test
def interrupt_ends_with_totals():
    r, w = os.pipe()
    p = subprocess.Popen([POSTERN, "scan", "--format", "text", "--dns", "none", "a.eml", "-"], stdin=r, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(r)
    os.write(w, pcap(smtp(1, MAIL, MAIL)) + b"\0" * 5000)
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    os.close(w)
    out, err = p.communicate(timeout=20)
    equal(p.returncode, 2)
    assert b" messages (" in out or b" message (" in out, out
    assert b"interrupted" in err or b"scanned" in err, err


@test
def interrupt_while_a_pipe_is_silent():
    r, w = os.pipe()
    p = subprocess.Popen([POSTERN, "scan", "--format", "text", "--dns", "none", "a.eml", "-"], stdin=r, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(r)
    os.write(w, b"Subject: x\n" * 1000)
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=10)
    os.close(w)
    equal((p.returncode, err.count(b"\n")), (2, 1), err)
    assert b"\n1 message (" in out and b"interrupted" in err, (out, err)


@test
def quiet_pipe_shows_what_it_has():
    data = pcap(smtp(1, MAIL) + smtp(2, MAIL))
    for packed in (False, True):
        parts = [data[:len(data) // 2 + 200], data[len(data) // 2 + 200:]]
        with subprocess.Popen([POSTERN, "scan", "--format", "json", "--dns", "none", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            p.stdin.write(gzip.compress(parts[0]) if packed else parts[0])
            p.stdin.flush()
            first = p.stdout.readline()  # comes although the pipe is open and silent
            equal(json.loads(first)["message"]["sha256"], sha256(MAIL))
            rest, _ = p.communicate(gzip.compress(parts[1]) if packed else parts[1], timeout=10)
        equal((p.returncode, rest.count(b"\n")), (0, 1), rest)


@test
def interrupt_in_a_message_without_end():
    with subprocess.Popen([POSTERN, "scan", "--format", "json", "--dns", "none", "a.eml", "/dev/zero"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        time.sleep(0.5)
        p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=10)
    equal((p.returncode, out.count(b"\n"), err.count(b"\n")), (2, 1, 1), err)


@test
def odd_things_in_a_maildir():
    for name in ("cur", "new", "tmp", "new/folder"):
        os.makedirs(os.path.join("odd", name))
    os.mkfifo("odd/new/fifo")
    write("odd/cur/mail", MAIL)
    r = scan("--dns", "none", "odd", timeout=10)
    equal((r.status, [m["source"] for m in r.records()]), (2, ["odd/cur/mail"]))
    equal(sorted(line.split(": ")[1:3] for line in r.err.splitlines()), [["odd/new/fifo", "no message"], ["odd/new/folder", "no message"]])


# ---- usage ----

@test
def usage_errors():
    cases = [
        ((), "no input"),
        (("--colour", "a.eml"), "no option --colour"),
        (("-x", "a.eml"), "no option -x"),
        (("--format",), "needs a value"),
        (("--format", "xml", "a.eml"), "text, json"),
        (("--cores", "0", "a.eml"), "1 to 64"),
        (("--raw=yes", "a.eml"), "takes no value"),
        (("--dkim-min-bits", "many", "a.eml"), "512 to 16384"),
        (("--dkim-min-bits", "2048", "--dkim-max-bits", "1024", "a.eml"), "min_bits is over max_bits"),
        (("--smtp-ports", "25,70000", "a.eml"), "1 to 65535"),
        (("--now", "yesterday", "a.eml"), "seconds since 1970"),
        (("--dns", "example.com", "a.eml"), "zone:FILE"),
        (("--dns", "zone:nowhere.zone", "a.eml"), "nowhere.zone"),
        (("--config", "nowhere.yaml", "a.eml"), "nowhere.yaml"),
        (("--output", "x", "a.eml"), "no option --output"),
    ]
    for args, word in cases:
        r = postern("scan", *args)
        equal((r.status, r.out), (2, b""), args)
        r.one_line(word)
    equal(postern("scan", "--dns", "none", "--", "-x.eml").status, 2)


@test
def config_file():
    write("ok.yaml", b"dns:\n  source: zone:keys.zone\ndkim_profiles:\n  default:\n    min_bits: 2048\n")
    m, = scan("--config", "ok.yaml", "good.eml").records()
    equal(m["auth"]["dkim"][0]["result"], "policy")
    m, = scan("--config", "ok.yaml", "--dkim-min-bits", "1024", "good.eml").records()
    equal(m["auth"]["dkim"][0]["result"], "pass")
    write("bad.yaml", b"dns:\n  source: none\n  sauce: 3\n")
    r = scan("--config", "bad.yaml", "good.eml")
    equal(r.status, 2)
    r.one_line("bad.yaml:3:3: dns.sauce: ", "query_timeout")


@test
def commands():
    r = postern("version")
    equal(r.status, 0)
    for word in (b"postern ", b"cpu: ", b"DPDK ", b"OpenSSL ", b"libunbound "):
        assert word in r.out, r.out
    for args in (["help"], ["--help"], ["help", "scan"], ["scan", "--help"], ["version", "--help"], ["help", "settings"], ["help", "--help"]):
        r = postern(*args)
        equal((r.status, r.err), (0, ""), args)
        assert b"example: " in r.out or args[-1] == "settings", args
    # the fixed list of reasons, with the results, is that of docs/operating.md
    with open(os.path.join(HERE, "../../docs/operating.md"), encoding="utf-8") as f:
        rows = [line.split("|")[1:3] for line in f if line.startswith("| `")]
    told = [line.split(None, 2) for line in postern("help", "reasons").out.decode().splitlines()]
    assert len(told) > 30 and all(len(x) == 3 for x in told), told
    for result in ("fail", "policy", "permerror", "temperror", "unverifiable"):
        row, = [words for name, words in rows if name.strip() == f"`{result}`"]
        equal(sorted(row.replace("`", "").split()), sorted(x[0] for x in told if x[1] == result))
    equal(postern().status, 2)
    for args in (["scam"], ["version", "x"], ["help", "scam"]):
        r = postern(*args)
        equal((r.status, r.out), (2, b""), args)
        r.one_line(args[-1])


def main():
    global MAILS
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        MAILS = Mails()
        for f in TESTS:
            try:
                f()
            except Exception as e:  # pylint: disable=broad-except
                failed += 1
                print(f"failed: {f.__name__}: {type(e).__name__} {e}"[:1500])
        os.chdir("/")
    print("oracles: python3-dkim, python mailbox")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
