#!/usr/bin/python3
"""Authentication-Results fields of verdicts by chance, read back by python3-authres, Mail::AuthenticationResults and
our own resinfo: each result and each property that was meant, and no other.

    tests/e2e/authres_oracles.py BUILD/tests/authres_run
"""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SKIP_IS_FAILURE = os.environ.get("CI") == "true"

try:
    import authres

    if subprocess.run(["perl", "-MMail::AuthenticationResults", "-e", "1"], capture_output=True,
                      check=False).returncode:
        raise ImportError("Mail::AuthenticationResults (libmail-authenticationresults-perl)")
except ImportError as missing:
    print(f"skipped: {missing} (python3-authres libmail-authenticationresults-perl)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(1 if SKIP_IS_FAILURE else 77)

VERDICTS = 4500
VALUE_MAX = 320  # octets, FIELDTEXT_VALUE_MAX


def printable(octets):
    """What a value becomes in a field: controls and what is not UTF-8 are "?"."""
    out, i = "", 0
    while i < len(octets):
        for n in (1, 2, 3, 4):
            try:
                c = octets[i:i + n].decode("utf-8")
            except UnicodeDecodeError:
                continue
            if len(c) == 1:
                break
        else:
            c, n = "?", 1
        out += "?" if ord(c) < 32 or 127 <= ord(c) < 160 else c
        i += n
    return out


def read_verdicts(path):
    out = subprocess.run([path, "8601", str(VERDICTS)], capture_output=True, check=True, text=True).stdout
    due, ours, field = [], [], None
    for line in out.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "field":
            field = bytes.fromhex(rest)
        elif kind == "end":
            yield due, ours, field
            due, ours = [], []
        else:
            method, word, *pairs = rest.split(" ")
            values = []
            for pair in pairs:
                name, _, text = pair.partition("=")
                octets = bytes.fromhex(text)
                if kind == "read":
                    values.append((name, octets.decode("utf-8")))
                elif len(octets) <= VALUE_MAX:
                    values.append((name, printable(octets)))
            (due if kind == "result" else ours).append((method, word, values))


def by_authres(field):
    header = authres.all_features().parse(field)
    assert header.authserv_id == "mx.example.org"
    # it leaves the backslashes of a quoted string to others
    return [(r.method, r.result, [(f"{p.type}.{p.name}", re.sub(r"\\(.)", r"\1", p.value)) for p in r.properties])
            for r in header.results]


TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
ADDRESS = r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)?@[\w-]+(\.[\w-]+)*"


def seen_by_authres(due):
    """It loses a quoted string that is not the last of its result, though RFC 8601 section 2.2 has no such rule."""
    return [(method, word, [(name, value) for i, (name, value) in enumerate(pairs)
                            if i == len(pairs) - 1 or re.fullmatch(TOKEN + "|" + ADDRESS, value, re.A)])
            for method, word, pairs in due]


PERL = r"""
use Mail::AuthenticationResults::Parser;
use JSON::PP;
binmode STDIN; binmode STDOUT;
while (my $line = <STDIN>) {
	chomp $line;
	my $text = pack("H*", $line);
	utf8::decode($text);
	my $out = eval {
		my $header = Mail::AuthenticationResults::Parser->new()->parse($text);
		[map {
			my $e = $_;
			[$e->key, $e->value, [map { [$_->key, $_->value] }
				grep { ref($_) =~ /SubEntry/ } @{$e->children}]]
		} grep { ref($_) =~ /::Entry$/ } @{$header->children}]
	};
	print encode_json($@ ? ["error", "$@"] : $out), "\n";
}
"""


def by_perl(fields):
    text = "".join(f.encode().hex() + "\n" for f in fields)
    out = subprocess.run(["perl", "-e", PERL], input=text, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        results = json.loads(line)
        if results and results[0] == "error":
            yield results
        else:
            yield [(m, w, [(k, v) for k, v in pairs]) for m, w, pairs in results]


def shape(field):
    """What is wrong with the form: lines, folds, octets."""
    lines = field.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        return "a line end inside"
    if any(not line.startswith(b"\t") for line in lines[1:]):
        return "a line without a blank in front"
    if any(len(line) > 998 for line in lines):
        return "a line over 998 octets"
    if any(len(line) > 78 and re.search(rb"[ ]", re.sub(rb'"(\\.|[^"\\])*"', b"", line.strip())) for line in lines[1:]):
        return "a line over 78 columns that could be folded"
    return None


def main():
    passed = failed = results = 0
    by = {}
    verdicts = list(read_verdicts(sys.argv[1]))
    unfolded = [re.sub(r"\r\n", "", field.decode("utf-8")) for _, _, field in verdicts]
    perl = list(by_perl([re.sub(r"^[^:]*: ?", "", f) for f in unfolded]))
    for (due, ours, field), text, theirs in zip(verdicts, unfolded, perl):
        wrong = []
        if shape(field):
            wrong.append(shape(field))
        try:
            got = by_authres(text)
        except Exception as error:  # pylint: disable=broad-except  # of whatever class: it did not read it
            got = repr(error)
        for name, read in (("authres", got), ("Mail::AuthenticationResults", theirs), ("resinfo", ours)):
            if name.startswith("Mail") and "\\" in text:
                continue  # it knows no quoted-pair (RFC 5322 section 3.2.1)
            if name == "authres" and not text.isascii():
                continue  # it knows no UTF-8 (RFC 6532 section 3.2)
            by[name] = by.get(name, 0) + 1
            want = seen_by_authres(due) if name == "authres" else due
            if read != want:
                wrong.append(f"{name}: {read}\n      due: {want}")
        results += len(due)
        if wrong:
            failed += 1
            if failed <= 10:
                print(text)
                for w in wrong:
                    print("   ", w)
        else:
            passed += 1
    print(f"oracles: {len(verdicts)} fields with {results} results, read by "
          + ", ".join(f"{name} ({n})" for name, n in by.items()))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
