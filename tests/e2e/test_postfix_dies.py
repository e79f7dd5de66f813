"""A real Postfix is killed and started again while mail flows: each message
that a client was told is taken lies in its queue, once."""

import concurrent.futures
import random
import re
import threading

import ledgers
from dialogue import Dialogue
from messages import make_large_message, make_message
from peer_postfix import Postfix
from waiting import wait_for

CLIENTS = 6
DEATHS = 12
MESSAGES_BETWEEN = 12
SEED = 20260105
RECIPIENT = "a@example.net"

# Everything it takes stays in the queue `hold`; what was killed comes back
# at once.
HOLDING = """\
smtpd_recipient_restrictions = check_recipient_access static:HOLD
service_throttle_time = 1s
"""

CONFIGURATION = """\
hostname: mail.example.com
listeners:
  inside:
    address: "127.0.0.1:{port}"
    tls: none
    auth: none
    trusted: [127.0.0.0/8]
workers: 2
upstreams:
  chunks:
    servers: ["127.0.0.1:{postfix}"]
    tls: {{mode: starttls, name: localhost, ca: "{ca}"}}
  data:
    servers: ["127.0.0.1:{postfix}"]
    tls: {{mode: none}}
    disable: [CHUNKING]
upstream: chunks
policy:
  helo:
    - rule: data
      when: {{helo.name: data.example}}
      route: data
log: {{decisions: "{log}"}}
limits: {{state: "{state}"}}
"""

QUEUE_ERROR = "451 4.3.0 Error: queue file write error"
TOKEN = re.compile(rb"(mail-\d+-\d+)@example\.com")


class Sender:
    """A client that tries each message until it is taken."""

    def __init__(self, number, port, is_over):
        self.number, self.port, self.is_over = number, port, is_over
        self.ledger = []
        self.sent = 0

    def run(self):
        while not self.is_over.is_set():
            token = f"mail-{self.number}-{self.sent}"
            while not self.is_over.is_set() and self.attempt(token) != 250:
                pass
            self.sent += 1

    def attempt(self, token):
        code = self.send(token)
        self.ledger.append({"token": token, "code": code})
        return code

    def send(self, token):
        sender = f"{token}@example.com"
        make = make_message if self.sent % 4 else make_large_message
        size = () if self.sent % 4 else (200_000,)
        helo = ("data.example", "chunks.example")[self.number % 2]
        with Dialogue(self.port, seconds=120) as client:
            client.expect(220)
            client.hello(helo)
            client.expect(250, f"MAIL FROM:<{sender}>")
            rcpt = client.say(f"RCPT TO:<{RECIPIENT}>")
            if rcpt.code != 250:
                return rcpt.code
            return client.message(
                make(sender, RECIPIENT, token, *size)).code


def taken(senders):
    return sum(item["code"] == 250 for sender in senders
               for item in sender.ledger)


def die(postfix, chance):
    """The whole of it, or a part that its master starts again."""
    victim = chance.choice(["all", "all", "smtpd", "cleanup"])
    if victim == "all":
        postfix.kill()
        postfix.launch()
    else:
        postfix.kill_some(victim)


def let_it_die(postfix, senders):
    chance = random.Random(SEED)
    for _ in range(DEATHS):
        wanted = taken(senders) + chance.randrange(MESSAGES_BETWEEN)
        wait_for(lambda: taken(senders) >= wanted, "mail that flows", 180)
        die(postfix, chance)
    wanted = taken(senders) + MESSAGES_BETWEEN
    wait_for(lambda: taken(senders) >= wanted, "mail that flows again", 180)


def log_of(server):
    """With what Postfix itself is not certain of: where its cleanup dies
    behind the disk, its smtpd refuses what is in the queue."""
    return [{**line, "uncertain": True}
            if line.get("reply") == QUEUE_ERROR else line
            for line in server.log.lines()]


def queue_of(postfix):
    return [{"token": TOKEN.search(path.read_bytes()).group(1).decode(),
             "server": f"127.0.0.1:{postfix.port}"}
            for path in postfix.held()]


def test_postfix_dies_while_mail_flows(site, start, certificate, tmp_path):
    postfix = Postfix(tmp_path / "postfix", certificate, more=HOLDING)
    postfix.folder.mkdir()
    postfix.start()
    try:
        server = start(CONFIGURATION.format(
            port=site.starttls, postfix=postfix.port, ca=certificate.chain,
            log=site.log, state=site.state), wanted_ports=[site.starttls])
        is_over = threading.Event()
        senders = [Sender(number, site.starttls, is_over)
                   for number in range(CLIENTS)]
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as threads:
            running = [threads.submit(sender.run) for sender in senders]
            try:
                let_it_die(postfix, senders)
            finally:
                is_over.set()
        for sender in running:
            sender.result()
        told = [item for sender in senders for item in sender.ledger]
        wait_for(lambda: len(server.log.events("transaction")) >= len(told),
                 "a line for each attempt")
    finally:
        postfix.stop()
    queue = queue_of(postfix)
    assert ledgers.compare(told, log_of(server), queue) == []
    codes = {item["code"] for item in told}
    assert 250 in codes and 451 in codes, "it never failed, or always"
