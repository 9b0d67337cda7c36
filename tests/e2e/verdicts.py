#!/usr/bin/python3
"""What profiles ask for, from a message to its record: actions, replies, tags, scores, what lifts them, and the demo.

verdicts.py POSTERN
"""
import json
import os
import subprocess
import sys

import dkim

import wire_case
from wire_case import FOLDER, POSTERN, case, equal, w

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "../data")
BODY = b"\r\nhello\r\n"
CLIENT, SENDER = "192.0.2.1", "bob@sender.example"
ZONE = """$TTL 300
none.example. IN A 192.0.2.99
neutral.example. IN TXT "v=spf1 ?all"
softfail.example. IN TXT "v=spf1 ~all"
fail.example. IN TXT "v=spf1 -all exp=why.fail.example"
why.fail.example. IN TXT "Ask %{d} why %{i} may not"
permerror.example. IN TXT "v=spf1 a:"
;ERROR,temperror.example,TXT,SERVFAIL
pass.example. IN TXT "v=spf1 +all"
sender.example. IN TXT "v=spf1 -all"
_dmarc.p-none.example. IN TXT "v=DMARC1; p=none"
_dmarc.p-quarantine.example. IN TXT "v=DMARC1; p=quarantine"
_dmarc.p-reject.example. IN TXT "v=DMARC1; p=reject"
p-reject.example. IN TXT "v=spf1 -all"
;ERROR,_dmarc.p-temperror.example,TXT,SERVFAIL
_dmarc.p-permerror.example. IN TXT "v=DMARC1; p=perhaps"
;ERROR,s._domainkey.temporary.example,TXT,TIMEOUT
"""


def path(name, octets):
    name = os.path.join(FOLDER, name)
    with open(name, "wb") as f:
        f.write(octets)
    return name


def run(*args, now=("--now", "1795255200")):
    done = subprocess.run([POSTERN, "scan", "--format", "json", *now, *args], capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    records = [json.loads(line) for line in done.stdout.decode().splitlines()]
    equal(done.returncode, int(any(r["verdict"]["action"] != "accept" for r in records)), "status")
    return records


def judge(author, *options, sender=SENDER, helo="none.example", header=b"", zone=ZONE, config=None):
    """The record of a message from that author's address."""
    message = path("m.eml", header + b"From: <%s>\r\n" % author.encode() + BODY)
    words = ["--dns", "zone:" + path("zone", zone.encode()), "--client-ip", CLIENT, "--helo", helo, "--mail-from", sender]
    if config:
        words += ["--config", path("config.yaml", config.encode())]
    record, = run(*words, *options, message)
    return record


def told(record):
    v = record["verdict"]
    return v["action"], v["reason"], v["reply"]


RESULTS = ("none", "neutral", "softfail", "fail", "temperror", "permerror")
SPF_REPLY = "550 #5.7.1 SPF unauthorized mail is prohibited"
SPF_LATER = "451 #4.4.3 Temporary error occurred during SPF verification"


@case
def c77_c81_spf_by_identity_and_result():
    """Each identity and result asks for its own action, and none for that of another; the replies are the default ones."""
    for identity in ("helo", "mailfrom", "pra"):
        for result in RESULTS:
            domain = result + ".example"
            who = {"helo": {"helo": domain, "sender": "a@pass.example"}, "mailfrom": {"sender": "a@" + domain, "helo": "pass.example"},
                   "pra": {"sender": "a@pass.example"}}[identity]
            author = "a@" + (domain if identity == "pra" else "pass.example")
            level = ["--spf-level", "sidf" if identity == "pra" else "spf"]
            names = [f"--spf-{identity}-{other}" for other in RESULTS]
            record = judge(author, *level, names[RESULTS.index(result)], "reject", **who)
            equal(record["auth"]["spf" if identity == "mailfrom" else identity]["result"], result, (identity, result))
            word = {"mailfrom": "spf"}.get(identity, identity) + "_" + result
            equal(told(record), ("reject", word, SPF_LATER if result == "temperror" else SPF_REPLY), (identity, result))
            others = [x for name in names if not name.endswith("-" + result) for x in (name, "reject")]
            equal(judge(author, *level, *others, **who)["verdict"]["action"], "accept", (identity, result))


@case
def c78_no_action_accepts():
    for result in RESULTS:
        record = judge("a@none.example", sender=f"a@{result}.example", helo=result + ".example")
        equal((record["verdict"]["action"], record["verdict"]["asked"]), ("accept", []), result)


@case
def c79_helo_accepts_mail_from_refuses():
    record = judge("a@none.example", "--spf-mailfrom-fail", "reject", sender="a@fail.example", helo="fail.example")
    equal(told(record), ("reject", "spf_fail", SPF_REPLY))
    equal(record["verdict"]["asked"], [{"check": "spf", "profile": "default", "action": "reject"}])


@case
def c82_the_publishers_words():
    record = judge("a@none.example", "--spf-mailfrom-fail", "reject", "--spf-explanation", sender="a@fail.example")
    equal(record["verdict"]["reply"], "550-#5.7.1 SPF unauthorized mail is prohibited.\r\n"
          "550-The domain fail.example explains:\r\n550 Ask fail.example why 192.0.2.1 may not")
    equal(record["auth"]["spf"]["explanation"], "Ask fail.example why 192.0.2.1 may not")


@case
def c83_own_code_and_text():
    record = judge("a@none.example", "--spf-mailfrom-fail", "reject", "--spf-permanent-code", "554", "--spf-permanent-text", "no",
                   sender="a@fail.example")
    equal(record["verdict"]["reply"], "554 no")


@case
def c59_c60_dkim():
    bad = b"DKIM-Signature: v=1; a=rsa-sha256; d=%s; s=s; h=from; bh=AAAA; b=AAAA\r\n"
    good = b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    record = judge("a@none.example", header=bad % b"none.example")
    equal(told(record), ("flag", "dkim_permerror", None))
    equal(record["verdict"]["asked"], [{"check": "dkim", "profile": "default", "action": "flag"}])
    record = judge("a@none.example", "--dkim-permanent-action", "reject", header=bad % b"none.example")
    assert record["verdict"]["reply"].startswith("550 5.7.20 "), record["verdict"]
    late = bad.replace(b"bh=AAAA", b"bh=" + good) % b"temporary.example"
    record = judge("a@none.example", header=late)
    equal((told(record), record["verdict"]["result"]), (("accept", "dkim_temperror", None), "unverifiable"))
    record = judge("a@none.example", "--dkim-temporary-action", "reject", header=late)
    equal((record["verdict"]["action"], record["verdict"]["reply"][:4]), ("reject", "451 "))


@case
def c104_c105_d4_d7_d13_policies():
    record = judge("a@p-reject.example")
    equal(told(record), ("reject", "dmarc_fail", "550 #5.7.1 DMARC unauthenticated mail is prohibited"))
    equal((record["auth"]["dmarc"]["policy"], record["score"]), ("reject", 0.0))
    record = judge("a@p-quarantine.example")
    equal(told(record), ("quarantine", "dmarc_fail", None))
    equal(record["verdict"]["asked"], [{"check": "dmarc", "profile": "default", "action": "quarantine", "quarantine": "Policy",
                                        "score": 5.0}])
    record = judge("a@p-none.example")
    equal((told(record), record["verdict"]["asked"], record["score"]), (("accept", None, None), [], 0.0))
    equal(record["auth"]["dmarc"]["result"], "fail")


@case
def c106_c107_errors():
    record = judge("a@p-temperror.example")
    equal((told(record), record["verdict"]["result"]), (("accept", "dmarc_temperror", None), "undecided"))
    equal(told(judge("a@p-temperror.example", "--dmarc-temporary-action", "reject")),
          ("reject", "dmarc_temperror", "451 #4.7.1 Unable to perform DMARC verification"))
    two = b"From: <x@p-reject.example>\r\n"
    equal(told(judge("a@none.example", "--dmarc-permanent-action", "reject", header=two.replace(b"p-reject", b"none"))),
          ("reject", "dmarc_permerror", "550 #5.7.1 DMARC verification failed"))
    # H-6: a second author is no way around the first one's policy
    equal(judge("a@none.example", header=two)["verdict"]["action"], "reject")


@case
def d5_d6_d8_d9_tag_and_score():
    for policy in ("reject", "quarantine"):
        record = judge(f"a@p-{policy}.example", f"--dmarc-{policy}-action", "accept", f"--dmarc-{policy}-tag",
                       f"--dmarc-{policy}-score", "2.5")
        equal((told(record), record["score"]), (("accept", None, None), 2.5))
        equal([(a["action"], a["tag"], a["score"]) for a in record["verdict"]["asked"]], [("accept", "*** FRAUD ***", 2.5)])


@case
def d11_score_bounds():
    """What is accepted for its policy is stopped by its score; SPF and DKIM may refuse it all the same."""
    soft = ("--dmarc-reject-action", "accept", "--dmarc-reject-score", "2.5")
    for options, want in ((("--score-quarantine", "2.6"), ("accept", None, None)), (("--score-quarantine", "2.5"), ("quarantine", "score", None)),
                          (("--score-quarantine", "1", "--score-reject", "2.5"), ("reject", "score", "550 5.7.1 Message scored too high"))):
        record = judge("a@p-reject.example", *soft, *options)
        equal((told(record), record["score"]), (want, 2.5), options)
    record = judge("a@p-reject.example", *soft, "--score-quarantine", "2.5", "--dkim-permanent-action", "reject",
                   header=b"DKIM-Signature: v=1; a=rsa-sha256; d=none.example; s=s; h=from; bh=AAAA; b=AAAA\r\n")
    equal([(a["check"], a["action"]) for a in record["verdict"]["asked"]], [("dkim", "reject"), ("score", "quarantine"), ("dmarc", "accept")])
    equal(told(judge("a@p-reject.example", *soft, config="score: {quarantine: 2.5}\n"))[:2], ("quarantine", "score"))


@case
def d10_the_same_tag_once():
    record = judge("a@p-reject.example", "--dmarc-reject-action", "tag", "--dkim-permanent-action", "tag",
                   header=b"DKIM-Signature: v=1; a=rsa-sha256; d=none.example; s=s; h=from; bh=AAAA; b=AAAA\r\n")
    equal([a["check"] for a in record["verdict"]["asked"]], ["dkim", "dmarc"])
    equal([a["tag"] for a in record["verdict"]["asked"] if "tag" in a], ["*** FRAUD ***"])


@case
def g7_preset():
    record = judge("a@p-reject.example", config="dmarc_profiles:\n  default:\n    preset: securitygateway4\n")
    equal((record["verdict"]["action"], record["verdict"]["reply"]), ("accept", None))


@case
def g8_dmarc_takes_the_place_of_spf():
    strict = ("--spf-mailfrom-fail", "reject", "--spf-helo-fail", "reject")
    equal(told(judge("a@none.example", *strict, sender="a@fail.example"))[:2], ("reject", "spf_fail"))
    record = judge("a@p-none.example", *strict, sender="a@fail.example", helo="fail.example")
    equal((told(record), record["verdict"]["asked"]), (("accept", None, None), []))
    record = judge("a@p-quarantine.example", *strict, sender="a@fail.example")
    equal([(a["check"], a["action"]) for a in record["verdict"]["asked"]], [("dmarc", "quarantine")])
    record = judge("a@p-none.example", *strict, "--dmarc-verify=false", sender="a@fail.example")
    equal(record["verdict"]["action"], "reject")


LISTS = """address_lists:
  hosts: [192.0.2.0/24]
  others: [198.51.100.0/24]
  people: [bob@sender.example]
  domains: [sender.example]
"""


def lifted(record, why):
    d = record["auth"]["dmarc"]
    equal((record["verdict"]["action"], d["result"], d["policy"], d["override"]),
          ("accept" if why else "reject", "fail", "reject", why), record["verdict"])


@case
def c109_c110_d14_d16_bypasses():
    for option, value, why in (("bypass-senders", "people", True), ("bypass-senders", "domains", True), ("bypass-senders", "hosts", False),
                               ("bypass-clients", "hosts", True), ("bypass-clients", "others", False), ("bypass-servers", "hosts", True),
                               ("bypass-headers", "X-Other, list-id", True), ("bypass-headers", "X-Other", False)):
        record = judge("a@p-reject.example", "--dmarc-" + option, value, config=LISTS, header=b"List-Id: <x.example>\r\n")
        lifted(record, "bypass" if why else None)


@case
def d15_authenticated_sessions():
    message = b"From: a@p-reject.example\r\n" + BODY
    login = [(0, b"AUTH PLAIN AGEAYg==\r\n"), (1, b"235 ok\r\n")]
    for auth in (False, True):
        script = [(1, b"220 mx ESMTP\r\n"), (0, b"EHLO c.example\r\n"), (1, b"250-mx\r\n250 AUTH PLAIN\r\n"), *(login if auth else []),
                  (0, b"MAIL FROM:<a@sender.example>\r\n"), (1, b"250 ok\r\n"), (0, b"RCPT TO:<c@d.example>\r\n"), (1, b"250 ok\r\n"),
                  (0, b"DATA\r\n"), (1, b"354 go\r\n"), (0, w.stuff(message)), (1, b"250 ok\r\n")]
        w.write_pcap(wire_case.FILE, w.frames(w.talk(script)))
        for option, why in (("true", auth), ("false", False)):
            record, = run("--dns", "zone:" + path("zone", ZONE.encode()), "--dmarc-bypass-authenticated=" + option, wire_case.FILE)
            lifted(record, "bypass" if why else None)


@case
def b3_trusted_chain():
    """What a list broke, a trusted sealer's word mends: from reject and from quarantine. An empty list trusts nobody."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives import serialization as s
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption())
    public = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    import base64
    zone = ZONE + f'k._domainkey.list.example. IN TXT "v=DKIM1; p={base64.b64encode(public).decode()}"\n'
    lists = "arc_sealers:\n  friends: [list.example]\n  strangers: [other.example]\n"
    for policy in ("reject", "quarantine"):
        author = f"a@p-{policy}.example".encode()
        for word, option, why in (("pass", ("--dmarc-sealers", "friends"), "arc"), ("pass", ("--dmarc-sealers", "strangers"), None),
                                  ("pass", (), None), ("fail", ("--dmarc-sealers", "friends"), None)):
            results = b"Authentication-Results: list.example; dmarc=%s header.from=p-%s.example\r\n" % (word.encode(), policy.encode())
            message = results + b"From: <%s>\r\nTo: x@list.example\r\nSubject: x\r\n" % author + BODY
            sets = dkim.arc_sign(message, b"k", b"list.example", pem, b"list.example", include_headers=[b"from", b"to", b"subject"])
            record, = run("--dns", "zone:" + path("zone", zone.encode()), "--client-ip", CLIENT, "--mail-from", SENDER, "--config",
                          path("config.yaml", lists.encode()), *option, path("m.eml", b"".join(sets) + message), now=())
            equal(record["auth"]["arc"]["result"], "pass")
            equal(record["auth"]["arc"]["trusted"], option[-1:] == ("friends",))
            d = record["auth"]["dmarc"]
            equal((record["verdict"]["action"], d["result"], d["policy"], d["override"]),
                  ("accept" if why else policy, "fail", policy, why), (word, option))


NAMES = """forged_names:
  bosses:
    names: [John Simons]
    threshold: 80
    own: [own.example]
    except: [john.simons@friend.example]
    action: quarantine
"""


@case
def c170_protected_names():
    """The two sample scores; who owns the name may use it."""
    for author, score in (("j0hn.sim0ns@example.com", 82), ("john.simons@diff-example.com", 100), ("john.simons@own.example", None),
                          ("john.simons@friend.example", None), ("jane@example.com", None)):
        record = judge(author, config=NAMES)
        equal(record["auth"]["names"], [{"dictionary": "bosses", "name": "John Simons", "score": score}] if score else [], author)
        equal(record["verdict"]["asked"], [{"check": "names", "profile": "bosses", "action": "quarantine"}] if score else [], author)
        equal(record["verdict"]["reason"], "forged_name" if score else None)


@case
def g5_g6_g20_d12_headers():
    record = judge("a@p-reject.example", "--authserv-id", "mx.here.example", sender="a@fail.example",
                   header=b"Authentication-Results: mx.here.example; dmarc=pass\r\nX-Postern-DMARC-Fail-Policy: reject\r\n")
    h = record["headers"]
    assert all("\n" not in str(x) and "\r" not in str(x) for x in h.values()), h
    assert h["authentication_results"].startswith("Authentication-Results: mx.here.example; spf=fail"), h
    assert " dmarc=fail (p=reject" in h["authentication_results"], h
    assert h["received_spf"].startswith("Received-SPF: fail ") and "identity=mailfrom" in h["received_spf"], h
    equal((h["dmarc_fail_policy"], h["forged_results"], h["forged_policy"]), ("X-Postern-DMARC-Fail-Policy: reject", 1, 1))
    for policy in ("quarantine", "reject"):
        h = judge(f"a@p-{policy}.example", "--headers-style", "securitygateway", header=b"X-SGDMARC-Fail-policy: none\r\n")["headers"]
        equal((h["dmarc_fail_policy"], h["forged_policy"]), (f"X-SGDMARC-Fail-policy: {policy}", 1))
    for author in ("a@p-none.example", "a@none.example"):
        assert "dmarc_fail_policy" not in judge(author)["headers"], author


KEY = None


def key():
    """A key's PEM and its record's p=."""
    global KEY
    if not KEY:
        import base64
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives import serialization as s
        pair = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        public = pair.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
        KEY = (pair.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()), base64.b64encode(public).decode())
    return KEY


def signed(message, domain, names=(b"from", b"subject")):
    return dkim.sign(message, b"k", domain, key()[0], include_headers=list(names)) + message


@case
def c62_the_six_conditions():
    """Pass, not performed, temporary and permanent error, test failed, unsigned: each is a word of its own in the record."""
    zone = (ZONE + f'k._domainkey.sender.example. IN TXT "v=DKIM1; p={key()[1]}"\n' +
            f'k._domainkey.trying.example. IN TXT "v=DKIM1; t=y; p={key()[1]}"\n;ERROR,k._domainkey.slow.example,TXT,TIMEOUT\n')
    plain = b"From: a@none.example\r\nSubject: x\r\n" + BODY
    good = signed(plain, b"sender.example")
    for word, message, options in (
            ("pass", good, ()), ("neutral", signed(plain, b"trying.example"), ("--dkim-test", "skip")),
            ("temperror", signed(plain, b"slow.example"), ()), ("permerror", good.replace(b"v=1;", b"v=2;"), ()),
            ("permerror", signed(plain, b"nokey.example"), ()), ("fail", good + b"more\r\n", ()), ("none", plain, ())):
        record, = run("--dns", "zone:" + path("zone", zone.encode()), *options, path("m.eml", message), now=())
        equal([d["result"] for d in record["auth"]["dkim"]], [word])


@case
def f15_indirect_flows():
    """RFC 7960: what a forwarder only passes on still passes; what a list changed is lost to p=reject, unless the site knows the list."""
    zone = ZONE + f'k._domainkey.p-reject.example. IN TXT "v=DKIM1; p={key()[1]}"\nk._domainkey.list.example. IN TXT "v=DKIM1; p={key()[1]}"\n'
    sent = signed(b"From: a@p-reject.example\r\nTo: x@list.example\r\nSubject: x\r\n" + BODY, b"p-reject.example")
    stamp = b"Authentication-Results: list.example; dkim=pass header.d=p-reject.example; dmarc=pass header.from=p-reject.example\r\n"
    listed = stamp + b"List-Id: <all.list.example>\r\n" + sent.replace(b"Subject: x", b"Subject: [all] x") + b"-- \r\nthe list\r\n"
    sealed = b"".join(dkim.arc_sign(listed, b"k", b"list.example", key()[0], b"list.example", include_headers=[b"from", b"subject"])) + listed
    lists = "arc_sealers:\n  lists: [list.example]\n"
    for name, message, options, want in (
            ("forwarded", sent, (), ("pass", None, "accept")), ("by a list", listed, (), ("fail", None, "reject")),
            ("a list, exempt", listed, ("--dmarc-bypass-headers", "List-Id"), ("fail", "bypass", "flag")),
            ("forwarded, header not there", sent.replace(BODY, b"\r\nother\r\n"), ("--dmarc-bypass-headers", "List-Id"), ("fail", None, "reject")),
            ("a list that seals", sealed, ("--dmarc-sealers", "lists"), ("fail", "arc", "flag")),
            ("a list that seals, unknown", sealed, (), ("fail", None, "reject"))):
        record, = run("--dns", "zone:" + path("zone", zone.encode()), "--client-ip", CLIENT, "--helo", "none.example", "--mail-from",
                      "bounce@list.example", "--config", path("config.yaml", lists.encode()), *options, path("m.eml", message), now=())
        d = record["auth"]["dmarc"]
        equal((d["result"], d["override"], record["verdict"]["action"]), want, name)
        if want[2] == "flag":  # the signature that the list broke is told
            equal([a["check"] for a in record["verdict"]["asked"]], ["dkim"], name)


@case
def strictest_first():
    record = judge("a@p-quarantine.example", "--spf-mailfrom-fail", "flag",
                   sender="a@fail.example", header=b"DKIM-Signature: v=1; a=rsa-sha256; d=none.example; s=s; h=from; bh=AAAA; b=AAAA\r\n")
    equal([(a["check"], a["action"], a.get("reason")) for a in record["verdict"]["asked"]],
          [("dmarc", "quarantine", None), ("spf", "flag", "spf_fail"), ("dkim", "flag", "dkim_permerror")])
    equal(told(record), ("quarantine", "dmarc_fail", None))


@case
def evidence_is_a_master_file():
    """A zone made of the answers in the record gives the same record."""
    config = "evidence: true\n"
    first = judge("a@p-reject.example", sender="a@fail.example", config=config)
    lines = []
    for e in first["evidence"]:
        assert set(e) == {"name", "type", "status", "ttl", "secure", "data"}, e
        lines += [f"{e['name']}. {e['ttl']} IN {e['type']} {d}" for d in e["data"]]
        assert bool(e["data"]) == (e["status"] == "data"), e
        if not e["data"]:
            lines.append(f";ERROR,{e['name']},{e['type']},{e['status'].upper()}")
    assert any("v=DMARC1; p=reject" in x for x in lines) and any("v=spf1 -all" in x for x in lines), lines
    again = judge("a@p-reject.example", sender="a@fail.example", config=config, zone="\n".join(lines) + "\n")
    for r in (first, again):
        for e in r.pop("evidence"):
            assert "evidence_cut" not in r
    for key in first:
        equal(again[key], first[key], key)
    assert "evidence" not in judge("a@p-reject.example")


@case
def n1_demo():
    """What ./dev demo shows: every check's result from the packets of a tap alone."""
    records = run("--dns", f"zone:{DATA}/demo.zone", f"{DATA}/demo.pcap", now=())
    got = [(r["auth"]["spf"]["result"], r["auth"]["dkim"][0]["result"], r["auth"]["dmarc"]["result"], r["verdict"]["action"])
           for r in records]
    equal(got, [("pass", "pass", "pass", "accept"), ("pass", "pass", "pass", "accept"), ("fail", "pass", "pass", "accept"),
                ("fail", "fail", "fail", "reject"), ("pass", "pass", "pass", "accept"), ("pass", "none", "pass", "accept"),
                ("softfail", "permerror", "fail", "quarantine"), ("none", "permerror", "none", "flag"),
                ("fail", "pass", "pass", "accept"), ("none", "pass", "pass", "accept"), ("none", "pass", "pass", "accept"),
                ("none", "fail", "unverifiable", "flag")])
    done = subprocess.run([POSTERN, "scan", "--format", "text", "--dns", f"zone:{DATA}/demo.zone", f"{DATA}/demo.pcap"],
                          capture_output=True, timeout=60, check=False)
    lines = done.stdout.decode().splitlines()
    assert lines[0].split()[-5:] == ["SPF", "DKIM", "ARC", "DMARC", "VERDICT"], lines[0]
    assert lines[4].split()[-6:] == ["fail", "fail", "bank.example", "none", "fail", "reject"], lines[4]


sys.exit(wire_case.main())
