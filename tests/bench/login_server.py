"""What the benches of logins share: an optimised program with a users file, and
a client of it that comes from the network that it says."""

import base64
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import optimised_build
import processes
from optimised_build import BUILD


def build():
    optimised_build.build("postern", "guess_load")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """A client of the listener, from the network that its PROXY header says."""

    def __init__(self, port, net):
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(f"PROXY TCP4 {net} 127.0.0.1 40000 465\r\n".encode())
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(plain)
        self.file = self.socket.makefile("rb")
        self.reply()
        self.ask("EHLO client")

    def reply(self):
        while True:
            line = self.file.readline()
            if len(line) < 4 or line[3:4] == b" ":
                return line[:3].decode()

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def login(self, name, password):
        text = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        return self.ask(f"AUTH PLAIN {text}")

    def close(self):
        self.socket.close()


class Server:
    def __init__(self, folder, delay="0s", attempts=100, users="bob",
                 policy=""):
        self.port = free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        folder / "key.pem", "-out", folder / "cert.pem",
                        "-days", "2", "-subj", "/CN=localhost"],
                       check=True, stderr=subprocess.DEVNULL)
        lines = [subprocess.run([BUILD / "postern", "passwd", user],
                                input="right\n", text=True, check=True,
                                capture_output=True).stdout
                 for user in users.split()]
        (folder / "users").write_text("".join(lines))
        (folder / "users").chmod(0o600)
        (folder / "postern.yaml").write_text(f"""
hostname: localhost
listeners:
  secure:
    address: "127.0.0.1:{self.port}"
    tls: implicit
    proxy_protocol: {{from: 127.0.0.0/8}}
tls: {{certificates: [{{chain: "{folder}/cert.pem", key: "{folder}/key.pem"}}]}}
auth:
  backends: [{{users: "{folder}/users"}}]
  attempts: {attempts}
  delay: {delay}
upstreams: {{local: {{maildir: "{folder}/mail"}}}}
upstream: local
caps: {{connections_per_net: 20000}}
log: {{decisions: "{folder}/decisions.jsonl", server: "{folder}/server.log"}}
control: "{folder}/control"
limits: {{state: "{folder}/limits"}}
{policy}""")
        self.process = subprocess.Popen([BUILD / "postern", "run", "-c",
                                         folder / "postern.yaml"])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("postern does not start")

    def rss_kib(self):
        [worker] = processes.workers_of(self.process.pid)
        status = pathlib.Path(f"/proc/{worker}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


