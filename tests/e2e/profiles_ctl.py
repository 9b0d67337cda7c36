#!/usr/bin/python3
"""Profiles from the outside: a wrong file is one line with its place, what is in force decides, and a running engine gives out its
profiles and lists, takes others and deletes some, without touching anything else in its settings file.

profiles_ctl.py POSTERN. `postern run` needs root; without it that part is skipped.
"""
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time

passed, failed, skipped = 0, [], []

MESSAGE = b"From: Alice <alice@sender.example>\r\nTo: bob@receiver.example\r\nSubject: x\r\n\r\nhello\r\n"
ZONE = """$ORIGIN sender.example.
$TTL 60
@ SOA ns root 1 1 1 1 1
@ TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT "v=DMARC1; p=reject"
"""
LIST = "// a list\ncom\nexample\n"
KINDS = ["dkim", "spf", "dmarc", "names", "sealers", "addresses"]


def check(what, right, more=""):
    global passed
    if right:
        passed += 1
    else:
        failed.append(what)
        print(f"FAILED {what} {more}")


def scan(postern, folder, settings, *more):
    path = f"{folder}/scan.yaml"
    open(path, "w").write(settings)
    words = [postern, "scan", "--config", path, "--dns", f"zone:{folder}/zone", "--format", "json", "--client-ip", "192.0.2.9",
             "--helo", "mx.sender.example", "--mail-from", "alice@sender.example", *more, f"{folder}/m.eml"]
    r = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return r, (json.loads(r.stdout) if r.stdout.strip() else None)


def h13_wrong_files(postern, folder):
    rows = [
        ("spf_profiles:\n  default:\n    mailfrom_fail: bounce\n", ":3:20: spf_profiles.default.mailfrom_fail: ", "quarantine or reject"),
        ("spf_profiles:\n  default:\n    mailfrom_fial: reject\n", ":3:5: spf_profiles.default: ", "mailfrom_fail"),
        ("dkim_profiles: {a: {}, a: {}}\n", ":1:24: dkim_profiles.a: ", "second time"),
        ("dmarc_profiles: {default: {sealers: nobody}}\n", ":1:37: dmarc_profiles.default.sealers: ", "arc_sealers"),
        ("forged_names: {a: {names: [Ann], threshold: 101}}\n", ":1:45: forged_names.a.threshold: ", "from 1 to 100"),
        ("address_lists:\n  a:\n  - 10.0.0.0/8\n  - 10.0.0.0/80\n", ":4:5: address_lists.a: ", "10.0.0.0/80"),
        ("arc_sealers: [a.example]\n", ":1:14: arc_sealers: ", "NAME: "),
        ("dkim: {min_bits: 2048}\n", ":1:8: dkim.min_bits: ", "dkim_profiles"),
        ("dmarc: {profile: mine}\n", "dmarc.profile: ", 'no DMARC profile "mine"'),
        ("address_lists: &a {x: &b [*a]}\n", ":1:16: address_lists: ", "anchors"),
    ]
    for settings, place, words in rows:
        r, _ = scan(postern, folder, settings)
        lines = r.stderr.splitlines()
        check(f"h13 {settings!r}", r.returncode == 2 and not r.stdout and len(lines) == 1 and place in lines[0] and words in lines[0],
              r.stderr)


def in_force(postern, folder):
    _, plain = scan(postern, folder, "dmarc: {verify: false}\n")
    check("c78 without an action all is accepted", plain["auth"]["spf"]["result"] == "fail" and plain["verdict"]["action"] == "accept")
    strict = "dmarc: {verify: false}\nspf: {profile: strict}\nspf_profiles:\n  strict: {mailfrom_fail: reject}\n"
    _, r = scan(postern, folder, strict)
    check("c79 the profile in force rejects", r["verdict"]["action"] == "reject", r["verdict"])
    check("c81 default reply", r["verdict"]["reply"] == "550 #5.7.1 SPF unauthorized mail is prohibited", r["verdict"])
    check("c79 who asked", r["verdict"]["asked"][0] == dict(r["verdict"]["asked"][0], check="spf", profile="strict", action="reject"))
    own = strict.replace("reject}", "reject, permanent_code: 551, permanent_text: 5.7.1 go away}")
    _, r = scan(postern, folder, own)
    check("c83 own code and text", r["verdict"]["reply"] == "551 5.7.1 go away", r["verdict"])
    _, r = scan(postern, folder, strict, "--spf-mailfrom-fail", "quarantine")
    check("an option changes the profile in force", r["verdict"]["action"] == "quarantine", r["verdict"])
    _, r = scan(postern, folder, strict, "--spf-profile", "default")
    check("an option chooses another", r["verdict"]["action"] == "accept", r["verdict"])
    _, r = scan(postern, folder, "")
    check("d4 c104 DMARC rejects by default", r["verdict"]["reply"] == "550 #5.7.1 DMARC unauthenticated mail is prohibited", r["verdict"])
    _, r = scan(postern, folder, "dmarc_profiles: {default: {preset: securitygateway4}}\n")
    check("g7 preset accepts", r["verdict"]["action"] == "accept" and r["auth"]["dmarc"]["result"] == "fail", r["verdict"])


SETTINGS = """# the box in the corner
output: {folder}/out/mail.json
socket: {folder}/ctl.sock   # not the usual one
dns:
  source: none
dmarc:
  walk: psl
  suffix_file: {folder}/list.dat
# who may send
spf_profiles:
  default: {{mailfrom_fail: reject}}
  lax: {{}}
address_lists: {{partners: [192.0.2.0/24]}}
# the end
"""


class Engine:
    def __init__(self, postern, folder):
        self.postern, self.folder = postern, folder
        self.settings = f"{folder}/postern.yaml"
        os.mkdir(f"{folder}/out")
        open(self.settings, "w").write(SETTINGS.format(folder=folder))
        os.chmod(self.settings, 0o640)
        open(f"{folder}/list.dat", "w").write(LIST)
        self.err = open(f"{folder}/run.err", "w+")
        self.process = subprocess.Popen(
            [postern, "run", "--config", self.settings, "--spf-void-max", "7", "--", "--vdev", "net_null0,copy=0"],
            stderr=self.err, env=dict(os.environ, XDG_RUNTIME_DIR=folder))

    def said(self):
        return open(self.err.name).read()

    def until(self, words, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if words in self.said():
                return True
            time.sleep(0.05)
        return words in self.said()

    def ctl(self, *words):
        return subprocess.run([self.postern, "ctl", "--socket", f"{self.folder}/ctl.sock", *words], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)

    def text(self):
        return open(self.settings).read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def round_trips(e):
    before = e.text()
    for kind in KINDS:
        first = e.ctl("export", kind, f"{e.folder}/{kind}.yaml")
        check(f"c61 c108 export {kind}", first.returncode == 0, first.stderr)
        r = e.ctl("import", kind, f"{e.folder}/{kind}.yaml", "--yes")
        check(f"c61 c108 import {kind}", r.returncode == 0 and " -> " in r.stdout, r.stderr)
        again = e.ctl("export", kind)
        check(f"c61 c108 round trip {kind}", again.stdout == open(f"{e.folder}/{kind}.yaml").read())
    for line in before.splitlines():
        if line.startswith(("#", "output", "socket", "dns", "  source", "  suffix")):
            check(f"stays: {line}", line in e.text().splitlines())
    check("mode stays", stat.S_IMODE(os.stat(e.settings).st_mode) == 0o640)


def default_by_commands(e, message, zone):
    """What SPF does about a client, for all mail: out of the engine, edited, into it again, in force without a restart."""
    before = e.ctl("export", "spf").stdout
    words = ["trace", "--dns", "zone:" + zone, "--dmarc-verify=false", "--client-ip", "192.0.2.9", "--helo", "mx.sender.example", "--mail-from",
             "alice@sender.example", message]
    new = f"{e.folder}/default.yaml"
    open(new, "w").write(before.replace("mailfrom_fail: reject", "mailfrom_fail: quarantine"))
    for action, text in (("reject", None), ("quarantine", new), ("reject", before)):
        if text:
            if text is before:
                open(new, "w").write(before)
            r = e.ctl("import", "spf", new, "--yes")
            check(f"c85 import {action}", r.returncode == 0, r.stderr)
        r = e.ctl(*words)
        check(f"c85 the default profile asks for {action}", f"profile default asks for {action}" in r.stdout, r.stdout + r.stderr)


def changes(e):
    new = f"{e.folder}/new.yaml"
    open(new, "w").write("spf_profiles:\n  hard: {mailfrom_fail: reject}\n  soft:\n")
    r = e.ctl("import", "spf", new)
    check("c43 without a terminal --yes is needed", r.returncode == 2 and "--yes" in r.stderr, r.stderr)
    r = e.ctl("import", "spf", new, "--yes")
    check("c61 import says what became of it", r.stdout == "spf_profiles: 2 profiles -> 3\n", r.stdout + r.stderr)
    names = [p["name"] for p in json.loads(e.ctl("--json", "profiles").stdout)["profiles"] if p["kind"] == "spf"]
    check("c61 all of the kind are replaced", names == ["default", "hard", "soft"], names)
    r = e.ctl("profiles", "search", "HAR")
    check("c42 search by name", "hard" in r.stdout and "soft" not in r.stdout, r.stdout)
    r = e.ctl("profiles", "delete", "spf", "soft", "--yes")
    check("c61 delete", r.stdout == "spf_profiles: 3 profiles -> 2\n", r.stdout + r.stderr)
    r = e.ctl("profiles", "clear", "addresses", "--yes")
    check("c61 clear", r.stdout == "address_lists: 1 list -> 0\n", r.stdout + r.stderr)
    r = e.ctl("delete", "spf", "default", "--yes")
    check("c103 default stays", r.returncode == 1 and "always there" in r.stderr, r.stderr)


def refused(e):
    before = open(e.settings, "rb").read()
    bad = f"{e.folder}/bad.yaml"
    for text, words, status in [
        ("spf_profiles: {a: {level: 9}}\n", "/bad.yaml:1:27: spf_profiles.a.level", 2),
        ("dkim_profiles: {}\n", "one section is wanted", 2),
        ("spf_profiles: {default: {relays: none}}\n", 'no address list "none"', 1),
    ]:
        open(bad, "w").write(text)
        r = e.ctl("import", "spf", bad, "--yes")
        check(f"c108 refused {text!r}", r.returncode == status and words in r.stderr and len(r.stderr.splitlines()) == 1, r.stderr)
        check("and nothing changed", open(e.settings, "rb").read() == before)
    # the reload fails: the file is as it was
    os.rename(f"{e.folder}/out", f"{e.folder}/away")
    open(bad, "w").write("spf_profiles: {other: {}}\n")
    r = e.ctl("import", "spf", bad, "--yes")
    check("all or nothing", r.returncode == 1 and "output" in r.stderr, r.stderr)
    check("the file is as it was", open(e.settings, "rb").read() == before)
    os.rename(f"{e.folder}/away", f"{e.folder}/out")
    check("nothing is left beside it", not [n for n in os.listdir(e.folder) if n.startswith("postern.yaml.")])


def suffixes(e):
    path = f"{e.folder}/list.dat"
    open(path + ".new", "w").write(LIST + "co.example\n")
    os.rename(path + ".new", path)
    check("g9 g10 a new list is read without a restart", e.until("was read again", 15), e.said())
    open(path, "w").write("\n")
    check("g9 one that is none changes nothing", e.until("the list in force stays", 15), e.said())
    r = e.ctl("reload")
    check("g10 a reload reads it too", r.returncode == 1 and "list.dat" in r.stderr, r.stderr)
    open(path, "w").write(LIST)
    check("and again", e.ctl("reload").returncode == 0)


def running(postern, folder):
    e = Engine(postern, folder)
    if not e.until("reading"):
        check("run starts", False, e.said())
        return
    try:
        r = e.ctl("export", "spf")
        check("what an option changed is in force", "void_max: 7" in r.stdout)
        round_trips(e)
        default_by_commands(e, f"{folder}/m.eml", f"{folder}/zone")
        changes(e)
        refused(e)
        suffixes(e)
        for _ in range(30):
            r = e.ctl("reload")
        check("many reloads", r.returncode == 0, r.stderr)
    finally:
        check("ends", e.stop() == 0, e.said())


def main():
    postern = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        open(f"{folder}/m.eml", "wb").write(MESSAGE)
        open(f"{folder}/zone", "w").write(ZONE)
        h13_wrong_files(postern, folder)
        in_force(postern, folder)
        if os.geteuid() == 0:
            running(postern, folder)
        else:
            skipped.append("run: not root")
    print("skipped:", ", ".join(skipped) or "nothing")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


sys.exit(main())
