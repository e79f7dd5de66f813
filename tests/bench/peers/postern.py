"""Postern with one worker, the policy of config/example.yaml and a decision
log. Of the example only what it says of its site is replaced, and the rate of
its recipients, which no bench could keep to: the budget is held all the same.
"""

import re
import shutil
import subprocess

import example_policy
import places
import ports
import processes

from .endpoint import Endpoint
from .site import PASSWORD, SENDER, USER

HEAD = """\
hostname: mail.test
listeners:
  submissions: {{address: "127.0.0.1:{port}", tls: implicit}}
  printers:
    {{address: "127.0.0.1:{other}", tls: none, auth: none, trusted: [127.0.0.1]}}
tls: {{certificates: [{{chain: "{chain}", key: "{key}"}}]}}
auth:
  backends: [{{users: users}}]
  cache: {cache}
upstreams: {{mta: {{servers: ["127.0.0.1:{sink_port}"], tls: {{mode: none}}}}}}
upstream: mta
log: {{decisions: decisions.jsonl, server: server.log}}
limits: {{state: limits}}
control: control
caps: {{connections: {connections}, connections_per_net: {connections}}}
workers: {workers}
"""

# Tests of a policy are no part of what a mail costs, and one of them counts
# to the rate.
LEFT_OUT = example_policy.SITE_SECTIONS | {"tests"}


def policy():
    text = "".join(text for key, text in example_policy.sections().items()
                   if key not in LEFT_OUT)
    text, found = re.subn(r"recipients: 500/h, burst: 100\b",
                          "recipients: 1000000/s, burst: 1000000", text)
    assert found == 1, "config/example.yaml has another rate"
    return text


class Postern(Endpoint):
    TITLE = "Postern"
    CACHE = "10m"
    WORKERS = 1

    def __init__(self, site, _sink):
        self.site = site
        self.folder = site.make("postern")
        self.program = site.programs / "postern"
        self.port = ports.free_port()
        self.process = None

    def write(self):
        for name in ("disposable-domains.txt", "quota.txt"):
            shutil.copy(places.ROOT / "config" / name, self.folder)
        hashed = subprocess.run(
            [self.program, "passwd", USER], input=PASSWORD + "\n", text=True,
            capture_output=True, check=True).stdout.strip().split(":")
        users = self.folder / "users"
        users.write_text(f"{hashed[0]}:{hashed[1]}:addresses={SENDER}\n",
                         encoding="utf-8")
        users.chmod(0o600)
        (self.folder / "postern.yaml").write_text(HEAD.format(
            port=self.port, other=ports.free_port(), cache=self.CACHE,
            workers=self.WORKERS, chain=self.site.certificate.chain,
            key=self.site.certificate.key, sink_port=self.site.sink_port,
            connections=self.site.descriptors * 2) + policy(),
            encoding="utf-8")

    def command(self):
        """What starts it; a tool may come first that starts it in its place.
        """
        return [self.program, "run", "-c", self.folder / "postern.yaml"]

    def start(self):
        self.write()
        with open(self.folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=stderr,
                stderr=stderr, start_new_session=True)
        assert ports.wait_listening(
            [self.port], lambda: self.process.poll() is None), self.log()

    def stop(self):
        if self.process is None:
            return
        # A second signal ends what is in a transaction, too.
        for _ in range(2):
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def worker_pid(self):
        """Of the worker process, which does all that is measured."""
        [pid] = processes.workers_of(self.process.pid)
        return pid

    def log(self):
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def version(self):
        said = subprocess.run([self.program, "--version"], check=True,
                              capture_output=True, text=True)
        return said.stdout.strip()


class ColdPostern(Postern):
    """Each login pays for its hash."""

    CACHE = "0s"
