"""Sealed messages for arc_oracles.py: chains of every length, each field with its tags right, odd and wrong, every
breakage of a set and of what it covers, and the result that RFC 8617 gives each.
"""
import functools

import dkim
from cryptography.hazmat.primitives import serialization

from dkim_messages import (BASE, BODIES, BREAKAGES, CANONS, KEY, SHAPES, Case, Signed, canon_header, cut_b, join, put_b,
                           rng, sign, split, write)
from dkim_tags import FUTURE, PAST, TAGS, drop, edit, keys, put

AAR, AMS, AS = b"ARC-Authentication-Results", b"ARC-Message-Signature", b"ARC-Seal"
RESULTS = b" i=%d; mx.example.org; spf=pass smtp.mailfrom=alice@example.org;\r\n\tdmarc=pass header.from=example.org"
KINDS = (AAR, AMS, AS)


def seal(fields, instance, cv=None, key="rsa1024", s=None, a=None, style="plain", change=None, edit=None, **tags):
    """The ARC-Seal over those fields, in their order (section 5.1.1)."""
    algorithm = a or ("ed25519-sha256" if key.startswith("ed") else "rsa-sha256")
    tag = {"i": b"%d" % instance, "a": algorithm.encode(), "t": PAST.encode(),
           "cv": cv or (b"pass" if instance > 1 else b"none"),
           "d": b"example.org", "s": (s or key).encode(), "b": b""}
    tag.update((k, v.encode() if isinstance(v, str) else v) for k, v in tags.items())
    if change:
        change(tag)
    value = write({k: v for k, v in tag.items() if v is not None}, style)
    if edit:
        value = edit(value)
    data = b"".join(canon_header(n, v, "relaxed") for n, v in fields)
    data += canon_header(AS, cut_b(value), "relaxed")[:-2]
    return AS, put_b(value, sign(data, key, algorithm), style)


def message_signature(headers, body, instance, change=None, **options):
    """It begins with i=, which dkimpy looks for as " i=N;"."""
    def ordered(tag):
        tag.pop("v")
        number = tag.pop("i")
        rest = dict(tag)
        tag.clear()
        if number is not None:
            tag["i"] = number
        tag.update(rest)
        if change:
            change(tag)
    options = {"key": "rsa1024", "t": PAST, "i": b"%d" % instance, **options}
    return Signed(headers, body, called=AMS, change=ordered, **options)


class Chain:
    """Sets on a message, which may change between them."""

    def __init__(self, headers=None, body=None):
        self.headers, self.body = list(BASE if headers is None else headers), BODIES["text"] if body is None else body
        self.sets, self.newest = [], None

    def add(self, results=RESULTS, ams=None, ar_seal=None):
        i = len(self.sets) + 1
        self.newest = message_signature(self.headers, self.body, i, **(ams or {}))
        new = [(AAR, results % i if b"%d" in results else results), self.newest.field]
        below = [f for one in self.sets for f in one]
        self.sets.append(new + [seal(below + new, i, **(ar_seal or {}))])
        return self

    def message(self):
        fields = [f for one in reversed(self.sets) for f in reversed(one)]
        return join(fields + self.headers, self.body)


def chain_of(n, **options):
    chain = Chain()
    for _ in range(n):
        chain.add(**options)
    return chain


def pem(name):
    return KEY[name].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                   serialization.NoEncryption())


# --- chains that are as they should be ---

def dkimpy_cases():
    """1 to 50 sets by dkimpy itself, and the 51st by us."""
    message = join(BASE, BODIES["text"])
    for n in range(1, 51):
        results = (b"Authentication-Results: mx.example.org; dmarc=pass header.from=example.org; arc="
                   + (b"pass" if n > 1 else b"none") + b"\r\n")
        fields = dkim.arc_sign(results + message, b"rsa1024", b"example.org", pem("rsa1024"), b"mx.example.org",
                               include_headers=[b"from", b"to", b"subject"], timestamp=int(PAST) + n)
        message = b"".join(fields) + message
        yield Case("dkimpy", f"{n} sets", message, "pass")
        if n % 5 == 0:
            yield Case("dkimpy, body changed", f"{n} sets", message + b"more\r\n", "fail")
    yield Case("51 sets", "", chain_of(51).message(), "fail")


def whole_cases():
    styles = ("plain", "folded", "spaced", "tight")
    for n, body in enumerate(BODIES):
        for k, c in enumerate(CANONS[:6]):
            shape = list(SHAPES)[(n * 5 + k * 3) % len(SHAPES)]
            chain = Chain(SHAPES[shape], BODIES[body])
            style = styles[(n + k) % 4]
            for _ in range((n + k) % 3 + 1):
                chain.add(ams={"c": c, "style": style}, ar_seal={"style": style})
            yield Case("whole: " + style, f"{shape}, {body}, {c}, {len(chain.sets)} sets", chain.message(), "pass")
    for c in CANONS:
        chain = chain_of(2, ams={"c": c, "key": "rsa2048"}, ar_seal={"key": "rsa4096"})
        yield Case("whole: " + ("c" if c else "no c"), f"{c}", chain.message(), "pass" if c else "fail")
    chain = chain_of(2, ams={"change": drop("c")})
    yield Case("whole: relaxed without c", "", chain.message(), "pass")
    for key in ("rsa1024", "rsa2048", "ed25519"):
        for other in ("rsa1024", "rsa4096", "ed25519"):
            chain = chain_of(3, ams={"key": key}, ar_seal={"key": other})
            kind = "ed25519" if "ed25519" in (key, other) else "rsa"
            yield Case("whole: " + kind, f"{key} {other}", chain.message(), "pass")
    for key in ("rsa512", "rsa768"):
        yield Case("short key", f"message {key}", chain_of(1, ams={"key": key}).message(), "fail")
        yield Case("short key", f"seal {key}", chain_of(1, ar_seal={"key": key}).message(), "fail")
    for n in range(1, 6):  # fields of sets in any order, other fields between
        fields = [f for one in chain_of(n).sets for f in one]
        for turn in range(4):
            rng.shuffle(fields)
            headers = list(BASE)
            for f in fields:
                headers.insert(rng.randrange(len(headers) + 1), f)
            yield Case("order", f"{n} sets, {turn}", join(headers, BODIES["text"]), "pass")
    signed = Signed(BASE, BODIES["text"])
    chain = Chain([signed.field] + BASE)
    chain.add(ams={"h": [b"from", b"dkim-signature"]})
    yield Case("with DKIM", "", chain.message(), "pass")
    yield Case("unsealed", "", join(BASE, BODIES["text"]), "none")
    yield Case("unsealed", "DKIM", join([signed.field] + BASE, BODIES["text"]), "none")
    yield Case("unsealed", "no header", b"\r\nbody\r\n", "none")


# --- messages that change ---

def changed_cases():
    """Behind the newest set, or between two of them, where only the older message signature notices."""
    for name, change in BREAKAGES.items():
        for k, c in enumerate(CANONS[:4]):
            shape, body = ("plain", "text") if k % 2 else (rng.choice(list(SHAPES)), rng.choice(list(BODIES)))
            over = [b"from", b"from", b"subject", b"subject", b"to", b"date"] if k == 2 else None
            chain = Chain(SHAPES[shape], BODIES[body])
            chain.add(ams={"c": c, "h": over})
            if name not in ("header names", "header order", "header signature name"):
                message = change(chain.message())
                yield Case("changed: " + name, f"{shape}, {body}, {c}", message, chain.newest.verdict(message))
            chain.headers, chain.body = split(change(join(chain.headers, chain.body)))
            chain.add(ams={"c": c, "h": over})
            yield Case("changed before the last: " + name, f"{shape}, {body}, {c}", chain.message(), "pass")


# --- sets ---

def structure_cases():
    for n in (1, 2, 3):
        for at in range(n):
            for kind in range(3):
                name = KINDS[kind].decode()
                chain = chain_of(n)
                field = chain.sets[at].pop(kind)
                yield Case("set: without " + name, f"{at + 1} of {n}", chain.message(), "fail")
                chain.sets[at].insert(kind, field)
                chain.sets[at].insert(kind, field)
                yield Case("set: twice " + name, f"{at + 1} of {n}", chain.message(), "fail")
                other = (field[0], field[1] + b" ")
                chain.sets[at][kind] = other
                yield Case("set: two of " + name, f"{at + 1} of {n}", chain.message(), "fail")
            chain = chain_of(n)
            chain.sets.pop(at)
            want = "none" if n == 1 else "pass" if at == n - 1 else "fail"
            yield Case("set: gone", f"{at + 1} of {n}", chain.message(), want)
    for kind in KINDS:
        message = join([(kind, b" i=1; x=y")] + BASE, BODIES["text"])
        yield Case("set: alone " + kind.decode(), "", message, "fail")


INSTANCES = [("0", "fail"), ("51", "fail"), ("3", "fail"), ("", "fail"), ("x", "fail"), ("-2", "fail"), ("2.0", "fail"),
             ("02", "pass"), ("002", "fail"), ("1", "fail"), ("2 ", "pass"), ("1000000000000", "fail")]


def instance_cases():
    """The newest of two sets says something else, in one field or in all."""
    for number, want in INSTANCES:
        value = number.encode()
        for which in ("all", *KINDS):
            chain = chain_of(1)
            named = {"i": value}
            chain.add(results=RESULTS.replace(b"%d", value) if which in ("all", AAR) else RESULTS,
                      ams=named if which in ("all", AMS) else None,
                      ar_seal={"change": put("i", value)} if which in ("all", AS) else None)
            kind = which if which == "all" else which.decode()
            yield Case(f"instance: {number.strip() or 'empty'}", f"{number!r} in {kind}", chain.message(), want)
    for which in (AMS, AS):
        chain = chain_of(1)
        chain.add(ams={"i": None} if which == AMS else None,
                  ar_seal={"change": drop("i")} if which == AS else None)
        yield Case("instance: none", which.decode(), chain.message(), "fail")
    results = {"none": b" mx.example.org; dmarc=pass", "behind": b" mx.example.org; i=2; dmarc=pass",
               "no semicolon": b" i=2", "comment": b" (first) i (x) = 2 (y) ; mx.example.org; dmarc=pass",
               "upper case": b" I=2; mx.example.org; dmarc=pass", "word": b" i=two; mx.example.org; dmarc=pass",
               "nothing more": b" i=2;", "folded": b"\r\n\ti=2;\r\n mx.example.org; none", "empty": b""}
    for name, value in results.items():
        chain = chain_of(1).add(results=value)
        want = "pass" if name in ("comment", "nothing more", "folded") else "fail"
        yield Case("results: " + name, "", chain.message(), want)


STATUS = [("none", "pass", "pass"), ("none", "fail", "fail"), ("none", "none", "fail"), ("pass", "pass", "fail"),
          ("fail", "pass", "fail"), ("fail", "fail", "fail"), ("none", "Pass", "fail"), ("none", "PASS", "fail"),
          ("None", "pass", "fail"), ("none", "", "fail"), ("", "pass", "fail"), ("none", "odd", "fail"),
          ("none", "pass fail", "fail"), ("neutral", "pass", "fail")]


def status_cases():
    for first, second, want in STATUS:
        chain = Chain().add(ar_seal={"cv": None, "change": put("cv", first.encode())})
        alone = "pass" if first == "none" else "fail"
        yield Case(f"cv: first {first or 'empty'}", f"{first!r}", chain.message(), alone)
        chain.add(ar_seal={"change": put("cv", second.encode())})
        yield Case(f"cv: {first or 'empty'}, {second or 'empty'}", "", chain.message(), want)
        chain.add()
        yield Case(f"cv: {first or 'empty'}, {second or 'empty'}, and more", "", chain.message(), want)
    chain = chain_of(1)
    yield Case("cv: none at all", "", chain.add(ar_seal={"change": drop("cv")}).message(), "fail")
    # section 5.1.2: the seal of a failed chain covers its own set alone
    chain = chain_of(2)
    new = chain_of(3).sets[2][:2]
    chain.sets.append(new + [seal(new, 3, cv=b"fail")])
    yield Case("cv: fail sealed alone", "", chain.message(), "fail")
    chain.add()
    yield Case("cv: fail sealed alone, and more", "", chain.message(), "fail")


# --- tags ---

# of DKIM and not of ARC: v= is no tag, i= is another, h= may leave From out
ARC_WANT = {"missing v": "pass", "v=2": "pass", "v empty": "pass", "v=0.5": "pass", "v=1.0": "pass",
            "h without from": "pass", "h empty": "pass", "h empty item": "pass"}


# what the signer takes it to say, too
H_ROWS = {"h empty": [], "h empty item": [b"from", b"", b"to"]}


def skipped(name, options):
    """Rows of i= and b=, and those that add a field where the seals stand."""
    return ("i" in options or name.startswith(("i ", "i,", "i=", "b ", "h over", "h once", "h signs"))
            or name in ("missing b", "tag name in upper case", "v with blanks"))


def tag_want(name, want):
    return ARC_WANT.get(name, "pass" if want == "pass" else "fail")


def message_tag_cases():
    for name, want, options, change in TAGS:
        if skipped(name, options):
            continue
        options = dict(options)
        if "s" in options:
            options.setdefault("key", "rsa2048")
        if name in H_ROWS:
            options = {"h": H_ROWS[name]}
        if name.startswith("v"):
            options["change"] = put("v", options.pop("v").encode())
        elif name == "missing v":
            options.pop("change")
        for c in ("relaxed/relaxed", "simple/simple"):
            if "c" in name.split() and c == "simple/simple":
                continue
            chain = chain_of(1)
            options.setdefault("c", c)
            chain.add(ams=options)
            message = chain.message()
            yield Case("message tag: " + name, c, change(message) if change else message, tag_want(name, want))
            if change or c != "relaxed/relaxed":
                continue
            chain = Chain().add(ams=options).add()
            yield Case("older message tag: " + name, c, chain.message(), "fail" if no_list(name) else "pass")


def no_list(name):
    """No tag-list, so that its instance is not known either."""
    return name in ("duplicate tag", "duplicate unknown tag", "word without =", "empty tag between", "NUL in a value",
                    "LF that folds nothing", "tag name with a digit first", "tag name empty")


SEAL_TAGS = [
    *[(f"missing {t}", "fail", {"change": drop(t)}) for t in ("a", "d", "s", "b", "cv")],
    ("a unknown", "fail", {"change": put("a", b"rsa-md5")}),
    ("a empty", "fail", {"change": put("a", b"")}),
    ("a=rsa-sha1", "fail", {"a": "rsa-sha1"}),
    ("a in upper case", "fail", {"change": put("a", b"RSA-SHA256")}),
    ("a of another key", "fail", {"change": put("a", b"ed25519-sha256")}),
    ("h", "fail", {"h": "from"}),
    ("h empty", "fail", {"h": ""}),
    ("bh", "fail", {"bh": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}),
    ("c=relaxed/relaxed", "pass", {"c": "relaxed/relaxed"}),
    ("c=simple/simple", "pass", {"c": "simple/simple"}),
    ("v=1", "pass", {"v": "1"}),
    ("v=2", "pass", {"v": "2"}),
    ("l", "pass", {"l": "0"}),
    ("x past", "pass", {"x": PAST}),
    ("t empty", "fail", {"t": ""}),
    ("t no number", "fail", {"t": "soon"}),
    ("t missing", "pass", {"change": drop("t")}),
    ("t future", "fail", {"t": FUTURE}),
    ("d empty", "fail", {"d": ""}),
    ("d upper case", "pass", {"d": "EXAMPLE.Org"}),
    ("d of one label", "fail", {"d": "org"}),
    ("d with . at the end", "fail", {"d": "example.org."}),
    ("d without key", "fail", {"d": "example.net"}),
    ("d as U-label", "pass", {"d": "bücher.example", "s": "idn", "key": "rsa2048"}),
    ("d as A-label", "pass", {"d": "xn--bcher-kva.example", "s": "idn", "key": "rsa2048"}),
    ("s empty", "fail", {"change": put("s", b"")}),
    ("s of two labels", "pass", {"s": "a.b", "key": "rsa2048"}),
    ("unknown tag", "pass", {"zz": "1"}),
    ("duplicate tag", "fail", {"edit": edit(rb"; cv=", b"; d=example.org; cv=")}),
    ("word without =", "fail", {"edit": edit(rb"; cv=", b"; word; cv=")}),
    ("empty tag between", "fail", {"edit": edit(rb"; cv=", b"; ; cv=")}),
    ("tag name empty", "fail", {"edit": lambda v: v + b"; =hello"}),
    ("last ;", "pass", {"edit": lambda v: v + b";"}),
    ("last ; with blanks", "pass", {"edit": lambda v: v + b" ; "}),
    ("wrong key", "fail", {"key": "other", "s": "rsa2048"}),
]


def seal_tag_cases():
    for name, want, options in SEAL_TAGS:
        for n in (1, 2, 3):
            for at in range(n):
                chain = Chain()
                for i in range(n):
                    chain.add(ar_seal=options if i == at else None)
                yield Case("seal tag: " + name, f"{at + 1} of {n}", chain.message(), want)


def value_cases():
    """b= and bh=, and every other octet of a set, changed behind the sealer."""
    for n in (1, 3):
        for at in range(n):
            for kind in range(3):
                for what, change in (("letter", lambda v: v.replace(b"e", b"E", 1)),
                                     ("more", lambda v: v + b"; y=x"),
                                     ("blank at the end", lambda v: v + b"  "),
                                     ("blanks doubled", lambda v: v.replace(b" ", b"  ", 1)),
                                     ("blank gone", lambda v: v.replace(b"; ", b";", 1)),
                                     ("folded", lambda v: v.replace(b"; ", b";\r\n\t", 1))):
                    chain = chain_of(n)
                    name, value = chain.sets[at][kind]
                    chain.sets[at][kind] = (name, change(value))
                    relaxed = what in ("blank at the end", "blanks doubled", "folded")
                    yield Case(f"field: {what} {name.decode()}", f"{at + 1} of {n}", chain.message(),
                               "pass" if relaxed else "fail")
    for kind in (1, 2):
        for what, change in (("empty", lambda b: b""), ("no base64", lambda b: b"*not*"), ("short", lambda b: b[64:]),
                             ("folded", lambda b: b[:40] + b"\r\n\t" + b[40:]),
                             ("blanks", lambda b: b[:40] + b" " + b[40:]), ("another", lambda b: b[40:] + b[:40])):
            chain = chain_of(2)
            name, value = chain.sets[1][kind]
            front, b = value.rsplit(b" b=", 1)
            chain.sets[1][kind] = (name, front + b" b=" + change(b))
            # the seal covers b= of the message signature: white space in it is more than relaxed allows
            good = kind == 2 and what in ("folded", "blanks")
            yield Case(f"value: b {what} of {name.decode()}", "", chain.message(), "pass" if good else "fail")


def key_cases(zone):
    for name, want, options in keys(zone):
        if "i" in options:
            continue
        options.setdefault("key", "rsa2048")
        word = {"pass": "pass", "temperror": "temperror"}.get(want, "fail")
        yield Case("key: message " + name, "", chain_of(1).add(ams=options).message(), word)
        yield Case("key: seal " + name, "", chain_of(1).add(ar_seal=options).message(), word)
        older = chain_of(1, ams=options).add().message()
        yield Case("key: older message " + name, "", older, "pass")


def all_cases(zone):
    parts = (dkimpy_cases, whole_cases, changed_cases, structure_cases, instance_cases, status_cases, message_tag_cases,
             seal_tag_cases, value_cases, functools.partial(key_cases, zone))
    return [case for part in parts for case in part()]
