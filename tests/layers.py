#!/usr/bin/python3
"""The include rule: a stage includes itself and base/; docs/architecture.md says why. Exits 1 and names each line that breaks it."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# what a check sees of the DNS: no thread and no socket
ANSWERS = {f"verify/dns/{name}.h" for name in ("question", "known", "names", "records", "suffixes", "trace")}
# folder: what it may include of ours. The longest folder name that fits a file decides.
MAY = {
    "base": {"base"},
    "dataplane": {"base", "dataplane"},
    "reassembly": {"base", "reassembly"},
    "verify": {"base", "verify", "verify/kernel", "verify/header", "verify/dns", "verify/auth"},
    "verify/kernel": {"base", "verify/kernel"},
    "verify/header": {"base", "verify/header"},
    "verify/dns": {"base", "verify/dns"},
    "verify/auth": {"base", "verify/auth", "verify/kernel", "verify/header"} | ANSWERS,
    "control": {"base", "control"},
    "bench": None,
    "tests": None,
}
# the files that see a whole row of stages, and what more they may include
ROWS = {
    "dataplane/track.c": {"reassembly"},
    "control/ask.c": {"verify"},
    "control/ask.h": {"verify"},
    "control/check.c": {"verify"},
    "control/check.h": {"verify"},
    "control/check_dmarc.c": {"verify"},
    "control/check_key.c": {"verify"},
    "control/check_spf.c": {"verify"},
    "control/ctl_trace.c": {"verify"},
    "control/evidence.c": {"verify"},
    "control/evidence.h": {"verify"},
    "control/scan.c": {"dataplane", "verify"},
    "control/run.c": {"dataplane", "verify"},
    "control/crew.c": {"dataplane", "verify"},
    "control/crew.h": {"dataplane"},
    "control/prepared.c": {"verify"},
    "control/main.c": {"dataplane", "verify"},
}
# who may use which library's headers
LIBRARIES = {
    r"rte_": ("base/ring.c", "base/epoch.c", "dataplane/", "control/run.c", "control/main.c"),
    r"bpf/|xdp/|linux/bpf|linux/if_xdp": ("dataplane/", "control/main.c"),
    r"libpsl": ("verify/dns/suffixes.c",),
    r"unbound": ("verify/dns/upstream.c", "verify/dns/flights.c", "control/main.c", "tests/test_upstream.c"),
    r"yaml\.h": ("control/",),
    r"jansson": ("control/",),
}


def folder(path):
    fits = [d for d in MAY if path.startswith(d + "/")]
    return max(fits, key=len) if fits else None


def main():
    bad, seen, arrows = [], 0, 0
    for top in MAY:
        if "/" in top:
            continue
        for where, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h")):
                    continue
                path = os.path.relpath(os.path.join(where, name), ROOT)
                home = folder(path)
                seen += 1
                for number, line in enumerate(open(os.path.join(ROOT, path), encoding="utf-8"), 1):
                    m = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
                    if not m or MAY[home] is None:
                        continue
                    kind, what = m.groups()
                    if kind == "<":
                        for pattern, users in LIBRARIES.items():
                            if re.match(pattern, what) and not path.startswith(users):
                                bad.append(f"{path}:{number}: <{what}> belongs to {', '.join(users)}")
                        continue
                    arrows += 1
                    target = folder(what)
                    if target is None:
                        if not what.endswith(".skel.h"):
                            bad.append(f'{path}:{number}: "{what}" is not written from the root')
                        continue
                    allowed = MAY[home] | {d for top in ROWS.get(path, ()) for d in MAY if d.split("/")[0] == top}
                    if target not in allowed and what not in allowed:
                        bad.append(f'{path}:{number}: {home}/ may not include "{what}"')
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"layers: {seen} files, {arrows} includes of ours, {len(bad)} break the rule")
    return 1 if bad or seen < 10 else 0


sys.exit(main())
