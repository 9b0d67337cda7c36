"""What live.py stands on: namespaces with a mirrored wire, Postfix and Dovecot in them, and one run of the engine."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
CLIENT6, SERVER6 = "fd77::1", "fd77::2"
NEEDED = ["ip", "tc", "ethtool", "nsenter", "swaks", "smtp-source", "postfix", "dovecot", "bpftool"]
WAIT_S = 30
failures = []
checks = 0


def check(what, good, detail=""):
    global checks
    checks += 1
    if not good:
        failures.append(what)
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else ': ' + str(detail)[:1500]}", flush=True)
    return good


def skip(why):
    print(f"skipped: {why}")
    done(["all of it"])


def done(skipped, oracles=""):
    """The end of a test: its sums. 77 is for a test of which nothing could run; with CI=true no part may be skipped."""
    if checks and oracles:
        print(f"oracles: {oracles}")
    print(f"{checks - len(failures)} passed, {len(failures)} failed, {len(skipped)} skipped")
    sys.exit(1 if failures or (skipped and os.environ.get("CI") == "true") else 0 if checks else 77)


def no_namespace(name):
    """Makes a network namespace of this name; else says why not."""
    if os.geteuid() != 0:
        return "needs root"
    p = run("ip", "netns", "add", name, ok=False)
    if p.returncode == 0:
        # that it can be entered is not certain: ip mounts a sysfs for it
        p = run("ip", "-n", name, "link", "set", "lo", "up", ok=False)
        if p.returncode:
            run("ip", "netns", "del", name, ok=False)
    return f"no network namespace: {p.stderr.strip()}" if p.returncode else None


def possible():
    """Skips where this cannot run here."""
    if os.geteuid() != 0:
        skip("network namespaces and AF_XDP need root")
    for name in NEEDED:
        if not shutil.which(name):
            skip(f"{name} is not installed")
    try:
        __import__("cryptography")
        __import__("dkim")
    except ImportError as e:
        skip(f"Python module {e.name} is not installed")
    name = f"lvx{os.getpid()}"
    why = no_namespace(name)
    if why:
        skip(why)
    run("ip", "netns", "del", name)


def run(*words, netns=None, ok=True, **more):
    if netns:
        words = ("nsenter", f"--net=/run/netns/{netns}", *words)
    p = subprocess.run(words, capture_output=True, text=True, timeout=120, **more)
    if ok and p.returncode:
        raise RuntimeError(f"{' '.join(words)}: {p.stdout}{p.stderr}")
    return p


def environment(folder):
    """For a run with AF_XDP: net_af_xdp does not give back all that it has of these libraries, which LeakSanitizer would tell."""
    with open(f"{folder}/lsan", "w", encoding="ascii") as f:
        f.write("leak:libxdp.so\nleak:libbpf.so\n")
    return dict(os.environ, LSAN_OPTIONS=f"suppressions={folder}/lsan:print_suppressions=0")


def until(what, test, wait_s=WAIT_S):
    """Polls test() until it is true; its last value."""
    end = time.monotonic() + wait_s
    while True:
        value = test()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


class Inside:
    """This process in another network namespace: sockets made here belong to it."""

    def __init__(self, netns):
        self.netns = netns

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        fd = os.open(f"/run/netns/{self.netns}", os.O_RDONLY)
        setns(fd)
        os.close(fd)

    def __exit__(self, *_):
        setns(self.home)
        os.close(self.home)


def setns(fd):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


class Net:
    """client c0 -- s0 server, both directions of s0 copied to m0 -- m1 tap."""

    def __init__(self):
        self.names = {k: f"lv{k}{os.getpid()}" for k in "cst"}
        self.made = []

    def up(self):
        c, s, t = (self.names[k] for k in "cst")
        for name in (c, s, t):
            run("ip", "netns", "add", name)
            self.made.append(name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "c0", "netns", c, "type", "veth", "peer", "name", "s0", "netns", s)
        run("ip", "link", "add", "m0", "netns", s, "type", "veth", "peer", "name", "m1", "netns", t)
        for name, dev in ((c, "c0"), (s, "s0"), (s, "m0"), (t, "m1")):
            run("ip", "-n", name, "link", "set", dev, "up")
            # frames as on a wire: right checksums, no segments larger than the MTU
            run("ethtool", "-K", dev, "tx", "off", "gro", "off", "gso", "off", netns=name, ok=False)
        for name, dev, v4, v6 in ((c, "c0", CLIENT, CLIENT6), (s, "s0", SERVER, SERVER6)):
            run("ip", "-n", name, "addr", "add", v4 + "/24", "dev", dev)
            run("ip", "-n", name, "-6", "addr", "add", v6 + "/64", "dev", dev, "nodad")
            # a mirror has no way to slow the sender down: the wire does
            run("tc", "qdisc", "add", "dev", dev, "root", "tbf", "rate", "200mbit", "burst", "64kb", "latency",
                "300ms", netns=name, ok=False)
        run("tc", "qdisc", "add", "dev", "s0", "clsact", netns=s)
        for way in ("ingress", "egress"):
            run("tc", "filter", "add", "dev", "s0", way, "protocol", "all", "u32", "match", "u32", "0", "0",
                "action", "mirred", "egress", "mirror", "dev", "m0", netns=s)

    def down(self):
        for name in reversed(self.made):
            run("ip", "netns", "del", name, ok=False)

    def __getitem__(self, k):
        return self.names[k]


MAIN_CF = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {dir}
maillog_file = {dir}/maillog
inet_interfaces = all
inet_protocols = all
myhostname = mx.receiver.example
mydestination =
mynetworks = 10.77.0.0/24 [fd77::]/64
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@receiver.example=REJECT}}
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
disable_dns_lookups = yes
local_header_rewrite_clients =
virtual_mailbox_domains = receiver.example
virtual_mailbox_base = {dir}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 100
message_size_limit = 30000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
alias_maps =
alias_database =
"""
MASTER_CF = """25        inet  n - n - - smtpd
2525      inet  n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
DOVECOT = """base_dir = {dir}/dovecot
state_dir = {dir}/dovecot-state
instance_name = {dir}
protocols = pop3
listen = 10.77.0.2, fd77::2
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
log_path = {dir}/dovecot.log
mail_location = maildir:{dir}/mail
first_valid_uid = 100
default_vsz_limit = 1G
pop3_no_flag_updates = yes
service pop3 {{
  process_limit = 20
}}
service stats {{
  process_limit = 1
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={dir}/home
}}
"""


class Servers:
    def __init__(self, net, folder):
        self.netns, self.dir = net["s"], folder
        self.dovecot = None

    def start(self):
        d = self.dir
        for sub in ("conf", "queue", "data", "mail/new", "mail/cur", "mail/tmp", "home", "dovecot"):
            os.makedirs(f"{d}/{sub}", exist_ok=True)
        for sub in ("mail", "mail/new", "mail/cur", "mail/tmp", "home"):
            os.chown(f"{d}/{sub}", 65534, 65534)
        shutil.chown(f"{d}/data", "postfix")
        open(f"{d}/conf/main.cf", "w").write(MAIN_CF.format(dir=d))
        open(f"{d}/conf/master.cf", "w").write(MASTER_CF)
        open(f"{d}/dovecot.conf", "w").write(DOVECOT.format(dir=d))
        p = run("postfix", "-c", f"{d}/conf", "start", netns=self.netns, ok=False)
        if p.returncode:
            skip(f"Postfix does not start: {p.stdout}{p.stderr}{self.log('maillog')}")
        self.dovecot = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.netns}", "dovecot", "-F", "-c", f"{d}/dovecot.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for port in (25, 110, 2525):
            if not until(f"port {port}", lambda: self.answers(port), 15):
                skip(f"no server answers on port {port}: {self.log('maillog')}{self.log('dovecot.log')}")

    def answers(self, port):
        with Inside(self.netns):
            try:
                socket.create_connection((SERVER, port), 1).close()
                return True
            except OSError:
                return False

    def log(self, name):
        try:
            return open(f"{self.dir}/{name}").read()[-2000:]
        except OSError:
            return ""

    def stop(self):
        try:
            pid = int(open(f"{self.dir}/queue/pid/master.pid").read())
            os.kill(pid, signal.SIGTERM)
            until("master", lambda: not os.path.exists(f"/proc/{pid}"), 10)
        except (OSError, ValueError):
            pass
        if self.dovecot:
            self.dovecot.terminate()
            self.dovecot.wait(10)

    def stored(self):
        """By queue id, since a message for two has two files: octets as the server took them."""
        found = {}
        for name in os.listdir(f"{self.dir}/mail/new") + os.listdir(f"{self.dir}/mail/cur"):
            for sub in ("new", "cur"):
                path = f"{self.dir}/mail/{sub}/{name}"
                if os.path.exists(path):
                    text = open(path, "rb").read()
            # what Postfix put in front ends with its Received field
            m = re.match(rb"(?:[A-Z][A-Za-z-]*: [^\n]*\n)*?Received: [^\n]*\n(?:[ \t][^\n]*\n)+", text)
            queue_id = re.search(rb"\bid ([0-9A-Za-z]+)", m.group(0)).group(1).decode()
            found[queue_id] = text[m.end():].replace(b"\n", b"\r\n")
        return found


class Postern:
    """One run of the engine in the tap's namespace."""

    def __init__(self, binary, net, folder, zone):
        self.binary, self.netns, self.dir = binary, net["t"], folder
        self.config = f"{folder}/postern.yaml"
        self.output = f"{folder}/records.json"
        self.socket = f"{folder}/control.sock"
        self.zone = zone
        self.process = None

    def configure(self, smtp_ports):
        open(self.config, "w").write(
            f"interface: m1\nsmtp_ports: {smtp_ports}\noutput: {self.output}\nsocket: {self.socket}\n"
            f"dns:\n  source: zone:{self.zone}\nlimits:\n  flow_max: 65536\n  message_total: 256MiB\n")

    def start(self):
        self.err = open(f"{self.dir}/stderr", "a+")
        begin = self.err.tell()
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.netns}", self.binary, "run", "--config", self.config],
            stdout=subprocess.DEVNULL, stderr=self.err,
            env=environment(self.dir))

        def words():
            text = open(f"{self.dir}/stderr").read()[begin:]
            return text if "reading m1" in text or self.process.poll() is not None else ""

        text = until("start", words, 20)
        return text

    def ask(self, command, **more):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.socket)
            s.sendall((json.dumps({"command": command, **more}) + "\n").encode())
            reply = json.loads(s.makefile().readline())
        if not reply["ok"]:
            raise RuntimeError(f"{command}: {reply['error']}")
        return reply["result"]

    def records(self, path=None):
        try:
            lines = open(path or self.output, encoding="utf-8").read().split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line]

    def program(self):
        """Name of the XDP program on the tap."""
        for dev in json.loads(run("bpftool", "-j", "net", netns=self.netns).stdout):
            for x in dev.get("xdp", []):
                if x.get("devname") == "m1":
                    return json.loads(run("bpftool", "-j", "prog", "show", "id", str(x["id"])).stdout)["name"]
        return None

    def steered_ports(self):
        for dev in json.loads(run("bpftool", "-j", "net", netns=self.netns).stdout):
            for x in dev.get("xdp", []):
                prog = json.loads(run("bpftool", "-j", "prog", "show", "id", str(x["id"])).stdout)
                for i in prog["map_ids"]:
                    m = json.loads(run("bpftool", "-j", "map", "show", "id", str(i)).stdout)
                    if m["name"] == "mail_ports":
                        dump = json.loads(run("bpftool", "-j", "map", "dump", "id", str(i)).stdout)
                        return sorted(int(k["key"][0], 16) | int(k["key"][1], 16) << 8 for k in dump)
        return None

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not end"
