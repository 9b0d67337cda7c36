"""wire_case - what the tests with tests/wire.py share: cases, a scan of frames, comparisons of records."""
import atexit
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import wire as w  # noqa: E402  (the path comes first)

POSTERN = os.path.abspath((sys.argv[1:] or [os.environ.get("POSTERN", "build/postern")])[0])
FOLDER = tempfile.mkdtemp(prefix="wire-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
FILE = os.path.join(FOLDER, "capture")
CASES = []


def case(f):
    CASES.append((f.__name__, f))
    return f


def cases(table):
    """For a function of (name, value): one case for each row."""
    def add(f):
        for name, value in table.items():
            CASES.append((f"{f.__name__}: {name}", lambda n=name, v=value: f(n, v)))
        return f
    return add


def scan(frame_list=None, write=w.write_pcap, status=(0, 1), options=(), **how):
    if frame_list is not None:
        write(FILE, frame_list, **how)
    done = subprocess.run([POSTERN, "scan", "--format", "json", "--dns", "none", *options, FILE], capture_output=True,
                          timeout=120, check=False)
    assert done.returncode in status, f"status {done.returncode}: {done.stderr.decode()}"
    scan.err = done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def stable(records):
    """What re-cutting, wrapping and reordering within the grace must not change."""
    out = [{k: v for k, v in r.items() if k not in ("timestamp", "vlan")} for r in records]
    return sorted(out, key=lambda r: (r["flow_id"], r["tx_id"]))


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, wanted {want!r}"


def whole(record, message):
    """The record is of this message, octet by octet, and nothing is missing."""
    told = record["message"]
    equal((told["size"], told["sha256"]), (len(message), hashlib.sha256(message).hexdigest()), "octets")
    equal((told["complete"], told["missing"]), (True, 0), "complete")
    assert "unverifiable" not in json.dumps(record), "unverifiable without loss"


def differences(got, want):
    if len(got) != len(want):
        return f"{len(got)} records, wanted {len(want)}: {[r['message'] for r in got]}"
    for g, r in zip(got, want):
        for key in r:
            if g.get(key) != r[key]:
                return f"{key}: got {g.get(key)!r}, wanted {r[key]!r}"
    return "fields"


def main():
    only = sys.argv[2:]
    passed = failed = 0
    for name, run in CASES:
        if only and not any(o in name for o in only):
            continue
        try:
            run()
            passed += 1
        except (AssertionError, ValueError, KeyError, IndexError, subprocess.TimeoutExpired) as e:
            failed += 1
            print(f"FAILED {name}: {type(e).__name__} {str(e)[:600]}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0

