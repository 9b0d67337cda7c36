#!/usr/bin/python3
"""Sealed and broken messages, judged by `postern scan` and by dkimpy's arc_verify.

    POSTERN=build/postern tests/e2e/arc_oracles.py [POSTERN]

Each message has the result that is due to it; ours must be that word. Where dkimpy has another, a row of EXPLAINED
must name the section that decides it. The records must be the same when a real nsd serves the keys. Then: whose chains
lift a failure of DMARC.
"""
import collections
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

try:
    import authres  # dkimpy's arc_sign takes it
    import dkim
    import nacl.signing

    import nsd
    from arc_messages import Chain, all_cases
    from dkim_messages import Zone, public
    from dkim_oracles import Oracles, scan
except ImportError as missing:
    print(f"skipped: {missing} (python3-dkim python3-authres python3-nacl python3-cryptography python3-dnspython)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

assert authres and nacl.signing

# what is found in "kind (name)", "ours/theirs": the section that decides. RFC 8617 unless it says otherwise.
OURS, THEIRS = "pass/fail", "fail/pass"
EXPLAINED = [
    (r"^51 sets", THEIRS, "4.2.1, 5.2 step 1: instances are 1 to 50"),
    (r"^instance: (002|2\.0)", THEIRS, "4.2.1: one or two digits and nothing else"),
    (r"^instance: (-2|x|empty)", THEIRS, "4.2.1: each field has an instance; what has none makes no set (5.2 step 3)"),
    (r"^instance: 2 ", OURS, "RFC 6376 3.2: white space around a value; it looks for ' i=2;'"),
    (r"^results: (behind|no semicolon|upper case)", THEIRS, "4.1.1: the instance, then a semicolon, come first"),
    (r"^results: comment", OURS, "4.1.1: comments and white space around the instance"),
    (r"^whole: (spaced|tight)", OURS, "RFC 6376 3.2: white space around a tag is free; it looks for ' i=N;'"),
    (r"^whole: folded .*blanks at the end", OURS, "RFC 6376 3.4.4: blanks behind the last CRLF are an empty line"),
    (r"ed25519", OURS, "RFC 8463 3: ed25519-sha256 is an algorithm of DKIM; it has it for DKIM alone"),
    (r"^order", OURS, "5.1.1: sets are hashed by their instance, wherever their fields stand"),
    (r"second from on top", OURS, "RFC 6376 5.4.2: the last From is signed; 8.15 leaves a second one to policy"),
    (r"blank before colon", OURS, "RFC 6376 3.4.2: blanks before the colon are deleted"),
    (r"^(older )?message tag: v", OURS, "4.1.2: v= is no tag of it, and ignored"),
    (r"^seal tag: (v=2|x past|c=simple)", OURS, "4.1.3: those are no tags of a seal; its form is relaxed"),
    (r"tag: d as U-label", OURS, "4.1.4, RFC 8616 5: d= may be U-labels, looked up as A-labels"),
    (r"tag: d with \.", THEIRS, "RFC 6376 3.5 d=: a domain-name has no dot at its end"),
    (r"message tag: q list", OURS, "RFC 6376 3.5 q=: a list; what is not known in it is ignored"),
    (r"message tag: NUL in", THEIRS, "RFC 6376 3.2: a value has printable octets and white space"),
    (r"message tag: l over the body", THEIRS, "RFC 6376 3.5 l=: not larger than the canonicalized body"),
    (r"^older message tag: (missing|a|bh|l|q|t|x)\b", OURS,
     "5.2 steps 4 and 5: of the message signatures only the newest counts"),
    (r"^key: older message k of another", OURS, "5.2 steps 4 and 5: of the message signatures only the newest counts"),
    (r"^key: (message|seal) (h unknown|h=sha1|h empty)", THEIRS, "RFC 6376 3.6.1 h=, 6.1.2 step 6: hash not allowed"),
    (r"^key: (message|seal) v not first", THEIRS, "RFC 6376 3.6.1 v=: must be the first tag"),
    (r"^key: (message|seal) s list", OURS, "RFC 6376 3.6.1 s=: a list with blanks around its colons"),
    (r"^key: (message|seal) (two|three) records", OURS,
     "RFC 6376 3.6.2.2: several TXT records are undefined; we take the one with a key"),
]


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = self.agreed = 0
        self.used = collections.Counter()

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print("FAIL", text)

    def compare(self, case, ours, theirs, why):
        if ours == theirs:
            self.agreed += 1
            return
        way = f"{ours}/{theirs}"
        for row in EXPLAINED:
            if row[1] == way and re.search(row[0], f"{case.kind} ({case.name})"):
                self.used[row] += 1
                return
        self.check(False, f"{case.kind} ({case.name}): {way} ({why}) and nothing explains it")

    def report(self, messages):
        print(f"dkimpy: agrees on {self.agreed} of {messages} messages")
        for row in EXPLAINED:
            print(f"  {self.used[row]:4}  {row[1]}  {row[0]}: {row[2]}")
            self.check(self.used[row] > 0, f"the row {row[:2]} explains nothing any more")


def arcverify(oracles, message):
    """none, pass or fail, and why; a chain that a sealer ended has failed."""
    try:
        status, _, why = dkim.arc_verify(message, dnsfunc=oracles.text, minkey=1024)
    except Exception as error:  # pylint: disable=broad-except  # what it raises is wide: KeyError, IndexError
        return "fail", repr(error)
    return (status or b"fail").decode(), why


SEALER = b"sealer.example"
SAYS = b" i=%d; mx.sealer.example; spf=fail smtp.mailfrom=alice@example.org; dmarc="
CONFIG = "arc_sealers:\n  ours: [%s]\ndmarc_profiles:\n  default:\n    sealers: ours\n"
# settings, what the newest set says of DMARC, change behind it, whether the failure of DMARC is lifted
TRUST = [
    ("no list", None, b"pass", None, False),
    ("an empty list", CONFIG % "", b"pass", None, False),
    ("another", CONFIG % "other.example", b"pass", None, False),
    ("listed", CONFIG % "sealer.example", b"pass", None, True),
    ("listed above", CONFIG % "other.example, example", b"pass", None, True),
    ("listed, of the author", CONFIG % "sealer.example", b"pass header.from=example.org", None, True),
    ("listed, of another", CONFIG % "sealer.example", b"pass header.from=example.com", None, False),
    ("listed, says fail", CONFIG % "sealer.example", b"fail", None, False),
    ("listed, in a comment", CONFIG % "sealer.example", b"fail (dmarc=pass)", None, False),
    ("listed, broken", CONFIG % "sealer.example", b"pass", lambda m: m + b"more\r\n", False),
    ("listed, the older one", CONFIG % "older.example", b"pass", None, False),
]


def trust(tally, postern, folder):
    """B-3, D-2, D-3: who may lift a failure of DMARC, both of reject and of quarantine."""
    for policy in ("reject", "quarantine"):
        zone = Zone()
        for domain in ("sealer.example", "older.example"):
            zone.add("rsa1024", f"v=DKIM1; p={public('rsa1024')}", domain=domain)
        zone.lines += ['example.org. IN TXT "v=spf1 -all"', f'_dmarc.example.org. IN TXT "v=DMARC1; p={policy}"']
        file = os.path.join(folder, "trust.zone")
        with open(file, "w", encoding="ascii") as f:
            f.write(zone.text())
        for name, config, says, change, lifted in TRUST:
            chain = Chain()
            for d in (b"older.example", SEALER):
                chain.add(results=SAYS + says, ams={"d": d}, ar_seal={"d": d.decode()})
            path, settings = os.path.join(folder, "trust.eml"), os.path.join(folder, "trust.yaml")
            with open(path, "wb") as f:
                f.write(change(chain.message()) if change else chain.message())
            with open(settings, "w", encoding="ascii") as f:
                f.write(config or "arc: {verify: true}\n")
            record, = scan(postern, "zone:" + file, ["--config", settings, "--client-ip", "192.0.2.1", "--helo", "x.example",
                                                     "--mail-from", "alice@example.org", path], 1)
            auth, action = record["auth"], record["verdict"]["action"]
            have = auth["dmarc"]["result"], auth["dmarc"]["override"], action
            want = ("fail", "arc", "accept") if lifted else ("fail", None, policy)
            tally.check(have == want and auth["arc"]["result"] == ("fail" if change else "pass"),
                        f"trust: {name}, {policy}: {have} {auth['arc']}, not {want}")
    print(f"trusted sealers: {2 * len(TRUST)} messages")


def main():
    postern = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
    zone, tally = Zone(), Tally()
    cases = all_cases(zone)
    with tempfile.TemporaryDirectory(prefix="arc_oracles.") as folder:
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
        for case, record in zip(cases, records):
            arc = record["auth"]["arc"]
            tally.check([arc["result"]] == case.want, f"{case.kind} ({case.name}): {arc}, not {case.want}")
            tally.check(not arc.get("trusted") and not arc.get("trusted_pass"), f"{case.kind} ({case.name}): trusted")
            ours = arc["result"] if arc["result"] in ("none", "pass") else "fail"
            tally.compare(case, ours, *arcverify(oracles, case.message))
        tally.report(len(cases))
        trust(tally, postern, folder)
        print("oracles: dkimpy")
        if nsd.installed():
            with nsd.Nsd(zone.text()) as server:
                again = scan(postern, server.dns, paths)
            for case, one, two in zip(cases, records, again):
                if " error " in case.kind:
                    continue  # made by the zone file's reader
                one.pop("timestamp"), two.pop("timestamp")
                tally.check(one["auth"]["arc"] == two["auth"]["arc"],
                            f"{case.kind} ({case.name}): {two['auth']['arc']} with nsd, not {one['auth']['arc']}")
            print(f"nsd: {len(cases)} messages again with its answers")
            print("oracles: nsd")
        else:
            print("skipped: nsd is not installed")
            tally.skipped += 1
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return tally.failed > 0 or (SKIP_IS_FAILURE and tally.skipped > 0)


if __name__ == "__main__":
    sys.exit(main())
