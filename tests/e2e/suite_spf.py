#!/usr/bin/python3
"""The third-party SPF suite through `postern check spf`, from its zone files and again from a real name server.

    POSTERN=build/postern tests/e2e/suite_spf.py [POSTERN]

The suite is not part of the project: POSTERN_SUITES (default ../shared/suites beside the source tree) names its place.
"""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.environ.get("POSTERN_SUITES", os.path.join(HERE, "../../../shared/suites")), "spf")
POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

try:
    import nsd
except ImportError as missing:
    nsd, WHY = None, missing


def judge(dns, case):
    run = subprocess.run([POSTERN, "check", "spf", "--dns", dns, "--client-ip", case["ip"], "--helo", case["helo"],
                          "--mail-from", case["mailfrom"]], capture_output=True, check=False, timeout=60)
    if run.returncode or run.stdout.count(b"\n") != 1:
        return {"result": f"status {run.returncode} {run.stderr.decode()}", "explanation": None}
    return json.loads(run.stdout)


def is_due(case, have):
    due = None if case["explanation"] == "DEFAULT" else case["explanation"]
    return have["result"] in case["accept"] and (case["explanation"] is None or have["explanation"] == due)


def judge_all(dns, cases):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda case: judge(dns, case), cases))


class Tally:
    passed = failed = skipped = 0

    def check(self, ok, text):
        self.passed += ok
        self.failed += not ok
        if not ok:
            print("FAILED", text)


def from_files(tally, by_zone):
    results = {}
    for zone, cases in by_zone.items():
        for case, have in zip(cases, judge_all("zone:" + os.path.join(FOLDER, zone), cases)):
            tally.check(is_due(case, have), f"{case['scenario']}: {case['id']}: {have}, not {case['accept']} {case['explanation']}")
            results[case["id"]] = have
    print(f"spf: {sum(is_due(c, results[c['id']]) for cs in by_zone.values() for c in cs)} of {len(results)}")
    return results


def from_server(tally, by_zone, results):
    """What the file's reader makes up (errors) no server has; empty records of type SPF, which nsd does not take, are of another type."""
    again = aside = 0
    for zone, cases in by_zone.items():
        with open(os.path.join(FOLDER, zone), encoding="latin-1") as f:
            text = f.read()
        failing = [name.lower() for name in re.findall(r"^;ERROR,([^,]*),", text, re.M)]
        text = re.sub(r"TYPE99 \\# 0", "HINFO x y", text)
        kept = [c for c in cases if not any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text_of(c, text))
                                            for name in failing)]
        aside += len(cases) - len(kept)
        with nsd.Nsd(text) as server:
            for case, have in zip(kept, judge_all(server.dns, kept)):
                again += 1
                tally.check(have == results[case["id"]],
                            f"{case['id']}: with nsd {have}, from the file {results[case['id']]}")
    print(f"spf: {again} again with the answers of nsd, {aside} aside whose zone makes up errors")
    print("oracles: nsd")


def text_of(case, zone):
    """The sender and the records of its domain."""
    domain = (case["mailfrom"].rpartition("@")[2] or case["helo"]).lower()
    return domain + "\n" + "\n".join(line.lower() for line in zone.splitlines()
                                     if not line.startswith(";") and line.lower().startswith(domain + "."))


def main():
    tally, by_zone = Tally(), collections.defaultdict(list)
    if not os.path.isdir(FOLDER):
        print(f"skipped: no {os.path.normpath(FOLDER)}; POSTERN_SUITES names another place")
        print("0 passed, 0 failed, 1 skipped")
        return 1 if SKIP_IS_FAILURE else 77
    with open(os.path.join(FOLDER, "cases.jsonl"), encoding="utf-8") as f:
        for line in f:
            case = json.loads(line)
            by_zone[case["zone"]].append(case)
    results = from_files(tally, by_zone)
    if nsd and nsd.installed():
        from_server(tally, by_zone, results)
    else:
        print(f"skipped: nsd ({'not installed' if nsd else WHY})")
        tally.skipped += 1
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return tally.failed > 0 or (SKIP_IS_FAILURE and tally.skipped > 0)


if __name__ == "__main__":
    sys.exit(main())
