"""A soak: random faults of upstreams, clients that die, policies that change,
for as long as is wanted. In the end all ledgers agree, every session has
ended, nothing leaks."""

import collections
import concurrent.futures
import contextlib
import pathlib
import random
import signal
import ssl
import threading

import certificates
import ledgers

from server import FAULT, Postern, Site, run_once
from soak_client import SoakClient
from soak_upstream import SoakUpstream
from waiting import wait_for

# How often each server of an upstream fails, at each place it comes to.
PROBABILITIES = (0.04, 0.01)
SECONDS_BETWEEN_RELOADS = 2
SECONDS_TO_END = 60
MAILS_BEFORE_STOP = 30
THREADS = 100

HEAD = """\
hostname: mail.example.com
listeners:
  clear:
    address: "127.0.0.1:{site.starttls}"
    tls: none
    auth: none
    trusted: [127.0.0.0/8]
  secure:
    address: "127.0.0.1:{site.implicit}"
    tls: implicit
    auth: none
    trusted: [127.0.0.0/8]
tls:
  certificates:
    - {{chain: "{site.certificate.chain}", key: "{site.certificate.key}"}}
workers: 2
control: "{site.folder}/control"
log: {{decisions: "{site.log}"}}
limits: {{state: "{site.state}"}}
timeouts:
  upstream_connect: 1s
  upstream_banner: 1s
  upstream_mail: 1s
  upstream_data: 1s
  upstream_end_of_data: 1s
  upstream_other: 1s
  shutdown: 20s
upstream: plain
upstreams:
"""

UPSTREAMS = {
    "plain": "tls: {{mode: none}}, disable: [CHUNKING]",
    "chunks": "tls: {{mode: none}}, pool: {{max: 1, queue: 1, idle: 1s}}",
    "secure": 'tls: {{mode: starttls, name: localhost, ca: "{ca}"}}, '
              "pool: {{transactions: 3}}",
}

ROUTES = """\
policy:
  helo:
    - {rule: plain, when: {helo.name: plain.example}, route: plain}
    - {rule: chunks, when: {helo.name: chunks.example}, route: chunks}
    - {rule: secure, when: {helo.name: secure.example}, route: secure}
"""

# One of them holds at a time; the last can't be loaded.
POLICIES = ["", """\
  rcpt:
    - rule: not to the fourth
      when: {rcpt.to: r4@example.net}
      reject: "550 5.7.1 Not to {rcpt.to}"
""", """\
  header:
    - rule: those that end with 7 wait
      when: {mail.from: "*7@example.com"}
      defer: "450 4.7.1 Later"
    - rule: a mark
      headers: {add: {X-Soaked: "yes"}}
""", """\
  message:
    - rule: not so large
      limit: {size: 100K}
      reject: "552 5.3.4 Up to {limit.max}"
  data:
    - rule: slowly
      delay: 50ms
""", """\
  rcpt:
    - rull: nothing
"""]


def connected(port):
    """How many connections to it there are, whoever holds them."""
    found = 0
    for line in pathlib.Path("/proc/net/tcp").read_text(
            encoding="ascii").splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        found += state == "01" and int(local.rpartition(":")[2], 16) == port
    return found


class Soak:
    """Use run(); it returns what is wrong, as texts."""

    def __init__(self, folder, seed, clients=6):
        certificate = certificates.make_certificate(folder / "tls")
        self.site = Site(folder, certificate, None)
        self.chance = random.Random(seed)
        self.is_over = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        self.upstreams = {
            name: [SoakUpstream(self.chance.random(), probability,
                                context if name == "secure" else None,
                                ["CHUNKING", "SIZE 50000000"])
                   for probability in PROBABILITIES]
            for name in UPSTREAMS}
        listeners = [(self.site.starttls, False), (self.site.implicit, True)]
        self.clients = [
            SoakClient(number, self.chance.random(), listeners,
                       [f"{name}.example" for name in UPSTREAMS])
            for number in range(clients)]
        self.reloads = 0
        self.wrong = []

    def servers(self):
        return [server for pair in self.upstreams.values() for server in pair]

    def configuration(self, policy):
        text = HEAD.format(site=self.site)
        for name, keys in UPSTREAMS.items():
            servers = ", ".join(f'"127.0.0.1:{server.port}"'
                                for server in self.upstreams[name])
            keys = keys.format(ca=self.site.certificate.chain)
            text += f"  {name}: {{servers: [{servers}], {keys}}}\n"
        return text + ROUTES + policy

    def run(self, seconds):
        with contextlib.ExitStack() as stack:
            for server in self.servers():
                stack.enter_context(server)
            self.postern = Postern(self.site, self.configuration(""))
            stack.callback(self.end)
            self.postern.wait_ready()
            for server in self.servers():
                server.is_armed = True
            self.soak(seconds)
            self.come_to_rest()
            self.stop_at_work()
        self.judge()
        return self.wrong

    def soak(self, seconds):
        with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
            running = [threads.submit(client.run, self.is_over)
                       for client in self.clients]
            running.append(threads.submit(self.reload))
            concurrent.futures.wait(
                running, seconds, concurrent.futures.FIRST_EXCEPTION)
            self.is_over.set()
        for one in running:
            one.result()

    def come_to_rest(self):
        """All sessions end, the upstream's answers for the dead included."""
        listening = (self.site.starttls, self.site.implicit)
        wait_for(lambda: not sum(map(connected, listening)),
                 "the last connection to end", SECONDS_TO_END)
        opened = sum(client.sessions for client in self.clients)
        wait_for(lambda: len(self.postern.log.events("session")) >= opened,
                 f"the end of {opened} sessions in the log", SECONDS_TO_END)

    def stop_at_work(self):
        """What is in a transaction is finished, or told that it is not."""
        before = len(self.told())
        with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
            running = [threads.submit(client.run_until_closed)
                       for client in self.clients]
            wait_for(lambda: len(self.told()) > before + MAILS_BEFORE_STOP,
                     "mail before the stop", SECONDS_TO_END)
            self.end()
        for one in running:
            one.result()

    def reload(self):
        while not self.is_over.wait(SECONDS_BETWEEN_RELOADS):
            policy = self.chance.choice(POLICIES)
            self.postern.config.write_text(self.configuration(policy),
                                           encoding="utf-8")
            self.reloads += 1
            if self.chance.random() < 0.5:
                self.postern.process.send_signal(signal.SIGHUP)
                continue
            done = run_once("reload", "-c", self.postern.config, seconds=60)
            if done.returncode != (policy == POLICIES[-1]):
                self.wrong.append(f"reload: {done.stderr}")

    def end(self):
        """Called a second time, it does nothing."""
        self.is_over.set()
        self.postern.terminate()
        self.code = self.postern.wait_end(SECONDS_TO_END)

    def judge(self):
        said = self.postern.stderr()
        if self.code != 0 or FAULT.search(said):
            self.wrong.append(f"exit {self.code}: {said[-20000:]}")
        for client in self.clients:
            self.wrong += client.surprises
        log = ledgers.read(self.site.log)
        self.judge_sessions(log)
        self.wrong += ledgers.compare(self.told(), log, self.taken())
        self.summary = self.summarise(log)

    def told(self):
        return [item for client in self.clients for item in client.ledger]

    def taken(self):
        return [{"token": ledgers.token_of(sender),
                 "server": f"127.0.0.1:{server.port}"}
                for server in self.servers() for sender in server.accepted]

    def judge_sessions(self, log):
        ended = collections.Counter(line["id"] for line in log
                                    if line["event"] == "session")
        begun = {line["session"] for line in log
                 if line["event"] == "transaction"}
        twice = [name for name, count in ended.items() if count > 1]
        if twice or begun - set(ended):
            self.wrong.append(f"sessions that ended twice: {twice}, never: "
                              f"{begun - set(ended)}")
        if any(line["event"] == "log" for line in log):
            self.wrong.append("the log lost lines")

    def summarise(self, log):
        verdicts = collections.Counter(
            line["verdict"] + (" (uncertain)" if line.get("uncertain") else "")
            for line in log if line["event"] == "transaction")
        faults = sum(sum(server.faults.values()) for server in self.servers())
        sessions = sum(client.sessions for client in self.clients)
        return (f"{sessions} sessions, {len(self.told())} mails: "
                + ", ".join(f"{count} {verdict}" for verdict, count
                            in sorted(verdicts.items()))
                + f"; {len(self.taken())} taken by upstreams, {faults} faults, "
                  f"{self.reloads} reloads")


def keep_ledgers(soak, folder):
    """For compare_ledgers, or a look."""
    ledgers.write(folder / "client.jsonl", soak.told())
    ledgers.write(folder / "upstream.jsonl", soak.taken())
