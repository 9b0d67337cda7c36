"""Signed messages for dkim_oracles.py: every shape, tag, key record and breakage, and what is due to each.

What is due to a message that was changed after signing is found by a third verifier, the small one in this
file: it compares what was signed with what is there now (RFC 6376 sections 3.4 and 3.7).
"""
import base64
import hashlib
import random
import re

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

DOMAIN = b"example.org"
rng = random.Random(6376)

# --- keys and the zone ---

KEY = {name: rsa.generate_private_key(65537, bits) for name, bits in
       (("rsa512", 512), ("rsa768", 768), ("rsa1024", 1024), ("rsa2048", 2048), ("other", 2048), ("rsa4096", 4096))}
KEY["ed25519"] = ed25519.Ed25519PrivateKey.generate()
KEY["ed-other"] = ed25519.Ed25519PrivateKey.generate()


def public(name):
    """The octets of p=, in base64."""
    key = KEY[name].public_key()
    if name.startswith("ed"):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    else:
        raw = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(raw).decode()


def pkcs1(name):
    raw = KEY[name].public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return base64.b64encode(raw).decode()


class Zone:
    """name -> list of TXT records, each a list of strings; lines has what is no TXT."""

    def __init__(self):
        self.txt, self.lines, self.errors = {}, [], []

    def add(self, selector, *records, domain="example.org"):
        self.txt[f"{selector}._domainkey.{domain}"] = [r if isinstance(r, list) else cut(r) for r in records]

    def text(self):
        out = ["$TTL 60", ". IN SOA ns. host. 1 3600 600 86400 60", ". IN NS ns.", "ns. IN A 127.0.0.1"]
        for name, records in self.txt.items():
            for strings in records:
                out.append(f"{name}. IN TXT " + " ".join(quote(s) for s in strings))
        return "\n".join(out + self.lines + [f";ERROR,{n},TXT,{code}" for n, code in self.errors]) + "\n"


def cut(text):
    return [text[i:i + 255] for i in range(0, len(text), 255)] or [""]


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- RFC 6376 section 3.4 ---

def canon_header(name, value, how):
    if how == "simple":
        return name + b":" + value + b"\r\n"
    value = re.sub(rb"[ \t]+", b" ", re.sub(rb"\r\n(?=[ \t])", b"", value)).strip(b" \t")
    return name.lower().strip(b" \t") + b":" + value + b"\r\n"


def canon_body(body, how):
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    if how == "relaxed":
        body = re.sub(rb"[ \t]+", b" ", body)
        body = re.sub(rb" (?=\r\n)", b"", body)
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    if body == b"\r\n" and how == "relaxed":
        return b""
    return body or (b"\r\n" if how == "simple" else b"")


def choose(headers, names):
    """Fields of h=, each time the next one from the bottom (5.4.2)."""
    left = list(headers)
    for name in names:
        for i in range(len(left) - 1, -1, -1):
            if left[i][0].strip(b" \t").lower() == name.strip().lower():
                yield left.pop(i)
                break


def split(message):
    """[(name, value)], body"""
    head, found, body = message.partition(b"\r\n\r\n")
    if message.startswith(b"\r\n"):
        head, body = b"", message[2:]
    elif not found:
        head = head[:-2] if head.endswith(b"\r\n") else head
    fields = re.split(rb"\r\n(?![ \t])", head)
    return [tuple(f.split(b":", 1)) for f in fields if b":" in f], body


def join(headers, body):
    return b"".join(n + b":" + v + b"\r\n" for n, v in headers) + b"\r\n" + body


def sign(data, key, algorithm):
    """The value of b=."""
    if key.startswith("ed"):
        raw = KEY[key].sign(hashlib.sha256(data).digest())
    else:
        raw = KEY[key].sign(data, padding.PKCS1v15(), hashes.SHA1() if algorithm.endswith("sha1") else hashes.SHA256())
    return base64.b64encode(raw)


def write(tag, style):
    if style == "tight":
        return b";".join(k.encode() + b"=" + v for k, v in tag.items())
    if style == "folded":
        return b" " + b";\r\n\t".join(k.encode() + b"=" + fold(k, v) for k, v in tag.items())
    if style.startswith("spaced"):
        return (b"\r\n " + b" ;  ".join(k.encode() + b" = " + v for k, v in tag.items())
                + (b" ; " if style == "spaced behind b" else b";"))
    return b" " + b"; ".join(k.encode() + b"=" + v for k, v in tag.items())


class Signed:
    """One signature and what it was made over; of ARC when it has another name."""

    def __init__(self, headers, body, key="rsa2048", s=None, d=DOMAIN, c="relaxed/relaxed", h=None, a=None,
                 style="plain", change=None, l=None, edit=None, called=b"DKIM-Signature", **tags):
        self.names = h if h is not None else [b"from", b"to", b"subject", b"date"]
        how = (c or "simple/simple").split("/") + ["simple"]
        self.how = how[0], how[1]
        self.length = l
        algorithm = a or ("ed25519-sha256" if key.startswith("ed") else "rsa-sha256")
        digest = hashlib.sha1 if algorithm.endswith("sha1") else hashlib.sha256
        octets = canon_body(body, self.how[1])
        self.octets = octets if l is None else octets[:l]
        tag = {"v": b"1", "a": algorithm.encode(), "c": c.encode() if c else None, "d": d,
               "s": (s or key).encode(), "t": None, "x": None, "i": None, "q": None,
               "l": str(l).encode() if l is not None else None,
               "h": b":".join(self.names), "bh": base64.b64encode(digest(self.octets).digest()), "b": b""}
        for k, v in tags.items():
            tag[k] = v.encode() if isinstance(v, str) else v
        if change:
            change(tag)
        value = write({k: v for k, v in tag.items() if v is not None}, style)
        if edit:
            value = edit(value)
        self.data = self.header_data(headers) + canon_header(called, cut_b(value), self.how[0])[:-2]
        value = put_b(value, sign(self.data, key, algorithm), style) if b"b" in tag_names(value) else value
        self.field = (called, value)

    def header_data(self, headers):
        return b"".join(canon_header(n, v, self.how[0]) for n, v in choose(headers, self.names))

    def verdict(self, message):
        """pass or fail, for a message that was changed."""
        headers, body = split(message)
        octets = canon_body(body, self.how[1])
        if self.length is not None:
            if self.length > len(octets):
                return "permerror"
            octets = octets[:self.length]
        if octets != self.octets:
            return "fail"
        others = [h for h in headers if h[1] != self.field[1]]
        if len(others) == len(headers):
            return "fail"
        name = next(h[0] for h in headers if h[1] == self.field[1])
        data = self.header_data(others) + canon_header(name, cut_b(self.field[1]), self.how[0])[:-2]
        return "pass" if data == self.data else "fail"


def tag_names(value):
    return [t.split(b"=", 1)[0].strip() for t in value.split(b";")]


def cut_b(value):
    """Without the value of b= and the blanks around it (3.5)."""
    return re.sub(rb"((?:^|;)\s*b\s*=)[^;]*", rb"\1", value)


def put_b(value, b, style):
    if style == "folded":
        b = b"\r\n\t ".join(b[i:i + 60] for i in range(0, len(b), 60))
    return re.sub(rb"((?:^|;)\s*b\s*=[ \t]*)", lambda m: m.group(1) + b, value, count=1)


def fold(k, v):
    if k == "h":
        return v.replace(b":", b":\r\n\t ")
    if k == "bh":
        return v[:20] + b"\r\n\t  " + v[20:]
    return v


# --- messages ---

BASE = [(b"Received", b" from a by b; Sat, 21 Nov 2026 10:00:00 +0000"),
        (b"Received", b" from c by a; Sat, 21 Nov 2026 09:59:59 +0000"),
        (b"From", b" Alice <alice@example.org>"), (b"To", b" bob@example.net"),
        (b"Subject", b" lunch"), (b"Date", b" Sat, 21 Nov 2026 10:00:00 +0000"),
        (b"Message-ID", b" <1@example.org>")]

SHAPES = {
    "plain": BASE,
    "folded": [(n, v if n != b"Subject" else b" a\r\n long\r\n\tsubject  that\r\n   goes on") for n, v in BASE],
    "folded first": [(n, v if n != b"Subject" else b"\r\n behind the colon") for n, v in BASE],
    "blanks": [(n, v if n != b"Subject" else b"   many \t  blanks\t ") for n, v in BASE],
    "no blank": [(n, v.lstrip()) for n, v in BASE],
    "empty value": [(n, v if n != b"Subject" else b"") for n, v in BASE],
    "blank value": [(n, v if n != b"Subject" else b"  ") for n, v in BASE],
    "no subject": [h for h in BASE if h[0] != b"Subject"],
    "upper case": [(n.upper(), v) for n, v in BASE],
    "repeated": BASE + [(b"Subject", b" second"), (b"Subject", b" third")],
    "utf-8": [(n, v if n != b"Subject" else " Grüße aus Köln".encode()) for n, v in BASE],
    "8 bit": [(n, v if n != b"Subject" else b" \xe4\xf6\xfc\xff") for n, v in BASE],
    "long": [(n, v if n != b"Subject" else b" " + b"x" * 900) for n, v in BASE],
    "many": BASE + [(b"X-%d" % i, b" value %d" % i) for i in range(60)],
    "colons": [(n, v if n != b"Subject" else b" a: b:c ; d=e; b=f") for n, v in BASE],
}

BODIES = {
    "text": b"Hello Bob,\r\n\r\nlunch at noon?\r\n\r\nAlice\r\n",
    "empty": b"",
    "one line end": b"\r\n",
    "line ends": b"\r\n\r\n\r\n",
    "blanks only": b"  \t \r\n \r\n",
    "no last line end": b"Hello\r\nBob",
    "trailing lines": b"Hello\r\n\r\n\r\n\r\n",
    "trailing blanks": b"Hello  \r\nBob \t\r\n",
    "inner blanks": b"a  b\t\tc \t d\r\n  lead\r\n",
    "dots": b".\r\n..\r\n.a\r\n",
    "8 bit": bytes(range(128, 256)) + b"\r\n",
    "long line": b"y" * 5000 + b"\r\nz\r\n",
    "large": b"".join(b"line %06d of a larger body\r\n" % i for i in range(5000)),
    "blank lines between": b"a\r\n\r\n\r\nb\r\n \r\n\r\n",
    "blanks at the end": b"a\r\nb\r\n   ",
}

CANONS = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "relaxed", "simple", None)


def change_body(message, f):
    headers, body = split(message)
    return join(headers, f(body))


def change_field(message, name, f):
    headers, body = split(message)
    return join([(n, f(v)) if n.lower() == name else (n, v) for n, v in headers], body)


def put_field(message, name, value, at=0):
    headers, body = split(message)
    headers.insert(at if at >= 0 else len(headers), (name, value))
    return join(headers, body)


def swap_case(message):
    headers, body = split(message)
    return join([(n.swapcase() if n != b"DKIM-Signature" else n, v) for n, v in headers], body)


def reverse(message):
    headers, body = split(message)
    return join(headers[:1] + headers[:0:-1], body)


BREAKAGES = {
    "body flip": lambda m: change_body(m, lambda b: bytes([b[0] ^ 1]) + b[1:] if b else b"x"),
    "body last octet": lambda m: change_body(m, lambda b: b[:-3] + b"!" + b[-2:] if len(b) > 3 else b + b"!"),
    "body more": lambda m: change_body(m, lambda b: b + b"more\r\n"),
    "body less": lambda m: change_body(m, lambda b: b[:len(b) // 2]),
    "body lines more": lambda m: change_body(m, lambda b: b + b"\r\n\r\n"),
    "body line first": lambda m: change_body(m, lambda b: b"\r\n" + b),
    "body blanks at line end": lambda m: change_body(m, lambda b: b.replace(b"\r\n", b" \t\r\n")),
    "body blanks doubled": lambda m: change_body(m, lambda b: b.replace(b" ", b"  ")),
    "body blank to tab": lambda m: change_body(m, lambda b: b.replace(b" ", b"\t")),
    "body blanks gone": lambda m: change_body(m, lambda b: b.replace(b" ", b"")),
    "body last line end gone": lambda m: change_body(m, lambda b: b[:-2] if b.endswith(b"\r\n") else b),
    "body case": lambda m: change_body(m, bytes.swapcase),
    "header word": lambda m: change_field(m, b"from", lambda v: v.replace(b"Alice", b"Mallory")),
    "header blanks": lambda m: change_field(m, b"date", lambda v: v.replace(b" ", b"   ")),
    "header blanks at end": lambda m: change_field(m, b"to", lambda v: v + b"  "),
    "header folded": lambda m: change_field(m, b"date", lambda v: v.replace(b" 2026", b"\r\n\t2026")),
    "header blank gone": lambda m: change_field(m, b"date", lambda v: v.replace(b" ", b"")),
    "header names": swap_case,
    "header order": reverse,
    "header unsigned added": lambda m: put_field(m, b"X-New", b" yes"),
    "header second subject on top": lambda m: put_field(m, b"Subject", b" new"),
    "header second subject below": lambda m: put_field(m, b"Subject", b" new", -1),
    "header second from on top": lambda m: put_field(m, b"From", b" Mallory <m@example.com>"),
    "header subject gone": lambda m: join([h for h in split(m)[0] if h[0].lower() != b"subject"], split(m)[1]),
    "header signature name": lambda m: m.replace(b"DKIM-Signature:", b"dkim-SIGNATURE:", 1),
    "header blank before colon": lambda m: m.replace(b"\r\nDate:", b"\r\nDate :", 1),
}


class Case:
    def __init__(self, kind, name, message, want):
        self.kind, self.name, self.message = kind, name, message
        self.want = want if isinstance(want, list) else [want]


def signed_case(kind, name, want, shape="plain", body="text", on_top=(), **options):
    headers, octets = SHAPES[shape], BODIES[body]
    signature = Signed(headers, octets, **options)
    return Case(kind, name, join([signature.field, *on_top] + headers, octets), want), signature


def whole_cases():
    keys = ("rsa2048", "ed25519", "rsa1024")
    for n, body in enumerate(BODIES):
        for k, c in enumerate(CANONS):
            shape = list(SHAPES)[(n * 5 + k * 3) % len(SHAPES)]
            yield signed_case("whole", f"{shape}, {body}, {c}", "pass", shape, body, c=c, key=keys[(n + k) % 3],
                              style=("plain", "folded", "tight", "spaced")[(n + k) % 4])[0]
    for n, shape in enumerate(SHAPES):
        for k, c in enumerate(CANONS):
            yield signed_case("whole", f"{shape}, {c}", "pass", shape, "trailing blanks", c=c,
                              key=keys[(n * k) % 3], style=("folded", "spaced", "plain")[(n + k) % 3],
                              h=[b"From", b"Subject", b"subject", b"Received", b"X-1"])[0]
    for c in CANONS:
        yield signed_case("whole: blanks behind b", str(c), "pass", c=c, style="spaced behind b")[0]
        yield signed_case("whole", f"4096, {c}", "pass", c=c, key="rsa4096", style="folded")[0]
    for shape in SHAPES:  # a message of headers alone has an empty body (section 3.4.3)
        case, _ = signed_case("header only", shape, "pass", shape, "empty", c="relaxed/relaxed")
        case.message = case.message[:-2]
        yield case


def broken_cases():
    bodies, shapes = list(BODIES), list(SHAPES)
    for name, f in BREAKAGES.items():
        for c in CANONS[:4]:
            for i in range(3):
                body = "text" if i == 0 else rng.choice(bodies)
                shape = "plain" if i == 0 else rng.choice(shapes)
                over = [b"from", b"from", b"subject", b"subject", b"to", b"date"]
                case, signature = signed_case("changed", f"{name}, {shape}, {body}, {c}", None, shape, body, c=c,
                                              key=rng.choice(("rsa2048", "ed25519")),
                                              style=rng.choice(("plain", "folded")), h=over if i == 2 else None)
                case.message = f(case.message)
                case.want = [signature.verdict(case.message)]
                case.kind = "changed: " + name
                yield case
    for name in ("b", "bh"):
        for key in ("rsa2048", "ed25519"):
            for at in (0, 10, 30):
                def flip(message, at=at, name=name):
                    start = re.search(rb"[; ]%s=" % name.encode(), message).end() + at
                    new = b"B" if message[start:start + 1] == b"A" else b"A"
                    return message[:start] + new + message[start + 1:]
                case, _ = signed_case("changed: " + name, f"{key} {at}", "fail", key=key)
                case.message = flip(case.message)
                yield case
    for key, other in (("rsa2048", "other"), ("ed25519", "ed-other")):
        yield signed_case("wrong key", key, "fail", key=other, s=key)[0]


def random_cases(n):
    """Any shape, body, form, key, list of fields and style together, as signed or changed once or twice."""
    names = [b"from", b"to", b"subject", b"date", b"received", b"message-id", b"x-none", b"Subject", b"FROM"]
    for i in range(n):
        shape, body, c = rng.choice(list(SHAPES)), rng.choice(list(BODIES)), rng.choice(CANONS)
        key = rng.choice(("rsa1024", "rsa1024", "rsa2048", "rsa2048", "ed25519", "rsa4096"))
        h = [b"from"] + [rng.choice(names) for _ in range(rng.randrange(7))]
        rng.shuffle(h)
        octets = len(canon_body(BODIES[body], ((c or "simple/simple").split("/") + ["simple"])[1]))
        length = rng.randrange(octets + 1) if rng.randrange(6) == 0 else None
        tags = {k: v for k, v in (("t", "1262304000"), ("x", "4102444800"), ("i", "@example.org"), ("q", "dns/txt"),
                                  ("z", "From:a@b|To:c@d"), ("zz", "more")) if rng.randrange(4) == 0}
        changes = rng.sample(list(BREAKAGES), rng.choice((0, 1, 1, 2)))
        what = "".join(f", {name}" for name in changes) + ("" if length is None else f", l={length}")
        case, signature = signed_case("random", f"{i}: {shape}, {body}, {c}, {key}{what}", "pass", shape, body, c=c,
                                      key=key, h=h, style=rng.choice(("plain", "folded", "tight", "spaced")), l=length,
                                      **tags)
        for name in changes:
            case.message = BREAKAGES[name](case.message)
        if changes:
            case.want = [signature.verdict(case.message)]
        yield case
