#!/usr/bin/python3
"""Sums up test runs from meson's logs: summary.py BUILD... Prints cases, assertions, skips with reasons, the oracles used, and
last 'N passed, N failed, N skipped'. Exits 1 on a failure, on no test at all, and on a skip where CI is set."""
import json
import os
import re
import sys


def main():
    passed = failed = skipped = asserts = programs = 0
    oracles, reasons = set(), []
    for build in sys.argv[1:]:
        for line in open(os.path.join(build, "meson-logs", "testlog.json"), encoding="utf-8"):
            run = json.loads(line)
            out = run.get("stdout", "")
            programs += 1
            oracles.update(w.strip() for m in re.findall(r"^oracles?: (.*)$", out, re.M) for w in m.split(","))
            lines = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", out, re.M)
            cunit = re.search(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", out, re.M)
            sure = re.search(r"^\s*asserts\s+(\d+)\s+(\d+)", out, re.M)
            bad = 0
            if cunit:
                bad = int(cunit.group(4))
                passed += int(cunit.group(3))
                failed += bad
                asserts += int(sure.group(2)) if sure else 0
            elif lines:
                bad = sum(int(f) for _, f, _ in lines)
                passed += sum(int(p) for p, _, _ in lines)
                failed += bad
                skipped += sum(int(s or 0) for _, _, s in lines)
                reasons += [f"{run['name']}: {r}" for r in re.findall(r"^skipped:? (.*)$", out, re.M)]
            elif run["result"] == "OK":
                passed += 1
            if run["result"] == "SKIP" and not any(int(s or 0) for _, _, s in lines):
                skipped += 1
                reasons.append(f"{run['name']}: {(out.strip().splitlines() or ['no reason given'])[-1]}")
            elif run["result"] not in ("OK", "SKIP") and not bad:
                failed += 1
            if run["result"] not in ("OK", "SKIP"):
                print(f"failed: {run['name']} ({run['result']})")
    for reason in reasons:
        print("skipped:", reason)
    print(f"programs {programs}, CUnit assertions {asserts}, oracles: {', '.join(sorted(oracles)) or 'none'}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed or (skipped and os.environ.get("CI")) else 0


sys.exit(main())
