#!/usr/bin/python3
"""Generated records, authors, senders and signatures: `postern scan --dmarc-walk psl`, Mail::DMARC and libopendmarc.

    POSTERN=build/postern tests/e2e/dmarc_oracles.py [POSTERN]

One capture has all messages, one real nsd all names. Our result, and of a failure the policy applied, must be that of
each oracle; where it is not, a row of EXPLAINED must name the section that decides it.
"""
import base64
import collections
import ctypes
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
LIST = "/usr/share/publicsuffix/public_suffix_list.dat"
CLIENT = "192.0.2.1"
CASES = 1200

try:
    import dkim
    import nacl.signing

    import nsd
    import wire
except ImportError as missing:
    print(f"skipped: {missing} (python3-dkim python3-nacl python3-dnspython)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

# oracle, what is odd in one of the records, "ours/theirs": the section of RFC 7489 that decides
M, O = "Mail::DMARC", "libopendmarc"
EXPLAINED = [
    (M, {"bad p, rua", "bad sp, rua"}, "(pass|fail:none)/(none|error)",
     "6.6.3 step 6: with a valid rua= it is as if p=none were there"),
    (M, {"blank in front", "blanks around v"}, ".*/none", "6.4: blanks may stand around the = of v="),
    (M, {"small version"}, "none/.*", "6.3 v=: the value is case-sensitive, another one is no record"),
    (M, {"version 1x"}, "(pass|fail:.*)/none", "6.6.3 step 2: DMARC1x is discarded, so the organization is asked"),
    (M, {"p twice"}, "fail:.*/fail:.*", "6.3 leaves it open; RFC 6376 3.2 calls it an error, and the first stands"),
    (O, {"strict"}, "fail:.*/pass", "3.1: strict alignment is an exact match"),
    (O, {"several signatures"}, "pass/fail:.*", "3.1.1: one aligned signature is enough, whichever it is"),
    (O, {"bad p, rua", "bad sp, rua", "no p, rua"}, "(pass|fail:none)/none",
     "6.6.3 step 6: with a valid rua= it is as if p=none were there"),
    (O, {"bad aspf", "bad adkim", "bad pct", "no value"}, "(pass|fail:.*)/none",
     "6.3: errors behind v= and p= are discarded for the defaults"),
    (O, {"small version"}, "none/.*", "6.3 v=: the value is case-sensitive, another one is no record"),
    (O, {"no version"}, "none/.*", "6.3 v=: what does not begin with it is no record"),
    (O, {"version 1x", "version 2", "no version"}, "(pass|fail:.*)/.*",
     "6.6.3 step 2: what is of another version is discarded, so the organization is asked"),
    (O, {"p twice"}, "fail:.*/fail:.*", "6.3 leaves it open; RFC 6376 3.2 calls it an error, and the first stands"),
]

BAD = {"p": ["refuse", "non e", ""], "sp": ["refuse", "x"], "adkim": ["x", ""], "aspf": ["x", "strict"],
       "pct": ["101", "-1", "x", "1000"], "rua": ["dmarc", "mailto:", ""]}
ODDITIES = [
    "bad p, rua", "bad p, no rua", "bad sp, rua", "bad sp, no rua", "no p, rua", "no p, no rua", "bad adkim",
    "bad aspf", "bad pct", "bad rua", "ri=3600", "rf=afrf", "fo=1:d", "x=y", "np=reject", "t=y", "psd=n", "psd=y",
    "p last", "p twice", "capital values", "capital names", "no value", "blanks", "semicolons", "close",
    "blanks around v", "version 2", "small version", "version 1x", "capital v", "blank in front", "no version",
    "a word", "two records", "other text",
]
SUFFIXES = ["com", "co.uk", "za.org", "kawasaki.jp", "c.kobe.jp", "github.io", "org"]


class Case:
    def __init__(self, author, sender, spf, signatures, odd):
        self.author, self.sender, self.spf, self.signatures, self.odd = author, sender, spf, signatures, odd

    def question(self):
        return json.dumps({"from": self.author, "spf": [self.sender, self.spf], "dkim": self.signatures})


class Maker:
    """Domains with records, and messages that speak of them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.zone = []
        self.texts = {}
        self.odd = {}
        self.spf = {}
        self.key = nacl.signing.SigningKey(bytes(range(32)))
        self.public = base64.b64encode(bytes(self.key.verify_key)).decode()
        self.private = base64.b64encode(bytes(self.key))

    def add(self, name, kind, data):
        self.zone.append(f"{name}. 60 IN {kind} {data}")

    def chance(self, p):
        return self.random.random() < p

    def record(self, organization):
        """A text, and the one thing in it that is odd."""
        pick = self.random.choice
        odd = pick(ODDITIES) if self.chance(0.4) else "plain"
        tags = [["p", pick(["none", "quarantine", "reject", "reject"])]]
        for tag, values, chance in (("sp", ["none", "quarantine", "reject"], 0.4), ("adkim", "rss", 0.4),
                                    ("aspf", "rss", 0.4), ("pct", ["0", "100", "0"], 0.2),
                                    ("rua", [f"mailto:dmarc@{organization}"], 0.4)):
            if self.chance(chance):
                tags.append([tag, pick(values)])
        names = [t for t, _ in tags]
        if odd.startswith("bad "):  # the value of a tag
            tag = odd[4:].split(",")[0]
            tags = [t for t in tags if t[0] != tag]
            tags.insert(0 if tag == "p" else 1, [tag, pick(BAD[tag])])
        if odd.endswith(", rua") and "rua" not in names:
            tags.append(["rua", f"mailto:dmarc@{organization}"])
        if odd.endswith(", no rua"):
            tags = [t for t in tags if t[0] != "rua"]
        if odd.startswith("no p"):
            tags = [t for t in tags if t[0] != "p"]
        if "=" in odd:
            tags.append(odd.split("=", 1))
        if odd == "p last":
            tags = tags[1:] + tags[:1]
        if odd == "p twice":
            tags.append(["p", "none" if tags[0][1] == "reject" else "reject"])
        if odd == "capital values":
            tags = [[t, v if t == "rua" else v.upper()] for t, v in tags]
        if odd == "capital names":
            tags = [[t.upper(), v] for t, v in tags]
        if odd == "no value":
            tags.append(["fo", ""])
        blank = "  " if odd == "blanks" else ""
        between = {"semicolons": ";;", "close": ";"}.get(odd, pick([";", "; ", " ; "]))
        version = {"blanks around v": "v = DMARC1", "version 2": "v=DMARC2", "small version": "v=dmarc1",
                   "version 1x": "v=DMARC1x", "capital v": "V=DMARC1", "blank in front": " v=DMARC1",
                   "no version": "x=DMARC1"}.get(odd, "v=DMARC1")
        text = version + "".join(f"{between}{t}{blank}={blank}{v}" for t, v in tags)
        if odd == "a word":
            text = text.replace("; p=", "; word; p=").replace(";p=", ";word;p=")
        return text + pick(["", ";", "; "]), odd

    def publish(self, name, organization):
        """Records at _dmarc.name."""
        text, self.odd[name] = self.record(organization)
        self.add(f"_dmarc.{name}", "TXT", json.dumps(text))
        self.texts[f"_dmarc.{name}"] = [text]
        if self.odd[name] == "two records":
            self.add(f"_dmarc.{name}", "TXT", '"v=DMARC1; p=none; x=1"')
        if self.odd[name] == "other text":
            self.add(f"_dmarc.{name}", "TXT", '"some other text"')

    def sender(self, name):
        """A domain that SPF passes for, or not."""
        if name not in self.spf:
            self.spf[name] = self.random.choice(["pass", "pass", "fail"])
            self.add(name, "TXT", f'"v=spf1 {"ip4:" + CLIENT if self.spf[name] == "pass" else ""} -all"')
        return self.spf[name]

    def signer(self, name):
        line = f's._domainkey.{name}. 60 IN TXT "v=DKIM1; k=ed25519; p={self.public}"'
        if line not in self.zone:
            self.zone.append(line)

    def family(self, number):
        organization = f"d{number}.{self.random.choice(SUFFIXES)}"
        names = [organization, f"a.{organization}", f"b.{organization}", f"x.a.{organization}"]
        for name in names:
            self.add(name, "A", "192.0.2.7")
        if self.chance(0.85):
            self.publish(organization, organization)
        for name in names[1:3]:
            if self.chance(0.25):
                self.publish(name, organization)
        other = f"o{number}.{organization.split('.', 1)[1]}"
        self.add(other, "A", "192.0.2.8")
        return names, other

    def cases(self, n):
        made, number = [], 0
        while len(made) < n:
            number += 1
            names, other = self.family(number)
            for _ in range(6):
                author = self.random.choice(names)
                others = names + [author, author, other, f"d{number}x.com"]
                sender = self.random.choice(others)
                signatures = []
                for _ in range(self.random.choice([0, 0, 1, 1, 2])):
                    domain = self.random.choice(others)
                    self.signer(domain)
                    signatures.append([domain, self.random.choice(["pass", "pass", "fail"])])
                odd = {self.odd.get(n, "nothing") for n in (author, names[0])}
                odd |= {"wildcard"} if names[0].endswith(".jp") else set()
                odd |= {"strict"} if any(re.search(r"(?i)(adkim|aspf) *= *s", t) for n in (author, names[0])
                                         for t in self.texts.get(f"_dmarc.{n}", [])) else set()
                odd |= {"several signatures"} if len(signatures) > 1 else set()
                made.append(Case(author, sender, self.sender(sender), signatures, odd))
        return made[:n]

    def message(self, case, number):
        text = (f"From: Author <a@{case.author}>\r\nTo: b@receiver.example\r\nSubject: {number}\r\n"
                f"Message-ID: <{number}@x>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nHello {number}\r\n").encode()
        for domain, result in case.signatures:
            field = dkim.sign(text, b"s", domain.encode(), self.private, signature_algorithm=b"ed25519-sha256",
                              include_headers=[b"from", b"subject"])
            if result != "pass":
                field = re.sub(rb"bh=....", b"bh=AAAA", field.replace(b"\r\n ", b""))
            text = field + text
        return text


# ---- the three who judge ----

def ours(maker, cases, server, folder):
    conversations = []
    for i, case in enumerate(cases):
        script = wire.smtp([maker.message(case, i)], sender=f"s@{case.sender}".encode())
        conversations.append(wire.talk(script, client=(CLIENT, 1024 + i), server=("198.51.100.25", 25)))
    path = os.path.join(folder, "mail.pcap")
    wire.write_pcap(path, wire.frames([s for c in conversations for s in c]))
    run = subprocess.run([POSTERN, "scan", "--format", "json", "--dns", server.dns, "--dmarc-walk", "psl",
                          "--dmarc-suffix-file", LIST, "--now", str(int(time.time()) + 60), path],
                         capture_output=True, check=False, timeout=300)
    found = {}
    for line in run.stdout.decode().splitlines():
        record = json.loads(line)
        found[record["src_port"] - 1024] = record["auth"]
    return found


def mail_dmarc(cases, server):
    address, port = server.dns.split("@")
    run = subprocess.run(["perl", os.path.join(HERE, "dmarc_oracle.pl"), address, port, LIST], text=True,
                         capture_output=True, input="".join(c.question() + "\n" for c in cases), check=False, timeout=300)
    for line in run.stdout.splitlines():
        said = json.loads(line)
        if said["result"] == "fail" and not said.get("published") or re.search("too many|no valid rua|parse error",
                                                                               said.get("reason", "")):
            yield "none"
        elif said["result"] == "fail":
            yield "fail:" + said["disposition"].lower()
        else:
            yield said["result"]


class Library(ctypes.Structure):
    _fields_ = [("tld_type", ctypes.c_int), ("tld_source_file", ctypes.c_char * 2048), ("nscount", ctypes.c_int),
                ("nsaddr_list", (ctypes.c_char * 16) * 3)]


PASS, REJECT, QUARANTINE, NONE = 15, 16, 17, 18
LOWER = {"reject": "quarantine", "quarantine": "none", "none": "none"}


def opendmarc(maker, cases):
    """Its own discovery, over names told to it: one text a name, so several records at one are not asked about; nor are
    names under a wildcard of the list, which it does not read."""
    library = ctypes.CDLL("libopendmarc.so.2")
    library.opendmarc_policy_connect_init.restype = ctypes.c_void_p
    setup = Library(tld_type=1, tld_source_file=LIST.encode())
    if library.opendmarc_policy_library_init(ctypes.byref(setup)) != 0:
        raise OSError("libopendmarc does not start")
    for name, texts in maker.texts.items():
        library.opendmarc_dns_fake_record(name.encode(), texts[0].encode())
    for case in cases:
        if case.odd & {"two records", "wildcard"}:
            yield None
            continue
        context = ctypes.c_void_p(library.opendmarc_policy_connect_init(CLIENT.encode(), 4))
        library.opendmarc_policy_store_from_domain(context, case.author.encode())
        library.opendmarc_policy_store_spf(context, case.sender.encode(), 1 if case.spf == "pass" else 2, 1, b"")
        for domain, result in case.signatures:
            library.opendmarc_policy_store_dkim(context, domain.encode(), b"s", 1 if result == "pass" else 2, b"")
        status = library.opendmarc_policy_query_dmarc(context, case.author.encode())
        verdict, percent = library.opendmarc_get_policy_to_enforce(context), ctypes.c_int(100)
        library.opendmarc_policy_fetch_pct(context, ctypes.byref(percent))
        word = {PASS: "pass", REJECT: "fail:reject", QUARANTINE: "fail:quarantine",
                NONE: "fail:none"}.get(verdict, "none")
        if status != 0:
            word = "none"
        if percent.value == 0 and word.startswith("fail:"):  # the library leaves the sample to its caller
            word = "fail:" + LOWER[word[5:]]
        yield word
        library.opendmarc_policy_connect_shutdown(context)


# ---- comparing ----

def our_word(auth):
    dmarc = auth["dmarc"]
    if dmarc["result"] in ("none", "permerror"):
        return "none"  # the oracles know only that DMARC does not apply
    return dmarc["result"] + (":" + dmarc["policy"] if dmarc["result"] == "fail" else "")


class Tally:
    def __init__(self):
        self.passed = self.failed = 0
        self.used = collections.Counter()

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good and self.failed <= 25:
            print("FAIL", text)


def explain(oracle, case, mine, theirs):
    for row in EXPLAINED:
        who, odd, pair, _ = row
        if who == oracle and odd & case.odd and re.fullmatch(pair, f"{mine}/{theirs}"):
            return row
    return None


def compare(tally, oracle, cases, found, verdicts):
    agreed = aside = 0
    verdicts = list(verdicts)
    tally.check(len(verdicts) == len(cases), f"{oracle}: {len(verdicts)} verdicts of {len(cases)} cases")
    for i, (case, theirs) in enumerate(zip(cases, verdicts)):
        if theirs is None:
            aside += 1
            continue
        mine = our_word(found[i])
        row = None if mine == theirs else explain(oracle, case, mine, theirs)
        agreed += mine == theirs
        if row:
            tally.used[row[0], row[3]] += 1
        tally.check(mine == theirs or row,
                    f"{oracle} {i}: {mine}, not {theirs}: {case.question()} {sorted(case.odd)} {found[i]['dmarc']}")
    print(f"{oracle}: {agreed} of {len(cases) - aside} the same")


def main():
    if not nsd.installed():
        print("skipped: nsd is not installed\n0 passed, 0 failed, 1 skipped")
        return 1 if SKIP_IS_FAILURE else 77
    tally, skipped = Tally(), 0
    maker = Maker(7489)
    cases = maker.cases(CASES)
    with tempfile.TemporaryDirectory(prefix="dmarc.") as folder, nsd.Nsd("\n".join(maker.zone) + "\n") as server:
        found = ours(maker, cases, server, folder)
        tally.check(len(found) == len(cases), f"{len(found)} records of {len(cases)} messages")
        for i, case in enumerate(cases):
            auth = found[i]
            tally.check(auth["spf"]["result"] == case.spf,
                        f"{i}: SPF of {case.sender} is {auth['spf']}, not {case.spf}")
            have = sorted([s["domain"], s["result"]] for s in auth["dkim"] if s["result"] != "none")
            tally.check(have == sorted(case.signatures), f"{i}: signatures {have}, not {case.signatures}")
        oracles = []
        for name, judge in (("Mail::DMARC", lambda: mail_dmarc(cases, server)),
                            ("libopendmarc", lambda: opendmarc(maker, cases))):
            try:
                verdicts = list(judge())
            except OSError as missing:
                print(f"skipped: {name} ({missing})")
                skipped += 1
                continue
            oracles.append(name)
            compare(tally, name, cases, found, verdicts)
    words = collections.Counter(our_word(f) for f in found.values())
    print("results:", ", ".join(f"{n} {w}" for w, n in sorted(words.items())))
    for (who, why), n in sorted(tally.used.items()):
        print(f"  {who}, {n} times: {why}")
    if len(oracles) == 2:
        idle = [r for r in EXPLAINED if (r[0], r[3]) not in tally.used]
        tally.check(not idle, f"rows that explain nothing: {idle}")
    print("oracles: " + ", ".join(oracles + ["nsd"]))
    print(f"{tally.passed} passed, {tally.failed} failed, {skipped} skipped")
    return 1 if tally.failed or (skipped and SKIP_IS_FAILURE) else 0


if __name__ == "__main__":
    sys.exit(main())
