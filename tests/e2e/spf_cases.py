"""SPF cases by the thousand: a zone of hosts and policies, and domains whose records are drawn from the grammar or spoilt."""
import random


class Zone:
    """Names to records, as a master file and as answers."""

    def __init__(self):
        self.records, self.errors = {}, {}

    def add(self, name, kind, *values):
        self.records.setdefault((name.lower(), kind), []).extend(values)

    def fail(self, name, kind, code):
        self.errors[name.lower(), kind] = code

    def text(self):
        lines = []
        for (name, kind), values in self.records.items():
            for value in values:
                if kind == "TXT":
                    value = " ".join(quoted(value[i:i + 200]) for i in range(0, len(value), 200)) or '""'
                lines.append(f"{escaped(name)}. 60 IN {kind} {value}\n")
        for (name, kind), code in self.errors.items():
            lines.append(f";ERROR,{name},{kind},{code}\n")
        return "".join(lines)

    def answer(self, name, kind):
        """Values after CNAMEs; a string where the question fails."""
        name = name.rstrip(".").lower()
        for _ in range(8):
            if (name, kind) in self.errors:
                return self.errors[name, kind]
            if (name, "CNAME") not in self.records:
                return self.records.get((name, kind), [])
            name = self.records[name, "CNAME"][0].rstrip(".").lower()
        return []


def quoted(value):
    out = "".join(c if 0x20 <= ord(c) < 0x7f and c not in '"\\' else f"\\{ord(c):03}" for c in value)
    return f'"{out}"'


def escaped(name):
    return "".join(c if c.isalnum() or c in ".-_" else f"\\{ord(c):03}" for c in name)


CLIENTS = ["192.0.2.1", "192.0.2.2", "192.0.2.7", "198.51.100.9", "203.0.113.77", "::ffff:192.0.2.2",
           "2001:db8::1", "2001:db8::2", "2001:db8:ffff::9"]
LOCALS = ["user", "first.last", "a-b-c", "joe+list", "jack&jill=up", "", "x_y,z", "O'Hara", "UPPER.Case", "a..b", "%{d}"]
HELOS = ["h1.test", "mx.host.test", "[192.0.2.1]", "localhost", "HELO.Test", "a b", ""]


def hosts():
    """What the records of all cases may speak of."""
    zone = Zone()
    zone.add("h1.test", "A", "192.0.2.1")
    zone.add("h2.test", "A", "192.0.2.2", "192.0.2.3", "203.0.113.77")
    zone.add("h2.test", "AAAA", "2001:db8::1", "2001:db8::2")
    zone.add("v6.test", "AAAA", "2001:db8::1")
    zone.add("alias.test", "CNAME", "h2.test.")
    zone.add("mx.test", "MX", "10 h1.test.", "20 h2.test.")
    zone.add("mx.test", "A", "198.51.100.9")
    zone.add("nomx.test", "MX", "0 .")
    zone.add("mxgone.test", "MX", "10 gone1.test.", "20 gone2.test.")
    for i in range(11):
        zone.add("mx11.test", "MX", f"{i} m{i}.mx11.test.")
        zone.add(f"m{i}.mx11.test", "A", "192.0.2.1")
    for i in range(10):
        zone.add("mx10.test", "MX", f"{i} m{i}.mx11.test.")
    zone.add("text.test", "TXT", "nothing of SPF")
    for kind in ("A", "AAAA", "MX", "TXT"):
        zone.fail("late.test", kind, "TIMEOUT")
        zone.fail("broken.test", kind, "SERVFAIL")
    zone.add("1.2.0.192.in-addr.arpa", "PTR", "h1.test.")
    zone.add("2.2.0.192.in-addr.arpa", "PTR", "gone.test.", "h1.test.", "H2.Test.")
    zone.add("7.2.0.192.in-addr.arpa", "PTR", "h1.test.")  # which is not so
    zone.add("77.113.0.203.in-addr.arpa", "PTR", "late.test.", "h2.test.")
    zone.add("1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "v6.test.")
    zone.add("2." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "h2.test.")
    zone.fail("9.100.51.198.in-addr.arpa", "PTR", "TIMEOUT")
    for name, record in {
            "pass": "v=spf1 ip4:192.0.2.0/29 ip6:2001:db8::/64 -all", "all": "v=spf1 +all", "fail": "v=spf1 -all",
            "soft": "v=spf1 ~all", "neutral": "v=spf1 ?all", "empty": "v=spf1", "bad": "v=spf1 ipv4:192.0.2.1 -all",
            "loop": "v=spf1 include:loop.inc.test -all", "again": "v=spf1 redirect=pass.inc.test",
            "deep": "v=spf1 include:deeper.inc.test ?all", "deeper": "v=spf1 include:soft.inc.test include:pass.inc.test",
            "voids": "v=spf1 a:gone1.test a:gone2.test ?all", "exp": "v=spf1 exp=plain.exp.test -all",
            "late": "v=spf1 a:late.test -all", "hosts": "v=spf1 a:h1.test mx:mx.test ptr:test -all",
            "d": "v=spf1 exists:%{d}.ex.test -all"}.items():
        zone.add(name + ".inc.test", "TXT", record)
    zone.add("two.inc.test", "TXT", "v=spf1 +all", "v=spf1 -all")
    zone.add("d.inc.test.ex.test", "A", "127.0.0.2")
    for text in ("192.0.2.1", "1.2.0.192", "user", "first", "last.first", "b", "jack&jill.up", "in-addr", "h1.test",
                 "mx.host.test", "unknown", "test", "up", "O'Hara", "O%27Hara", "joe", "upper.case", "ip6", "h2.test"):
        zone.add(f"{text}.ex.test", "A", "127.0.0.2")
    for name, text in {
            "plain": "Plain words.", "macros": "%{i} is not %{d}, %{s} %{l} %{o} %{h} %{v} %{c}", "none": "",
            "escape": "http://x.test/?s=%{S}&i=%{I}&h=%{H}", "wrong": "100% wrong", "brace": "%{x}", "ptr": "from %{p}",
            "split": "%{l2r-} %{dr} %{d1} %{ir} %{o3r.-}", "literal": "%% %_ %-", "high": "\xc3\xbcber"}.items():
        zone.add(name + ".exp.test", "TXT", text)
    zone.add("two.exp.test", "TXT", "one", "two")
    zone.fail("late.exp.test", "TXT", "TIMEOUT")
    return zone


NAMES = ["h1.test", "h2.test", "mx.test", "alias.test", "h1.test", "h2.test", "v6.test", "alias.test", "mx.test",
         "nomx.test", "mxgone.test", "mx11.test", "mx10.test", "gone1.test", "gone2.test", "late.test", "broken.test",
         "H2.TEST", "h1.test.", "a..test", "text.test", "x" * 64 + ".test", "foo:bar/baz.test"]
INCLUDES = ["pass", "pass", "again", "hosts", "deep", "d", "fail", "neutral", "pass", "all", "fail", "soft",
            "neutral", "empty", "bad", "loop", "again", "deep", "voids", "exp", "late", "hosts", "d", "two", "gone"]
MACROS = ["%{i}.ex.test", "%{ir}.ex.test", "%{l}.ex.test", "%{l1r-}.ex.test", "%{lr.}.ex.test", "%{l2r=}.ex.test",
          "%{v}.ex.test", "%{h}.ex.test", "%{p}.ex.test", "%{d1}.ex.test", "%{L}.ex.test", "%{l+-}.ex.test", "%{p}", "%{h}",
          "%{d}", "%{o}", "%{l1r=-+,/_}.ex.test", "%{d2}", "%{l}%{l}.ex.test", "%%.ex.test", "%{l99r}.ex.test", "%{o2r}.test",
          "%{S}.ex.test", "%_%-.ex.test"]
EXPLAINS = ["plain", "macros", "none", "escape", "wrong", "brace", "ptr", "split", "literal", "high", "two", "late", "gone"]
QUALIFIERS = ["", "", "", "+", "-", "?", "~"]
SPOIL = [" ", "/", ":", "=", "%", "{", "}", ".", "-", "0", "9", "\t", "\x00", "\xe9", "all", "ip4:", "//", "a", "%{d}", ";",
         "+", "%{c}", "redirect=", "1", "_", ","]


def dual_cidr(r):
    return r.choice(["", "", "", "/24", "/32", "/0", "/30", "//64", "//0", "//128", "/24//64", "/33", "//129", "/024", "/",
                     "/24/64", "//24//64"][:r.choice([9, 11, 11, 11, 11, 17])])


def term(r):
    kind = r.choices(["a", "mx", "ip4", "ip6", "include", "exists", "ptr", "all", "redirect", "exp", "other"],
                     [16, 14, 16, 8, 18, 14, 6, 3, 4, 6, 3])[0]
    q = r.choice(QUALIFIERS)
    name = r.choice(NAMES) if r.random() < 0.8 else r.choice(MACROS)
    if kind in ("a", "mx"):
        return q + kind + r.choice(["", ":" + name, ":" + name, ":" + name]) + dual_cidr(r)
    if kind == "ip4":
        return q + "ip4:" + r.choice(["192.0.2.1", "192.0.2.0", "198.51.100.9", "203.0.113.0", "10.0.0.1", "0.0.0.0",
                                      "1.2.3", "1.2.3.256", "01.2.3.4"][:r.choice([6] * 12 + [9])]) + \
            r.choice(["", "/24", "/30", "/8", "/0", "/32", "/33", "//24", "/08", "/"][:r.choice([6] * 12 + [10])])
    if kind == "ip6":
        return q + "ip6:" + r.choice(["2001:db8::1", "2001:DB8::", "::1", "::ffff:192.0.2.1", "2001:db8:0:0:0:0:0:2", "fe80::",
                                      "1::2::3", "192.0.2.1", "12345::", "1:2:3:4:5:6:7"][:r.choice([6] * 12 + [10])]) + \
            r.choice(["", "/64", "/126", "/0", "/128", "/129", "//64"][:r.choice([5] * 9 + [7])])
    if kind == "include":
        return q + "include:" + (r.choice(INCLUDES) + ".inc.test" if r.random() < 0.9 else r.choice(MACROS))
    if kind == "exists":
        return q + "exists:" + (r.choice(MACROS) if r.random() < 0.85 else r.choice(NAMES))
    if kind == "ptr":
        return q + r.choice(["ptr", "ptr:test", "ptr:h2.test", "ptr:H1.Test", "ptr:1.test", "ptr:%{o}", "ptr:"][:r.choice([6, 6, 6, 7])])
    if kind == "redirect":
        return "redirect=" + (r.choice(INCLUDES) + ".inc.test" if r.random() < 0.9 else r.choice(MACROS))
    if kind == "exp":
        return "exp=" + r.choice(EXPLAINS) + ".exp.test"
    if kind == "other":
        return r.choice(["unknown=x", "moo.cow=%{l}", "ra=postmaster", "=x", "a=b", "foo=%x", "default=pass", "exp", "moo",
                         "x=%{c}", "op=auth,helo", "ra=postmaster", "moo.cow=%{l}",
                         "a=b", "a:%{lr9}.ex.test"])
    return q + "all"


def spoil(r, record):
    """One edit, anywhere behind the version."""
    at = r.randrange(6, len(record) + 1)
    what = r.random()
    if what < 0.4:
        return record[:at] + r.choice(SPOIL) + record[at:]
    if what < 0.7:
        return record[:at] + record[at + 1:]
    return record[:at] + r.choice(SPOIL) + record[at + 1:]


class Case:
    def __init__(self, kind, domain, records, ip, helo, sender):
        self.kind, self.domain, self.records = kind, domain, records
        self.ip, self.helo, self.sender = ip, helo, sender

    def __str__(self):
        return f"{self.ip} {self.helo!r} {self.sender!r} {self.records}"


FIXED = [  # record, client, HELO, local part: where readings of the standard part, which drawing finds too seldom
    ("v=spf1 a:h1.test\tmx -all", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 exp=x\x00.exp.test ?all", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 EXP=plain.exp.test -all", CLIENTS[3], "h1.test", "user"),
    ("v=spf1 REDIRECT=pass.inc.test", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 ~include:%{d} ip4:192.0.2.1 -all", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 exists:%{h} ?all", CLIENTS[0], "", "user"),
    ("v=spf1 exists:%{h} a:gone1.test a:gone2.test ?all", CLIENTS[0], "a b", "user"),
    ("v=spf1 mx:mxgone.test a:gone1.test ?all", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 op=auth op=auth ?all", CLIENTS[0], "h1.test", "user"),
    ("v=spf1 -all exp=ptr.exp.test", CLIENTS[3], "h1.test", "user"),
    ("v=spf1 -all exp=macros.exp.test", CLIENTS[3], "h1.test", ""),
    ("v=spf1 exists:%{lr9}.ex.test -all", CLIENTS[3], "h1.test", "user"),
    ("v=spf1 ptr:h1.test -all", CLIENTS[3], "h1.test", "user"),
    ("v=spf1 a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test ~all",
     CLIENTS[3], "h1.test", "user"),
    ("v=spf1 a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test a:h1.test ~all",
     CLIENTS[3], "h1.test", "user"),
]


def cases(zone, count, seed=7208):
    """Adds their domains to the zone."""
    r, found = random.Random(seed), []
    for i, (record, ip, helo, local) in enumerate(FIXED):
        zone.add(f"f{i}.test", "TXT", record)
        found.append(Case("fixed", f"f{i}.test", [record], ip, helo, f"{local}@f{i}.test"))
    for i in range(count):
        domain = f"c{i}.test"
        terms = [term(r) for _ in range(r.choice([1, 1, 2, 2, 2, 3, 3, 4, 5, 9]))]
        if r.random() < 0.6:
            terms.append(r.choice(QUALIFIERS) + "all")
        if r.random() < 0.35:
            terms.insert(r.randrange(len(terms) + 1), "exp=" + r.choice(EXPLAINS) + ".exp.test")
        if r.random() < 0.1:
            terms = [term(r)] * r.randrange(2) + ["-all", "exp=" + r.choice(EXPLAINS) + ".exp.test"]
        kind, record = "drawn", "v=spf1 " + r.choice([" ", " ", " ", "  "]).join(terms)
        if r.random() < 0.12:
            kind, record = "spoilt", spoil(r, record)
        records = [record]
        if r.random() < 0.04:
            kind, records = "several", [record] + [r.choice(["text", "v=spf1 -all", "v=spf10 +all", "V=SPF1 +all", "v=spf1"])]
        if r.random() < 0.05:
            kind, records = "case", [record.upper() if "%" not in record else record.replace("spf1", "SPF1")]
        if r.random() < 0.02:
            kind, records = "trailing", [record + r.choice([" ", "   "])]
        sender = r.choice(LOCALS) + "@" + domain
        helo = r.choice(HELOS)
        if r.random() < 0.08:
            sender, helo = "", domain
        zone.add(domain, "TXT", *dict.fromkeys(records))
        if r.random() < 0.3:
            zone.add(domain, "A", r.choice(["192.0.2.1", "192.0.2.2", "198.51.100.9"]))
            zone.add(domain, "MX", "10 " + r.choice(["h1.test.", "h2.test.", "gone1.test."]))
        found.append(Case(kind, domain, records, r.choice(CLIENTS), helo, sender))
    return found
