"""The ARC part of suites.py: the ValiMail validation suite, with its zones in a file and again from a real nsd."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def judge(scan, tally, cases, records, what):
    """How many cases have a result that is accepted; those that are left open only have to have one."""
    good, left_open = 0, 0
    tally.check(len(records) == len(cases), f"{what}: {len(records)} records of {len(cases)} messages")
    for case, record in zip(cases, records):
        arc = record["auth"]["arc"]
        if case["unspecified"]:
            left_open += tally.check(arc["result"] in ("none", "pass", "fail"), f"{what} {case['id']}: {arc}")
        else:
            good += tally.check(arc["result"] in case["accept"], f"{what} {case['id']}: {arc}, not {case['accept']}")
    print(f"{what} {good} of {sum(not c['unspecified'] for c in cases)}, {left_open} left open by the suite")


def run(scan, tally, folder):
    """scan: arguments -> exit status, records."""
    with open(os.path.join(folder, "cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    zones = sorted({c["zone"] for c in cases})
    cases = [c for zone in zones for c in cases if c["zone"] == zone]
    files = {zone: [os.path.join(folder, c["eml"]) for c in cases if c["zone"] == zone] for zone in zones}
    first = []
    for zone in zones:
        first += scan("--dns", "zone:" + os.path.join(folder, zone), *files[zone])[1]
    judge(scan, tally, cases, first, "arc")

    sys.path.insert(0, HERE)
    try:
        import nsd
    except ImportError as missing:
        return tally.skip(f"arc with nsd ({missing})")
    if not nsd.installed():
        return tally.skip("arc with nsd (not installed)")
    served = []
    for zone in zones:
        with open(os.path.join(folder, zone), encoding="latin-1") as f:
            text = f.read()
        with nsd.Nsd(text) as server:
            served += scan("--dns", server.dns, *files[zone])[1]
    judge(scan, tally, cases, served, "arc with nsd")
    for case, one, two in zip(cases, first, served):
        tally.check(one["auth"]["arc"] == two["auth"]["arc"],
                    f"arc with nsd {case['id']}: {two['auth']['arc']}, not {one['auth']['arc']}")
    return None
