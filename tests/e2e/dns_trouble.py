#!/usr/bin/python3
"""Names from servers that are slow, silent, dead, failing or truncating: `postern scan` waits for no more than it
was told, asks many at once and each name once, says temperror for what it could not learn, and nobody pays for a
domain that does not answer but its own mail.

    tests/e2e/dns_trouble.py [POSTERN]
"""
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
try:
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset

    from dkim_messages import BASE, BODIES, Signed, join, public
except ImportError as missing:
    print(f"skipped: {missing} (python3-cryptography python3-dnspython)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
MESSAGES = 300


class Server:
    """Answers every TXT question with one key, in its way: ok, slow, silent, servfail, refused, tcp."""

    def __init__(self, way, record):
        self.way, self.record = way, record
        self.names, self.over_tcp, self.stop = [], 0, False
        while True:  # one number free for both
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.tcp = socket.socket()
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(64)
        self.dns = f"127.0.0.1@{self.udp.getsockname()[1]}"
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.udp.close()
        self.tcp.close()

    def reply(self, octets, tcp):
        question = dns.message.from_wire(octets)
        name = question.question[0].name
        self.names.append(name.to_text().lower())
        answer = dns.message.make_response(question, recursion_available=True)
        if self.way in ("servfail", "refused"):
            answer.set_rcode(dns.rcode.SERVFAIL if self.way == "servfail" else dns.rcode.REFUSED)
        elif self.way == "tcp" and not tcp:
            answer.flags |= dns.flags.TC
        else:
            text = " ".join(f'"{self.record[i:i + 200]}"' for i in range(0, len(self.record), 200))
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", text))
        return answer.to_wire(max_size=65535)

    def run(self):
        waiting = []  # (when, octets, where)
        while not self.stop:
            ready, _, _ = select.select([self.udp, self.tcp], [], [], 0.01)
            if self.udp in ready:
                octets, where = self.udp.recvfrom(4096)
                octets = self.reply(octets, False)
                if octets and self.way != "silent":
                    waiting.append((time.time() + (0.3 if self.way == "slow" else 0), octets, where))
            if self.tcp in ready:
                threading.Thread(target=self.serve_tcp, args=(self.tcp.accept()[0],), daemon=True).start()
            while waiting and waiting[0][0] <= time.time():
                _, octets, where = waiting.pop(0)
                self.udp.sendto(octets, where)

    def serve_tcp(self, peer):
        """Several questions may come over one connection, glued together."""
        with peer:
            peer.settimeout(0.2)
            octets = b""
            while not self.stop:
                try:
                    more = peer.recv(65536)
                except socket.timeout:
                    continue
                except OSError:
                    return
                if not more:
                    return
                octets += more
                while len(octets) >= 2 and len(octets) >= 2 + int.from_bytes(octets[:2], "big"):
                    end = 2 + int.from_bytes(octets[:2], "big")
                    answer = self.reply(octets[2:end], True)
                    octets = octets[end:]
                    if not answer:
                        continue
                    self.over_tcp += 1
                    peer.sendall(len(answer).to_bytes(2, "big") + answer)


def text(name, *strings):
    return dns.rrset.from_text(name, 60, "IN", "TXT", " ".join(f'"{x}"' for x in strings))


class Domains(Server):
    """Domains that say in their last label but one how they answer; all let 192.0.2.1 send and want p=reject."""

    SPF = "v=spf1 ip4:192.0.2.1 -all"
    LONG = "v=spf1 " + "ip4:198.51.100.1 " * 3500 + "ip4:192.0.2.1 -all"

    def __init__(self, record):
        super().__init__("ok", record)

    def reply(self, octets, tcp):
        question = dns.message.from_wire(octets)
        name, kind = question.question[0].name, question.question[0].rdtype
        labels = name.to_text().lower().rstrip(".").split(".")
        self.names.append(".".join(labels))
        way = labels[-2] if len(labels) > 1 else ""
        answer = dns.message.make_response(question, recursion_available=True)
        if way == "silent":
            return None
        if way in ("servfail", "refused"):
            answer.set_rcode(dns.rcode.from_text(way.upper()))
        elif kind == dns.rdatatype.A and labels[0] == "mail":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1"))
        elif kind != dns.rdatatype.TXT:
            pass
        elif labels[0] == "_dmarc":
            if len(labels) == 3:
                answer.answer.append(text(name, "v=DMARC1; p=reject"))
        elif "_domainkey" in labels:
            answer.answer.append(text(name, *(self.record[i:i + 200] for i in range(0, len(self.record), 200))))
        elif way == "a":
            answer.answer.append(text(name, f"v=spf1 a:mail.{name.to_text()} -all"))
        elif way == "alias":
            answer.answer += [dns.rrset.from_text(name, 60, "IN", "CNAME", "spf.ok.example."),
                              text("spf.ok.example.", self.SPF)]
        elif way == "long" and not tcp:
            answer.flags |= dns.flags.TC
        elif way == "long":
            answer.answer.append(text(name, *(self.LONG[i:i + 255] for i in range(0, len(self.LONG), 255))))
        elif way == "referral":
            answer.authority.append(dns.rrset.from_text(name, 60, "IN", "NS", "ns.elsewhere.example."))
        else:
            answer.answer.append(text(name, self.SPF))
        return answer.to_wire(max_size=65535)


class Tally:
    passed = failed = 0

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        print("ok  " if good else "FAIL", text)


def closed_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def scan(source, files, *options):
    """Records in the order of files, seconds."""
    start = time.time()
    run = subprocess.run([POSTERN, "scan", "--format", "json", "--raw", "--dns", source, *options, *files],
                         capture_output=True, check=False, timeout=120)
    took = time.time() - start
    if run.returncode not in (0, 1):
        sys.exit(f"postern scan ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    records = [json.loads(line) for line in run.stdout.splitlines()]
    if len(records) != len(files):
        sys.exit(f"{len(records)} records of {len(files)} messages")
    return records, took


def keys(source, files, *options):
    """Set of (result, reason) of DKIM over all messages, seconds."""
    records, took = scan(source, files, *options)
    return {(s["result"], s["reason"]) for r in records for s in r["auth"]["dkim"]}, took


def sender(tally, write, record):
    """SPF and DMARC, over each way a domain can answer."""
    due = {"ok": ("pass", "pass"), "a": ("pass", "pass"), "alias": ("pass", "pass"), "long": ("pass", "pass"),
           "servfail": ("temperror", "temperror"), "refused": ("temperror", "temperror"),
           "silent": ("temperror", "temperror"), "referral": ("temperror", "pass")}
    with Domains(record) as server:
        for way, (spf, dmarc) in due.items():
            domain = f"{way}.example"
            (r,), took = scan(server.dns, [write("sender.eml", (b"From", f" a@{domain}".encode()), False)],
                              "--client-ip", "192.0.2.1", "--helo", f"mail.{domain}", "--mail-from", f"a@{domain}",
                              "--dns-query-timeout", "1s", "--dns-message-deadline", "2s")
            got = r["auth"]["spf"]["result"], r["auth"]["dmarc"]["result"]
            # without SPF's answer DMARC has none to fail on
            tally.check(got[0] == spf and got[1] in (dmarc, "temperror" if spf == "temperror" else dmarc) and took < 5,
                        f"SPF and DMARC of {way}: {got}, {took:.2f} s")
        tally.check(server.over_tcp > 0, f"60 KB of TXT over TCP: {server.over_tcp} questions")


def neighbours(tally, write, body, record):
    """Every second message is of a domain whose server is silent: the others have their answers, and in time."""
    files = [write(f"n{i:03}.eml", Signed(BASE, body, key="rsa1024", s=f"s{i}",
                                          d=b"x.silent.example" if i % 2 else b"x.ok.example").field)
             for i in range(MESSAGES)]
    for options, longest in (("--dns-query-timeout", "20s"), 8), (("--dns-failures", "0"), 20):
        with Domains(record) as server:
            records, took = scan(server.dns, files, *options)
            good = {s["result"] for r in records[::2] for s in r["auth"]["dkim"]}
            dead = {s["result"] for r in records[1::2] for s in r["auth"]["dkim"]}
            tally.check(good == {"pass"} and dead == {"temperror"} and took < longest,
                        f"beside a dead domain, {' '.join(options)}: {good}, {dead}, {took:.2f} s")


def main():
    tally, body = Tally(), BODIES["text"]
    record = "v=DKIM1; k=rsa; p=" + public("rsa1024")
    passed, late, failed = {("pass", None)}, {("temperror", "key_timeout")}, {("temperror", "key_failed")}
    short = ("--dns-query-timeout", "1s", "--dns-message-deadline", "1s")
    patient = ("--dns-failures", "0")  # this server may be slow beside other tests
    with tempfile.TemporaryDirectory(prefix="dns_trouble.") as folder:
        def write(name, field, base=True):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(join([field] + (BASE if base else []), body))
            return path
        many = [write(f"{i:03}.eml", Signed(BASE, body, key="rsa1024", s=f"s{i}").field) for i in range(MESSAGES)]
        same = [write(f"same{i:03}.eml", Signed(BASE, body, key="rsa1024").field) for i in range(MESSAGES)]

        with Server("ok", record) as server:
            results, took = keys(server.dns, many, *patient)
            tally.check(results == passed, f"{MESSAGES} keys: {results}, {took:.2f} s")
            # some twice, when this server is slower than the resolver believes
            asked = [n for n in server.names if "_domainkey" in n]
            tally.check(len(set(asked)) == MESSAGES and len(asked) < 3 * MESSAGES, f"{len(asked)} questions")
        with Server("ok", record) as server:
            results, took = keys(server.dns, same, *patient)
            tally.check(results == passed, f"one key, {MESSAGES} messages: {results}, {took:.2f} s")
            asked = [n for n in server.names if "_domainkey" in n]
            tally.check(len(set(asked)) == 1 and len(asked) < 4, f"{len(asked)} questions for it")
        with Server("slow", record) as server:
            results, took = keys(server.dns, many, *patient)
            tally.check(results == passed, f"answers after 0.3 s: {results}")
            tally.check(took < MESSAGES * 0.3 / 5, f"they are waited for together: {took:.2f} s")
        with Server("silent", record) as server:
            results, took = keys(server.dns, many, *short, *patient)
            tally.check(results == late, f"no answers: {results}")
            tally.check(1 <= took < 15, f"deadline of 1 s, {MESSAGES} messages: {took:.2f} s")
            results, took = keys(server.dns, many)
            tally.check(results == failed, f"no answers, left alone: {results}")
            tally.check(1.2 < took < 8, f"after an eighth of 10 s: {took:.2f} s")
        with Server("tcp", record) as server:
            results, took = keys(server.dns, many[:50], *patient)
            tally.check(results == passed, f"truncated: {results}")
            tally.check(server.over_tcp >= 50, f"{server.over_tcp} questions over TCP")
        for way in ("servfail", "refused"):
            with Server(way, record) as server:
                results, took = keys(server.dns, many[:20])
                tally.check(results == failed, f"{way}: {results}, {took:.2f} s")
        results, took = keys(f"127.0.0.1@{closed_port()}", many[:20], *short)
        tally.check(results <= late | failed, f"nobody there: {results}, {took:.2f} s")
        with Server("ok", record) as server:
            results, took = keys(f"127.0.0.1@{closed_port()},{server.dns}", many[:20])
            tally.check(results == passed, f"the first of two servers is dead: {results}, {took:.2f} s")
        results, took = keys("none", many)
        tally.check(results == late, f"none: {results}")
        sender(tally, write, record)
        neighbours(tally, write, body, record)
    print(f"{tally.passed} passed, {tally.failed} failed, 0 skipped")
    return tally.failed > 0


if __name__ == "__main__":
    sys.exit(main())
