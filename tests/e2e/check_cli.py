#!/usr/bin/python3
"""`postern check` as its user sees it: one JSON object on one line and status 0 for every value, good, malformed or hostile; usage
errors on one line with status 2.

check_cli.py POSTERN
"""
import base64
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
try:
    import dkim
    from cryptography.hazmat.primitives import serialization

    import livenet
    from dkim_messages import KEY, cut, pkcs1, public, quote
except ImportError as missing:
    print(f"skipped: {missing} (python3-dkim python3-cryptography)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

POSTERN = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = []
KINDS = ("spf", "sidf", "dmarc", "dkim-key", "arc")
SPF_KEYS = ["result", "domain", "identity", "mechanism", "explanation", "reason"]


def test(f):
    TESTS.append(f)
    return f


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, wanted {want!r}"


def run(*args, data=None):
    done = subprocess.run([POSTERN, "check", *args], input=data, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def ask(*args, dns="zone:z", data=None):
    """The object; anything but one line and status 0 is a failure."""
    status, out, err = run(*args, "--dns", dns, data=data)
    equal((status, err), (0, ""), args)
    assert out.endswith(b"\n") and out.count(b"\n") == 1, out
    assert all(0x20 <= c != 0x7f for c in out[:-1]), out
    return json.loads(out)


def refused(*args, words=()):
    status, out, err = run(*args)
    equal((status, out, err.count("\n")), (2, b"", 1), (args, err))
    assert err.startswith("postern check: "), err
    for word in words:
        assert word in err, f"{word!r} is not in {err!r}"


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def txt(name, *texts):
    return "".join(f"{name} TXT " + " ".join(quote(s) for s in (t if isinstance(t, list) else cut(t))) + "\n" for t in texts)


ZONE = "$ORIGIN example.org.\n" + "".join((
    txt("@", "v=spf1 ip4:192.0.2.0/24 include:inc.example.org exp=why.example.org -all"),
    txt("inc", "v=spf1 ip6:2001:db8::/32 -all"),
    txt("why", "%{i} is not one of %{d}'s"),
    txt("soft", "v=spf1 ~all"), txt("neutral", "v=spf1 ?all"), txt("bad", "v=spf1 ip4:1 -all"),
    txt("two", "v=spf1 -all", "v=spf1 +all"), txt("loop", "v=spf1 include:loop.example.org -all"),
    txt("wait", "v=spf1 exists:slow.example.org -all"), ";ERROR,slow.example.org,A,TIMEOUT\n",
    txt("helo", "v=spf1 a -all"), "helo A 192.0.2.7\n",
    txt("pra", "spf2.0/pra ip4:192.0.2.9 -all", "v=spf1 -all"),
    ";ERROR,_dmarc.slow.example.org,TXT,SERVFAIL\n",
    txt("_dmarc", "v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:a@example.org"),
    "there A 192.0.2.1\n",
    txt("_dmarc.strict", "v=DMARC1;p=none;adkim=s;aspf=s;fo=1:d;ruf=mailto:f@example.org;t=y")))


# ---- spf ----

def spf(ip="192.0.2.1", helo="helo.example.org", mail_from="a@example.org", *more, **kw):
    return ask("spf", "--client-ip", ip, "--helo", helo, "--mail-from", mail_from, *more, **kw)


@test
def spf_object():
    """The keys of the object, in their order, and null where there is nothing."""
    status, out, err = run("spf", "--client-ip", "192.0.2.1", "--helo", "x", "--mail-from", "a@example.org", "--dns", "zone:z")
    equal((status, err), (0, ""))
    assert out.startswith(b'{"result":"pass","domain":"example.org","identity":"mailfrom","mechanism":"ip4:192.0.2.0/24",'
                          b'"explanation":null,"reason":null,'), out
    equal(list(json.loads(out))[:6], SPF_KEYS)
    equal(spf("192.0.2.1", "", "", dns="none")["reason"], "malformed")


@test
def spf_results():
    got = {name: spf("203.0.113.1", mail_from=f"a@{name}")["result"] for name in (
        "example.org", "soft.example.org", "neutral.example.org", "bad.example.org", "two.example.org", "loop.example.org",
        "wait.example.org", "nothing.example.org")}
    equal(list(got.values()), ["fail", "softfail", "neutral", "permerror", "permerror", "permerror", "temperror", "none"])
    r = spf("203.0.113.1")
    equal((r["mechanism"], r["explanation"]), ("-all", "203.0.113.1 is not one of example.org's"))
    equal(spf("2001:db8::7")["mechanism"], "include:inc.example.org")
    equal(spf(dns="none")["result"], "temperror")


@test
def spf_null_sender_is_the_helo_name():
    for null in ("", "<>"):
        r = spf("192.0.2.7", mail_from=null)
        equal((r["result"], r["identity"], r["domain"], r["mechanism"], r["sender"]),
              ("pass", "helo", "helo.example.org", "a", "postmaster@helo.example.org"))
    r = spf("192.0.2.7", "helo.example.org", "a@example.org", "--identity", "helo")
    equal((r["identity"], r["domain"]), ("helo", "helo.example.org"))
    r = spf("192.0.2.7", "helo.example.org", "", "--identity", "mailfrom")
    equal((r["result"], r["identity"], r["domain"]), ("pass", "mailfrom", "helo.example.org"))
    r = ask("spf", "--client-ip", "192.0.2.7", "--helo", "helo.example.org")
    equal((r["identity"], r["result"]), ("helo", "pass"))
    r = ask("spf", "--client-ip", "192.0.2.7", "--mail-from", "")
    equal((r["identity"], r["result"], r["reason"]), ("helo", "none", "no_helo"))


HOSTILE = ["", " ", ".", "..", "@", "a@", "@b", "a@b@c", "-", "-x", "--", "[192.0.2.1]", "a" * 64 + ".org", "x." * 200 + "org", "a..b",
           "\u00fc.example.org", "\x1b[2J.org", "a b.org", "a\nb.org", "%{i}.org", "<a@b", "'\";&|$(id)", "\\", "\x7f", "a" * 60000,
           b"\xff\xfe.org".decode(errors="surrogateescape"), "xn--a", "localhost", "com", "*", "_", "1.2.3.4", "::1"]


@test
def values_are_data():
    """No value is a usage error, and none gets out of its JSON string."""
    for value in HOSTILE:
        for args in (("--helo", value, "--mail-from", "a@example.org"), ("--helo", "x.example.org", "--mail-from", value),
                     ("--helo", value, "--mail-from", ""), ("--helo", value, "--mail-from", "a@" + value)):
            r = ask("spf", "--client-ip", "192.0.2.1", *args)
            assert r["result"] in ("none", "pass", "permerror"), (args, r)
        equal(ask("spf", "--client-ip", value, "--helo", "x", "--mail-from", "a@nothing.example.org")["result"],
              "none", value)
        assert ask("sidf", "--client-ip", "192.0.2.1", "--pra", value)["result"] in ("none", "fail", "permerror"), value
        arguments = ("--", value) if value.startswith("--") else (value,)
        dns = ("--dns", "zone:z")
        status, out, err = run("dmarc", *dns, *arguments)
        equal((status, err, json.loads(out)["result"] in ("none", "permerror", "found")), (0, "", True), value)
        for pair in ((value, "example.org"), ("s", value), (value, value)):
            status, out, err = run("dkim-key", *dns, "--", *pair)
            equal((status, err, json.loads(out)["status"] in ("none", "name")), (0, "", True), pair)


# ---- sidf ----

@test
def sidf_pra():
    r = ask("sidf", "--client-ip", "192.0.2.9", "--pra", "x@pra.example.org")
    equal((r["result"], r["identity"], r["domain"], r["level"]), ("pass", "pra", "pra.example.org", "sidf-compatible"))
    # C-72, C-73: v=spf1 counts for the PRA at the level sidf alone; what does not exist is a fail there
    equal([ask("sidf", "--client-ip", "192.0.2.1", "--pra", "x@example.org", "--level", x)["result"] for x in ("sidf", "sidf-compatible")],
          ["pass", "none"])
    for pra in ("x@gone.example.org", ""):
        equal([ask("sidf", "--client-ip", "192.0.2.1", "--pra", pra, "--level", x)["result"] for x in ("sidf", "sidf-compatible")],
              ["fail", "none"], pra)


@test
def sidf_message():
    mail = b"Resent-From: x@pra.example.org\r\nFrom: y@example.org\r\n\r\nhi\r\n"
    write("m.eml", mail)
    args = ("--client-ip", "192.0.2.9", "--helo", "helo.example.org", "--mail-from", "a@example.org")
    r = ask("sidf", *args, "--message", "m.eml")
    equal((r["result"], r["sender"], r["mailfrom"]["result"], r["downgraded"]), ("pass", "x@pra.example.org", "pass", False))
    equal(ask("sidf", *args, "--message", "-", data=mail), r)
    r = ask("sidf", *args, "--message", write("none.eml", b"Subject: x\r\n\r\n"))
    equal((r["result"], r["reason"]), ("none", "no_pra"))


# ---- dmarc ----

@test
def dmarc_discovery():
    r = ask("dmarc", "example.org")
    equal([r[k] for k in ("result", "domain", "policy", "published", "found_at", "organization", "discovery", "reason")],
          ["found", "example.org", "reject", "reject", "example.org", "example.org", "treewalk", None])
    equal((r["tags"]["sp"], r["tags"]["np"], r["tags"]["rua"]), ("quarantine", "none", "mailto:a@example.org"))
    equal(ask("dmarc", "Example.ORG."), r)
    r = ask("dmarc", "a.b.there.example.org")
    equal((r["policy"], r["found_at"], r["nonexistent"]), ("none", "example.org", True))
    equal(ask("dmarc", "there.example.org")["policy"], "quarantine")
    r = ask("dmarc", "strict.example.org")
    equal((r["tags"]["adkim"], r["tags"]["aspf"], r["tags"]["testing"], r["policy"], r["organization"]),
          ("strict", "strict", True, "none", "example.org"))
    equal([x["name"] for x in r["asked"]], ["_dmarc.strict.example.org", "_dmarc.example.org", "_dmarc.org"])
    equal(ask("dmarc", "nothing.example")["result"], "none")
    equal(ask("dmarc", "slow.example.org")["result"], "temperror")
    equal(ask("dmarc", "example.org", dns="none")["result"], "temperror")
    r = ask("dmarc", "")
    equal((r["result"], r["reason"]), ("permerror", "malformed"))


@test
def dmarc_complaints():
    rows = [("v=DMARC1; p=reject", []), ("v=DMARC1;p=reject;", []), ("v=dmarc1; p=reject", ["version"]), ("p=none; v=DMARC1", ["version"]),
            ('"v=DMARC1; p=none"', ["version"]), ("v=DMARC1", ["no_policy"]), ("v=DMARC1; rua=mailto:a@b.org", ["no_policy"]),
            ("v=DMARC1; p=maybe", ["value"]), ("v=DMARC1; p=none; p=reject", ["duplicate_tag"]), ("v=DMARC1; p=none; x=1", ["unknown_tag"]),
            ("v=DMARC1; p=none; pct=50", ["removed_tag"]), ("v=DMARC1; p=none; pct=101", ["value", "removed_tag"]),
            ("v=DMARC1; p=none; rua=a@b.org", ["uri"]), ("v=DMARC1; p=none; adkim=x; aspf=y; t=q; psd=z", ["value"] * 4),
            ("v=DMARC1; p=none; fo=1", ["fo_unused"]), ("v=DMARC1; p=none; fo=1:x; ruf=mailto:a@b.org", ["value"]),
            ("v=DMARC1; p=none; ri=3600; rf=afrf", ["removed_tag"] * 2), ("v=DMARC1; p=none; junk", ["syntax"]),
            ("v=DMARC1; p=reject; t=y", ["testing"]), ("v=spf1 -all", [])]
    write("d", ("$ORIGIN example.net.\n" + "".join(txt(f"_dmarc.d{i}", text) for i, (text, _) in enumerate(rows)) +
                txt("_dmarc.both", "v=DMARC1; p=none", "v=DMARC1; p=reject", "v=spf1 -all")).encode())
    for i, (text, want) in enumerate(rows):
        first = ask("dmarc", f"d{i}.example.net", dns="zone:d")["asked"][0]
        equal((first["status"], len(first["texts"]), first["texts"][0]["text"]), ("data", 1, text))
        equal([c["word"] for c in first["texts"][0]["complaints"]], want, text)
    r = ask("dmarc", "both.example.net", dns="zone:d")
    equal((r["result"], r["reason"]), ("none", "several_records"))
    equal([(t["dmarc"], [c["word"] for c in t["complaints"]]) for t in r["asked"][0]["texts"]],
          [(True, ["several_records"]), (True, ["several_records"]), (False, [])])


# ---- keys ----

def der(tag, body):
    n = len(body)
    length = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + body


def integer(v):
    return der(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def rsa(n, e=65537):
    return base64.b64encode(der(0x30, integer(n) + integer(e))).decode()


def modulus(bits):
    return random.Random(bits).getrandbits(bits - 2) | 1 << bits - 1 | 1


ED = base64.b64decode(public("ed25519"))
SPKI = KEY["ed25519"].public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
b64 = lambda data: base64.b64encode(data).decode()
LONG = "v=DKIM1; p=" + public("rsa2048")
# record, status, bits, words of the complaints
KEYS = [
    ("v=DKIM1; k=rsa; p=" + public("rsa2048"), "ok", 2048, []),
    ("v=DKIM1; p=" + pkcs1("rsa2048"), "ok", 2048, []),
    ("v=DKIM1; p=" + public("rsa4096"), "ok", 4096, []),
    ("p=" + public("rsa1024"), "ok", 1024, ["no_version", "short"]),
    ("v=DKIM1; p=" + public("rsa768"), "weak", 768, ["weak"]),
    ("v=DKIM1; p=" + rsa(modulus(1023)), "weak", 1023, ["weak"]),
    ("v=DKIM1; p=" + rsa(modulus(4097)), "too_long", 4097, ["too_long"]),
    ("v=DKIM1; k=ed25519; p=" + public("ed25519"), "ok", 256, []),
    ("v=DKIM1; t=y:s; n=note; p=" + public("rsa2048"), "ok", 2048, ["test_mode"]),
    ("v=DKIM1; h=sha1; p=" + public("rsa2048"), "hash", 2048, ["hash"]),
    ("v=DKIM1; h=sha256:sha9; s=email:x; t=z; g=*; q=1; p=" + public("rsa2048"), "ok", 2048,
     ["unknown_hash", "unknown_service", "unknown_flag", "unknown_tag", "unknown_tag"]),
    ("v=DKIM1; s=tlsrpt; p=" + public("rsa2048"), "service", None, ["unknown_service", "service"]),
    ("v=DKIM1; k=dsa; p=" + public("rsa2048"), "type", None, ["type"]),
    # H-3
    ("v=DKIM1; p=", "revoked", None, ["revoked"]),
    ("v=DKIM1; p=" + rsa(modulus(16)), "weak", 16, ["weak"]),
    ("v=DKIM1; p=" + rsa(modulus(16384)), "too_long", 16384, ["too_long"]),
    ("v=DKIM1; p=" + rsa(modulus(2048) - 1), "syntax", None, ["modulus_even"]),
    ("v=DKIM1; p=" + rsa(modulus(2048), 1), "syntax", None, ["exponent"]),
    ("v=DKIM1; p=" + b64(bytes(range(200))), "syntax", None, ["der"]),
    ("v=DKIM1; p=" + b64(b"\x30\x03abc"), "syntax", None, ["der"]),
    ("v=DKIM1; k=ed25519; p=" + b64(ED[:31]), "syntax", None, ["key_length"]),
    ("v=DKIM1; k=ed25519; p=" + b64(ED + b"\0"), "syntax", None, ["key_length"]),
    ("v=DKIM1; k=ed25519; p=" + b64(SPKI), "syntax", None, ["key_length"]),
    # what people publish
    (LONG[:255], "syntax", None, ["cut"]),
    ('"' + LONG + '"', "syntax", None, ["quotes", "syntax"]),
    ("v=DKIM1\\; p=" + public("rsa2048"), "syntax", None, ["backslash", "version"]),
    ("v=DKIM1; p=-----BEGIN PUBLIC KEY-----" + public("rsa2048"), "syntax", None, ["pem"]),
    ("v=DKIM1; p=AAAA!AAA", "syntax", None, ["base64"]),
    ("v=DKIM1; k=rsa", "syntax", None, ["no_key"]),
    ("k=rsa; v=DKIM1; p=" + public("rsa2048"), "syntax", None, ["version_not_first"]),
    ("v=dkim1; p=" + public("rsa2048"), "syntax", None, ["version"]),
    ("v=DKIM1; p=A; p=B", "syntax", None, ["duplicate_tag"]),
    ("v=DKIM1;; p=A", "syntax", None, ["syntax"]),
    ("v=DKIM1; nothing; p=A", "syntax", None, ["syntax"]),
    ("v=DKIM1; 1=2; p=A", "syntax", None, ["syntax"]),
    ("v=spf1 -all", "syntax", None, ["version", "no_key"]),
    ("just text", "syntax", None, ["syntax"]),
]


@test
def h3_keys():
    write("k", ("$ORIGIN example.net.\n" + "".join(txt(f"k{i}._domainkey", row[0]) for i, row in enumerate(KEYS))).encode())
    for i, (record, status, bits, words) in enumerate(KEYS):
        r = ask("dkim-key", f"k{i}", "example.net", dns="zone:k")
        equal((r["name"], r["record"], r["records"]), (f"k{i}._domainkey.example.net", record, 1))
        equal((r["status"], r["bits"], [c["word"] for c in r["complaints"]]), (status, bits, words), record[:60])
        # nothing is refused without a reason, nothing taken with an error
        equal(any(c["severity"] == "error" for c in r["complaints"]), status != "ok", record[:60])
    r = ask("dkim-key", "k8", "example.net", dns="zone:k")
    equal((r["type"], r["flags"], r["notes"], r["hashes"], r["services"]), ("rsa", ["y", "s"], "note", ["sha1", "sha256"], ["*"]))
    equal(ask("dkim-key", "k0", "example.net", "--dkim-max-bits", "1024", dns="zone:k")["status"], "too_long")
    equal(ask("dkim-key", "k5", "example.net", "--dkim-min-bits", "1023", dns="zone:k")["status"], "ok")
    equal(ask("dkim-key", "k4", "example.net", "--dkim-min-bits", "512", dns="zone:k")["status"], "ok")


@test
def names_of_keys():
    good, other = "v=DKIM1; p=" + public("rsa2048"), "v=DKIM1; p="
    write("w", ("$ORIGIN example.net.\n" + txt("two._domainkey", good, other) + txt("*._domainkey.wild", good) +
                txt("s._domainkey.xn--mnchen-3ya", good) + "empty._domainkey A 192.0.2.1\n"
                ";ERROR,slow._domainkey.example.net,TXT,TIMEOUT\n;ERROR,fail._domainkey.example.net,TXT,SERVFAIL\n").encode())
    words = lambda r: (r["status"], [c["word"] for c in r["complaints"]])
    look = lambda s, d: words(ask("dkim-key", s, d, dns="zone:w"))
    equal(look("two", "example.net"), ("ok", ["several_records"]))
    equal(look("x", "wild.example.net"), ("ok", ["wildcard"]))
    equal(look("s", "m\u00fcnchen.example.net"), ("ok", []))
    equal(look("S", "xn--mnchen-3ya.example.net."), ("ok", []))
    equal(look("none", "example.net"), ("none", ["no_record"]))
    equal(look("empty", "example.net"), ("none", ["no_record"]))
    equal(look("slow", "example.net"), ("timeout", ["timeout"]))
    equal(look("fail", "example.net"), ("failed", ["failed"]))
    equal(look("", "example.net"), ("name", ["name"]))
    equal(look("a b", "example.net"), ("name", ["name"]))


@test
def octets_of_keys():
    """Random damage: always an object, and a key that is refused always says why."""
    rng = random.Random(3)
    damaged, lines = [], ["$ORIGIN example.net.\n"]
    for i in range(150):
        text = bytearray(KEYS[rng.randrange(len(KEYS))][0].encode())
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text) or 1)
            if rng.random() < .5:
                text[at:at + 1] = bytes([rng.randrange(256)])
            else:
                del text[at:at + rng.randrange(1, 40)]
        damaged.append(bytes(text))
        strings = [text[k:k + 255] for k in range(0, len(text), 255)] or [b""]
        lines.append(f"x{i}._domainkey TXT " + " ".join('"' + "".join(f"\\{c:03}" for c in s) + '"' for s in strings) + "\n")
    write("r", "".join(lines).encode())
    for i, text in enumerate(damaged):
        r = ask("dkim-key", f"x{i}", "example.net", dns="zone:r")
        equal(any(c["severity"] == "error" for c in r["complaints"]), r["status"] != "ok", (text, r))


# ---- a server that says nothing ----

@test
def silence():
    """Each kind ends in the time that its settings give, with an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        dns = f"127.0.0.1@{mute.getsockname()[1]}"
        begun = time.monotonic()
        r = ask("spf", "--client-ip", "192.0.2.1", "--mail-from", "a@example.org", "--spf-timeout", "300ms", dns=dns)
        equal((r["result"], r["reason"]), ("temperror", "dns_timeout"))
        equal(ask("sidf", "--client-ip", "192.0.2.1", "--pra", "a@example.org", "--spf-timeout", "300ms", dns=dns)["result"], "temperror")
        equal(ask("dkim-key", "s", "example.org", "--dkim-query-timeout", "300ms", dns=dns)["status"], "timeout")
        short = ("--dns-query-timeout", "300ms", "--dns-message-deadline", "300ms")
        equal(ask("dmarc", "example.org", *short, dns=dns)["result"], "temperror")
        write("s.eml", MAIL)
        equal(ask("dmarc", "--message", "s.eml", *short, dns=dns)["result"], "temperror")
        equal(ask("arc", write("sa.eml", sealed(MAIL)), *short, dns=dns)["result"], "temperror")
        assert 1.7 < time.monotonic() - begun < 10, time.monotonic() - begun


# ---- messages ----

def pem(name):
    return KEY[name].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                   serialization.NoEncryption())


MAIL = b"From: Alice <alice@example.org>\r\nTo: bob@receiver.example\r\nSubject: hi\r\nAuthentication-Results: seal.example;\r\n spf=pass smtp.mailfrom=alice@example.org\r\n\r\nbody\r\n"


def sealed(mail, times=1):
    for i in range(times):
        if i:
            mail = b"Authentication-Results: seal.example;\r\n arc=pass\r\n" + mail
        mail = b"".join(dkim.arc_sign(mail, b"s", b"seal.example", pem("rsa2048"), b"seal.example",
                                      include_headers=[b"from", b"to", b"subject"], timestamp=1700000000)) + mail
    return mail


@test
def arc_chains():
    write("a", ("$ORIGIN seal.example.\n" + txt("s._domainkey", "v=DKIM1; p=" + public("rsa2048"))).encode())
    look = lambda mail, *more: ask("arc", write("arc.eml", mail), *more, dns="zone:a")
    r = look(MAIL)
    equal((r["result"], r["instance"], r["sets"]), ("none", 0, []))
    r = look(sealed(MAIL, 2))
    equal((r["result"], r["instance"], r["failed"], r["sealer"], r["trusted"]), ("pass", 2, 0, "seal.example", False))
    equal([(s["instance"], s["cv"], s["seal"], s["domain"], s["selector"]) for s in r["sets"]],
          [(1, "none", "pass", "seal.example", "s"), (2, "pass", "pass", "seal.example", "s")])
    r = look(sealed(MAIL).replace(b"body", b"bodies"))
    equal((r["result"], r["failed"]), ("fail", 1))
    write("trust.yaml", b"arc_sealers:\n  mine: [seal.example]\ndmarc_profiles:\n  default:\n    sealers: mine\n")
    equal(look(sealed(MAIL), "--config", "trust.yaml")["trusted"], True)
    equal(ask("arc", "arc.eml", dns="none")["result"], "temperror")


@test
def dmarc_of_a_message():
    mail = write("d.eml", MAIL)
    look = lambda ip, *more: ask("dmarc", "--message", mail, "--client-ip", ip, "--helo", "helo.example.org",
                                 "--mail-from", "bounce@example.org", *more)
    r = look("192.0.2.1")
    equal((r["result"], r["domain"], r["spf_aligned"], r["dkim_aligned"]), ("pass", "example.org", True, False))
    r = look("203.0.113.1")
    equal((r["result"], r["policy"], r["action"]), ("fail", "reject", "reject"))
    assert r["reply"].startswith("550 "), r
    r = ask("dmarc", "--message", write("f.eml", b"From: a@example.org\r\nFrom: b@example.net\r\n\r\n"))
    equal((r["result"], "several_fields" in r["from"]), ("permerror", True))


# ---- ctl trace ----

ENVELOPE = ("--client-ip", "203.0.113.1", "--helo", "helo.example.org", "--mail-from", "a@example.org", "--rcpt-to", "b@receiver.example")
PARTS = ["message", "From", "SPF", "DKIM", "ARC", "DMARC", "names", "policy", "questions", "verdict", "reply", "headers"]


def trace(*args, before=()):
    done = subprocess.run([POSTERN, "ctl", *before, "trace", *args], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode()


def told(*args, **more):
    """The parts, each a list of its lines."""
    status, out, err = trace(*args, **more)
    equal((status, err), (0, ""), args)
    assert all(c == "\n" or " " <= c <= "~" for c in out), out
    parts = {}
    for line in out.splitlines():
        if line and not line.startswith(" "):
            parts[line] = []
        elif line:
            parts[list(parts)[-1]].append(line.strip())
    equal(list(parts), PARTS)
    return parts


def signed(mail, selector=b"s1"):
    return dkim.sign(mail, selector, b"example.org", pem("rsa2048"), include_headers=[b"from", b"to", b"subject"]) + mail


@test
def c94_trace():
    """Every step of every check, the rule that fired, the reply and the header fields."""
    write("t.yaml", b"spf_profiles:\n  default:\n    mailfrom_fail: reject\nauthserv_id: mx.receiver.example\n"
                    b"forged_names:\n  staff:\n    names: [Alice]\n")
    write("tz", ZONE.encode() + txt("s1._domainkey", "v=DKIM1; p=" + public("rsa2048")).encode() +
          ("$ORIGIN seal.example.\n" + txt("s._domainkey", "v=DKIM1; p=" + public("rsa2048"))).encode())
    write("t.eml", sealed(signed(MAIL)))
    parts = told("--config", "t.yaml", "--dns", "zone:tz", *ENVELOPE, "t.eml")
    has = lambda part, *words: [x for x in parts[part] if all(w in x for w in words)] or equal(parts[part], words)
    has("message", "203.0.113.1")
    has("message", "rcpt to", "<b@receiver.example>")
    has("From", "author domain example.org")
    has("SPF", "ip4:192.0.2.0/24: no match")
    has("SPF", "-all: match")
    has("DKIM", "s1", "example.org")
    has("ARC", "seal.example")
    has("DMARC", "author's domain example.org")
    has("names", "Alice")
    has("policy", "->")
    has("questions", "TXT", "s1._domainkey.example.org: data")
    has("verdict", "action")
    has("headers", "Authentication-Results: mx.receiver.example;")
    has("headers", "Received-SPF: fail")
    # the same verdict as scan's, and the reply of the profile
    r, = [json.loads(line) for line in subprocess.run(
        [POSTERN, "scan", "--config", "t.yaml", "--dns", "zone:tz", "--format", "json", *ENVELOPE, "t.eml"], capture_output=True,
        check=False).stdout.splitlines()]
    has("verdict", "action", r["verdict"]["action"])
    write("bad.eml", MAIL)
    parts = told("--config", "t.yaml", "--dns", "zone:tz", *ENVELOPE, "bad.eml")
    has("verdict", "action", "reject")
    has("verdict", "asked", "reject: dmarc of profile default")
    has("reply", "550 ")


@test
def trace_of_anything():
    """Whatever the message holds, only printable lines come out, and every part."""
    rng = random.Random(94)
    for i in range(20):
        mail = bytearray(sealed(signed(MAIL)) if i % 2 else MAIL.replace(b"Alice", b"\x1b[31mA\xff\0\x9b"))
        for _ in range(i):
            mail[rng.randrange(len(mail))] = rng.randrange(256)
        told("--config", "t.yaml", "--dns", "zone:tz", "--client-ip", "192.0.2.1", "--helo", "\x1b]0;x\x07", "--mail-from", "\x7f@\x1b",
             "--raw", write("r.eml", bytes(mail)))
    told("--config", "t.yaml", "--dns", "none", write("e.eml", b""))


@test
def c94_trace_with_the_settings_of_an_engine():
    write("engine.yaml", b"dns:\n  source: zone:%s/tz\nspf_profiles:\n  default:\n    explanation: true\n    mailfrom_fail: reject\n"
          b"    permanent_text: told by the engine\narc_sealers:\n  mine: [seal.example]\naddress_lists:\n  a: [192.0.2.0/24]\n"
          b"dmarc:\n  verify: false\nauthserv_id: mx.engine.example\n" % os.getcwd().encode())
    log = open("run.log", "w+")
    engine = subprocess.Popen([POSTERN, "run", "--config", "engine.yaml", "--socket", "s", "--output", "/dev/null", "--",
                               "--vdev", "net_null0"], stderr=log, env=livenet.environment(os.getcwd()))
    try:
        for _ in range(200):
            if os.path.exists("s") or engine.poll() is not None:
                break
            time.sleep(.1)
        args = ("--now", "1700000100", *ENVELOPE, "t.eml")
        parts = told(*args, before=("--socket", "s"))
        assert any("told by the engine" in x for x in parts["reply"]), parts
        assert any("203.0.113.1 is not one of" in x for x in parts["reply"]), parts
        equal(parts["message"][-1], "settings   of the engine at s")
        equal(parts["DMARC"], ["nothing was done"])
        file = told("--config", "engine.yaml", *args)
        equal({k: v for k, v in file.items() if k != "message"}, {k: v for k, v in parts.items() if k != "message"})
    finally:
        engine.terminate()
        equal((engine.wait(30), "error" in open("run.log").read()), (0, False))
        log.close()


@test
def trace_usage():
    for args in ((), ("a", "b"), ("--nonsense", "a"), ("--config", "/nonexistent", "a"), ("--socket", "/nonexistent/s", "e.eml"),
                 ("--config", "t.yaml", "/nonexistent"), ("--config", "t.yaml", "--identity", "helo", "e.eml")):
        status, out, err = trace(*args)
        equal((status, out, err.count("\n")), (2, "", 1), (args, err))
    status, out, err = trace("--help")
    equal((status, err), (0, ""))
    assert "example: postern ctl trace --client-ip" in out, out
    assert "--config FILE" in trace("--socket", "/nonexistent/s", "e.eml")[2]


# ---- usage ----

@test
def usage():
    for args in ((), ("spam",), ("spf",), ("spf", "--client-ip", "192.0.2.1"), ("spf", "--helo", "x"), ("sidf",),
                 ("sidf", "--client-ip", "::1"), ("dmarc",), ("dkim-key", "s"), ("dkim-key", "s", "d", "e"), ("arc",), ("arc", "a", "b"),
                 ("dmarc", "a", "--nonsense"), ("dmarc", "a", "--dns"), ("dmarc", "a", "--dns", "banana"), ("dkim-key", "s", "d", "--helo", "x"),
                 ("spf", "--client-ip", "::1", "--helo", "x", "--identity", "pra"), ("sidf", "--client-ip", "::1", "--pra", "x", "--level", "spf"),
                 ("dmarc", "a", "--dns", "zone:/nonexistent"), ("dmarc", "a", "--config", "/nonexistent"),
                 ("dmarc", "a", "--evidence", "/nonexistent"), ("arc", "/nonexistent"), ("arc", "/"), ("dmarc", "a", "--interface", "x")):
        refused(*args)
    refused("arc", "/nonexistent", words=["/nonexistent", "No such file"])
    refused("spam", words=["spam", "dkim-key"])
    refused("dkim-key", "s", words=["SELECTOR DOMAIN"])
    for args in (("--help",), *((kind, "--help") for kind in KINDS)):
        status, out, err = run(*args)
        equal((status, err), (0, ""), args)
        assert b"usage: postern check" in out and b"example: postern check" in out, out
    done = subprocess.run([POSTERN, "help", "check"], capture_output=True, check=False)
    equal((done.returncode, b"example: " in done.stdout), (0, True))


@test
def the_manual():
    """Every command of the sections of docs/operating.md on these commands runs, and every complaint has its word there."""
    with open(os.path.join(HERE, "../../docs/operating.md"), encoding="utf-8") as f:
        sections = {part.split("\n")[0]: part for part in f.read().split("\n## ")}
    data = os.path.join(HERE, "../data")
    os.makedirs("manual", exist_ok=True)
    for name in ("demo.zone", "demo.pcap"):
        with open(os.path.join(data, name), "rb") as f:
            write("manual/" + name, f.read())
    write("manual/mail.eml", b"From: order@shop.example\r\nSubject: x\r\n\r\nhi\r\n")
    write("manual/postern.yaml", b"spf_profiles:\n  default:\n    mailfrom_fail: reject\n")
    ran = 0
    for title in ("One question: `postern check`", "Why: `postern ctl trace`", "Judged again: `--evidence`"):
        for line in sections[title].split("\n"):
            if not line.startswith("    postern "):
                continue
            done = subprocess.run(["/bin/sh", "-c", line.strip().replace("postern", POSTERN, 1)], cwd="manual", capture_output=True, check=False)
            engine = "ctl trace" in line and "--config" not in line  # there is none here
            equal(done.returncode in ((2,) if engine else (0, 1)), True, (line, done.stderr))
            ran += 1
    equal(ran, 13)
    first = open("manual/then.json", "rb").read()
    again = subprocess.run([POSTERN, "scan", "--evidence", "then.json", "demo.pcap"], cwd="manual", capture_output=True, check=False).stdout
    equal(again, first)
    words = sections["One question: `postern check`"].split("Words for")[1].replace(".", " ").split()
    for name in ("check_key.c", "check_dmarc.c"):
        with open(os.path.join(HERE, "../../control", name), encoding="utf-8") as f:
            for word in re.findall(r'complaint_add\([^"]*"([a-z0-9_]+)"', f.read()):
                assert word in words, f"{word} of {name} is not in the manual"


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write("z", ZONE.encode())
        for f in TESTS:
            try:
                f()
            except Exception as e:  # pylint: disable=broad-except
                failed += 1
                print(f"failed: {f.__name__}: {type(e).__name__} {e}"[:1500])
        os.chdir("/")
    print("oracles: python3-dkim (seals), python3-cryptography (keys)")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
