#!/usr/bin/python3
"""Writes verify/auth/fold_table.h from Python's Unicode data: what fold.c folds a code point to.

    fold_table.py > fold_table.h      fold_table.py --check fold_table.h
"""
import sys
import unicodedata

# Letters of other scripts that look like a Latin one, in either case (case is folded first).
ALIKE = {
    # Greek: the shape of the capital decides where the two differ
    **dict(zip("αβγεζηικμνορτυχωϲϳ", "abyezhikmnoptyxwcj")),
    # Cyrillic
    **dict(zip("авекмнорстухіѕјԁԛԝһүьӏѵԍҽ", "abekmhopctyxisjdqwhyblvge")),
    # Armenian
    **dict(zip("օոսհց", "onuhg")),
    # Cherokee
    **dict(zip("ᎪᎬᎫᎳᎷᎻᎡᎢᏚᏟᏢᏦᏞᏴᎠᏀᏃᏙ", "aejwmhrtscpklbdgzv")),
    # Lisu
    **dict(zip("ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "bpdtgkjczfmnlsrvhwxyaeiou")),
    # Coptic
    **dict(zip("ⲁⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭ", "aehikmnopctyx")),
    # Latin letters without a decomposition
    "ı": "i", "ȷ": "j", "ɩ": "i", "ɑ": "a", "ɡ": "g", "ǝ": "e", "ə": "e", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe",
    "℮": "e", "ʻ": "", "ʼ": "", "ʹ": "", "ʽ": "",
}
MARKS = ((0x300, 0x36f), (0x483, 0x489), (0x591, 0x5bd), (0x5bf, 0x5bf), (0x5c1, 0x5c2), (0x5c4, 0x5c5),
         (0x5c7, 0x5c7), (0x610, 0x61a), (0x64b, 0x65f), (0x670, 0x670), (0x6d6, 0x6dc), (0x1ab0, 0x1aff),
         (0x1dc0, 0x1dff), (0x20d0, 0x20ff), (0xfe00, 0xfe0f), (0xfe20, 0xfe2f), (0xe0100, 0xe01ef),
         # letters that show nothing
         (0x115f, 0x1160), (0x3164, 0x3164), (0xffa0, 0xffa0), (0x2800, 0x2800))
BLANK = " "


def is_mark(c):
    return any(a <= c <= b for a, b in MARKS) or unicodedata.category(chr(c)) == "Cf"


def latin(ch):
    """The plain letter of LATIN ... LETTER X WITH STROKE and the like."""
    words = unicodedata.name(ch, "").split(" WITH ")[0].split()
    turned = {"TURNED", "REVERSED", "SIDEWAYS", "INVERTED"} & set(words)
    if words[:1] == ["LATIN"] and "LETTER" in words and len(words[-1]) == 1 and not turned:
        return words[-1].lower()
    return None


def fold(c):
    ch = chr(c)
    if is_mark(c):
        return ""
    if 0xac00 <= c <= 0xd7a3 or 0x3200 <= c <= 0x33ff:
        return ch
    out = ""
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", ch).casefold()):
        if is_mark(ord(part)):
            continue
        part = ALIKE.get(part, part)
        for letter in part:
            if unicodedata.category(letter)[0] in "LN":
                out += latin(letter) or letter
    if not out and unicodedata.category(ch)[0] in "PSZC" and unicodedata.category(ch) not in ("Cn", "Co", "Cs"):
        return BLANK
    plain = all(ord(x) < 0x530 for x in out)
    same_script = ch.casefold() == out
    if out and (plain or same_script) and len(out) <= 3:
        return out
    if not out and ch in ALIKE:
        return ALIKE[ch]
    return BLANK if unicodedata.category(ch)[0] in "PSZ" else ch


def rows():
    """first, last, step, text: a run to one text (0), one after the other (1), or in pairs of cases (2)."""
    run = None
    for c in range(0x80, 0x110000):
        if 0xd800 <= c <= 0xdfff:
            continue
        out = fold(c)
        if run and run[1] == c - 1:
            first, last, step, text = run
            if step in (None, 2) and len(out) == len(text) == 1 and ord(text) == first + 1 and text != BLANK:
                # upper, lower, upper, lower: each lower stands for itself
                if ord(out) == first + 1 + (c - first) // 2 * 2:
                    run = (first, c, 2, text)
                    continue
            if out == text and step in (None, 0):
                run = (first, c, 0, text)
                continue
            if step in (None, 1) and len(out) == len(text) == 1 and text != BLANK and out != chr(c) and \
                    ord(out) == ord(text) + c - first:
                run = (first, c, 1, text)
                continue
        if run:
            yield run
        run = None if out == chr(c) else (c, c, None, out)
    if run:
        yield run


def render():
    lines = ["/* Made by fold_table.py of Unicode %s: do not edit. first, last, step, n, to */" %
             unicodedata.unidata_version]
    line = ""
    for first, last, step, text in rows():
        to = ", ".join(hex(ord(x)) for x in text) or "0"
        item = "{ 0x%x, 0x%x, %d, %d, { %s } }," % (first, last, step or 0, len(text), to)
        if line and len(line) + len(item) > 98:
            lines.append(line)
            line = ""
        line += (" " if line else "") + item
    return "\n".join(["/* clang-format off */"] + lines + [line, ""])


UNICODE = "14.0.0"  # of the table
if sys.argv[1:2] == ["--check"]:
    if unicodedata.unidata_version != UNICODE:
        print("fold_table: skipped, this Python has Unicode %s" % unicodedata.unidata_version)
        sys.exit(77)
    same = open(sys.argv[2], encoding="utf-8").read() == render()
    print("fold_table: %s" % ("the table is what the script makes" if same else "the table differs"))
    sys.exit(0 if same else 1)
sys.stdout.write(render())
