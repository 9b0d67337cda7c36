"""Signatures and key records with every tag right, odd and wrong, for dkim_oracles.py."""
import re

from dkim_messages import BASE, BODIES, DOMAIN, Case, Signed, join, pkcs1, public, signed_case

PAST, FUTURE = "1262304000", "4102444800"  # 2010, 2100


def drop(name):
    return lambda tag: tag.pop(name)


def put(name, value):
    return lambda tag: tag.update({name: value})


def edit(old, new):
    """Of the field as written, before it is signed."""
    return lambda value: re.sub(old, new, value, count=1)


def after(old, new):
    """Of the message, after it was signed."""
    return lambda message: re.sub(old, new, message, count=1)


# name: what is due, options of the signature, change of the signed message
TAGS = [
    *[(f"missing {t}", "permerror", {"change": drop(t)}, None) for t in ("v", "a", "bh", "d", "h", "s", "b")],
    ("v=2", "permerror", {"v": "2"}, None),
    ("v empty", "permerror", {"v": ""}, None),
    ("v=0.5", "permerror", {"v": "0.5"}, None),
    ("a unknown", "permerror", {"change": put("a", b"rsa-md5")}, None),
    ("a unknown type", "permerror", {"change": put("a", b"dsa-sha256")}, None),
    ("a empty", "permerror", {"change": put("a", b"")}, None),
    ("a=rsa-sha1", "policy", {"a": "rsa-sha1"}, None),
    ("a of another key", "permerror", {"change": put("a", b"ed25519-sha256")}, None),
    ("c unknown", "permerror", {"change": put("c", b"odd/simple")}, None),
    ("c unknown body", "permerror", {"change": put("c", b"simple/odd")}, None),
    ("q=dns/txt", "pass", {"q": "dns/txt"}, None),
    ("q list", "pass", {"q": "dns/txt:odd"}, None),
    ("q list, ours last", "pass", {"q": "odd:dns/txt"}, None),
    ("q unknown", "permerror", {"q": "odd"}, None),
    ("i=@d", "pass", {"i": "@example.org"}, None),
    ("i=user@d", "pass", {"i": "alice@example.org"}, None),
    ("i in upper case", "pass", {"i": "alice@EXAMPLE.org"}, None),
    ("i below d", "pass", {"i": "alice@a.b.example.org"}, None),
    ("i outside d", "permerror", {"i": "alice@example.com"}, None),
    ("i longer than d", "permerror", {"i": "alice@notexample.org"}, None),
    ("i above d", "permerror", {"i": "alice@org"}, None),
    ("i without @", "permerror", {"i": "example.org"}, None),
    ("t past", "pass", {"t": PAST}, None),
    ("t future", "policy", {"t": FUTURE}, None),
    ("t no number", "permerror", {"t": "soon"}, None),
    ("t negative", "permerror", {"t": "-5"}, None),
    ("x future", "pass", {"x": FUTURE}, None),
    ("x past", "policy", {"x": PAST}, None),
    ("x=0", "policy", {"x": "0"}, None),
    ("x no number", "permerror", {"x": "never"}, None),
    ("x before t", "permerror", {"t": PAST, "x": "1262303999"}, None),
    ("t and x", "pass", {"t": PAST, "x": FUTURE}, None),
    ("l of all", "pass", {"l": len(BODIES["text"])}, None),
    ("l partial", "pass", {"l": 5}, None),
    ("l=0", "pass", {"l": 0}, None),
    ("l and more behind", "pass", {"l": len(BODIES["text"])}, lambda m: m + b"more\r\n"),
    ("l and a change before", "fail", {"l": 20}, after(rb"Hello", b"Hallo")),
    ("l and a change behind", "pass", {"l": 10}, after(rb"noon", b"four")),
    ("l over the body", "permerror", {"l": 10000}, None),
    ("l no number", "permerror", {"change": put("l", b"all")}, None),
    ("l negative", "permerror", {"change": put("l", b"-1")}, None),
    ("h without from", "permerror", {"h": [b"to", b"subject"]}, None),
    ("h empty", "permerror", {"change": put("h", b"")}, None),
    ("h from alone", "pass", {"h": [b"from"]}, None),
    ("h upper case", "pass", {"h": [b"FROM", b"SUBJECT"]}, None),
    ("h of absent fields", "pass", {"h": [b"from", b"x-none", b"reply-to"]}, None),
    ("h repeated", "pass", {"h": [b"from", b"received", b"received"]}, None),
    ("h repeated once more", "pass", {"h": [b"received", b"from", b"received", b"received", b"from"]}, None),
    ("h with blanks", "pass", {"h": [b"from ", b" to", b" subject "]}, None),
    ("h over-signed, then added", "fail", {"h": [b"from", b"subject", b"subject"]},
     lambda m: b"Subject: new\r\n" + m),
    ("h once, then added on top", "pass", {"h": [b"from", b"subject"]}, lambda m: b"Subject: new\r\n" + m),
    ("h once, then added below", "fail", {"h": [b"from", b"subject"]},
     after(rb"\r\n\r\n", b"\r\nSubject: new\r\n\r\n")),
    ("h signs a received line, one is added", "pass", {"h": [b"from", b"received"]},
     lambda m: b"Received: from z by a; x\r\n" + m),
    ("unknown tag", "pass", {"zz": "1"}, None),
    ("unknown tag with blanks", "pass", {"zz": "a b\r\n\tc"}, None),
    ("z", "pass", {"z": "From:a@b|Subject:=20x"}, None),
    ("r=y", "pass", {"r": "y"}, None),
    ("duplicate tag", "permerror", {"edit": edit(rb"; c=", b"; d=example.org; c=")}, None),
    ("duplicate unknown tag", "permerror", {"edit": edit(rb"; c=", b"; zz=1; zz=1; c=")}, None),
    ("word without =", "permerror", {"edit": edit(rb"; c=", b"; word; c=")}, None),
    ("empty tag between", "permerror", {"edit": edit(rb"; c=", b"; ; c=")}, None),
    ("last ;", "pass", {"edit": lambda v: v + b";"}, None),
    ("last ; with blanks", "pass", {"edit": lambda v: v + b" ; "}, None),
    ("b empty", "permerror", {}, after(rb"b=[^;\r]+\r\n", b"b=\r\n")),
    ("b no base64", "permerror", {}, after(rb"b=[A-Za-z0-9+/=]+\r\n", b"b=***not*base64***\r\n")),
    ("b short", "fail", {}, after(rb" b=[A-Za-z0-9+/=]{64}", b" b=")),
    ("b folded by a relay", "pass", {}, after(rb" b=(.{30})(.{30})", rb" b=\1\r\n \2")),
    ("bh no base64", "permerror", {"change": put("bh", b"***")}, None),
    ("bh short", "permerror", {"change": put("bh", b"AAAA")}, None),
    ("bh empty", "permerror", {"change": put("bh", b"")}, None),
    ("bh wrong", "fail", {"change": put("bh", b"A" * 43 + b"=")}, None),
    ("d upper case", "pass", {"d": b"EXAMPLE.Org"}, None),
    ("d empty", "permerror", {"d": b""}, None),
    ("d without key", "permerror", {"d": b"example.net"}, None),
    ("s upper case", "pass", {"s": "RSA2048"}, None),
    ("s empty", "permerror", {"change": put("s", b"")}, None),
    ("s of two labels", "pass", {"s": "a.b"}, None),
    ("d as A-label", "pass", {"d": b"xn--bcher-kva.example", "s": "idn"}, None),
    ("d as U-label", "pass", {"d": "bücher.example".encode(), "s": "idn"}, None),
    ("v with blanks", "pass", {"v": " 1 "}, None),
    ("v=1.0", "permerror", {"v": "1.0"}, None),
    ("tag name in upper case", "permerror", {"change": lambda tag: tag.update(V=tag.pop("v"))}, None),
    ("both cases of a tag name", "pass", {"edit": lambda v: v + b"; V=2"}, None),
    ("tag name with a digit first", "permerror", {"edit": lambda v: v + b"; 1x=hello"}, None),
    ("tag name empty", "permerror", {"edit": lambda v: v + b"; =hello"}, None),
    ("= in a value", "pass", {"edit": lambda v: v + b"; zz=a=b=c"}, None),
    ("NUL in a value", "permerror", {"edit": lambda v: v + b"; zz=a\0b"}, None),
    ("LF that folds nothing", "permerror", {"edit": lambda v: v + b"; zz=a\n b"}, None),
    ("q folded", "pass", {"q": "\r\n dns/txt "}, None),
    ("q empty", "permerror", {"q": ""}, None),
    ("i quoted-printable", "pass", {"i": "al=69ce=40x@example.org"}, None),
    ("i, digits of =XX cut", "permerror", {"i": "a@example.org=4"}, None),
    ("i, =XX of no number", "permerror", {"i": "a=ZZ@example.org"}, None),
    ("i folded", "pass", {"i": "ali\r\n ce@exam\r\n ple.org"}, None),
    ("i empty", "permerror", {"i": ""}, None),
    ("l of 76 digits", "pass", {"l": 10, "change": put("l", b"0" * 74 + b"10")}, None),
    ("l of 77 digits", "permerror", {"l": 10, "change": put("l", b"0" * 75 + b"10")}, None),
    ("x of 20 digits", "pass", {"x": "9" * 20}, None),
    ("h empty item", "permerror", {"change": put("h", b"from::to")}, None),
    ("h of a name with a blank", "permerror", {"change": put("h", b"fr om")}, None),
    ("h of the field itself", "pass", {"h": [b"from", b"dkim-signature"]}, None),
    ("d with . at the end", "permerror", {"d": b"example.org."}, None),
    ("d folded", "permerror", {"d": b"example.\r\n org"}, None),
    ("d of one label", "permerror", {"d": b"org"}, None),
    ("d of 300 octets", "permerror", {"d": b"a." * 150 + b"org"}, None),
    ("s of 300 octets", "permerror", {"s": "a" * 300}, None),
    ("rsa 512", "policy", {"key": "rsa512"}, None),
    ("rsa 768", "policy", {"key": "rsa768"}, None),
    ("rsa 1024", "pass", {"key": "rsa1024"}, None),
]


def keys(zone):
    """Fills the zone; yields (name, what is due, options of the signature) of each odd record."""
    for name in ("rsa512", "rsa768", "rsa1024", "rsa2048", "rsa4096"):
        zone.add(name, f"v=DKIM1; k=rsa; p={public(name)}")
    zone.add("ed25519", f"v=DKIM1; k=ed25519; p={public('ed25519')}")
    p, ed = public("rsa2048"), public("ed25519")
    zone.add("a.b", f"v=DKIM1; p={p}")
    zone.add("idn", f"v=DKIM1; p={p}", domain="xn--bcher-kva.example")
    below = {"i": "alice@sub.example.org"}
    rows = [
        ("no v", "pass", f"k=rsa; p={p}"),
        ("p alone", "pass", f"p={p}"),
        ("tight", "pass", f"v=DKIM1;k=rsa;p={p}"),
        ("blanks", "pass", f" v = DKIM1 ;\tk =  rsa ; p = {p[:50]} {p[50:99]}\t {p[99:]} ; "),
        ("last ;", "pass", f"v=DKIM1; p={p};"),
        ("unknown tags", "pass", f"v=DKIM1; zz=1; p={p}; x1 = some thing"),
        ("n", "pass", f"v=DKIM1; n=call us, please; p={p}"),
        ("h=sha256", "pass", f"v=DKIM1; h=sha256; p={p}"),
        ("h list", "pass", f"v=DKIM1; h=sha1 : sha256; p={p}"),
        ("h unknown and ours", "pass", f"v=DKIM1; h=md5:sha256; p={p}"),
        ("h=sha1", "permerror", f"v=DKIM1; h=sha1; p={p}"),
        ("h unknown", "permerror", f"v=DKIM1; h=md5; p={p}"),
        ("s=email", "pass", f"v=DKIM1; s=email; p={p}"),
        ("s=*", "pass", f"v=DKIM1; s=*; p={p}"),
        ("s list", "pass", f"v=DKIM1; s=web : email; p={p}"),
        ("s other", "permerror", f"v=DKIM1; s=web; p={p}"),
        ("t=y", "pass", f"v=DKIM1; t=y; p={p}"),
        ("t unknown", "pass", f"v=DKIM1; t=zz; p={p}"),
        ("t=s", "pass", f"v=DKIM1; t=s; p={p}"),
        ("t=s, i below", "permerror", f"v=DKIM1; t=s; p={p}", below),
        ("t=y:s, i below", "permerror", f"v=DKIM1; t=y : s; p={p}", below),
        ("t=y, i below", "pass", f"v=DKIM1; t=y; p={p}", below),
        ("g ours", "pass", f"v=DKIM1; g=alice; p={p}", {"i": "alice@example.org"}),
        ("g other", "pass", f"v=DKIM1; g=bob; p={p}", {"i": "alice@example.org"}),
        ("revoked", "permerror", "v=DKIM1; k=rsa; p="),
        ("revoked, blanks", "permerror", "v=DKIM1; k=rsa; p= ;"),
        ("p missing", "permerror", "v=DKIM1; k=rsa"),
        ("p no base64", "permerror", "v=DKIM1; p=***"),
        ("p cut short", "permerror", f"v=DKIM1; p={p[:200]}"),
        ("p of nothing known", "permerror", "v=DKIM1; p=AAAAAAAAAAAAAAAAAAAA"),
        ("p twice", "permerror", f"v=DKIM1; p={p}; p={p}"),
        ("k unknown", "permerror", f"v=DKIM1; k=dsa; p={p}"),
        ("k of another type", "permerror", f"v=DKIM1; k=ed25519; p={ed}"),
        ("k=ed25519 and an RSA key", "permerror", f"v=DKIM1; k=ed25519; p={p}"),
        ("v=DKIM2", "permerror", f"v=DKIM2; p={p}"),
        ("v in lower case", "permerror", f"v=dkim1; p={p}"),
        ("v not first", "permerror", f"k=rsa; v=DKIM1; p={p}"),
        ("empty", "permerror", ""),
        ("no tag list", "permerror", "some text"),
        ("another record", "permerror", "v=spf1 -all"),
        ("PKCS#1", "pass", f"v=DKIM1; p={pkcs1('rsa2048')}"),
        ("strings cut inside tags", "pass", [["v=DK", "IM1; ", "k=r", "sa; p", "=" + p[:9], "", p[9:200], p[200:]]]),
        ("strings of one octet", "pass", [list(f"v=DKIM1; p={p}")]),
        ("h empty", "permerror", f"v=DKIM1; h=; p={p}"),
        ("s empty", "permerror", f"v=DKIM1; s=; p={p}"),
        ("t empty", "pass", f"v=DKIM1; t=; p={p}"),
        ("k in upper case", "permerror", f"v=DKIM1; k=RSA; p={p}"),
        ("quotes in it", "permerror", f'"v=DKIM1; p={p}"'),
        ("; first", "permerror", f"; v=DKIM1; p={p}"),
        ("p without its =", "pass", f"v=DKIM1; p={p.rstrip('=')}"),
        ("8.5 KB", "pass", f"v=DKIM1; n={'x' * 8500}; p={p}"),
        ("three records, one with a key", "pass", ["v=DKIM1; p=", f"v=DKIM1; p={p}", "v=DKIM1; k=rsa"]),
        ("two records", "pass", ["v=spf1 -all", f"v=DKIM1; p={p}"]),
        ("ed25519", "pass", f"v=DKIM1; k=ed25519; p={ed}", {"key": "ed25519"}),
        ("ed25519 without k", "permerror", f"v=DKIM1; p={ed}", {"key": "ed25519"}),
        ("ed25519 cut short", "permerror", f"v=DKIM1; k=ed25519; p={ed[:40]}", {"key": "ed25519"}),
        ("ed25519, RSA record", "permerror", f"v=DKIM1; p={p}", {"key": "ed25519"}),
        ("ed25519, h=sha1", "permerror", f"v=DKIM1; k=ed25519; h=sha1; p={ed}", {"key": "ed25519"}),
    ]
    for i, (name, want, record, *options) in enumerate(rows):
        selector = f"k{i}"
        zone.add(selector, *(record if isinstance(record, list) else [record]))
        yield name, want, {"key": "rsa2048", **(options[0] if options else {}), "s": selector}
    yield "none", "permerror", {"s": "nowhere"}
    zone.lines += ["nodata._domainkey.example.org. IN A 192.0.2.1",
                   "alias._domainkey.example.org. IN CNAME rsa2048._domainkey.example.org.",
                   "dangling._domainkey.example.org. IN CNAME nowhere.example.org."]
    zone.add("*.wild", f"v=DKIM1; p={p}")
    yield "no TXT", "permerror", {"s": "nodata"}
    yield "alias", "pass", {"s": "alias"}
    yield "alias of nothing", "permerror", {"s": "dangling"}
    yield "wildcard", "pass", {"s": "any.wild"}
    for code, want in (("TIMEOUT", "temperror"), ("SERVFAIL", "temperror"), ("NXDOMAIN", "permerror"),
                       ("NODATA", "permerror")):
        zone.errors.append((f"{code.lower()}._domainkey.example.org", code))
        yield f"error {code}", want, {"s": code.lower()}


def tag_cases():
    for name, want, options, change in TAGS:
        for c in ("relaxed/relaxed", "simple/simple"):
            if "c" in name.split() and c == "simple/simple":
                continue
            case, _ = signed_case("tag: " + name, c, want, key=options.get("key", "rsa2048"), c=c,
                                  s=options.get("s", options.get("key", "rsa2048")),
                                  **{k: v for k, v in options.items() if k not in ("key", "s")})
            if change:
                case.message = change(case.message)
            yield case


def key_cases(zone):
    for name, want, options in keys(zone):
        yield signed_case("key: " + name, "", want, **options)[0]


def several_cases():
    headers, body = BASE, BODIES["text"]
    good = Signed(headers, body, key="rsa2048")
    also = Signed(headers, body, key="rsa1024", c="simple/simple")
    ed = Signed(headers, body, key="ed25519", c="simple/relaxed")
    broken = Signed(headers, b"other", key="rsa4096")
    late = Signed(headers, body, key="rsa2048", s="a.b", x=PAST)
    none = Signed(headers, body, s="nowhere")
    bits = Signed(headers, body, key="rsa768")
    row = [("good and good", [good, also], ["pass", "pass"]),
           ("good and broken", [good, broken], ["pass", "fail"]),
           ("broken and good", [broken, good], ["fail", "pass"]),
           ("three", [ed, good, also], ["pass", "pass", "pass"]),
           ("five", [none, late, broken, bits, also], ["permerror", "policy", "fail", "policy", "pass"]),
           ("the same twice", [good, good], ["pass", "pass"])]
    for name, signatures, want in row:
        yield Case("several: " + name, "", join([s.field for s in signatures] + headers, body), want)
    # B-4, C-55: the uppermost five
    yield Case("several: six", "", join([s.field for s in [good] * 4 + [broken, also]] + headers, body), ["pass"] * 4 + ["fail"])
    # a signature over another one (section 5.4.2 counts from the bottom)
    with_good = [good.field] + headers
    over = Signed(with_good, body, key="rsa1024", h=[b"from", b"dkim-signature"])
    yield Case("several: one over the other", "", join([over.field] + with_good, body), ["pass", "pass"])
    touched = (good.field[0], good.field[1].replace(b"; h=", b";  h=", 1))
    yield Case("several: the inner one touched", "", join([over.field, touched] + headers, body), ["pass", "pass"])
    added = (good.field[0], good.field[1] + b";")
    yield Case("several: the inner one changed", "", join([over.field, added] + headers, body), ["fail", "fail"])
    # the place of the field among the others does not matter
    for at in (3, len(headers)):
        fields = headers[:at] + [good.field] + headers[at:]
        yield Case("several: field further down", str(at), join(fields, body), ["pass"])


def odd_cases():
    """Octets that RFC 5322 does not allow and messages without any signature."""
    for name, body in (("LF in the body", b"one\ntwo\r\nthree\r\n"), ("CR in the body", b"one\rtwo\r\n"),
                       ("NUL in the body", b"one\0two\r\n"), ("LF at the end", b"one\r\ntwo\n"),
                       ("LFs at the end", b"one\r\n\n\n"), ("CR CR LF", b"one\r\r\ntwo\r\n"),
                       ("blank and LF", b"one \ntwo\r\n"), ("LF alone", b"\n")):
        for c in ("relaxed/relaxed", "simple/simple"):
            signature = Signed(BASE, body, c=c)
            yield Case("octets: " + name, c, join([signature.field] + BASE, body), ["pass"])
    yield Case("unsigned", "", join(BASE, BODIES["text"]), ["none"])
    yield Case("unsigned", "DomainKeys", join([(b"DomainKey-Signature", b" a=rsa-sha1; d=example.org; s=x; b=AA==")]
                                             + BASE, BODIES["text"]), ["none"])
    for c in ("relaxed/relaxed", "simple/simple"):
        signature = Signed(BASE, BODIES["text"], c=c)
        no_from = [h for h in BASE if h[0] != b"From"]
        empty = Signed(BASE, b"", c=c)
        yield Case("octets: no empty line", c, join([empty.field] + BASE, b"")[:-2], ["pass"])
        yield Case("octets: no line end at all", c, join([empty.field] + BASE, b"")[:-4], ["pass"])
        large = BASE + [(b"X-Large", b" " + b"word\r\n\t" * 14000 + b"x")]
        signature = Signed(large, BODIES["text"], c=c, h=[b"from", b"x-large"])
        yield Case("octets: field of 100 KB", c, join([signature.field] + large, BODIES["text"]), ["pass"])
        signature = Signed(BASE, BODIES["text"], c=c)
        yield Case("octets: no From", c, join([signature.field] + no_from, BODIES["text"]), ["fail"])


assert DOMAIN == b"example.org"
