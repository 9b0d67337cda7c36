#!/usr/bin/python3
"""Generated SPF records, judged by Postern and by other verifiers out of the same zone.

    tests/e2e/spf_oracles.py build/postern build/tests/spf_run

All are judged by spf_run in one process, and every CHECKED-th by `postern check spf` too, which must say the same.
Where another verifier has another result or explanation, a row of EXPLAINED must name the section that decides.
"""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
COUNT = int(os.environ.get("POSTERN_SPF_CASES", "4000"))
CHECKED = 80

try:
    import spf
    import spf_cases
except ImportError as missing:
    print(f"skipped: {missing} (python3-spf)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

# oracle, "ours reason/theirs: why" with "explanation" where only that differs, the records with HELO and sender: the section
# of RFC 7208 that decides
EXPLAINED = [
    ("pyspf", r"^permerror syntax/", r"%\{(?![slodiphSLODIPHvV]\d*[rR]?[-.+,/_=]*\})", "7.1: what is in braces is no macro-expand"),
    ("pyspf", r"^permerror syntax/", r"\t", "4.6.1: terms have SP between them, and nothing else"),
    ("pyspf", r"^permerror syntax/", r"\x00", "7.1: a macro-literal is visible"),
    ("pyspf", r"^permerror syntax/|^\w+ \w+/.*access|explanation", r"REDIRECT=|EXP=", "4.6.1: names of modifiers have no case"),
    ("pyspf", r"/temperror", r"(?i)ptr|%\{p", "5.5, 7.3: a failing PTR is no match, and \"unknown\""),
    ("pyspf", r"/permerror: .*trivial recursion", r"include:", "5.2: an include of the domain itself is evaluated too"),
    ("pyspf", r"/permerror: .*empty domain", r"%\{h\}", "4.8: a name that expands to none is no match, or so it may be"),
    ("pyspf", r"/permerror: .*Void lookup", r"(?i)^(?!.*(mx|ptr|%\{p)).*%\{h", "4.3: what is no name of several labels is not asked for"),
    ("pyspf", r"/permerror: .*Void lookup", r"(?i)mx|ptr|%\{p", "4.6.4: void terms count, not questions for their hosts"),
    ("pyspf", r"/permerror: .*at most once", r"(\w+)=.*\1=", "6: unknown modifiers are ignored, however often"),
    ("pyspf", r"explanation", r"exp=ptr", "7.3: without an answer %{p} is \"unknown\""),
    ("pyspf", r"explanation", r"\n@", "4.3: without a local part it is postmaster"),
    ("libspf2", r"^permerror void_limit", r".", "4.6.4: two void terms at most, which RFC 4408 did not know"),
    ("libspf2", r"^permerror mx_limit", r"mx11", "4.6.4: more than 10 hosts of an mx are an error"),
    ("libspf2", r"^permerror syntax/", r".", "4.6: an error anywhere in a record is an error at once; it goes on to what matches"),
    ("libspf2", r"/permerror", r"/0(?!\d)", "5.6: a prefix length may be 0"),
    ("libspf2", r"/permerror", r"[a-z]\.[a-z]+=", "4.6.1: names of modifiers may have dots"),
    ("libspf2", r"/permerror", r"%\{[^}]*/", "7.1: a delimiter may be a slash"),
    ("libspf2", r"/temperror", r"(?i)ptr|%\{p", "5.5, 7.3: a failing PTR is no match, and \"unknown\""),
    ("libspf2", r".", r"(?i)redirect=", "6.1: redirect comes behind all mechanisms, and not at all where there is an \"all\""),
    ("libspf2", r".", r"%\{\w\d", "7.3: more parts asked for than there are gives those there are"),
]


class Pyspf:
    """pyspf, with its questions answered out of the zone."""

    def __init__(self, zone):
        self.zone = zone
        spf.DNSLookup = self.lookup

    def lookup(self, name, kind, strict=True, timeout=0):
        values = self.zone.answer(name, kind)
        if isinstance(values, str):
            raise spf.TempError("DNS " + values)
        key = (name, kind)
        if kind == "TXT":
            return [(key, [v.encode("latin-1")]) for v in values]
        if kind == "MX":
            return [(key, (int(v.split()[0]), v.split()[1].rstrip("."))) for v in values]
        return [(key, v.rstrip(".") if kind == "PTR" else v) for v in values]

    def judge(self, case):
        query = spf.query(i=case.ip, s=case.sender, h=case.helo, receiver="unknown")
        query.set_default_explanation("DEFAULT")
        result, _, text = query.check()
        self.why = text
        return result, text if result == "fail" and text not in ("DEFAULT", "") else None


def judge(postern, zone, case):
    run = subprocess.run([postern, "check", "spf", "--dns", zone, "--client-ip", case.ip, "--helo", case.helo, "--mail-from",
                          case.sender], capture_output=True, check=False, timeout=60)
    if run.returncode or run.stdout.count(b"\n") != 1:
        raise RuntimeError(f"{case}: status {run.returncode}: {run.stderr.decode()}")
    return json.loads(run.stdout)


def judge_all(spf_run, file, cases):
    """The same of all, in their order."""
    text = "".join(f"{case.ip}\t{case.helo}\t{case.sender}\n" for case in cases)
    out = subprocess.run([spf_run, file], input=text.encode(), capture_output=True, check=True).stdout.decode()
    keys = ("result", "reason", "lookups", "voids", "mechanism", "explanation")
    return [dict(zip(keys, (word or None for word in line.split("\t")))) for line in out.splitlines()]


def libspf2(tally):
    """Its results in their order; none where it is not installed."""
    run = subprocess.run([sys.executable, os.path.join(HERE, "spf_libspf2.py"), str(COUNT)], capture_output=True, check=False,
                         text=True)
    if not run.stdout:
        print("skipped: libspf2 (libspf2-2)")
        tally.skipped += 1
    return run.stdout.split()


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.same = collections.Counter()
        self.explained = collections.Counter()

    def check(self, ok, text):
        self.passed += ok
        self.failed += not ok
        if not ok:
            print("FAILED", text)

    def compare(self, who, case, ours, theirs, why):
        have = ours["result"], ours["explanation"]
        if have == theirs:
            self.passed += 1
            self.same[who] += 1
            return
        about = f"{have[0]} {ours['reason']}/{theirs[0]}: {why if have[0] != theirs[0] else 'explanation'}"
        for row in EXPLAINED:
            if row[0] == who and re.search(row[1], about) and \
                    re.search(row[2], "\n".join(case.records) + "\n" + case.helo + "\n" + case.sender, re.S):
                self.explained[row] += 1
                self.passed += 1
                return
        self.check(False, f"{who}: {about} {case}: {have[1]!r} {theirs[1]!r}")


def main():
    postern, spf_run = sys.argv[1:3]
    zone, tally = spf_cases.hosts(), Tally()
    cases = spf_cases.cases(zone, COUNT)
    pyspf = Pyspf(zone)
    with tempfile.TemporaryDirectory(prefix="spf_oracles.") as folder:
        file = os.path.join(folder, "zone")
        with open(file, "w", encoding="latin-1") as f:
            f.write(zone.text())
        results = judge_all(spf_run, file, cases)
        some = list(zip(cases, results))[::CHECKED]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            again = list(pool.map(lambda pair: judge(postern, "zone:" + file, pair[0]), some))
    for (case, ours), other in zip(some, again):
        tally.check(all(str(other[key] if other[key] is not None else "") == (word or "") for key, word in ours.items()),
                    f"postern check spf: {other}, not {ours}: {case}")
    for case, ours in zip(cases, results):
        tally.compare("pyspf", case, ours, pyspf.judge(case), pyspf.why)
    print(f"{len(cases)} records; ours: {dict(collections.Counter(r['result'] for r in results))}, "
          f"{sum(r['explanation'] is not None for r in results)} with an explanation; {len(some)} by postern check spf")
    others = ["pyspf"]
    theirs = libspf2(tally)
    for case, ours, result in zip(cases, results, theirs):
        tally.compare("libspf2", case, ours, (result, ours["explanation"]), "")
    if theirs:
        tally.check(len(theirs) == len(cases), f"libspf2 ended after {len(theirs)} cases")
        others.append("libspf2")
    for who in others:
        print(f"{who}: {tally.same[who]} the same")
        for row, n in tally.explained.items():
            if row[0] == who:
                print(f"  {n}: {row[1]}: {row[3]}")
    for row in EXPLAINED:
        tally.check(tally.explained[row] or row[0] not in others, f"a row that explains nothing: {row}")
    print("oracles: " + ", ".join(others))
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return tally.failed > 0 or (SKIP_IS_FAILURE and tally.skipped > 0)


if __name__ == "__main__":
    sys.exit(main())
