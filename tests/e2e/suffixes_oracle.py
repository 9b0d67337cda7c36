#!/usr/bin/python3
"""Every rule of Debian's public suffix list, with names at, below and above it: the registrable domain is the one that
the list's algorithm gives, written down here once more, and that publicsuffix2 gives.

    tests/e2e/suffixes_oracle.py SUFFIX_NAMES
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
LIST = "/usr/share/publicsuffix/public_suffix_list.dat"

try:
    import publicsuffix2
except ImportError as missing:
    print(f"skipped: {missing} (python3-publicsuffix2)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)


def ascii_name(name):
    return name.encode("idna").decode() if any(ord(c) > 127 for c in name) else name


def read_rules():
    rules = set()
    with open(LIST, encoding="utf-8") as f:
        for line in f:
            line = line.strip()
            if line and not line.startswith("//"):
                rule = line.split()[0]
                sign = "!" if rule[0] == "!" else ""
                rules.add(sign + ascii_name(rule.lstrip("!")))
    return rules


def by_algorithm(rules, name):
    """publicsuffix.org, "Algorithm": an exception prevails, else the rule with most labels, else "*"."""
    labels = name.split(".")
    matched = 1
    for n in range(1, len(labels) + 1):
        tail = labels[-n:]
        if "!" + ".".join(tail) in rules:
            matched = n - 1
            break
        if ".".join(tail) in rules or ".".join(["*"] + tail[1:]) in rules:
            matched = max(matched, n)
    return ".".join(labels[-matched - 1:]) if len(labels) > matched else ""


def main():
    rules = read_rules()
    names = set()
    for rule in rules:
        base = rule.lstrip("!").replace("*", "zzy")
        names |= {base, "a." + base, "b.a." + base, "c.b.a." + base}
        if "." in base:
            names |= {base.split(".", 1)[1], "a." + base.split(".", 1)[1]}
    names |= {"local", "a.local", "b.a.local", "nothing.example", "x.nothing.example", "_dmarc.a.com"}
    names = sorted(n for n in names if len(n) < 250)
    run = subprocess.run([sys.argv[1], LIST], input="\n".join(names) + "\n", capture_output=True, text=True, check=True)
    ours = run.stdout.split("\n")[:-1]
    other = publicsuffix2.PublicSuffixList(open(LIST, encoding="utf-8"), idna=True)
    # publicsuffix2 takes the names above a rule for suffixes too, which the algorithm does not, and a name under no
    # rule for one
    above = {rule.lstrip("!").split(".", n)[n] for rule in rules for n in range(1, rule.count(".") + 1)} - rules
    failed = differ = 0
    for name, have in zip(names, ours):
        want, theirs = by_algorithm(rules, name), other.get_sld(name)
        if theirs == other.get_tld(name):
            theirs = ""  # there is nothing to register
        explained = (theirs or "x." + name).split(".", 1)[1] in above or name.split(".")[-1] not in rules
        good = have == want and (have == theirs or explained)
        differ += have != theirs
        failed += not good
        if not good and failed <= 20:
            print(f"FAIL {name}: {have!r}, algorithm {want!r}, publicsuffix2 {theirs!r}")
    failed += len(ours) != len(names)
    print(f"{len(names)} names of {len(rules)} rules; {differ} above a rule or under none, where publicsuffix2 differs")
    print("oracles: publicsuffix2")
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
