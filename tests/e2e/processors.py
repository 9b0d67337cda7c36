#!/usr/bin/python3
"""What older processors have not is not used: on models of them, played by qemu-user, the program takes the level that the model
has, meets no instruction that it lacks, and gives the records of this machine. AVX-512 qemu does not play.

processors.py POSTERN
"""
import base64
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import dkim  # noqa: E402  (the path comes first)
import wire  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: E402

POSTERN = os.path.abspath(sys.argv[1])
QEMU = "qemu-x86_64"
MODELS = {"Nehalem": "scalar", "SandyBridge": "scalar", "Haswell": "avx2", "EPYC": "avx2"}
# beside the program, where it was built; those that go through all levels in seconds
PROGRAMS = ["cpu", "broken_kernels", "sha256", "quoted"]


def run(*command, model=None):
    if model:
        command = (QEMU, "-cpu", model, *command)
    return subprocess.run(command, capture_output=True, timeout=300, check=False)


def sanitized(program):
    """Sanitizers want more address space than qemu gives them."""
    with open(program, "rb") as f:
        return b"__asan_" in f.read()


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)


def capture():
    """Mails with signatures of both algorithms in both forms, some of them spoiled, in SMTP; their keys in a zone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                            serialization.NoEncryption())
    other = ed25519.Ed25519PrivateKey.generate()
    seed = base64.b64encode(other.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                                serialization.NoEncryption()))
    p = [base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER,
                                                        serialization.PublicFormat.SubjectPublicKeyInfo)).decode(),
         base64.b64encode(other.public_key().public_bytes(serialization.Encoding.Raw,
                                                          serialization.PublicFormat.Raw)).decode()]
    write("keys.zone", (f's0._domainkey.sender.example. 300 IN TXT "v=DKIM1; k=rsa; p=" "{p[0][:200]}" "{p[0][200:]}"\n'
                        f's1._domainkey.sender.example. 300 IN TXT "v=DKIM1; k=ed25519; p={p[1]}"\n').encode())
    letters, mails = random.Random(3), []
    for n in range(24):
        lines = [bytes(letters.choices(b"abc \t.\xc3=", k=letters.randint(0, 90))) for _ in range(letters.randint(1, 200))]
        m = (b"From: alice@sender.example\r\nTo: bob@receiver.example\r\nSubject: number %d\r\n\r\n" % n) + \
            b"\r\n".join(lines) + b"\r\n" * letters.randint(1, 9)
        form = (b"relaxed", b"simple")[n // 2 % 2]
        m = dkim.sign(m, b"s%d" % (n % 2), b"sender.example", seed if n % 2 else pem, include_headers=[b"from", b"to", b"subject"],
                      canonicalize=(form, form), signature_algorithm=(b"rsa-sha256", b"ed25519-sha256")[n % 2]) + m
        mails.append(m[:-3] + b"#\r\n" if n % 6 == 5 else m)
    wire.write_pcap("mails.pcap", wire.frames(wire.talk(wire.smtp(mails))))


def main():
    good = bad = 0

    def check(what, right, detail=""):
        nonlocal good, bad
        good, bad = good + bool(right), bad + (not right)
        if not right:
            print(f"failed: {what}: {detail}"[:1500])

    if sanitized(POSTERN):
        print("a build with sanitizers does not run in qemu-user; nothing to see here\n0 passed, 0 failed")
        return 0
    if not shutil.which(QEMU):
        missing = os.environ.get("CI") == "true"
        print(f"skipped: {QEMU} is not there (Debian: qemu-user)\n0 passed, {int(missing)} failed, {int(not missing)} skipped")
        return int(missing)
    version = run(QEMU, "--version").stdout.decode().split("\n", 1)[0]
    os.environ.pop("POSTERN_CPU", None)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        capture()
        scan = [POSTERN, "scan", "--format", "json", "--now", "4102444799", "--dns", "zone:keys.zone", "mails.pcap"]
        want = run(*scan).stdout
        check("signatures here", want.count(b'"dkim":[{"result":"pass"') == 20 and want.count(b"\n") == 24, want[:600])
        for model, level in MODELS.items():
            said = run(POSTERN, "version", model=model).stdout.decode()
            check(f"{model}: level", f"cpu: {level}" in said, said)
            r = run(*scan, model=model)
            check(f"{model}: records", r.stdout == want, (r.returncode, r.stdout[:300], r.stderr[-300:]))
            for name in PROGRAMS:
                program = os.path.join(os.path.dirname(POSTERN), "tests", "test_" + name)
                if os.path.exists(program):
                    r = run(program, model=model)
                    check(f"{model}: {name}", r.returncode == 0, (r.returncode, r.stdout[-600:]))
        os.chdir("/")
    print(f"oracles: {version}")
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
