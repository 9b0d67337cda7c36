#!/usr/bin/python3
"""The third-party DMARC suite through `postern scan --dmarc-walk psl`, by its zone file and again by a real name server.

    POSTERN=build/postern tests/e2e/suite_dmarc.py [POSTERN]

The suite is not part of the project: POSTERN_SUITES (default ../shared/suites beside the source tree) names its place.
"""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.environ.get("POSTERN_SUITES", os.path.join(HERE, "../../../shared/suites")), "dmarc")
POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
ENVELOPE = (("ip", "--client-ip"), ("mailfrom", "--mail-from"), ("helo", "--helo"))

try:
    import nsd
except ImportError as missing:
    nsd, WHY = None, missing


class Tally:
    passed = failed = skipped = 0

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print("FAIL", text)
        return bool(good)


tally = Tally()


def scan(case, dns):
    """auth of its record."""
    envelope = [x for key, option in ENVELOPE if case[key] is not None for x in (option, case[key])]
    run = subprocess.run([POSTERN, "scan", "--format", "json", "--dns", dns, "--dmarc-walk", "psl", *envelope,
                          os.path.join(FOLDER, case["eml"])], capture_output=True, check=False, timeout=60)
    try:
        return json.loads(run.stdout.decode())["auth"]
    except ValueError:
        return {"dmarc": {"result": f"status {run.returncode}: {run.stderr.decode()}", "policy": None}}


def from_file(cases):
    good, found = 0, {}
    for case in cases:
        auth = found[case["id"]] = scan(case, "zone:" + os.path.join(FOLDER, case["zone"]))
        want, have = case["expect"]["dmarc"], auth["dmarc"]["result"]
        have += f":{auth['dmarc']['policy']}" if ":" in want else ""
        good += tally.check(have == want, f"dmarc {case['id']}: {auth['dmarc']}, not {want}")
    print(f"dmarc {good} of {len(cases)}")
    return found


def from_server(cases, found):
    """Cases that rest on errors the zone file makes up have no server to give them."""
    good = aside = 0
    for zone in {c["zone"] for c in cases}:
        with open(os.path.join(FOLDER, zone), encoding="latin-1") as f:
            text = f.read()
        failing = re.findall(r"^;ERROR,([^,]+),[^,]+,(?:TIMEOUT|SERVFAIL)", text, re.M)
        with nsd.Nsd(text) as server:
            for case in (c for c in cases if c["zone"] == zone):
                first = found[case["id"]]
                if any(name == "_dmarc." + str(first["dmarc"].get("domain")) for name in failing):
                    aside += 1
                    continue
                auth = scan(case, server.dns)
                good += tally.check(auth == first, f"dmarc with nsd {case['id']}: {auth}, not {first}")
    print("oracles: nsd")
    print(f"dmarc with nsd {good} of {len(cases) - aside}, {aside} with made-up errors aside")


def main():
    if not os.path.isdir(FOLDER):
        print(f"skipped: no {os.path.normpath(FOLDER)}; POSTERN_SUITES names another place")
        tally.skipped += 1
    else:
        with open(os.path.join(FOLDER, "cases.jsonl"), encoding="utf-8") as f:
            cases = [json.loads(line) for line in f]
        found = from_file(cases)
        if nsd and nsd.installed():
            from_server(cases, found)
        else:
            print(f"skipped: dmarc with nsd ({'not installed' if nsd else WHY})")
            tally.skipped += 1
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    if tally.failed or (tally.skipped and SKIP_IS_FAILURE):
        return 1
    return 0 if tally.passed else 77


if __name__ == "__main__":
    sys.exit(main())
