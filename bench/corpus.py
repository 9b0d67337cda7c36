#!/usr/bin/python3
"""A corpus of mixed mail and a capture that carries it: corpus.py FOLDER [MESSAGES [KB]].

Writes FOLDER/eml/N.eml, manifest.jsonl (one object a message: file, size, sha256, envelope, what DKIM must
say), zone (master file with the keys), keys.tsv (name, TAB, record) and mail.pcap (interleaved SMTP sessions). The same numbers
give the same mail but for keys and times. 60 in 100 messages are text, 25 HTML, 12 with attachments, 3 large; 4 in 5 are
signed, of these 7 in 100 are broken afterwards. With KB all of them are of about that size, 70 in 100 text, the others HTML."""
import base64
import hashlib
import json
import os
import random
import socket
import struct
import sys
import time

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

DOMAINS = 40
MSS = 1460
HEAD = 2000  # octets of header fields and signature, about
WORDS = """the of and to in is you that it he was for on are as with his they at be this have from or one had by word but
not what all were we when your can said there use an each which she do how their if will up other about out many then them these
so some her would make like him into time has look two more write go see number no way could people my than first water been call
who oil its now find long down day did get come made may part invoice payment account order delivery meeting report quarterly
review attached please regards thanks update schedule network server budget travel""".split()


class Keys:
    """Signing keys by domain; what is published for them."""

    def __init__(self, rnd):
        self.signing, self.published = {}, {}
        for i in range(DOMAINS):
            domain = f"sender{i:02d}.example"
            for bits in (2048, 1024) if i % 8 == 3 else (2048,):
                key = rsa.generate_private_key(65537, bits)
                pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
                der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
                self.add(domain, f"r{bits}", pem, b"rsa-sha256", f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}")
            if i % 5 == 0:
                key = ed25519.Ed25519PrivateKey.from_private_bytes(rnd.randbytes(32))
                raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
                pub = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
                self.add(domain, "ed", base64.b64encode(raw), b"ed25519-sha256", f"v=DKIM1; k=ed25519; p={base64.b64encode(pub).decode()}")

    def add(self, domain, selector, secret, algorithm, record):
        self.signing.setdefault(domain, {})[selector] = (secret, algorithm)
        self.published[f"{selector}._domainkey.{domain}"] = record

    def write(self, folder):
        with open(f"{folder}/zone", "w") as zone, open(f"{folder}/keys.tsv", "w") as tsv:
            zone.write("$TTL 3600\n")
            for name, record in sorted(self.published.items()):
                strings = " ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
                zone.write(f"{name}. IN TXT {strings}\n")
                tsv.write(f"{name}\t{record}\n")


def sentence(rnd):
    text = " ".join(rnd.choices(WORDS, k=rnd.randint(5, 18)))
    return text[0].upper() + text[1:] + rnd.choice(".....?!")


def prose(rnd, size):
    """Lines of up to 74 octets; some begin with dots, some end in blanks, some are quoted."""
    out, line, total = [], "", 0
    while total < size:
        for word in sentence(rnd).split(" "):
            if len(line) + len(word) > 73:
                if rnd.random() < 0.02:
                    line = "." + line
                if rnd.random() < 0.05:
                    line += "  "
                out.append(line)
                total += len(line) + 2
                line = "> " + word if rnd.random() < 0.05 else word
            else:
                line = f"{line} {word}" if line else word
        if rnd.random() < 0.15:
            out += [line, ""]
            line = ""
    return "\r\n".join(out + [line]) + "\r\n"


def html(rnd, size):
    out, total = ["<html><head><style>body{font-family:sans-serif;color:#333}</style></head><body><table>"], 0
    while total < size:
        row = (f'<tr><td style="padding:8px 16px;font-size:14px"><p>{sentence(rnd)} {sentence(rnd)}</p>\r\n'
               f'    <a class="button" href="https://click.sender{rnd.randrange(DOMAINS):02d}.example/t/{rnd.getrandbits(64):x}">{rnd.choice(WORDS)}</a></td></tr>')
        out.append(row)
        total += len(row)
    return "\r\n".join(out + ["</table></body></html>"]) + "\r\n"


def body_of(rnd, kind, octets=None):
    """Header fields of the content, and the body; octets: of the body, about, where the kind does not say."""
    if kind == "text":
        return ["Content-Type: text/plain; charset=us-ascii"], prose(rnd, octets or rnd.randint(1300, 6600))
    mark = f"=_{rnd.getrandbits(64):x}"
    if kind == "html":
        plain, rich = (octets // 4, octets * 3 // 4) if octets else (rnd.randint(800, 4000), rnd.randint(17000, 48000))
        parts = [("text/plain", "7bit", prose(rnd, plain)), ("text/html", "7bit", html(rnd, rich))]
        content = "multipart/alternative"
    else:
        octets = int((rnd.randint(100000, 400000) if kind == "attachment" else rnd.randint(1000000, 3000000)) * 0.73)
        parts = [("text/plain", "7bit", prose(rnd, rnd.randint(500, 3000)))]
        for _ in range(rnd.randint(1, 3)):
            blob = base64.encodebytes(rnd.randbytes(octets)).decode().replace("\n", "\r\n")
            kind_of = rnd.choice(["pdf", "jpeg", "zip"])
            parts.append((f"application/{kind_of}", f"base64\r\nContent-Disposition: attachment;\r\n filename=\"{rnd.choice(WORDS)}.{kind_of}\"", blob))
            octets = rnd.randint(10000, 60000)
        content = "multipart/mixed"
    text = "".join(f"--{mark}\r\nContent-Type: {t}\r\nContent-Transfer-Encoding: {e}\r\n\r\n{b}\r\n" for t, e, b in parts)
    return [f'Content-Type: {content};\r\n boundary="{mark}"'], f"{text}--{mark}--\r\n"


def message(rnd, keys, number, kind, octets=None):
    """One mail and its line of the manifest."""
    domain = f"sender{min(int(rnd.expovariate(0.12)), DOMAINS - 1):02d}.example"
    sender, to = f"{rnd.choice(WORDS)}.{number}@{domain}", f"{rnd.choice(WORDS)}@receiver.example"
    content, body = body_of(rnd, kind, octets)
    fields = [f"Received: from h{i}.{domain} (h{i}.{domain} [10.0.{i}.{rnd.randrange(256)}])\r\n\tby mx{i}.{domain} with ESMTPS id {rnd.getrandbits(40):X}\r\n"
              f"\tfor <{to}>; Sat, 21 Nov 2026 09:{rnd.randrange(60):02d}:00 +0000" for i in range(rnd.randint(1, 3))]
    fields += [f"Date: Sat, 21 Nov 2026 10:{rnd.randrange(60):02d}:{rnd.randrange(60):02d} +0000", f"From: {rnd.choice(WORDS).title()} <{sender}>",
               f"To: <{to}>", f"Subject: {sentence(rnd)[:70]}", f"Message-ID: <{rnd.getrandbits(64):x}.{number}@{domain}>", "MIME-Version: 1.0"]
    mail = "\r\n".join(fields + content + ["", body]).encode()
    want = "none"
    if rnd.random() < 0.8:
        want = "pass"
        canon = rnd.choices([(b"relaxed", b"relaxed"), (b"relaxed", b"simple"), (b"simple", b"simple")], [86, 8, 6])[0]
        selectors = list(keys.signing[domain])
        for selector in selectors if rnd.random() < 0.2 else [rnd.choice(selectors)]:
            secret, algorithm = keys.signing[domain][selector]
            mail = dkim.sign(mail, selector.encode(), domain.encode(), secret, canonicalize=canon, signature_algorithm=algorithm, linesep=b"\r\n",
                             include_headers=[b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]) + mail
        broken = rnd.random()
        head, rest = mail.split(b"\r\n\r\n", 1)
        if broken < 0.05:
            at = next(i for i in range(len(rest) // 2, len(rest)) if chr(rest[i]).isalpha())
            mail, want = head + b"\r\n\r\n" + rest[:at] + (b"Z" if rest[at] != 90 else b"Y") + rest[at + 1:], "fail"
        elif broken < 0.07:
            mail, want = mail.replace(b"\r\nSubject: ", b"\r\nSubject: [list] ", 1), "fail"
    return mail, {"file": f"{number:05d}.eml", "size": len(mail), "sha256": hashlib.sha256(mail).hexdigest(), "helo": f"mx.{domain}", "mail_from": sender,
                  "rcpt_to": to, "ip": f"198.51.100.{rnd.randint(1, 254)}", "dkim": want}


def checksum(octets):
    if len(octets) & 1:
        octets += b"\0"
    return 65535 - (int.from_bytes(octets, "big") % 65535 or 65535)


class Capture:
    """Interleaved connections, written as they go."""

    def __init__(self, path, rnd):
        # behind the t= of the signatures, which are made just before
        self.file, self.rnd, self.time = open(path, "wb", 1 << 20), rnd, (int(time.time()) + 60) * 10**6
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def segment(self, ends, side, flags, data=b""):
        (src, sport, seq), (dst, dport, ack) = ends[side], ends[1 - side]
        tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack if flags & 16 else 0, 0x50, flags, 64240, 0, 0)
        total = checksum(src + dst + struct.pack("!BBH", 0, 6, 20 + len(data)) + tcp + data)
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 0, 0x4000, 64, 6, 0) + src + dst
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        frame = (b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + data).ljust(60, b"\0")
        self.time += 1 + len(frame) // 125
        self.file.write(struct.pack("<IIII", self.time // 10**6, self.time % 10**6, len(frame), len(frame)) + frame)
        ends[side][2] = (seq + len(data) + (1 if flags & 3 else 0)) & 0xFFFFFFFF

    def play(self, ends, script):
        """Yields wherever another connection may go on."""
        self.segment(ends, 0, 2)
        self.segment(ends, 1, 18)
        self.segment(ends, 0, 16)
        for side, data in script:
            yield
            for count, off in enumerate(range(0, len(data), MSS), 1):
                self.segment(ends, side, 16, data[off:off + MSS])
                if count % 2 == 0:
                    self.segment(ends, 1 - side, 16)
                if self.rnd.random() < 0.2:
                    yield
        self.segment(ends, 0, 17)
        self.segment(ends, 1, 17)
        self.segment(ends, 0, 16)

    def interleave(self, talks, at_once=200):
        talks, active = iter(talks), []
        while True:
            while len(active) < at_once:
                talk = next(talks, None)
                if talk is None:
                    break
                active.append(self.play(*talk))
            if not active:
                return
            i = self.rnd.randrange(len(active))
            if next(active[i], self) is self:
                active[i] = active[-1]
                active.pop()


def dialogue(folder, mails, pipelining):
    script = [(1, b"220 mx.receiver.example ESMTP\r\n"), (0, f"EHLO {mails[0]['helo']}\r\n".encode()),
              (1, b"250-mx.receiver.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n")]
    for mail in mails:
        octets = open(f"{folder}/eml/{mail['file']}", "rb").read()
        ask = [f"MAIL FROM:<{mail['mail_from']}> SIZE={len(octets)}\r\n".encode(), f"RCPT TO:<{mail['rcpt_to']}>\r\n".encode(), b"DATA\r\n"]
        answer = [b"250 2.1.0 ok\r\n", b"250 2.1.5 ok\r\n", b"354 go on\r\n"]
        script += [(0, b"".join(ask)), (1, b"".join(answer))] if pipelining else [p for a, b in zip(ask, answer) for p in ((0, a), (1, b))]
        stuffed = (b"." if octets.startswith(b".") else b"") + octets.replace(b"\r\n.", b"\r\n..")
        script += [(0, stuffed + b".\r\n"), (1, b"250 2.0.0 queued\r\n")]
    return script + [(0, b"QUIT\r\n"), (1, b"221 2.0.0 bye\r\n")]


def main():
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    os.makedirs(f"{folder}/eml", exist_ok=True)
    rnd = random.Random(20261121)
    keys = Keys(rnd)
    keys.write(folder)
    octets = int(sys.argv[3]) * 1024 if len(sys.argv) > 3 else 0
    kinds = ["text"] * 70 + ["html"] * 30 if octets else ["text"] * 60 + ["html"] * 25 + ["attachment"] * 12 + ["large"] * 3
    kinds = (kinds * (count // 100 + 1))[:count]
    rnd.shuffle(kinds)
    manifest = []
    for number, kind in enumerate(kinds):
        mail, line = message(rnd, keys, number, kind, rnd.randint(octets * 3 // 4, octets * 5 // 4) - HEAD if octets else None)
        with open(f"{folder}/eml/{line['file']}", "wb") as file:
            file.write(mail)
        manifest.append(line)
    with open(f"{folder}/manifest.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in manifest)
    capture, talks, i = Capture(f"{folder}/mail.pcap", rnd), [], 0
    while i < count:
        mails = manifest[i:i + rnd.choices([1, 2, 3], [80, 15, 5])[0]]
        ends = [[socket.inet_aton(mails[0]["ip"]), 20000 + i % 40000, rnd.getrandbits(32)], [socket.inet_aton("203.0.113.25"), 25, rnd.getrandbits(32)]]
        talks.append((ends, dialogue(folder, mails, rnd.random() < 0.7)))
        i += len(mails)
    capture.interleave(talks)
    capture.file.close()
    print(f"{count} messages, {sum(line['size'] for line in manifest)} octets, {len(talks)} connections, {os.path.getsize(folder + '/mail.pcap')} octets of capture")


main()
