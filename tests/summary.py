#!/usr/bin/python3
"""Sums up test runs from meson's logs: summary.py BUILD... [STEP=STATUS...]

Prints for each build how many programs, cases and CUnit assertions ran and which oracles they were compared with, then what
failed, what was skipped and why, and last 'N passed, N failed, N skipped'. A step counts as one case, which failed unless its
status is 0. Exits 1 on a failure, on no test at all, and on a skip where CI is set."""
import json
import os
import re
import sys

E2E = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
CUNIT = re.compile(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", re.M)
ASSERTS = re.compile(r"^\s*asserts\s+(\d+)\s+(\d+)", re.M)
ORACLES = re.compile(r"^oracles?: (.*)$", re.M)


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = self.programs = self.asserts = 0
        self.oracles, self.failures, self.reasons = set(), [], []

    def program(self, run):
        """One line of meson's log: what the program says of itself, else its status as one case."""
        name, result, out = run["name"], run["result"], run.get("stdout", "")
        self.programs += 1
        self.oracles.update(w.strip() for m in ORACLES.findall(out) for w in m.split(","))
        said = [tuple(int(n or 0) for n in line) for line in E2E.findall(out)]
        cunit, asserts = CUNIT.search(out), ASSERTS.search(out)
        if cunit:
            said.append((int(cunit.group(3)), int(cunit.group(4)), 0))
        self.asserts += int(asserts.group(2)) if asserts else 0
        passed, failed, skipped = (sum(column) for column in zip(*said)) if said else (int(result == "OK"), 0, 0)
        if result == "SKIP" and not skipped:
            skipped = 1
        if result not in ("OK", "SKIP"):
            self.failures.append(f"{name} ({result})")
            # with CI set a program may fail for nothing but its skips; they are counted below
            failed += not failed and not skipped
        elif failed:
            self.failures.append(f"{name} says that {failed} failed, and ended well")
        if skipped:
            reasons = re.findall(r"^skipped:? (.*)$", out, re.M) or [(out.strip().splitlines() or ["no reason given"])[-1]]
            self.reasons += [f"{name}: {reason}" for reason in reasons]
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped

    def step(self, name, status):
        if status == "0":
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(f"{name} (status {status})")


def main():
    total = Sum()
    for argument in sys.argv[1:]:
        if "=" in argument:
            total.step(*argument.rsplit("=", 1))
            continue
        one = Sum()
        try:
            with open(os.path.join(argument, "meson-logs", "testlog.json"), encoding="utf-8") as log:
                for line in log:
                    one.program(json.loads(line))
        except OSError as e:
            one.failed, one.failures = one.failed + 1, [f"{argument}: no test ran ({e.strerror})"]
        print(f"{argument}: {one.programs} programs, {one.passed + one.failed + one.skipped} cases,",
              f"{one.asserts} CUnit assertions; oracles: {', '.join(sorted(one.oracles)) or 'none'}")
        total.passed, total.failed, total.skipped = (
            total.passed + one.passed, total.failed + one.failed, total.skipped + one.skipped)
        total.failures += [f"{argument}: {f}" for f in one.failures]
        total.reasons += [f"{argument}: {r}" for r in one.reasons]
    for failure in total.failures:
        print("failed:", failure)
    for reason in total.reasons:
        print("skipped:", reason)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed or (total.skipped and os.environ.get("CI")) else 0


sys.exit(main())
