#!/usr/bin/python3
"""Live: real servers and clients in two network namespaces, their wire mirrored to `postern run` in a third, over AF_XDP.

What the engine writes must be what was sent: every message once, its envelope, and the SHA-256 of its octets as Postfix
stored and Dovecot served them. Besides: the list of ports changes while it runs, the output is rotated, a killed run is
cleared up after, counters agree, SIGTERM ends it with 0.

live.py POSTERN [-k]: -k keeps the folder. Exits 77 with the reason where this cannot run; that is a failure with CI=true.
"""
import base64
import collections
import hashlib
import json
import os
import poplib
import random
import shutil
import signal
import smtplib
import socket
import sys
import tempfile
import time

import livenet
from livenet import CLIENT, CLIENT6, SERVER, SERVER6, Inside, check, run, skip, until

DOMAIN, SELECTOR = "sender.example", "live"


class Mail:
    """A message and what its record must say."""

    def __init__(self, octets, sender, rcpt, dkim="none"):
        self.octets, self.sender, self.rcpt, self.dkim = octets, sender, rcpt, dkim
        self.sha256 = hashlib.sha256(octets).hexdigest()


class Writer:
    """Mails that are all different, some of them signed."""

    def __init__(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                     serialization.NoEncryption())
        self.public = base64.b64encode(key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
        self.random = random.Random(1)
        self.n = 0

    def zone(self, path):
        parts = " ".join(f'"{self.public[i:i + 200]}"' for i in range(0, len(self.public), 200))
        open(path, "w").write(f'{SELECTOR}._domainkey.{DOMAIN}. 300 IN TXT "v=DKIM1; k=rsa; p=" {parts}\n')

    def mail(self, size, sign=False, rcpt=1, broken=False):
        self.n += 1
        sender = f"user{self.n}@{DOMAIN}"
        lines = [f"From: User {self.n} <{sender}>", "To: Bob <bob@receiver.example>", f"Subject: message {self.n}",
                 f"Message-ID: <{self.n}@{DOMAIN}>", "Date: Sat, 21 Nov 2026 10:00:00 +0000", ""]
        lines += [".", "..", ". leading dot", f"body {self.n}"]
        have = sum(len(x) + 2 for x in lines)
        while have < size:
            line = base64.b64encode(self.random.randbytes(54)).decode()
            if self.random.random() < 0.05:
                line = "." + line
            lines.append(line)
            have += len(line) + 2
        octets = ("\r\n".join(lines) + "\r\n").encode()
        verdict = "none"
        if sign:
            import dkim

            octets = dkim.sign(octets, SELECTOR.encode(), DOMAIN.encode(), self.pem,
                               canonicalize=(b"relaxed", b"relaxed"),
                               include_headers=[b"from", b"to", b"subject", b"date"]) + octets
            verdict = "pass"
        if broken:
            octets += b"one more line\r\n"
            verdict = "fail"
        to = [f"bob{i}@receiver.example" for i in range(rcpt)]
        return Mail(octets, sender, to, verdict)


# ---- clients ----


def by_swaks(net, folder, mails, port=25):
    for m in mails:
        path = f"{folder}/swaks.eml"
        open(path, "wb").write(m.octets.removesuffix(b"\r\n"))  # swaks ends the last line itself
        run("swaks", "--silent", "2", "--server", SERVER, "--port", str(port), "--ehlo", "client.sender.example", "--from",
            m.sender, "--to", ",".join(m.rcpt), "--data", f"@{path}", netns=net["c"])


def by_smtplib(net, mails, address=SERVER):
    """One session, a message after the other."""
    with Inside(net["c"]), smtplib.SMTP(address, 25, "client.sender.example", timeout=30) as s:
        for m in mails:
            s.sendmail(m.sender, m.rcpt, m.octets)


def stuffed(octets):
    return b"".join(b"." + x if x.startswith(b".") else x for x in octets.splitlines(True)) + b".\r\n"


class Raw:
    """SMTP by hand, for what libraries do not send."""

    def __init__(self, net, port=25):
        with Inside(net["c"]):
            self.s = socket.create_connection((SERVER, port), 30)
        self.f = self.s.makefile("rb")
        self.reply()
        self.say(b"EHLO raw.sender.example")

    def reply(self):
        while True:
            line = self.f.readline()
            if line[3:4] != b"-":
                return int(line[:3])

    def say(self, line):
        self.s.sendall(line + b"\r\n")
        return self.reply()

    def pipelined(self, mails):
        """RFC 2920: the end of one message, then MAIL, RCPT and DATA of the next in one write."""
        tail = b""
        for m in mails:
            head = f"MAIL FROM:<{m.sender}>\r\n" + "".join(f"RCPT TO:<{r}>\r\n" for r in m.rcpt) + "DATA\r\n"
            self.s.sendall(tail + head.encode())
            got = [self.reply() for _ in range((1 if tail else 0) + 2 + len(m.rcpt))]
            if got[-1] != 354:
                raise RuntimeError(f"pipelining: {got}")
            tail = stuffed(m.octets)
        self.s.sendall(tail + b"QUIT\r\n")
        return [self.reply(), self.reply()]

    def bdat(self, m, chunk):
        """RFC 3030, several chunks, all in one go."""
        out = [f"MAIL FROM:<{m.sender}>\r\n".encode()] + [f"RCPT TO:<{r}>\r\n".encode() for r in m.rcpt]
        for off in range(0, len(m.octets), chunk):
            part = m.octets[off:off + chunk]
            last = b" LAST" if off + chunk >= len(m.octets) else b""
            out.append(b"BDAT %d%s\r\n" % (len(part), last) + part)
        self.s.sendall(b"".join(out))
        return [self.reply() for _ in out]


def by_pop3(net, want):
    """Every message of the mailbox, octets as the client got them."""
    got = []
    with Inside(net["c"]):
        p = poplib.POP3(SERVER, 110, timeout=60)
    p.user("bob")
    p.pass_("secret")
    count, _ = p.stat()
    p.top(1, 3)
    for i in range(1, min(count, want) + 1):
        got.append(b"\r\n".join(p.retr(i)[1]) + b"\r\n")
    p.quit()
    return got, count


def by_pop3_pipelined(net, numbers):
    with Inside(net["c"]):
        s = socket.create_connection((SERVER6, 110), 30)
    f = s.makefile("rb")
    f.readline()
    s.sendall(b"USER carol\r\nPASS secret\r\n" + b"".join(b"RETR %d\r\n" % n for n in numbers) + b"QUIT\r\n")
    f.readline()
    f.readline()
    got = []
    for _ in numbers:
        f.readline()
        lines = []
        while (line := f.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        got.append(b"".join(lines))
    f.readline()
    return got


# ---- what must hold ----


def same(what, records, mails, protocol="smtp"):
    """Records and messages, each once, by digest."""
    got = collections.Counter(r["message"]["sha256"] for r in records if r["app_proto"] == protocol)
    want = collections.Counter(m if isinstance(m, str) else m.sha256 for m in mails)
    return check(f"{what}: {sum(want.values())} {protocol} records, digests as sent", got == want,
                 f"missing {list((want - got).elements())[:3]}, too many {list((got - want).elements())[:3]}")


def envelopes(records, mails):
    by = {r["message"]["sha256"]: r for r in records}
    for name, test in (
            ("MAIL FROM", lambda r, m: r["smtp"]["mail_from"] == m.sender),
            ("RCPT TO", lambda r, m: r["smtp"]["rcpt_to"] == m.rcpt),
            ("size", lambda r, m: r["message"]["size"] == len(m.octets)),
            ("complete, nothing missing", lambda r, m: r["message"]["complete"] and r["message"]["missing"] == 0),
            ("reply 250", lambda r, m: r["smtp"]["reply"] == 250),
            ("HELO", lambda r, m: (r["smtp"]["helo"] or "").endswith("sender.example")),
            ("addresses", lambda r, m: r["src_ip"] in (CLIENT, CLIENT6) and r["dest_ip"] in (SERVER, SERVER6)),
            ("DKIM", lambda r, m: {d["result"] for d in r["auth"]["dkim"]} == {m.dkim}),
            ("subject", lambda r, m: r["email"]["subject"].startswith("message "))):
        wrong = [(m.sender, by.get(m.sha256)) for m in mails if m.sha256 not in by or not test(by[m.sha256], m)]
        check(f"{name} of every message", not wrong, wrong[:1])


def traffic(net, servers, p, folder, w):
    """Mail of every kind; the engine's records against what was sent and what the servers stored."""
    mails = [w.mail(600 + i * 97, sign=i % 3 == 0, rcpt=1 + i % 3, broken=i % 6 == 3) for i in range(12)]
    by_swaks(net, folder, mails)
    some = [w.mail(2000 + i * 1013, sign=i % 5 == 0) for i in range(30)]
    by_smtplib(net, some[:20])
    by_smtplib(net, some[20:], SERVER6)
    mails += some
    some = [w.mail(300 + i * 331, rcpt=1 + i % 2) for i in range(40)]
    raw = Raw(net)
    check("pipelined session ends well", raw.pipelined(some) == [250, 221])
    mails += some
    raw = Raw(net)
    some = [w.mail(70000), w.mail(100, sign=True), w.mail(5000)]
    for m, chunk in zip(some, (9999, 10**6, 1)):
        if chunk == 1:
            chunk = 37
        check("BDAT accepted", set(raw.bdat(m, chunk)) == {250})
    mails += some
    large = [w.mail(8_000_000, sign=True), w.mail(20_000_000)]
    by_smtplib(net, large)
    mails += large
    run("smtp-source", "-c", "-s", "5", "-m", "60", "-l", "20000", "-f", "load@sender.example", "-t", "load@receiver.example",
        "-M", "source.sender.example", f"{SERVER}:25", netns=net["c"])
    refused = Raw(net)
    refused.say(b"MAIL FROM:<user@sender.example>")
    check("the server refuses a recipient", refused.say(b"RCPT TO:<nobody@receiver.example>") == 554)
    refused.say(b"QUIT")
    total = len(mails) + 60
    until("records", lambda: len(p.records()) >= total)
    stored = until("stored", lambda: len(servers.stored()) >= total and servers.stored()) or servers.stored()
    records = p.records()
    check(f"{total} messages, {total} records, {total} stored", len(records) == len(stored) == total,
          f"{len(records)} records, {len(stored)} stored")
    digests = [hashlib.sha256(x).hexdigest() for x in stored.values()]
    same("as Postfix stored them", records, digests)
    sent = {m.sha256 for m in mails}
    same("as the clients sent them", [r for r in records if r["message"]["sha256"] in sent], mails)
    envelopes(records, mails)
    load = [r for r in records if r["smtp"]["mail_from"] == "load@sender.example"]
    check("smtp-source: 60 messages to one recipient", len(load) == 60 and
          all(r["smtp"]["rcpt_to"] == ["load@receiver.example"] for r in load))
    return total


def mailbox(net, p, before):
    got, count = by_pop3(net, 120)
    got6 = by_pop3_pipelined(net, range(1, 11))
    total = before + len(got) + len(got6)
    until("records", lambda: len(p.records()) >= total)
    records = p.records()
    same("as the POP3 clients got them", records, [hashlib.sha256(x).hexdigest() for x in got + got6], "pop3")
    check("TOP is no message", len(records) == total, len(records))
    pop = [r for r in records if r["app_proto"] == "pop3"]
    check("POP3 user and number", {r["pop3"]["user"] for r in pop} == {"bob", "carol"} and
          sorted(r["pop3"]["number"] for r in pop if r["pop3"]["user"] == "carol") == list(range(1, 11)))
    check("no password in the records", "secret" not in open(p.output, encoding="utf-8").read())
    return total


def ports(net, p, w, total):
    """Port 2525 is none of ours, then it is."""
    check("the program steers 25 and 110", p.steered_ports() == [25, 110], p.steered_ports())
    frames = p.ask("stats")["totals"]["capture"]["frames"]
    mails = [w.mail(3000) for _ in range(5)]
    by_swaks(net, p.dir, mails[:2], port=2525)
    time.sleep(0.5)
    check("another port is left to the kernel: no record, no frame", len(p.records()) == total and
          p.ask("stats")["totals"]["capture"]["frames"] == frames)
    p.configure([25, 2525])
    check("reload", p.ask("reload")["reloaded"] is True)
    check("the program steers 25, 110 and 2525", p.steered_ports() == [25, 110, 2525], p.steered_ports())
    by_swaks(net, p.dir, mails[2:], port=2525)
    until("records", lambda: len(p.records()) >= total + 3)
    new = p.records()[total:]
    same("port 2525 after the reload", new, mails[2:])
    check("their port", {r["dest_port"] for r in new} == {2525})
    return total + 3


def counters(p, total):
    s = p.ask("stats")
    t = s["totals"]
    check("records written", t["record"] == {"written": total, "failed": 0}, t["record"])
    m = t["message"]
    check("messages counted", m["smtp"] + m["pop3"] == total and m["incomplete"] == 0 and m["lost"] == 0, m)
    check("judged", t["verify"]["done"] == total, t["verify"])
    c, f = t["capture"], t["frame"]
    check("no frame dropped by the port", c["missed"] == c["errors"] == c["no_buffer"] == 0, c)
    check("every frame has one outcome", sum(f.values()) == c["frames"], f)
    check("all frames were mail", f["not_mail"] == f["not_tcp"] == f["bad_checksum"] == 0, f)
    check("no hole", t["stream"].get("hole", 0) == 0, t["stream"])
    workers = collections.Counter()
    for x in s["workers"]:
        for group, names in x["counters"].items():
            workers.update({(group, k): v for k, v in names.items()})
    check("totals are the sums of the workers",
          all(workers[group, k] == v for group, names in t.items() for k, v in names.items()))
    telemetry(p, t)


def telemetry(p, totals):
    """The same numbers on DPDK's own socket."""
    found = [f"{d}/{n}" for d, _, names in os.walk("/var/run/dpdk") for n in names if n.startswith("dpdk_telemetry.v2")
             and d.endswith(dpdk_prefix(p.socket))]
    if not check("telemetry socket", len(found) == 1, found):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(10)
        s.connect(found[0])
        limit = json.loads(s.recv(1024))["max_output_len"]
        s.send(b"/postern/stats")
        got = json.loads(s.recv(limit))["/postern/stats"]
        s.send(b"/postern/stats,99")
        none = s.recv(limit)
    check("/postern/stats has the same counters", got == totals,
          {g: (got.get(g), v) for g, v in totals.items() if got.get(g) != v})
    check("/postern/stats,99: there is no such worker", b"null" in none, none)


def dpdk_prefix(path):
    h = 0x811C9DC5
    for c in path.encode():
        h = (h ^ c) * 0x01000193 & 0xFFFFFFFF
    return f"postern-{h:08x}"


def rotation(net, p, w):
    os.rename(p.output, p.output + ".1")
    p.process.send_signal(signal.SIGHUP)
    until("new file", lambda: os.path.exists(p.output))
    mails = [w.mail(1000) for _ in range(3)]
    by_smtplib(net, mails)
    until("records", lambda: len(p.records()) >= 3)
    same("in the new file after SIGHUP", p.records(), mails)


def killed(net, p, w):
    """A run that is killed leaves its program; mail flows on; the next run clears it."""
    p.end(signal.SIGKILL)
    check("kill -9 leaves the XDP program", p.program() == "postern_steer", p.program())
    by_smtplib(net, [w.mail(1000)])
    check("mail flows on without the engine", True)
    os.unlink(p.output)
    text = p.start()
    check("the next run clears it and says so", "cleared the XDP program" in text and "reading m1" in text, text)
    mails = [w.mail(1000) for _ in range(3)]
    by_smtplib(net, mails)
    until("records", lambda: len(p.records()) >= 3)
    same("after the restart", p.records(), mails)


def second(p, binary, net, folder):
    """Two runs on one interface: the second one says who is in the way, and the first goes on."""
    q = run(binary, "run", "--interface", "m1", "--socket", f"{folder}/other.sock", netns=net["t"], ok=False)
    check("a second run on the interface is refused", q.returncode == 2 and "another postern" in q.stderr, q.stderr)
    q = run(binary, "run", "--interface", "none0", "--socket", f"{folder}/other.sock", netns=net["t"], ok=False)
    check("no such interface: one line", q.returncode == 2 and q.stderr.count("\n") == 1 and "none0" in q.stderr, q.stderr)
    check("the first one is still there", p.program() == "postern_steer" and p.ask("ping")["pid"] > 0)


def stopped(net, p, w):
    """SIGTERM in the middle of a message: it becomes an incomplete record, the program goes, the status is 0."""
    before = len(p.records())
    raw = Raw(net)
    raw.say(b"MAIL FROM:<half@sender.example>")
    raw.say(b"RCPT TO:<bob@receiver.example>")
    raw.say(b"DATA")
    raw.s.sendall(b"Subject: half\r\n\r\nno end")
    time.sleep(0.3)
    begin = time.monotonic()
    status = p.end()
    check("SIGTERM: status 0", status == 0, status)
    check("SIGTERM: within the bound", time.monotonic() - begin < 7, time.monotonic() - begin)
    new = p.records()[before:]
    check("what was in flight has its record", len(new) == 1 and new[0]["message"]["complete"] is False and
          new[0]["smtp"]["mail_from"] == "half@sender.example", new)
    check("the XDP program is gone", p.program() is None, p.program())
    check("the control socket is gone", not os.path.exists(p.socket))
    raw.s.close()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary = os.path.abspath(sys.argv[1])
    livenet.possible()
    folder = tempfile.mkdtemp(prefix="postern-live-")
    os.chmod(folder, 0o755)
    net = livenet.Net()
    servers = p = None
    try:
        net.up()
        servers = livenet.Servers(net, f"{folder}/servers")
        servers.start()
        w = Writer()
        w.zone(f"{folder}/zone")
        p = livenet.Postern(binary, net, folder, f"{folder}/zone")
        p.configure([25])
        text = p.start()
        if not check("postern run starts", "reading m1" in text, text):
            return
        total = traffic(net, servers, p, folder, w)
        total = mailbox(net, p, total)
        total = ports(net, p, w, total)
        counters(p, total)
        second(p, binary, net, folder)
        rotation(net, p, w)
        killed(net, p, w)
        stopped(net, p, w)
    finally:
        if p and p.process and p.process.poll() is None:
            p.end()
        if servers:
            servers.stop()
        net.down()
        if "-k" in sys.argv:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


main()
livenet.done([], "Postfix, Dovecot, dkimpy")
