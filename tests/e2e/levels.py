#!/usr/bin/python3
"""Records are the same octets at each level of vector instructions that this processor has: POSTERN_CPU=scalar, avx2, avx512.

levels.py POSTERN [PART...]

tests   every scan that other tests do: suites from outside, their own captures and messages
spf     the cases of the SPF suite as mail
mime    the messages of the MIME suite, bare, and in a capture
public  the SpamAssassin public corpus in SMTP and POP3 sessions whose packets are cut, doubled and reordered, some of it
        signed here; besides, size, SHA-256 and signatures are those that Python made
"""
import base64
import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import public_mail  # noqa: E402  (the path comes first)
import wire  # noqa: E402

POSTERN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern"))
SUITES = os.environ.get("POSTERN_SUITES", os.path.join(ROOT, "..", "shared", "suites"))
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
NAMES = ("scalar", "avx2", "avx512")
NOW = "4102444799"
LEFT_OUT = "self-test"  # in the warning of a kernel that is there and not used


class Tally:
    passed = failed = skipped = 0
    elsewhere = 0  # of those skipped

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print("FAILED", text, flush=True)
        return bool(good)

    def skip(self, text):
        print("skipped:", text)
        self.skipped += 1


tally = Tally()


def at(level):
    return {**os.environ, "POSTERN_CPU": level}


def levels_here():
    """Those the processor has; postern says which one it takes."""
    out = []
    for level in NAMES:
        said = subprocess.run([POSTERN, "version"], env=at(level), capture_output=True, text=True, check=True).stdout
        taken = said.partition("cpu: ")[2].split()[0]
        if taken == level:
            out.append(level)
        else:
            print(f"not here: {level}: this processor has {taken}")
    return out


def difference(one, other):
    """Where two runs' records part."""
    one, other = one.splitlines(), other.splitlines()
    if len(one) != len(other):
        return f"{len(one)} records and {len(other)}"
    for n, (a, b) in enumerate(zip(one, other)):
        if a != b:
            i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), 0)
            return f"record {n} octet {i}: {a[max(i - 60, 0):i + 60]!r} and {b[max(i - 60, 0):i + 60]!r}"
    return "line ends"


def compare(levels, what, *arguments):
    """One scan at each level. The records, or None when they differ."""
    runs = [subprocess.run([POSTERN, "scan", "--format", "json", "--now", NOW, *arguments], env=at(level), capture_output=True,
                           check=False, timeout=300) for level in levels]
    good = all(tally.check(LEFT_OUT not in run.stderr.decode(), f"{what}: {level}: {run.stderr.decode()[:300]}")
               for level, run in zip(levels, runs))
    good &= tally.check(runs[0].returncode in (0, 1), f"{what}: status {runs[0].returncode} {runs[0].stderr.decode()[:300]}")
    for level, run in zip(levels[1:], runs[1:]):
        good &= tally.check((run.returncode, run.stdout) == (runs[0].returncode, runs[0].stdout),
                            f"{what}: {levels[0]} and {level}: {difference(runs[0].stdout, run.stdout)}")
    return [json.loads(line) for line in runs[0].stdout.splitlines()] if good else None


# ---- tests: what they call postern is a script that scans at each level and gives them the last one's output ----

# not those about time (dns_trouble, evidence) and about signals and terminals (scan_cli)
# not wire_mail and wire_test: their cuts are those of part public, and each of them takes a minute a level
TESTS = ("arc_oracles", "dkim_oracles", "dmarc_oracles", "dnssec", "header_fields", "profiles_ctl", "suite_dmarc", "suites",
         "verdicts")
# what the test with DMARC's oracles scans, without asking them
DMARC = """import os, tempfile
import dmarc_oracles as d
maker = d.Maker(7489)
cases = maker.cases(d.CASES)
with tempfile.TemporaryDirectory() as folder:
    class server:
        dns = "zone:" + os.path.join(folder, "zone")
    with open(os.path.join(folder, "zone"), "w", encoding="latin-1") as f:
        f.write("\\n".join(maker.zone) + "\\n")
    assert len(d.ours(maker, cases, server, folder)) == len(cases)
"""
# a folder that is written to is another one the second time: such scans are not compared
SCRIPT = """#!/bin/sh
[ "$1" = scan ] || exec {postern} "$@"
for word; do
	case $word in
	--extract | --extract=*) exec {postern} "$@" ;;
	--now | --now=*) now=given ;;
	-) input=stdin ;;
	esac
done
if [ -z "$now" ]; then
	now=$(date +%s)
	shift
	set -- scan --now "$now" "$@"
fi
place=$(mktemp -d {folder}/scan.XXXXXX) || exit 99
if [ -n "$input" ]; then cat >"$place/stdin"; else : >"$place/stdin"; fi
for level in {levels}; do
	POSTERN_CPU=$level {postern} "$@" <"$place/stdin" >"$place/$level" 2>"$place/err"
	status=$?
	echo "$status" >"$place/$level.status"
	said=same
	cmp -s "$place/$level" "$place/{first}" && cmp -s "$place/$level.status" "$place/{first}.status" || said=differ
	grep -q {left_out} "$place/err" && said=left_out
	echo "$said $level $*" >>{folder}/log
done
cat "$place/err" >&2
cat "$place/$level"
rm -r "$place"
exit $status
"""


def run_test(levels, name):
    """Output of a test whose scans are at each level, and the lines about them."""
    with tempfile.TemporaryDirectory(prefix="levels.") as folder:
        script = os.path.join(folder, "postern")
        with open(script, "w", encoding="utf-8") as f:
            f.write(SCRIPT.format(postern=shlex.quote(POSTERN), folder=shlex.quote(folder), levels=" ".join(levels), first=levels[0],
                                  left_out=LEFT_OUT))
        os.chmod(script, 0o755)
        command = ["-c", DMARC] if name == "dmarc_oracles" else [os.path.join(HERE, name + ".py"), script]
        where = {**os.environ, "POSTERN": script, "PYTHONPATH": HERE, "POSTERN_SUITES": SUITES}
        done = subprocess.run(["/usr/bin/python3", *command], env=where, capture_output=True, text=True, check=False, timeout=900)
        log = os.path.join(folder, "log")
        lines = open(log, encoding="utf-8", errors="replace").read().splitlines() if os.path.exists(log) else []
    return done, lines


def part_tests(levels):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (done, lines) in zip(TESTS, pool.map(lambda n: run_test(levels, n), TESTS)):
            out = [line for line in done.stdout.splitlines() if line.startswith("skipped")]
            skipped = done.returncode == 77 or (out and not lines)
            if skipped:
                tally.skip(f"{name}: {(out or ['no reason given'])[0].removeprefix('skipped: ')}")
            else:
                tally.check(done.returncode == 0 or (out and SKIP_IS_FAILURE),
                            f"{name}: status {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
                tally.check(lines, f"{name}: no scan")
            for line in lines:
                said, level, words = line.split(" ", 2)
                tally.check(said == "same", f"{name}: {said}: {level}, {levels[0]}: {words[:300]}")
            print(f"{name}: {len(lines) // len(levels)} scans")


# ---- spf, mime ----

def suite(name):
    folder = os.path.join(SUITES, name)
    if os.path.isdir(folder):
        return folder
    tally.skip(f"{name}: no {os.path.normpath(folder)}; POSTERN_SUITES names another place")
    return None


def part_spf(levels):
    folder = suite("spf")
    if not folder:
        return
    with open(os.path.join(folder, "cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    with tempfile.TemporaryDirectory(prefix="levels.") as place:
        mail = os.path.join(place, "mail.eml")
        with open(mail, "wb") as f:
            f.write(wire.mail(800, 7))
        for case in cases:
            compare(levels, f"spf {case['id']}", "--dns", "zone:" + os.path.join(folder, case["zone"]), "--client-ip", case["ip"],
                    "--helo", case["helo"], "--mail-from", case["mailfrom"] or "<>", mail)
    print(f"spf: {len(cases)} cases")


def part_mime(levels):
    folder = suite("mime")
    if not folder:
        return
    files = sorted(glob.glob(os.path.join(folder, "*.eml")))
    compare(levels, "mime, bare", "--dns", "none", "--raw", *files)
    mails = []
    for name in files:
        with open(name, "rb") as f:
            octets = f.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        mails.append(octets if octets.endswith(b"\r\n") else octets + b"\r\n")
    with tempfile.TemporaryDirectory(prefix="levels.") as place:
        capture = os.path.join(place, "mime.pcap")
        wire.write_pcap(capture, wire.frames(wire.recut(wire.talk(wire.smtp(mails)))))
        records = compare(levels, "mime, in a capture", "--dns", "none", capture)
    tally.check(records and [r["message"]["sha256"] for r in records] == [hashlib.sha256(m).hexdigest() for m in mails],
                "mime: messages of the capture")
    print(f"mime: {len(files)} messages")


# ---- public ----

Sent = collections.namedtuple("Sent", "octets sender want")


class Signer:
    """Keys of one domain, and what is published for them."""
    FIELDS = [b"from", b"to", b"subject", b"date", b"message-id", b"content-type"]
    CANON = [(b"relaxed", b"relaxed"), (b"relaxed", b"relaxed"), (b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")]

    def __init__(self, rnd):
        from cryptography.hazmat.primitives import serialization as s
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
        self.rnd, self.keys, self.zone = rnd, [], []
        for bits in (1024, 2048):
            key = rsa.generate_private_key(65537, bits)
            pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption())
            self.add(f"r{bits}", pem, b"rsa-sha256", "rsa",
                     key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo))
        key = ed25519.Ed25519PrivateKey.generate()
        raw = key.private_bytes(s.Encoding.Raw, s.PrivateFormat.Raw, s.NoEncryption())
        self.add("ed", base64.b64encode(raw), b"ed25519-sha256", "ed25519",
                 key.public_key().public_bytes(s.Encoding.Raw, s.PublicFormat.Raw))

    def add(self, selector, secret, algorithm, kind, public):
        text = f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"
        strings = " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))
        self.zone.append(f"{selector}._domainkey.signer.example. IN TXT {strings}")
        self.keys.append((selector.encode(), secret, algorithm))

    def sign(self, octets):
        """The message signed, and what its signature must come to. One in eight is broken behind that."""
        import dkim
        if b"\r" in octets.replace(b"\r\n", b"") or b"\r\n\r\n" not in octets:
            return octets, "none"
        selector, secret, algorithm = self.rnd.choice(self.keys)
        try:
            field = dkim.sign(octets, selector, b"signer.example", secret, canonicalize=self.rnd.choice(self.CANON),
                              signature_algorithm=algorithm, linesep=b"\r\n", include_headers=self.FIELDS)
        except dkim.DKIMException:
            return octets, "none"
        start = octets.index(b"\r\n\r\n") + 4
        letters = [i for i in range(start, min(start + 3000, len(octets))) if chr(octets[i]).isalpha() and octets[i] < 128]
        if not letters or self.rnd.random() > 0.125:
            return field + octets, "pass"
        i = self.rnd.choice(letters)
        return field + octets[:i] + bytes([octets[i] ^ 0x20]) + octets[i + 1:], "fail"


# how the packets of a conversation come
WAYS = (lambda s, n: s,
        lambda s, n: wire.recut(s, None, n),
        lambda s, n: wire.reorder(s, 8, n),
        lambda s, n: wire.double(wire.recut(s, None, n), 0.3, 5, n),
        lambda s, n: wire.overlap(s),
        lambda s, n: wire.reorder(wire.double(wire.recut(s, None, n), 0.2, 4, n), 10, n))


def conversation(rnd, number, mails):
    """Of one to four messages; every eighth is POP3, every fifth over IPv6; small ones now and then octet by octet."""
    pop3 = number % 8 == 7
    client = f"2001:db8::{number:x}" if number % 5 == 4 else f"192.0.{number >> 8}.{number & 255}"
    server = "2001:db8:1::25" if number % 5 == 4 else "198.51.100.25"
    where = {"client": (client, 21000 + number), "server": (server, 110 if pop3 else 25), "mss": rnd.choice([1460, 1400, 536, 300]),
             "start": wire.START + number * 20_000_000, "step": 2_000_000}
    if pop3:
        return wire.talk(wire.pop3([m.octets for m in mails], user=mails[0].sender.encode()), **where)
    script = wire.smtp([], quit_=False)
    for m in mails:
        script += wire.smtp([m.octets], sender=m.sender.encode(), quit_=False)[3:]
    segments = wire.talk(script + [(0, b"QUIT\r\n"), (1, b"221 bye\r\n")], **where)
    if sum(len(m.octets) for m in mails) < 2000:
        return wire.recut(segments, 1)
    return WAYS[number % len(WAYS)](segments, number)


def public_captures(levels, place):
    """Writes one capture after the other and compares; the mail that was sent and the records."""
    rnd = random.Random(6046)
    signer = Signer(rnd)
    zone = os.path.join(place, "zone")
    with open(zone, "w", encoding="ascii") as f:
        f.write("$TTL 3600\n" + "\n".join(signer.zone) + "\n")
        f.write('sender.example. IN TXT "v=spf1 ip4:192.0.0.0/17 ip6:2001:db8::/32 -all"\n')
        f.write('_dmarc.signer.example. IN TXT "v=DMARC1; p=reject"\n')
    waiting, number, sent, found = [], 0, collections.Counter(), collections.Counter()
    whole = True

    def flush():
        nonlocal waiting, whole
        capture = os.path.join(place, "mail.pcap")
        wire.write_pcap(capture, wire.frames(wire.merge(*waiting)))
        waiting = []
        for r in compare(levels, f"public mail to session {number}", "--dns", "zone:" + zone, capture) or []:
            who = r["pop3"]["user"] if "pop3" in r else r["smtp"]["mail_from"]
            found[r["message"]["size"], r["message"]["sha256"], who, r["auth"]["dkim"][0]["result"]] += 1
            whole &= r["message"]["complete"]

    mails = []
    for i, (_, octets) in enumerate(public_mail.mails()):
        octets, want = signer.sign(octets) if i % 6 == 0 else (octets, "none")
        mails.append(Sent(octets, f"n{i}@sender.example", want))
        if len(mails) < 1 + number % 4 and i + 1 < public_mail.MESSAGES:
            continue
        for m in mails:
            who = mails[0].sender if number % 8 == 7 else m.sender
            sent[len(m.octets), hashlib.sha256(m.octets).hexdigest(), who, m.want] += 1
        waiting.append(conversation(rnd, number, mails))
        mails, number = [], number + 1
        if len(waiting) == 400:
            flush()
    if waiting:
        flush()
    return sent, found, whole


def public_mbox(levels, place):
    """All of it in one mbox file."""
    box = os.path.join(place, "box")
    with open(box, "wb") as f:
        for _, octets in public_mail.mails():
            lines = octets.replace(b"\r\n", b"\n")
            f.write(b"From a@b.example Sat Nov 21 10:00:00 2026\n" + lines.replace(b"\nFrom ", b"\n>From ") + b"\n")
    records = compare(levels, "public mail, mbox", "--dns", "none", box)
    tally.check(records and len(records) == public_mail.MESSAGES, f"public mail, mbox: {len(records or [])} records")


def part_public(levels):
    why = public_mail.missing()
    if why:  # a registry out of reach is no fault of the tree, in CI neither
        tally.elsewhere += 1
        return tally.skip(f"public mail: {why}")
    with tempfile.TemporaryDirectory(prefix="levels.") as place:
        try:
            sent, found, whole = public_captures(levels, place)
            public_mbox(levels, place)
        except ImportError as missing:
            return tally.skip(f"public mail: {missing}")
    tally.check(sum(sent.values()) == public_mail.MESSAGES, f"public mail: {sum(sent.values())} messages in the package")
    tally.check(whole, "public mail: a message is not complete")
    lost, extra = sent - found, found - sent
    tally.passed += sum((sent & found).values())
    for name, rows in (("sent and in no record", lost), ("in a record and not sent", extra)):
        for row in list(rows)[:5]:
            tally.check(False, f"public mail: {name}: {row}")
        tally.failed += max(0, len(rows) - 5)
    results = collections.Counter()
    for (_, _, _, want), n in sent.items():
        results[want] += n
    print("public:", sum(sent.values()), "messages;", ", ".join(f"{n} DKIM {w}" for w, n in sorted(results.items())))
    print("oracles: hashlib, dkimpy")
    return None


def main():
    parts = {name[5:]: f for name, f in globals().items() if name.startswith("part_")}
    levels = levels_here()
    print("levels:", ", ".join(levels))
    tally.check("scalar" in levels, "POSTERN_CPU=scalar changes nothing")
    if len(levels) > 1:
        for name in sys.argv[2:] or parts:
            parts[name](levels)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed or (tally.skipped > tally.elsewhere and SKIP_IS_FAILURE) else 0


if __name__ == "__main__":
    sys.exit(main())
