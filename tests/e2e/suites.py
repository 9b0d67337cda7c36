#!/usr/bin/python3
"""Third-party test suites, where they are to be had.

    POSTERN_SUITES=DIR tests/e2e/suites.py [POSTERN]

dkim: every case has the result that RFC 6376 gives it, with the keys in a zone file and again from a real nsd. arc: a
result that the suite accepts, in both ways too. captures:
the sessions of Arkime, Suricata and Zeek give the messages that these say, or that tshark shows, and nothing crashes.
Each deviation stands in a table here with its reason.
"""
import glob
import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import suite_arc

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.environ.get("POSTERN_SUITES", os.path.join(ROOT, "..", "shared", "suites"))
POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

# Most of these captures had their octets changed without their checksums, and some sessions are on 2525.
CAPTURE = ["--dns", "none", "--checksum", "never", "--smtp-ports", "25,587,2525"]


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print("FAIL", text)
        return bool(good)

    def skip(self, what):
        print(f"skipped: {what}")
        self.skipped += 1


tally = Tally()


def scan(*arguments):
    """Exit status and records."""
    run = subprocess.run([POSTERN, "scan", "--format", "json", *arguments], capture_output=True, check=False,
                         timeout=120)
    if run.returncode not in (0, 1):
        print(f"scan {' '.join(arguments[-3:])} ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    return run.returncode, [json.loads(line) for line in run.stdout.decode().splitlines()]


# --- dkim ---

def overall(record):
    """pass if any signature passes, else what the first one has."""
    results = [s["result"] for s in record["auth"]["dkim"]]
    return "pass" if "pass" in results else results[0]


def fits(result, want):
    return result != "pass" if want == "not pass" else result == want


def archive_only(record):
    """Nothing but rsa-sha1 and short keys in what passed."""
    return all(s["algorithm"] == "rsa-sha1" or (s["algorithm"] == "rsa-sha256" and s["key_bits"] < 1024)
               for s in record["auth"]["dkim"] if s["result"] == "pass")


def dkim_suite():
    folder = os.path.join(FOLDER, "dkim")
    with open(os.path.join(folder, "cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    files = [os.path.join(folder, c["eml"]) for c in cases]
    with open(os.path.join(folder, "zone"), encoding="latin-1") as f:
        zone = f.read()
    switches = ["--dkim-allow-sha1", "--dkim-min-bits", "512"]
    _, first = scan(*switches, "--dns", "zone:" + os.path.join(folder, "zone"), *files)
    good = 0
    for case, record in zip(cases, first):
        good += tally.check(fits(overall(record), case["by_rfc"]),
                            f"dkim {case['id']}: {record['auth']['dkim']}, not {case['by_rfc']}")
    tally.check(len(first) == len(cases), f"dkim: {len(first)} records of {len(cases)} messages")
    print(f"dkim {good} of {len(cases)}")

    _, strict = scan("--dns", "zone:" + os.path.join(folder, "zone"), *files)
    good = 0
    for case, record, free in zip(cases, strict, first):
        want = case["by_rfc"] == "pass" and not archive_only(free)
        good += tally.check((overall(record) == "pass") == want,
                            f"dkim without switches {case['id']}: {record['auth']['dkim']}, passes: {want}")
    print(f"dkim without switches {good} of {len(cases)}")

    sys.path.insert(0, HERE)
    try:
        import nsd
    except ImportError as missing:
        return tally.skip(f"dkim with nsd ({missing})")
    if not nsd.installed():
        return tally.skip("dkim with nsd (not installed)")
    errors = re.findall(r"^;ERROR,([^,]+),", zone, re.M)
    with nsd.Nsd(zone) as server:
        _, served = scan(*switches, "--dns", server.dns, *files)
    good, aside = 0, 0
    for case, record, other in zip(cases, served, first):
        names = [f"{s['selector']}._domainkey.{s['domain']}" for s in other["auth"]["dkim"]]
        if any(n in errors for n in names):
            aside += 1
            continue
        record.pop("timestamp"), other.pop("timestamp")
        good += tally.check(record == other and len(served) == len(cases),
                            f"dkim with nsd {case['id']}: {record['auth']['dkim']}, not {other['auth']['dkim']}")
    print("oracles: nsd")
    print(f"dkim with nsd {good} of {len(cases) - aside}, {aside} with injected errors aside")
    return None


# --- Arkime ---

# (capture, what is expected there): what we say instead, and why
ARKIME = {
    ("smtp-subject-multi-nospace", "subject"):
        ("xxxxxxxxxxxxx: xxxxêxx xxéxxxxxxxxx xxx xxx xxxxxxxxxxx xx xxxxxxxxxxxxxxx - xxxx",
         "RFC 2047 6.2: blanks between encoded words are ignored"),
    ("smtp-subject-windows", "subject"):
        ("Awesome windows: See What\x92s Next in charset decoding!",
         "the octet 0x92 is under no charset: it is told as it is, not guessed to be Windows-1252"),
    ("smtp-decrypted", "messages"):
        (0, "RFC 3207 4: behind a STARTTLS that was accepted the session is TLS's; here a proxy wrote its own view"),
}
ARKIME_PORTS = (25, 587, 2525, 110)


def many(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def arkime_session(name, body, records):
    """One session in which Arkime saw a message."""
    email = body["email"]
    port = body["source"]["port"]
    ours = [r for r in records if r["src_port"] == port]
    if (name, "messages") in ARKIME:
        return tally.check(len(ours) == ARKIME[name, "messages"][0], f"arkime {name}: {len(ours)} messages")
    good = tally.check(ours, f"arkime {name} port {port}: no message")
    for record in ours:
        smtp, what = record["smtp"], f"arkime {name} port {port}:"
        good &= tally.check(record["src_ip"] == body["source"]["ip"] and record["dest_ip"] == body["destination"]["ip"],
                            f"{what} {record['src_ip']} to {record['dest_ip']}")
        if "smtpHello" in email:
            good &= tally.check((smtp["helo"] or "").lower() in email["smtpHello"],
                                f"{what} helo {smtp['helo']}, not {email['smtpHello']}")
        good &= tally.check(smtp["mail_from"].lower() in email["src"],
                            f"{what} mail_from {smtp['mail_from']}, not {email['src']}")
        for rcpt in smtp["rcpt_to"]:
            good &= tally.check(rcpt.lower() in email["dst"], f"{what} rcpt_to {rcpt}, not {email['dst']}")
        want = [s.strip() for s in email["subject"]]
        if (name, "subject") in ARKIME:
            want = [ARKIME[name, "subject"][0]]
        good &= tally.check((record["email"]["subject"] or "").strip() in want,
                            f"{what} subject {record['email']['subject']!r}, not {want}")
    return good


def arkime_suite():
    captures = sorted(glob.glob(os.path.join(FOLDER, "captures/arkime/*.pcap")))
    good = 0
    for path in captures:
        name = os.path.basename(path)[:-5]
        with open(path[:-5] + ".test", encoding="utf-8") as f:
            sessions = [s["body"] for s in many(json.load(f).get("sessions3"))]
        status, records = scan(*CAPTURE, path)
        fine = tally.check(status in (0, 1), f"arkime {name}: status {status}")
        mails = [b for b in sessions if "subject" in b.get("email", {}) and "smtp" in b["protocol"]
                 and b["destination"]["port"] in ARKIME_PORTS]
        for body in mails:
            fine &= arkime_session(name, body, records)
        ports = [b["source"]["port"] for b in mails]
        extra = [r for r in records if r["src_port"] not in ports and r["message"]["complete"]]
        fine &= tally.check(not extra, f"arkime {name}: messages that Arkime did not see: {extra}")
        good += fine
    print(f"arkime {good} of {len(captures)}")
    for (name, what), (_, why) in ARKIME.items():
        print(f"  {name}, {what}: {why}")


# --- Suricata ---

NO_MESSAGE = "Suricata tells of every transaction, we of every message: there was none in it"
FIREWALL = "its rules drop the transaction; the capture has the message"
# (file, number of the check): how many records there are of it, and why not as many
SURICATA = {
    ("ruletype-firewall-125-smtp-all-rcpts-required-drop", "no smtp"): (1, FIREWALL),
    ("ruletype-firewall-133-smtp-out-of-order-commands", "no smtp"): (1, FIREWALL),
    ("ruletype-firewall-128-smtp-rset-next-tx-delivered", "alice@example.com"): (0, NO_MESSAGE),
    ("ruletype-firewall-130-smtp-rset-after-rcpt", "alice@example.com"): (1, NO_MESSAGE),
    ("ruletype-firewall-131-smtp-quit-after-mail-from", "alice@example.com"): (0, NO_MESSAGE),
    ("ruletype-firewall-134-smtp-rset-then-quit", "alice@example.com"): (0, NO_MESSAGE),
}
VERSION = (8, 0, 7)


def value_at(record, key):
    """smtp.rcpt_to[0] of a record; None when it is not there."""
    for word in key.split("."):
        name, _, index = word.partition("[")
        record = record.get(name) if isinstance(record, dict) else None
        if index:
            record = record[int(index[:-1])] if isinstance(record, list) and int(index[:-1]) < len(record) else None
    return record


def bare(value):
    return value[1:-1] if isinstance(value, str) and value.startswith("<") and value.endswith(">") else value


def suricata_match(record, match):
    for key, want in match.items():
        if key in ("event_type", "pcap_cnt", "email.status"):
            continue
        if key.startswith(("email.attachment", "email.url")):
            continue  # what is in a message is not looked at yet
        if key == "not-has-key":
            if value_at(record, want) not in (None, []):
                return False
            continue
        have = value_at(record, key)
        if key in ("email.from", "email.subject") and isinstance(have, list):
            have = have[0] if have else None
        if (bare(want) if key.startswith("smtp.") else want) != have:
            return False
    return True


def version(text):
    numbers = [int(n) for n in str(text).split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def suricata_asks(path):
    """Its checks on smtp events, those of older versions aside."""
    import yaml
    with open(path, encoding="utf-8") as f:
        checks = yaml.safe_load(f)["checks"]
    for check in checks:
        row = check.get("filter", {})
        requires = row.get("requires", {})
        if row.get("match", {}).get("event_type") != "smtp":
            continue
        if version(requires.get("min-version", 0)) > VERSION or \
                ("lt-version" in requires and VERSION >= version(requires["lt-version"])):
            continue
        yield row["count"], row["match"]


def suricata_suite():
    captures = sorted(glob.glob(os.path.join(FOLDER, "captures/suricata/*.pcap")))
    good, asked, used = 0, 0, set()
    for path in captures:
        name = os.path.basename(path)[:-5]
        status, records = scan(*CAPTURE, path)
        fine = tally.check(status in (0, 1), f"suricata {name}: status {status}")
        for count, match in suricata_asks(path[:-5] + ".yaml"):
            asked += 1
            found = sum(suricata_match(r, match) for r in records)
            key = (name, bare(match.get("smtp.mail_from", "no smtp")))
            if key in SURICATA and found != count:
                used.add(key)
                count = SURICATA[key][0]
            fine &= tally.check(found == count, f"suricata {name}: {found} of {match}, not {count}")
        for record in records:
            fine &= tally.check(record["message"]["complete"] or name == "mime-stream-depth",
                                f"suricata {name}: {record['message']}")
        good += fine
    tally.check(used == set(SURICATA), f"suricata: rows that explain nothing: {set(SURICATA) - used}")
    print(f"suricata {good} of {len(captures)}, {asked} questions")
    for (name, what) in sorted(used):
        print(f"  {name}, {what}: {SURICATA[name, what][1]}")


# --- Zeek: no expectations come with it; these were read off tshark by hand ---

ZEEK = {  # sender or user, recipients or number, octets, complete
    "bad-list-retr-crafted": [(None, 1, 109, True)],  # a list without an end, which the next status line ends
    "mime-header-size-limit": [("exploit@attacker.evil", 1, None, True)],
    "pop3-unknown-commands": [],
    "pop3": [("digitalinvestigator@networksims.com", 1, 5565, True),
             ("digitalinvestigator@networksims.com", 2, 8412, True),
             ("digitalinvestigator@networksims.com", 3, 5214, True)],
    "redis-50-pings": [],
    "smtp-attachment-msg": [("sender@example.com", 1, None, True)],
    "smtp-mail-transactions-invalid": [("bob@example.org", 1, 18, True), ("bob@example.org", 1, 39, True)],
    "smtp-many-addresses": [("itzltrab@kmzcztrw.kkk.com", None, None, True)],
    "smtp-multi-addr": [("root@gras-os-desk.cern.ch", 1, None, True)],
    "smtp-one-side-only": [("robin@icir.org", 1, None, True), ("robin@icir.org", 1, None, True)],
    "smtp": [("gurpartap@patriots.in", 1, None, True), ("albert@example.com", 3, None, True)],
}


def tshark_messages(path):
    """How many messages tshark sees end in DATA."""
    out = subprocess.run(["tshark", "-r", path, "-o", "tcp.check_checksum:FALSE", "-Y", "smtp.eom", "-T", "fields",
                          "-e", "frame.number"], capture_output=True, text=True, check=False).stdout
    return len(out.split())


def plain_copy(path, folder):
    if not path.endswith(".gz"):
        return path
    copy = os.path.join(folder, os.path.basename(path)[:-3])
    with gzip.open(path) as f, open(copy, "wb") as g:
        g.write(f.read())
    return copy


def zeek_suite(folder):
    captures = sorted(glob.glob(os.path.join(FOLDER, "captures/zeek/*.pcap*")))
    tshark, good = shutil.which("tshark"), 0
    for path in captures:
        name = os.path.basename(path).split(".")[0]
        status, records = scan(*CAPTURE, path)
        fine = tally.check(status in (0, 1), f"zeek {name}: status {status}")
        have = []
        for r in records:
            who = r["pop3"]["user"] if "pop3" in r else r["smtp"]["mail_from"]
            what = r["pop3"]["number"] if "pop3" in r else len(r["smtp"]["rcpt_to"])
            have.append((who, what, r["message"]["size"], r["message"]["complete"]))
        want = ZEEK.get(name)
        same = want is not None and len(have) == len(want) and all(
            all(w is None and i in (1, 2) or w == h for i, (h, w) in enumerate(zip(a, b)))
            for a, b in zip(have, want))
        fine &= tally.check(same, f"zeek {name}: {have}, not {want}")
        if tshark and name != "smtp-mail-transactions-invalid":  # tshark takes what was refused for a message
            seen = tshark_messages(plain_copy(path, folder))
            mails = sum("smtp" in r for r in records)
            fine &= tally.check(seen == mails, f"zeek {name}: {mails} messages, tshark sees {seen}")
        good += fine
    if not tshark:
        tally.skip("zeek against tshark (not installed)")
    else:
        print("oracles: tshark")
    print(f"zeek {good} of {len(captures)}")


def cut_suite(folder):
    """Every capture cut off at two places: what comes before the cut is scanned, and nothing crashes."""
    ran = 0
    for path in sorted(glob.glob(os.path.join(FOLDER, "captures/*/*.pcap"))):
        with open(path, "rb") as f:
            octets = f.read(200000)
        if struct.unpack("<I", octets[:4])[0] not in (0xa1b2c3d4, 0xa1b23c4d):
            continue
        for i in (1, 2):
            copy = os.path.join(folder, "cut.pcap")
            with open(copy, "wb") as f:
                f.write(octets[:24 + (len(octets) - 24) * i // 3])
            run = subprocess.run([POSTERN, "scan", *CAPTURE, copy], capture_output=True, check=False, timeout=60)
            tally.check(run.returncode in (0, 1, 2), f"{path} cut {i}: status {run.returncode}")
            ran += 1
    print(f"captures cut short: {ran} runs")


def main():
    if not os.path.isdir(FOLDER):
        tally.skip(f"third-party suites: no {os.path.normpath(FOLDER)}; POSTERN_SUITES names another place")
    else:
        dkim_suite()
        suite_arc.run(scan, tally, os.path.join(FOLDER, "arc"))
        arkime_suite()
        with tempfile.TemporaryDirectory(prefix="suites.") as folder:
            try:
                suricata_suite()
            except ImportError as missing:
                tally.skip(f"suricata ({missing})")
            zeek_suite(folder)
            cut_suite(folder)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    if tally.failed or (tally.skipped and SKIP_IS_FAILURE):
        return 1
    return 0 if tally.passed else 77


if __name__ == "__main__":
    sys.exit(main())
