#!/usr/bin/python3
"""Ports: one capture through every kind of DPDK port gives the records that `postern scan` makes of its file.

ports.py POSTERN. A capture file read as a port, each direction on a port of its own, AF_PACKET, AF_XDP, memif, and vhost with
a virtio-user generator. Besides: every start error is one line, and SIGTERM ends a run whose output is blocked. Parts that
cannot run here are skipped with the reason; a failure with CI=true.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import livenet
from livenet import Inside, check, run, until

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
MTU_MAX = 3434
ROOM = "framesz=16384,blocksz=65536,framecnt=512"
CAPTURE, ZONE = f"{DATA}/demo.pcap", f"{DATA}/demo.zone"
skipped = []
running = []


def frames(path):
    raw = open(path, "rb").read()
    order = "<" if raw[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(raw):
        n = struct.unpack(order + "4I", raw[at:at + 16])[2]
        yield raw[at:at + 16], raw[at + 16:at + 16 + n]
        at += 16 + n


def split(folder):
    """The capture as a tap with a port for each direction sees it."""
    head = open(CAPTURE, "rb").read()[:24]
    files = [open(f"{folder}/{name}.pcap", "wb") for name in ("client", "server")]
    for f in files:
        f.write(head)
    for record, frame in frames(CAPTURE):
        ip = 14 + 4 * (frame[12:14] == b"\x81\x00")
        tcp = ip + (frame[ip] & 15) * 4 if frame[ip] >> 4 == 4 else ip + 40
        port = struct.unpack(">H", frame[tcp + 2:tcp + 4])[0]
        files[port not in (25, 587, 110)].write(record + frame)
    for f in files:
        f.close()
    return [f.name for f in files]


def plain(lines):
    """Records in an order that does not hang on when they came; the clock of a live port is not the file's."""
    out = []
    for line in lines:
        r = json.loads(line)
        del r["timestamp"]
        out.append(json.dumps(r, sort_keys=True))
    return sorted(out)


class Run:
    def __init__(self, binary, folder, name, eal, netns=None, more=()):
        self.output, self.socket = f"{folder}/{name}.json", f"{folder}/{name}.sock"
        self.err = open(f"{folder}/{name}.err", "w+")
        words = [binary, "run", "--config", "/dev/null", "--dns", f"zone:{ZONE}", "--output", self.output, "--socket",
                 self.socket, *more, "--", *eal]
        if netns:
            words = ["nsenter", f"--net=/run/netns/{netns}", *words]
        self.process = subprocess.Popen(words, stderr=self.err, env=livenet.environment(folder))
        running.append(self.process)
        until("start", lambda: "reading" in self.said() or self.process.poll() is not None, 20)

    def said(self):
        return open(self.err.name).read()

    def records(self):
        return open(self.output, encoding="utf-8").read().splitlines() if os.path.exists(self.output) else []

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


class Generator:
    """testpmd: the capture in, another process's port out; waits where that is full."""

    def __init__(self, folder, name, vdev):
        self.prefix = f"gen{os.getpid()}{name}"
        words = ["dpdk-testpmd", "--no-pci", "--no-huge", "--no-shconf", "-m", "300", "--single-file-segments", "--no-telemetry",
                 "--file-prefix", self.prefix, "--lcores", "0@0,1@1" if os.cpu_count() > 1 else "0@0,1@0",
                 "--vdev", f"net_pcap0,rx_pcap={CAPTURE}", "--vdev", vdev, "--", "-i", "--total-num-mbufs=8192",
                 "--no-flush-rx"]
        self.log = open(f"{folder}/{name}.gen", "w+")
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, text=True)
        self.say("set fwd io retry")
        self.say("set burst tx delay 100 retry 1000")

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.say("stop")
        self.say("quit")
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(f"/run/dpdk/{self.prefix}", ignore_errors=True)


def verdict(name, r, want):
    until("records", lambda: len(r.records()) >= len(want), 20)
    status = r.end()
    got = plain(r.records())
    check(f"{name}: the {len(want)} records of scan", got == want,
          f"{len(got)} records; {r.said()} {[g for g in got if g not in want][:1]}")
    check(f"{name}: status 0", status == 0, f"{status} {r.said()}")


def by_file(binary, folder, want):
    verdict("net_pcap", Run(binary, folder, "pcap", ["--vdev", f"net_pcap0,rx_pcap={CAPTURE}"]), want)
    files = split(folder)
    eal = [x for i, f in enumerate(files) for x in ("--vdev", f"net_pcap{i},rx_pcap={f}")]
    # two files are read burst by burst, so their clocks run apart as those of a wire never do
    slow = ["--limits-hole-time", "60s", "--limits-hole-packets", "60000"]
    verdict("each direction on its own port", Run(binary, folder, "split", eal, more=slow), want)
    r = Run(binary, folder, "apart", eal, more=["--join-ports=false"])
    until("records", lambda: len(r.records()) >= len(want), 3)
    check("ports that are not joined have a worker each", "2 receive workers" in r.said(), r.said())
    check("ports that are not joined: status 0", r.end() == 0, r.said())


def by_af_packet(binary, folder, want):
    name = f"lvp{os.getpid()}"
    why = livenet.no_namespace(name)
    if why:
        skipped.append(f"AF_PACKET: {why}")
        return
    try:
        run("ip", "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "b0")
        for dev in ("a0", "b0"):
            run("ip", "-n", name, "link", "set", dev, "up", "mtu", "9000")
        for queues in (1, 2):
            r = Run(binary, folder, f"af_packet{queues}", ["--vdev", f"net_af_packet0,iface=a0,qpairs={queues},{ROOM}"],
                    netns=name, more=["--queues", str(queues)])
            check("AF_PACKET keeps both directions in one queue: no warning", "warning" not in r.said(), r.said())
            with Inside(name):
                s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind(("b0", 0))
            for i, (_, frame) in enumerate(frames(CAPTURE)):
                s.send(frame)
                if i % 32 == 0:
                    time.sleep(0.002)  # a socket has no way to slow us down
            verdict(f"net_af_packet, {queues} queues", r, want)
            s.close()
    finally:
        run("ip", "netns", "del", name, ok=False)


def by_af_xdp(binary, folder, want):
    """The smallest and the largest MTU: whole frames of mail come in, others do not."""
    name = f"lvx{os.getpid()}"
    why = livenet.no_namespace(name)
    if why:
        skipped.append(f"AF_XDP: {why}")
        return
    try:
        run("ip", "-n", name, "link", "add", "x0", "type", "veth", "peer", "name", "x1")
        for mtu in (1500, MTU_MAX):
            for dev in ("x0", "x1"):
                run("ip", "-n", name, "link", "set", dev, "mtu", str(mtu), "up")
            r = Run(binary, folder, f"xdp{mtu}", [], netns=name, more=["--interface", "x1"])
            with Inside(name):
                s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind(("x0", 0))
            mail = list(frames(CAPTURE))
            for _, frame in mail:
                s.send(frame)
            for i in range(200):
                for port, tags in ((25, b""), (25, b"\x81\0\0\7" * 2), (80, b"")):
                    ip = struct.pack(">BBHIBBH4s4sHH", 0x45, 0, mtu, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2", 4000, port)
                    s.send(bytes(12) + tags + b"\x08\0" + ip.ljust(mtu - len(tags), b"\0"))
                time.sleep(0.001)
            s.close()
            # the counters of a port are read ten times a second
            until("frames", lambda: livenet.Postern.ask(r, "stats")["totals"]["capture"]["frames"] >= len(mail) + 400, 3)
            time.sleep(0.2)
            stats = livenet.Postern.ask(r, "stats")["totals"]["capture"]
            octets = sum(len(f) for _, f in mail) + 200 * 2 * (mtu + 14)
            check(f"AF_XDP, MTU {mtu}: every frame of mail, whole, and no other",
                  stats["frames"] == len(mail) + 400 and stats["octets"] == octets and stats["missed"] == 0,
                  (stats, len(mail) + 400, octets))
            verdict(f"AF_XDP, MTU {mtu}", r, want)
        run("ip", "-n", name, "link", "set", "x1", "mtu", str(MTU_MAX + 1))
        p = run(binary, "run", "--interface", "x1", "--socket", f"{folder}/e.sock", netns=name, ok=False)
        check("AF_XDP: a larger MTU is refused with the cure", p.returncode == 2 and f"mtu {MTU_MAX}" in p.stderr, p.stderr)
    finally:
        run("ip", "netns", "del", name, ok=False)


def by_generator(binary, folder, want, name, ours, theirs):
    if not shutil.which("dpdk-testpmd"):
        skipped.append(f"{name}: dpdk-testpmd is not installed")
        return
    r = Run(binary, folder, name, ["--vdev", ours])
    check(f"{name}: says that the other side is not there yet", "link is down" in r.said(), r.said())
    g = Generator(folder, name, theirs)
    g.say("start")
    until("records", lambda: len(r.records()) >= len(want), 20)
    verdict(name, r, want)
    g.end()


def start_errors(binary, folder):
    """Each way not to start: status 2 and one line that has the cure."""
    for words, has in (
            ([], "--interface"),
            (["--interface", "none0x"], "no such interface"),
            (["--queues", "65"], "0 to 64"),
            (["eth0"], "behind --"),
            (["--config", f"{folder}/nofile"], "nofile"),
            (["--output", "/nonexistent/x", "--", "--vdev", "net_null0"], "--output"),
            (["--dns", "zone:/nonexistent", "--", "--vdev", "net_null0"], "/nonexistent"),
            (["--queues", "2", "--", "--vdev", f"net_pcap0,rx_pcap={CAPTURE}"], "at most 1"),
            (["--", "--bogus", "--vdev", "net_null0"], "--bogus"),
            (["--", "--vdev", "net_nodriver0"], "net_nodriver0"),
            (["--", "--vdev", "net_pcap0,rx_pcap=/nonexistent"], "/nonexistent"),
            (["--", "--no-huge", "-a", "0000:77:00.0"], "dpdk-devbind" if os.geteuid() == 0 else "root")):
        p = run(binary, "run", "--socket", f"{folder}/error.sock", *words, ok=False)
        check(f"start error of {' '.join(words) or 'no port'}: one line, status 2",
              p.returncode == 2 and p.stderr.count("\n") == 1 and has in p.stderr and not p.stdout, (p.returncode, p.stderr, p.stdout))


def blocked(binary, folder):
    """Nobody reads the output: SIGTERM still ends the run, within its bound."""
    words = [binary, "run", "--config", "/dev/null", "--dns", "none", "--socket", f"{folder}/blocked.sock", "--stop-time", "1s",
             "--limits-flow-closed", "0s", "--", "--vdev", f"net_pcap0,rx_pcap={CAPTURE},infinite_rx=1"]
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until("socket", lambda: os.path.exists(f"{folder}/blocked.sock"), 20)
    time.sleep(2)  # the pipe is full by now
    begin = time.monotonic()
    p.send_signal(signal.SIGTERM)
    try:
        status = p.wait(20)
    except subprocess.TimeoutExpired:
        p.kill()
        status = "did not end"
    check("blocked output: SIGTERM ends it in time, status 0", status == 0 and time.monotonic() - begin < 6,
          (status, time.monotonic() - begin))
    said = p.stderr.read().decode()
    check("blocked output: it was blocked, and is told", "does not end" in said, said)
    p.stdout.close()
    p.stderr.close()


def dead_dns(binary, folder, want):
    """A name server that never answers: every record comes, late keys are temperror, nothing else changes; and at SIGTERM
    what still waits is not lost."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    dns = ["--dns", f"127.0.0.1@{silent.getsockname()[1]}", "--dns-query-timeout"]
    eal = ["--vdev", f"net_pcap0,rx_pcap={CAPTURE}"]

    def judged(lines):
        """Which messages wait for a key, and that these are temperror."""
        out = []
        for r in map(json.loads, lines):
            late = [d["result"] for d in r["auth"]["dkim"] if d["reason"] in ("key_timeout", "key_failed")]
            out.append((r["message"]["sha256"], r["flow_id"], r["tx_id"], len(late), set(late) <= {"temperror"}))
        return sorted(out)
    waits = judged(run(binary, "scan", "--format", "json", "--dns", "none", CAPTURE, ok=False).stdout.splitlines())
    begin = time.monotonic()
    r = Run(binary, folder, "dead", eal, more=[*dns, "1s", "--dns-message-deadline", "1s"])
    until("records", lambda: len(r.records()) >= len(want), 10)
    check("dead name server: every record within the deadline", time.monotonic() - begin < 8 and judged(r.records()) == waits,
          (time.monotonic() - begin, judged(r.records()), waits))
    check("dead name server: some waited for it", any(w[3] for w in waits) and not all(w[3] for w in waits), waits)
    check("dead name server: status 0", r.end() == 0, r.said())
    r = Run(binary, folder, "dead2", eal, more=[*dns, "60s", "--dns-message-deadline", "60s", "--stop-time", "2s"])
    until("records that need no key", lambda: len(r.records()) >= sum(w[3] == 0 for w in waits), 10)
    begin = time.monotonic()
    status = r.end()
    check("SIGTERM with keys on their way: in time, status 0, no record lost",
          status == 0 and time.monotonic() - begin < 4 and judged(r.records()) == waits, (status, time.monotonic() - begin, r.said()))
    silent.close()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp(prefix="postern-ports-")
    try:
        p = run(binary, "scan", "--format", "json", "--dns", f"zone:{ZONE}", CAPTURE, ok=False)
        want = plain(p.stdout.splitlines())
        check("scan gives records", len(want) > 5, p.stderr)
        start_errors(binary, folder)
        blocked(binary, folder)
        dead_dns(binary, folder, want)
        by_file(binary, folder, want)
        by_af_packet(binary, folder, want)
        by_af_xdp(binary, folder, want)
        by_generator(binary, folder, want, "memif", f"net_memif0,role=server,socket-abstract=no,socket={folder}/memif",
                     f"net_memif0,role=client,socket-abstract=no,socket={folder}/memif")
        by_generator(binary, folder, want, "vhost", f"net_vhost0,iface={folder}/vhost",
                     f"net_virtio_user0,path={folder}/vhost,queue_size=1024")
    finally:
        for p in running:
            p.kill()
        if "-k" in sys.argv:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


main()
for s in skipped:
    print(f"skipped: {s}")
livenet.done(skipped, "postern scan")
