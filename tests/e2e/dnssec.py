#!/usr/bin/python3
"""A signed zone behind a real nsd: with a trust anchor the record says which results DNSSEC proves, what is forged is
a temporary error, and without one nothing is said.

    tests/e2e/dnssec.py [POSTERN]
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SKIP_IS_FAILURE = os.environ.get("CI") == "true"
POSTERN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POSTERN", "build/postern")
NSD = "/usr/sbin/nsd"
TOOLS = ("ldns-keygen", "ldns-signzone")


def skip(what):
    print(f"skipped: {what}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)


try:
    from dkim_messages import BASE, BODIES, Signed, join, public
except ImportError as missing:
    skip(f"{missing} (python3-cryptography)")
if not os.path.exists(NSD) or not all(shutil.which(tool) for tool in TOOLS):
    skip("nsd ldnsutils")

passed = failed = 0


def check(good, text):
    global passed, failed
    passed += bool(good)
    failed += not good
    print("ok  " if good else "FAIL", text)


def zone_of(name):
    """A domain with SPF, DMARC and a key."""
    key = "v=DKIM1; k=rsa; p=" + public("rsa1024")
    key = " ".join(f'"{key[i:i + 200]}"' for i in range(0, len(key), 200))
    return (f'{name}. TXT "v=spf1 ip4:192.0.2.1 -all"\n_dmarc.{name}. TXT "v=DMARC1; p=reject"\n'
            f"s._domainkey.{name}. TXT {key}\n")


def make_zones(folder):
    """The root, unsigned, and signed., in which forged.signed. is changed after signing."""
    def run(*command):
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    head = "$TTL 600\n@ SOA ns. host. 1 3600 600 86400 60\n@ NS ns.\n"
    with open(f"{folder}/root", "w", encoding="ascii") as f:
        f.write(head + "ns. A 127.0.0.1\nsigned. NS ns.\n" + zone_of("plain.example"))
    with open(f"{folder}/unsigned", "w", encoding="ascii") as f:
        f.write("$ORIGIN signed.\n" + head + zone_of("good.signed") + zone_of("forged.signed"))
    key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "signed.").strip()
    run("ldns-signzone", "-n", "-o", "signed.", "-f", "signed", "unsigned", key)
    shutil.copy(f"{folder}/{key}.ds", f"{folder}/anchor")
    lines = open(f"{folder}/signed", encoding="ascii").read().splitlines()
    with open(f"{folder}/signed", "w", encoding="ascii") as f:
        for line in lines:
            changed = line.replace("192.0.2.1", "192.0.2.0/24") if line.startswith("forged.signed.") else line
            print(changed, file=f)


class Nsd:
    def __init__(self, folder):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            self.port = udp.getsockname()[1]
        with open(f"{folder}/nsd.conf", "w", encoding="ascii") as f:
            f.write(f"server:\n ip-address: 127.0.0.1@{self.port}\n zonesdir: \"{folder}\"\n pidfile: \"\"\n"
                    f" database: \"\"\n zonelistfile: \"{folder}/list\"\n xfrdfile: \"{folder}/xfrd\"\n"
                    f" xfrdir: \"{folder}\"\n username: \"\"\n chroot: \"\"\n server-count: 1\n verbosity: 0\n"
                    "remote-control:\n control-enable: no\n"
                    "zone:\n name: \".\"\n zonefile: \"root\"\nzone:\n name: \"signed\"\n zonefile: \"signed\"\n")
        self.process = subprocess.Popen([NSD, "-d", "-c", f"{folder}/nsd.conf"], stderr=subprocess.DEVNULL)
        self.dns = f"127.0.0.1@{self.port}"
        self.wait()

    def wait(self):
        """Until it answers a question for the root's SOA."""
        question = b"\x12\x34\0\0\0\1\0\0\0\0\0\0\0\0\6\0\1"
        for _ in range(100):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.settimeout(0.1)
                udp.sendto(question, ("127.0.0.1", self.port))
                try:
                    if udp.recv(512):
                        return
                except OSError:
                    time.sleep(0.1)
        sys.exit("nsd does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def scan(server, folder, domain, *options):
    path = f"{folder}/{domain}.eml"
    headers = [(n, f" a@{domain}".encode() if n.lower() == b"from" else v) for n, v in BASE]
    with open(path, "wb") as f:
        f.write(join([Signed(headers, BODIES["text"], key="rsa1024", s="s", d=domain.encode()).field] + headers,
                     BODIES["text"]))
    run = subprocess.run([POSTERN, "scan", "--format", "json", "--raw", "--dns", server.dns, "--client-ip", "192.0.2.1",
                          "--helo", f"mail.{domain}", "--mail-from", f"a@{domain}", *options, path],
                         capture_output=True, text=True, timeout=60, check=False)
    if run.returncode not in (0, 1):
        return run.stderr
    auth = json.loads(run.stdout)["auth"]
    return {name: (r["result"], r.get("dnssec", False))
            for name, r in (("spf", auth["spf"]), ("dkim", auth["dkim"][0]), ("dmarc", auth["dmarc"]))}


def main():
    with tempfile.TemporaryDirectory(prefix="dnssec.") as folder:
        make_zones(folder)
        anchor = ("--dns-trust-anchor", f"{folder}/anchor")
        with Nsd(folder) as server:
            proved = {name: ("pass", True) for name in ("spf", "dkim", "dmarc")}
            unproved = {name: ("pass", False) for name in proved}
            got = scan(server, folder, "good.signed", *anchor)
            check(got == proved, f"a signed domain: {got}")
            got = scan(server, folder, "plain.example", *anchor)
            check(got == unproved, f"an unsigned one: {got}")
            got = scan(server, folder, "forged.signed", *anchor)
            check(got["spf"] == ("temperror", False) and got["dkim"] == ("pass", True), f"a forged record: {got}")
            for domain in ("good.signed", "forged.signed"):
                got = scan(server, folder, domain)
                check(got == unproved, f"{domain} without an anchor: {got}")
            got = scan(server, folder, "plain.example", "--dns-trust-anchor", f"{folder}/none")
            check(isinstance(got, str) and "dns.trust_anchor" in got, f"no such file: {got}")
    print(f"oracles: nsd, ldns-signzone\n{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
