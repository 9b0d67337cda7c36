#!/usr/bin/python3
"""Address lists read by our parser, by Python's email package and by Email::Address::XS.

    tests/e2e/address_oracles.py BUILD/tests/address_run

Lists are made from the grammar of RFC 5322 with its obsolete forms, and broken in every way we know of; each has the
reading that is due to it, which ours must be. Where another parser reads something else a row of EXPLAINED must name
the section that decides.
"""
import os
import random
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

try:
    from email import policy
    from email.header import decode_header, make_header

    if subprocess.run(["perl", "-MEmail::Address::XS", "-e", "1"], capture_output=True, check=False).returncode:
        raise ImportError("Email::Address::XS (libemail-address-xs-perl)")
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

MALFORMED = "malformed"
RANDOM = random.Random(5322)
CASES = 3000

# oracle, what is found in the kinds of a case, "ours/theirs" (ok, other, malformed, error): the section that decides
XS, EMAIL = "Email::Address::XS", "email"
EXPLAINED = [
    (XS, "^null element$", "ok/malformed", "4.4 obs-addr-list: a list may begin with a comma"),
    (XS, "comment between encoded words", "ok/display",
     "RFC 2047 6.2: blanks between encoded words go, a comment does not; this oracle gives phrases without comments"),
    (XS, "by hand: (dots in local|leading dot|literal in phrase)", "ok/malformed",
     "none: every receiver reads them alike, and we do"),
    (XS, "broken: (NUL|close comment|open comment|open quote)|by hand: behind a group", "malformed/ok",
     "3.4: group ends the list's element at ';', what follows it must be a comma"),
    (XS, "broken: bare LF", "malformed/ok", "2.2.3, 3.2.2: a fold is CRLF and a blank; an LF alone is none"),
    (XS, "broken: encoded address", "malformed/ok", "RFC 2047 5 (3): no encoded word in an addr-spec"),
    (XS, "broken: open group", "malformed/ok", "3.4: a group ends with ';'"),
    (EMAIL, "joined words", "ok/display", "RFC 2047 6.2: blanks between encoded words go, of two charsets too"),
    (EMAIL, "dot or encoded word before a colon", "ok/(malformed|error)",
     "3.4, 4.1: display-name is a phrase, its last word may be any"),
    (EMAIL, "by hand: (dots in local|literal in phrase|leading dot)", "ok/(malformed|error)",
     "none: every receiver reads them alike, and we do"),
    (EMAIL, "broken: bare LF", "malformed/ok", "2.2.3, 3.2.2: a fold is CRLF and a blank; an LF alone is none"),
    (EMAIL, "broken|by hand", "malformed/error", "none: it is malformed, and that parser is lost"),
]


class Case:
    def __init__(self):
        self.kinds, self.want = set(), []

    def kind(self, word):
        self.kinds.add(word)


ATEXT = "abcdefgxyzABZ0189!#$%&'*+-/=?^_`{|}~"


def atom(case, extra=""):
    n = RANDOM.choice((1, 1, 2, 3, 8))
    text = "".join(RANDOM.choice(ATEXT) for _ in range(n))
    if RANDOM.random() < 0.04:
        case.kind("utf8")
        text += RANDOM.choice(("ö", "я", "日"))
    # no encoded word by chance
    return text.replace("=?", "=.?".replace(".", "-")) + extra


def comment(case, depth=0):
    case.kind("comment")
    text = RANDOM.choice(("x", "a b", "", "a,b", "q@r.s", "<t@u>", "it's", "a\\)b", "a;b:c"))
    if depth < 3 and RANDOM.random() < 0.3:
        case.kind("nested comment")
        text += comment(case, depth + 1)
    return "(" + text + ")"


def cfws(case, chance=0.15):
    """Blanks, folds or comments that may stand between any two tokens."""
    if RANDOM.random() > chance:
        return ""
    pick = RANDOM.random()
    if pick < 0.5:
        return RANDOM.choice((" ", "\t", "  "))
    if pick < 0.7:
        case.kind("fold")
        return "\r\n "
    return RANDOM.choice(("", " ")) + comment(case) + RANDOM.choice(("", " "))


def quoted(case):
    case.kind("quoted")
    parts = []
    for _ in range(RANDOM.choice((1, 1, 2, 3))):
        parts.append(RANDOM.choice(("a", "b c", ",", "@", "<x@y>", "(", ")", ";", ":", ".", "a.b", "[", "\\\"", "\\\\", "\\a")))
        if parts[-1][0] == "\\":
            case.kind("quoted-pair")
    text = "".join(parts)
    return '"' + text + '"', re.sub(r"\\(.)", r"\1", text)


def local_part(case):
    if RANDOM.random() < 0.15:
        case.kind("quoted local")
        return quoted(case)
    atoms = [atom(case) for _ in range(RANDOM.choice((1, 1, 2, 3)))]
    text, between = atoms[0], ""
    for a in atoms[1:]:
        between = cfws(case, 0.05)
        if between:
            case.kind("obs local")
        text += between + "." + a
    return text, ".".join(atoms)


def domain(case):
    if RANDOM.random() < 0.05:
        case.kind("literal")
        text = RANDOM.choice(("[192.0.2.1]", "[IPv6:2001:db8::1]"))
        return text, text
    labels = [RANDOM.choice(("example", "a", "b-c", "x1", "mail")) for _ in range(RANDOM.choice((1, 2, 2, 3)))]
    text = labels[0]
    for label in labels[1:]:
        between = cfws(case, 0.05)
        if between:
            case.kind("obs domain")
        text += between + "." + label
    return text, ".".join(labels)


def addr_spec(case):
    local, name = local_part(case)
    host, plain = domain(case)
    return local + cfws(case, 0.05) + "@" + cfws(case, 0.05) + host, name, plain


def word(case):
    pick = RANDOM.random()
    if pick < 0.2:
        return quoted(case)
    if pick < 0.28:
        case.kind("encoded word")
        return RANDOM.choice((("=?utf-8?q?J=C3=B6rg?=", "Jörg"), ("=?UTF-8?B?w6Q=?=", "ä"), ("=?iso-8859-1?q?=FC_x?=", "ü x")))
    text = atom(case)
    return text, text


def phrase(case):
    words = [word(case) for _ in range(RANDOM.choice((1, 1, 2, 3)))]
    text, plain, last_encoded = "", "", False
    for i, (source, shown) in enumerate(words):
        encoded = source.startswith("=?")
        gap = ""
        if i:
            gap = RANDOM.choice((" ", " ", "\r\n ", " (c) "))
            if gap[0] == "\r":
                case.kind("fold")
            if "(" in gap:
                case.kind("comment in phrase")
        if i and not (encoded and last_encoded and "(" not in gap):
            plain += " "
        if i and encoded and last_encoded:
            case.kind("joined words" if "(" not in gap else "comment between encoded words")
        text, plain, last_encoded = text + gap + source, plain + shown, encoded
        if RANDOM.random() < 0.05 and not encoded:
            case.kind("obs phrase")
            text, plain = text + ".", plain + "."
    return text, plain


def mailbox(case):
    spec, name, host = addr_spec(case)
    if RANDOM.random() < 0.35:
        return cfws(case) + spec + cfws(case), ("", name, host)
    shown, text = "", ""
    if RANDOM.random() < 0.85:
        text, shown = phrase(case)
    route = ""
    if RANDOM.random() < 0.05:
        case.kind("route")
        route = RANDOM.choice(("@r.example:", "@r.example,@s.example:", "@r.example,,@s.example:"))
        if ",," in route:
            case.kind("null element in route")
    return cfws(case) + text + (" " if text else "") + "<" + route + spec + ">" + cfws(case), (shown, name, host)


def make():
    case = Case()
    parts = []
    for _ in range(RANDOM.choice((1, 1, 1, 2, 3))):
        if RANDOM.random() < 0.08:
            case.kind("group")
            inside = [mailbox(case) for _ in range(RANDOM.choice((0, 1, 2)))]
            if not inside:
                case.kind("empty group")
            name = phrase(case)[0]
            if name.endswith((".", "?=")):
                case.kind("dot or encoded word before a colon")
            parts.append(name + ":" + ",".join(t for t, _ in inside) + ";")
            case.want += [w for _, w in inside]
            continue
        text, want = mailbox(case)
        parts.append(text)
        case.want.append(want)
    if RANDOM.random() < 0.04:
        case.kind("null element")
        parts.insert(RANDOM.randrange(len(parts) + 1), RANDOM.choice(("", " ")))
    case.value = ",".join(parts)
    return case


BREAKS = (
    ("no close angle", lambda v: v.replace(">", "", 1) if ">" in v and not re.search(r'["(]', v) else None),
    ("text behind", lambda v: v + " x" if not v.endswith((";", ",")) else None),
    ("second angle", lambda v: v + " <z@evil.example>" if v.endswith(">") else None),
    ("second at", lambda v: v + "@evil.example" if re.search(r"@[a-z0-9.-]+$", v) else None),
    ("open quote", lambda v: v + ' "x'),
    ("open comment", lambda v: v + " (x"),
    ("close comment", lambda v: v + ")"),
    ("dot at the end", lambda v: v + "." if re.search(r"@[a-z0-9.-]+$", v) else None),
    ("empty angle", lambda v: v + ", <>"),
    ("no domain", lambda v: v + ", x"),
    ("no local", lambda v: v + ", @x.example"),
    ("NUL", lambda v: v + "\0"),
    ("control", lambda v: v + ", a\x01@b.example"),
    ("bare LF", lambda v: v + "\n, a@b.example"),
    ("address in front", lambda v: "x@y.example " + v if re.match(r"<", v) else None),
    ("encoded address", lambda v: v + ", =?utf-8?q?a=40b?=@evil.example"),
    ("open group", lambda v: v + ", g: a@b.example"),
    ("angle and at", lambda v: v + ", user@good.example>@evil.example"),
)


def broken(number):
    case = make()
    name, act = BREAKS[number % len(BREAKS)]
    value = act(case.value)
    if value is None or "null element" in case.kinds:
        return None
    case.value, case.want = value, MALFORMED
    case.kinds = {"broken: " + name}
    return case


def by_hand():
    rows = (
        ("dots in local", "a..b@c.example", [("", "a..b", "c.example")]),
        ("dots in local", ".a.@c.example", [("", ".a.", "c.example")]),
        ("literal in phrase", "[x] a <b@c.example>", [("[x] a", "b", "c.example")]),
        ("leading dot", ".a <b@c.example>", [(".a", "b", "c.example")]),
        ("address as a name", "a@good.example <b@evil.example>", MALFORMED),
        ("angle twice", "<<a@b.example>>", MALFORMED),
        ("group in group", "g: h: a@b.example;;", MALFORMED),
        ("behind a group", "g: a@b.example; c@d.example", MALFORMED),
        ("quote in a domain", "a@\"b\".example", MALFORMED),
        ("words in local", "a b@c.example", MALFORMED),
        ("address in a literal", "[a@b] <c@d.example>", MALFORMED),
        ("empty", "", MALFORMED),
        ("comment only", "(x)", MALFORMED),
    )
    for name, value, want in rows:
        case = Case()
        case.kind("by hand: " + name)
        case.value, case.want = value, want
        yield case


def parse_line(line):
    """The lines of address_run and of the Perl script."""
    status, _, rest = line.partition(" ")
    if status != "ok":
        return MALFORMED
    boxes = []
    for box in filter(None, rest.split(";")):
        boxes.append(tuple(bytes.fromhex(p).decode("utf-8", "replace") for p in box.split(",")))
    return boxes


def lines(argv, cases):
    text = "".join(c.value.encode().hex() + "\n" for c in cases)
    out = subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout
    return [parse_line(line) for line in out.splitlines()]


def python(case):
    try:
        header = policy.SMTPUTF8.header_factory("From", case.value.replace("\r\n", ""))
        groups = header.groups
    except Exception:  # pylint: disable=broad-except  # it raises what it likes where it is lost
        return "error"
    if any(type(d).__name__ in ("InvalidHeaderDefect", "NonPrintableDefect") for d in header.defects):
        return MALFORMED
    return [(a.display_name or "", a.username or "", a.domain or "") for a in header.addresses]


def decoded(boxes):
    """Email::Address::XS leaves encoded words to others."""
    if not isinstance(boxes, list):
        return boxes
    word = r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?="
    out = []
    for display, local, host in boxes:
        display = re.sub(rf"({word})\s+(?={word})", r"\1", display)
        out.append((re.sub(word, lambda m: str(make_header(decode_header(m.group()))), display), local, host))
    return out


def squeeze(boxes):
    """Blanks are as good as one, and around dots as good as none: each parser has its own idea of them."""
    if not isinstance(boxes, list):
        return boxes
    return [(re.sub(r"\s*\.\s*", ".", re.sub(r"\s+", " ", d).strip()), local, re.sub(r"\s", "", host))
            for d, local, host in boxes]


def compare(ours, theirs):
    """None: the same. Else "ours/theirs"."""
    if ours == theirs:
        return None
    name = ["ok" if isinstance(b, list) else b for b in (ours, theirs)]
    if name == ["ok", "ok"]:
        # whose address is it: the difference that counts
        name[1] = "address" if [b[1:] for b in ours] != [b[1:] for b in theirs] else "display"
    return "/".join(name)


def main():
    cases = [make() for _ in range(CASES)]
    cases += [c for c in (broken(i) for i in range(CASES // 2)) if c]
    cases += list(by_hand())
    ours = lines([sys.argv[1]], cases)
    perl = lines(["perl", os.path.join(HERE, "address_oracle.pl")], cases)
    oracles = {"Email::Address::XS": [decoded(b) for b in perl],
               "email": [python(c) for c in cases]}
    failed, unused, explained = 0, set(range(len(EXPLAINED))), {}
    passed = 0
    for i, case in enumerate(cases):
        got, want = squeeze(ours[i]), squeeze(case.want)
        wrong = []
        if got != want and not (want == MALFORMED and got == []):
            wrong.append(f"ours {got}, due {want}")
        for name, results in oracles.items():
            theirs = squeeze(results[i])
            if want == MALFORMED and got == [] and theirs in ([], MALFORMED):
                continue  # a list without a mailbox: the callers say what that means
            difference = compare(got, theirs)
            if not difference:
                continue
            for row, (oracle, kind, which, _) in enumerate(EXPLAINED):
                if oracle == name and re.fullmatch(which, difference) and any(re.search(kind, k) for k in case.kinds):
                    unused.discard(row)
                    explained[row] = explained.get(row, 0) + 1
                    break
            else:
                wrong.append(f"{name} {difference}: {theirs}, ours {got}")
        if wrong:
            failed += 1
            if failed <= 40 or os.environ.get("ALL"):
                print(f"{case.value!r} {sorted(case.kinds)}")
                for w in wrong:
                    print("   ", w)
        else:
            passed += 1
    for row in sorted(unused):
        failed += 1
        print("explained, but never seen:", EXPLAINED[row])
    print(f"oracles: {len(cases)} lists, Email::Address::XS and Python's email, "
          f"{sum(explained.values())} differences explained by {len(explained)} rows")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
