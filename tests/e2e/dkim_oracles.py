#!/usr/bin/python3
"""Signed and broken messages, judged by `postern scan` and by two other verifiers.

    POSTERN=build/postern tests/e2e/dkim_oracles.py [POSTERN]

Each message has the result that is due to it; ours must be that word. Where dkimpy or Mail::DKIM says pass and we
do not, or the other way round, a row of EXPLAINED must name the section that decides it. The records must be
the same when a real nsd serves the keys.
"""
import collections
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

try:
    import logging

    import dkim
    import nacl.signing  # dkimpy takes no Ed25519 without it

    import nsd
    from dkim_messages import Zone, broken_cases, random_cases, whole_cases
    from dkim_tags import key_cases, odd_cases, several_cases, tag_cases
except ImportError as missing:
    print(f"skipped: {missing} (python3-dkim python3-nacl python3-cryptography python3-dnspython)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

assert nacl.signing
logging.disable(logging.CRITICAL)

# oracle, what is found in "kind (name)", "ours/theirs": the section that decides. RFC 6376 unless it says otherwise.
OURS, THEIRS = "pass/not", "not/pass"
EXPLAINED = [
    ("dkimpy", r"blanks at the end|blanks only.* body less|blanks at line end, body last line end gone", OURS,
     "3.4.4: blanks behind the last CRLF are a line of blanks, which is empty"),
    ("dkimpy", r"blanks behind b|last ; with blanks", OURS, "3.7: the blanks around the value of b= go with it"),
    ("dkimpy", r"second from on top", OURS, "5.4.2: the last From is signed; 8.15 leaves a second one to policy"),
    ("dkimpy", r"blank before colon", OURS, "3.4.2: blanks before the colon are deleted"),
    ("dkimpy", r"tag: q list", OURS, "3.5 q=: a list; what is not known in it is ignored"),
    ("dkimpy", r"tag: d as U-label", OURS, "RFC 8616 5: d= may be U-labels, looked up as A-labels"),
    ("dkimpy", r"key: s list", OURS, "3.6.1 s=: a list with blanks around its colons"),
    ("dkimpy", r"key: two records", OURS, "3.6.2.2: several TXT records are undefined; we take the one with a key"),
    ("dkimpy", r"octets: .*LF", OURS, "3.4.3, 3.4.4: lines end in CRLF alone, an LF is an octet of its line"),
    ("dkimpy", r"tag: a=rsa-sha1", THEIRS, "RFC 8301 3.1: rsa-sha1 is not to be accepted"),
    ("dkimpy", r"tag: a of another key", THEIRS, "6.1.2 step 8: the key is not for the algorithm of a="),
    ("dkimpy", r"tag: h without from", THEIRS, "6.1.1: From is not signed"),
    ("dkimpy", r"tag: l over the body", THEIRS, "3.5 l=: not larger than the canonicalized body"),
    ("dkimpy", r"key: (h unknown|h=sha1|ed25519, h=sha1)", THEIRS, "3.6.1 h=, 6.1.2 step 6: hash not allowed"),
    ("dkimpy", r"key: t=(y:)?s, i below", THEIRS, "3.6.1 t=s: i= must be the domain of d= itself"),
    ("dkimpy", r"key: v not first", THEIRS, "3.6.1 v=: must be the first tag"),
    ("dkimpy", r"tag: i folded", OURS, "2.11: white space in dkim-quoted-printable is ignored"),
    ("dkimpy", r"tag: h of the field itself", OURS, "5.4: h= names other signatures, never its own field"),
    ("dkimpy", r"tag: NUL in a value", THEIRS, "3.2: a value has printable octets and white space"),
    ("dkimpy", r"tag: i, =XX", THEIRS, "2.11: = is followed by two hexadecimal digits"),
    ("dkimpy", r"tag: d with", THEIRS, "3.5 d=: a domain-name has no dot at its end"),
    ("dkimpy", r"key: h empty", THEIRS, "3.6.1 h=: a list of what is allowed, and sha256 is not in it"),
    ("dkimpy", r"key: three records", OURS, "3.6.2.2: several TXT records are undefined; we take the one with a key"),
    ("dkimpy", r"several: six", "pass+pass+pass+pass+not/pass+pass+pass+pass+not+pass", "6.1: a verifier may limit the number; the rest is skipped"),
    ("Mail::DKIM", r"no last line end|last line end gone|blanks at the end", OURS,
     "3.4.3: a missing last CRLF is added"),
    ("Mail::DKIM", r"octets: (LF at|LFs at|LF alone)", OURS, "3.4.3: an LF is an octet of a line without its CRLF"),
    ("Mail::DKIM", r"(tag:|,) l=0\b", OURS, "3.5 l=: 0 is a number, and covers no octet"),
    ("Mail::DKIM", r"random .*, l=1\)", OURS, "3.4.3, 3.5 l=: of an empty body, which is a CRLF, l=1 covers an octet"),
    ("Mail::DKIM", r"tag: d as U-label", OURS, "RFC 8616 5: d= may be U-labels, looked up as A-labels"),
    ("Mail::DKIM", r"key: PKCS#1", OURS, "3.6.1 k=rsa: p= is an RSAPublicKey"),
    ("Mail::DKIM", r"key: g other", OURS, "appendix E: g= is no tag any more, 3.2: unknown tags are ignored"),
    ("Mail::DKIM", r"key: (h|s) list", OURS, "3.6.1 h=, s=: a list with blanks around its colons"),
    ("Mail::DKIM", r"key: two records", OURS, "3.6.2.2: several TXT records are undefined; we take the one with a key"),
    ("Mail::DKIM", r"tag: a=rsa-sha1", THEIRS, "RFC 8301 3.1: rsa-sha1 is not to be accepted"),
    ("Mail::DKIM", r"tag: rsa (512|768)", THEIRS, "RFC 8301 3.2: keys under 1024 bits are not valid"),
    ("Mail::DKIM", r"several: five", "not+not+not+not+pass/not+not+not+pass+pass", "RFC 8301 3.2: the 768 bits"),
    ("Mail::DKIM", r"tag: (missing v|v empty|v=0.5)", THEIRS, "3.5 v=: required, and 1"),
    ("Mail::DKIM", r"tag: (missing bh|bh empty)", THEIRS, "3.5 bh=: required"),
    ("Mail::DKIM", r"tag: h without from", THEIRS, "6.1.1: From is not signed"),
    ("Mail::DKIM", r"tag: l over the body", THEIRS, "3.5 l=: not larger than the canonicalized body"),
    ("Mail::DKIM", r"tag: t (no number|negative)", THEIRS, "3.5 t=: digits; 6.1.1: a syntax error"),
    ("Mail::DKIM", r"tag: t future", THEIRS, "3.5 t=: signatures of the future may be ignored"),
    ("Mail::DKIM", r"tag: duplicate|key: p twice", THEIRS, "3.2: a name twice makes the list invalid"),
    ("Mail::DKIM", r"tag: empty tag between", THEIRS, "3.2: no tag between two semicolons is no tag-list"),
    ("Mail::DKIM", r"key: t=y:s, i below", THEIRS, "3.6.1 t=s: i= must be the domain of d= itself"),
    ("Mail::DKIM", r"key: v not first", THEIRS, "3.6.1 v=: must be the first tag"),
    ("Mail::DKIM", r"tag: i folded", OURS, "2.11: white space in dkim-quoted-printable is ignored"),
    ("Mail::DKIM", r"tag: h of the field itself", OURS, "5.4: h= names other signatures, never its own field"),
    ("Mail::DKIM", r"tag: tag name", THEIRS, "3.2: names are case-sensitive, begin with a letter, and v= is required"),
    ("Mail::DKIM", r"tag: (NUL in|LF that)", THEIRS, "3.2: a value has printable octets and folding white space"),
    ("Mail::DKIM", r"tag: i, =XX", THEIRS, "2.11: = is followed by two hexadecimal digits"),
    ("Mail::DKIM", r"tag: l of 77", THEIRS, "3.5 l=: 76 digits at most"),
    ("Mail::DKIM", r"key: (h|s) empty", THEIRS, "3.6.1 h=, s=: a list of what is allowed, and ours is not in it"),
    ("Mail::DKIM", r"key: (quotes in it|; first)", THEIRS, "3.2: that is no tag-list"),
    ("Mail::DKIM", r"key: three records", OURS, "3.6.2.2: several TXT records are undefined; we take the one with a key"),
    ("Mail::DKIM", r"several: six", "pass+pass+pass+pass+not/pass+pass+pass+pass+not+pass", "6.1: a verifier may limit the number; the rest is skipped"),
]


class Oracles:
    def __init__(self, zone, folder):
        self.zone, self.folder = {}, folder
        for name, records in zone.txt.items():
            self.zone[name] = records
        for name, code in zone.errors:
            self.zone[name] = code if code in ("TIMEOUT", "SERVFAIL") else None
        self.zone["alias._domainkey.example.org"] = zone.txt["rsa2048._domainkey.example.org"]
        self.zone["any.wild._domainkey.example.org"] = zone.txt["*.wild._domainkey.example.org"]

    def text(self, name, timeout=0):
        records = self.zone.get(name.decode("utf-8").rstrip(".").lower())
        if isinstance(records, str):
            raise dkim.DnsTimeoutError(records)
        return "".join(records[0]).encode() if records else None

    def dkimpy(self, case):
        """Results of the signatures from the top."""
        results = []
        for i in range(max(1, case.message.lower().count(b"dkim-signature:"))):
            try:
                verifier = dkim.DKIM(case.message, minkey=1024)
                results.append("pass" if verifier.verify(i, dnsfunc=self.text) else "not")
            except Exception:  # pylint: disable=broad-except  # what it raises is wide: KeyError, binascii.Error
                results.append("not")
        return results

    def mail_dkim(self, paths):
        """The same of all messages, in their order."""
        file = os.path.join(self.folder, "zone.json")
        with open(file, "w", encoding="ascii") as f:
            json.dump({k: v for k, v in self.zone.items() if v}, f)
        out = subprocess.run(["perl", os.path.join(HERE, "dkim_oracle.pl"), file, *paths], check=True,
                             capture_output=True, text=True).stdout
        return [["pass" if r == "pass" else "not" for r in line.split("\t")[1].split(",")]
                for line in out.splitlines()]


def scan(postern, zone, paths, want=None):
    """Records in the order of the files; of want messages, where there are options among the paths."""
    run = subprocess.run([postern, "scan", "--format", "json", "--raw", "--dns", zone, *paths],
                         capture_output=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"postern scan ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    records = [json.loads(line) for line in run.stdout.decode().splitlines()]
    if len(records) != (want or len(paths)):
        sys.exit(f"{len(records)} records of {want or len(paths)} messages")
    return records


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.no_ed25519 = 0
        self.used, self.agreed = collections.Counter(), collections.Counter()

    def check(self, good, text):
        self.passed += good
        self.failed += not good
        if not good:
            print("FAIL", text)

    def compare(self, oracle, case, ours, theirs):
        """ours and theirs: pass or not, for each signature."""
        if ours == theirs:
            self.agreed[oracle] += 1
            return
        way = f"{'+'.join(ours)}/{'+'.join(theirs)}"
        if oracle == "Mail::DKIM" and b"a=ed25519-sha256" in re.sub(rb"\s", b"", case.message):
            self.no_ed25519 += 1  # this version has no RFC 8463
            return
        for row in EXPLAINED:
            if row[0] == oracle and row[2] == way and re.search(row[1], f"{case.kind} ({case.name})"):
                self.used[row] += 1
                return
        self.check(False, f"{oracle}: {case.kind} ({case.name}): {way} and nothing explains it")

    def report(self, messages):
        for oracle, n in sorted(self.agreed.items()):
            print(f"{oracle}: agrees on {n} of {messages} messages")
        print(f"Mail::DKIM: has no Ed25519, {self.no_ed25519} messages")
        for row in EXPLAINED:
            print(f"  {row[0]:10} {self.used[row]:4}  {row[2]}  {row[1]}: {row[3]}")
            self.check(self.used[row] > 0, f"the row {row[:3]} explains nothing any more")


def perl_is_there():
    try:
        return subprocess.run(["perl", "-MMail::DKIM::Verifier", "-MNet::DNS", "-MJSON::PP", "-e1"], check=False,
                              capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def main():
    if not perl_is_there():
        print("skipped: libmail-dkim-perl is not installed")
        print("0 passed, 0 failed, 1 skipped")
        return 1 if SKIP_IS_FAILURE else 77
    postern = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
    zone, tally = Zone(), Tally()
    cases = [*whole_cases(), *broken_cases(), *tag_cases(), *key_cases(zone), *several_cases(), *odd_cases(),
             *random_cases(1300)]
    with tempfile.TemporaryDirectory(prefix="dkim_oracles.") as folder:
        paths = []
        for i, case in enumerate(cases):
            paths.append(os.path.join(folder, f"{i:04}.eml"))
            with open(paths[-1], "wb") as f:
                f.write(case.message)
        file = os.path.join(folder, "zone")
        with open(file, "w", encoding="ascii") as f:
            f.write(zone.text())
        oracles = Oracles(zone, folder)
        records = scan(postern, "zone:" + file, paths)
        perl = oracles.mail_dkim(paths)
        for case, record, theirs in zip(cases, records, perl):
            results = [r["result"] for r in record["auth"]["dkim"]]
            reasons = [r.get("reason") for r in record["auth"]["dkim"]]
            tally.check(results == case.want, f"{case.kind} ({case.name}): {results} {reasons}, not {case.want}")
            ours = ["pass" if r == "pass" else "not" for r in results]
            tally.compare("dkimpy", case, ours, oracles.dkimpy(case))
            tally.compare("Mail::DKIM", case, ours, theirs)
            tally.check(record["message"]["complete"] and "unverifiable" not in results,
                        f"{case.kind} ({case.name}): a whole message is not unverifiable")
            tally.check(record["message"]["sha256"] == hashlib.sha256(case.message).hexdigest(),
                        f"{case.kind} ({case.name}): sha256 {record['message']}")
        tally.report(len(cases))
        print("oracles: dkimpy, Mail::DKIM")
        if nsd.installed():
            with nsd.Nsd(zone.text()) as server:
                again = scan(postern, server.dns, paths)
            for case, one, two in zip(cases, records, again):
                if case.kind.startswith("key: error"):
                    continue  # made by the zone file's reader
                one.pop("timestamp"), two.pop("timestamp")
                tally.check(one == two, f"{case.kind} ({case.name}): another record with nsd: {one} {two}")
            print(f"nsd: {len(cases)} messages again with its answers")
            print("oracles: nsd")
        else:
            print("skipped: nsd is not installed")
            tally.skipped += 1
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return tally.failed > 0 or (SKIP_IS_FAILURE and tally.skipped > 0)


if __name__ == "__main__":
    sys.exit(main())
