#!/usr/bin/python3
"""Our own header fields and the truth about From:, from a message to its record.

header_fields.py POSTERN
"""
import base64
import json
import os
import re
import subprocess
import sys

import dkim

import wire_case
from wire_case import FOLDER, POSTERN, case, cases, equal
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PEM = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                        serialization.NoEncryption())
DER = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
ZONE = f"""$TTL 300
s1._domainkey.example.com. IN TXT "v=DKIM1; p={base64.b64encode(DER).decode()}"
test._domainkey.example.com. IN TXT "v=DKIM1; t=y; p={base64.b64encode(DER).decode()}"
good.example. IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.good.example. IN TXT "v=DMARC1; p=reject; sp=none"
_dmarc.mild.example. IN TXT "v=DMARC1; p=quarantine"
_dmarc.nothing.example. IN TXT "v=DMARC1; p=none"
company.com. IN TXT "spf2.0/pra ip4:1.2.3.4 -all"
fooo.com. IN TXT "v=spf1 ip4:1.2.3.4 -all"
"""
MAIL = b"From: user123@example.com\r\nTo: x@y.example\r\nSubject: t\r\n\r\nhello\r\n"


def path(name, octets):
    name = os.path.join(FOLDER, name)
    with open(name, "wb") as f:
        f.write(octets)
    return name


def judge(message, *options, config=None):
    """The record of a message."""
    words = ["--dns", "zone:" + path("zone", ZONE.encode()), *options]
    if config:
        words += ["--config", path("config.yaml", config.encode())]
    done = subprocess.run([POSTERN, "scan", "--format", "json", *words, path("m.eml", message)], capture_output=True,
                          timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def signed(message, selector=b"s1", body=b"", **how):
    field = dkim.sign(message, selector, b"example.com", PEM, include_headers=[b"from"], **how)
    return field + message + body


def envelope(sender, client="192.0.2.1", helo="helo.example"):
    return ["--client-ip", client, "--helo", helo, "--mail-from", sender]


@cases({
    "pass": (signed(MAIL), "dkim=pass (signature verified)"),
    "body": (signed(MAIL, body=b"x\r\n"), "dkim=permfail (body hash did not verify)"),
    "partial": (signed(MAIL[:-7] + b"y" * 998 + b"\r\n", body=b"more\r\n", length=True),
                "dkim=pass (partially verified [1000 bytes])"),
    "unsigned": (MAIL, "dkim=none (message not signed)"),
    "test mode": (signed(MAIL, selector=b"test"), "dkim=pass (signature verified, test mode)"),
})
def c50_c51_asyncos(_, value):
    message, want = value
    record = judge(message, "--headers-style", "asyncos", "--authserv-id", "example1.com")
    equal(record["headers"]["authentication_results"],
          "Authentication-Results: example1.com header.from=From:user123@example.com; " + want)


@case
def b5_rfc8601():
    got = judge(signed(MAIL, selector=b"test"), "--authserv-id", "mx.example.org")["headers"]["authentication_results"]
    b = re.search(r'header\.b="?([A-Za-z0-9+/]{8})"?', got)
    assert b, got
    head = "Authentication-Results: mx.example.org; "
    assert got.startswith(head), got
    part = [p for p in got[len(head):].split("; ") if p.startswith("dkim")]
    equal(part, ["dkim=pass (1024-bit key, test mode) header.d=example.com header.i=@example.com header.s=test "
                 f"header.a=rsa-sha256 header.b={b.group(0)[9:]}"])


@case
def f13_host_name():
    host = os.uname().nodename
    got = judge(MAIL)["headers"]["authentication_results"]
    assert got.startswith(f"Authentication-Results: {host};"), got


@case
def c86_received_spf():
    message = b"Sender: alice@company.com\r\nFrom: b@company.com\r\n\r\nx\r\n"
    got = judge(message, *envelope("alice@fooo.com", "1.2.3.4"), "--headers-style", "asyncos", "--authserv-id",
                "box.example.com", "--spf-level", "sidf-compatible")["headers"]
    equal(got["received_spf_pra"], "Received-SPF: Pass identity=pra; receiver=box.example.com; client-ip=1.2.3.4; "
          'envelope-from="alice@fooo.com"; x-sender="alice@company.com"; x-conformance=sidf_compatible')


@cases({
    "any case": b"Authentication-Results: MX.Example.org; dkim=pass\r\n",
    "quoted, with a version": b'Authentication-Results: "mx.example.org" 1; dkim=pass\r\n',
    "folded, comment": b"authentication-results:\r\n (x (y) \\)\r\n )\r\n mx.example.org(z); dkim=pass\r\n",
    "250 KiB of comments": b"Authentication-Results:" + b" (x)" * 64000 + b"\r\n mx.example.org; dkim=pass\r\n",
    "250 KiB behind": b"Authentication-Results: mx.example.org; dkim=pass" + b"\r\n (x)" * 42000 + b"\r\n",
})
def b5_forged(_, field):
    options = ("--authserv-id", "mx.example.org")
    equal(judge(field + MAIL, *options)["headers"]["forged_results"], 1)
    other = field.replace(b"xample.org", b"xample.net")
    equal(judge(other + MAIL, *options)["headers"]["forged_results"], 0)


@cases({
    "reject": ("good.example", (), "X-Postern-DMARC-Fail-Policy: reject", "(p=reject sp=none dis=reject"),
    "subdomain": ("sub.good.example", (), None, "(p=reject sp=none dis=none"),
    "quarantine": ("mild.example", ("--headers-style", "securitygateway"), "X-SGDMARC-Fail-policy: quarantine",
                   "(p=quarantine dis=quarantine"),
    "none": ("nothing.example", (), None, "(p=none dis=none"),
})
def g5_g6_g20_d12_policy(_, value):
    domain, options, want, comment = value
    message = b"From: a@%s\r\nX-SGDMARC-Fail-policy: none\r\n\r\nx\r\n" % domain.encode()
    got = judge(message, *envelope("a@other.example"), *options)["headers"]
    equal(got.get("dmarc_fail_policy"), want)
    assert comment in got["authentication_results"], got
    equal(got["forged_policy"], 1)


@cases({
    "Postfix": b"from h.example (unknown [192.0.2.1]) by in.example (Postfix)",
    "Exim": b"from r.example ([192.0.2.1] helo=h.example) by in.example",
    "Exchange": b"from h.example (192.0.2.1) by in.example (10.0.0.2) with Microsoft SMTP Server",
    "qmail": b"from unknown (HELO h.example) (192.0.2.1) by in.example",
})
def c92_relays(_, field):
    config = "address_lists:\n  own: [10.0.0.0/8]\nspf_profiles:\n  default: {relays: own}\n"
    message = (b"Received: from in.example (in.example [10.0.0.2]) by out.example; x\r\nReceived: " + field +
               b"; x\r\nReceived: from lie ([203.0.113.9]) by h.example\r\nFrom: a@good.example\r\n\r\nx\r\n")
    behind = judge(message, *envelope("a@good.example", "10.0.0.1", "out.example"), config=config)
    equal(behind["auth"]["spf"]["result"], "pass")
    assert "client-ip=192.0.2.1; " in behind["headers"]["received_spf"], behind["headers"]
    assert "helo=h.example;" in behind["headers"]["received_spf"], behind["headers"]
    plain = judge(message, *envelope("a@good.example", "192.0.2.2", "out.example"), config=config)
    equal(plain["auth"]["spf"]["result"], "fail")
    without = judge(message, *envelope("a@good.example", "10.0.0.1", "out.example"))
    equal(without["auth"]["spf"]["result"], "fail")


@cases({
    "h6_two_mailboxes": (b"From: a@good.example, b@evil.example", {"several_mailboxes", "several_domains"}),
    "h6_two_fields": (b"From: a@good.example\r\nFrom: a@evil.example", {"several_fields"}),
    "h6_group": (b"From: g: a@good.example, b@evil.example;", {"group", "several_domains"}),
    "h6_nested_comments": (b"From: a@(x (y) z@w.example) evil.example (a@good.example", {"malformed"}),
    "h6_quoted_commas": (b'From: "a, b@good.example <c@evil.example>', {"malformed"}),
    "h6_angle_after_angle": (b"From: user@good.example>@evil.example", {"malformed"}),
    "h6_two_angles": (b"From: <a@good.example> <b@evil.example>", {"malformed"}),
    "h6_encoded_word_hides_address": (b"From: =?utf-8?b?YUBnb29kLmV4YW1wbGUA?=@evil.example", {"encoded_address"}),
    "h6_nul": (b"From: a@good.example\0@evil.example", {"control", "malformed"}),
    "h6_no_from": (b"X: y", {"no_from"}),
    "h6_empty_from": (b"From:", {"malformed"}),
    "h6_literal": (b"From: a@[192.0.2.1], b@good.example", {"no_domain"}),
})
def h6_never_borrows(_, value):
    """The client is good.example's own, and still nothing of it passes."""
    header, flags = value
    record = judge(header + b"\r\n\r\nx\r\n", *envelope("a@good.example"))
    equal(record["auth"]["spf"]["result"], "pass")
    assert record["auth"]["dmarc"]["result"] != "pass", record["auth"]["dmarc"]
    assert not record["auth"]["dmarc"]["spf_aligned"], record["auth"]["dmarc"]
    assert flags <= set(record["auth"]["from"]["flags"]), record["auth"]["from"]


@case
def h6_one_author_passes():
    record = judge(b'From: "Bank, (Inc.)" (x) <@r.example:a . b@good (y) .example>\r\n\r\nx\r\n', *envelope("a@good.example"))
    equal((record["auth"]["dmarc"]["result"], record["auth"]["from"]["flags"]), ("pass", ["obsolete"]))
    equal(record["auth"]["from"]["address"], "a.b@good.example")


sys.exit(wire_case.main())
