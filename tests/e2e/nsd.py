"""A real name server on loopback that serves one master file as the root zone, for tests."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import dns.message
import dns.query

PATH = shutil.which("nsd") or "/usr/sbin/nsd"


def installed():
    return os.access(PATH, os.X_OK)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def rooted(text):
    """The master file with what a zone must have, where it does not have it."""
    if " SOA " in text:
        return text
    return ". 60 IN SOA ns. host. 1 3600 600 86400 60\n. 60 IN NS ns.\nns. 60 IN A 127.0.0.1\n" + text


class Nsd:
    """with Nsd(text) as server: server.dns is IP@PORT. Raises RuntimeError when nsd does not take the file.

    Every question is answered, however many there are: Debian's nsd drops some over 200 a second.
    """

    def __init__(self, text):
        self.text = rooted(text)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="nsd.")
        self.port = free_port()
        self.dns = f"127.0.0.1@{self.port}"
        for name, content in (("zone", self.text), ("conf", f'''server:
 ip-address: {self.dns}
 zonesdir: "{self.folder}"
 pidfile: ""
 database: ""
 zonelistfile: "{self.folder}/list"
 xfrdfile: "{self.folder}/xfrd"
 xfrdir: "{self.folder}"
 username: ""
 server-count: 1
 rrl-ratelimit: 0
remote-control:
 control-enable: no
zone:
 name: "."
 zonefile: "zone"
''')):
            with open(os.path.join(self.folder, name), "w", encoding="latin-1") as f:
                f.write(content)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen([PATH, "-d", "-c", os.path.join(self.folder, "conf")],
                                            stdout=log, stderr=log)
        if not self.answers():
            with open(os.path.join(self.folder, "log"), encoding="latin-1") as f:
                log = f.read()
            self.__exit__()
            raise RuntimeError("nsd does not serve the zone:\n" + log)
        return self

    def answers(self):
        question = dns.message.make_query(".", "SOA")
        for _ in range(50):
            try:
                reply = dns.query.udp(question, "127.0.0.1", port=self.port, timeout=0.2)
                if reply.rcode() == 0 and reply.answer:
                    return True
            except (OSError, dns.exception.DNSException):
                pass
            if self.process.poll() is not None:
                return False
            time.sleep(0.1)
        return False

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder)
