"""A hundred reloads and ten upgrades while fifty sessions send mail: nobody is
cut off, nothing is lost or doubled, and no budget lets through more."""

import collections
import contextlib
import itertools
import json
import os
import re
import signal
import threading
import time

from dialogue import Closed, Dialogue
from maildir import maildir_messages
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for

SESSIONS = 50
MAILS_A_SESSION = 4
RELOADS = 100
UPGRADE_EVERY = 10       # reloads
OTHER_SERVER_EVERY = 10  # reloads: not the policy alone
# What eve may send in the whole test; it can be told from what comes back
# meanwhile.
EVES = 200
EVES_SESSIONS = 5
SECONDS_A_REPLY = 120

POLICY = """\
auth: {{mechanisms: [PLAIN], backends: [{{users: "{site.users}"}}], cache: 1h}}
caps: {{connections_per_net: 1000, hops: {hops}}}
control: "{site.folder}/control"
workers: 2
policy:
  rcpt:
    - rule: eve's mails
      when: {{auth.user: eve}}
      limit: {{recipients: {eves}/d, by: "{{auth.user}}"}}
      defer: "450 4.7.1 {{auth.user}} has had them all"
    - rule: what changes
      when: {{rcpt.to: "nobody-{number}@example.net"}}
      reject: "550 5.1.1 no"
"""


def text_of(site, number, hops=50):
    head = site.head(site.to_maildir())
    begin, rest = head.index("auth:"), head.index("upstreams:")
    return head[:begin] + head[rest:] + POLICY.format(
        site=site, number=number, hops=hops, eves=EVES)


class Sender(threading.Thread):
    """One session after the other."""

    def __init__(self, site, number, user, is_over):
        super().__init__(daemon=True)
        self.site, self.number, self.user = site, number, user
        self.is_over = is_over
        self.codes = {}  # by token
        self.surprises = []
        self.sessions = 0

    def run(self):
        while not self.is_over.is_set():
            try:
                self.hold_session()
            except (OSError, Closed, AssertionError) as error:
                self.surprises.append(f"{time.time():.3f} sender "
                                      f"{self.number}: {error!r}")

    def hold_session(self):
        with Dialogue(self.site.implicit, tls=True,
                      seconds=SECONDS_A_REPLY) as client:
            client.expect(220)
            client.hello()
            reply = client.login(self.user, PASSWORDS[self.user])
            assert reply.code == 235, reply
            self.sessions += 1
            for _ in range(MAILS_A_SESSION):
                self.send(client)
            client.expect(221, "QUIT")

    def send(self, client):
        token = f"mail-{self.number}-{len(self.codes)}"
        self.codes[token] = None
        address = f"{self.user}@example.com"
        client.expect(250, f"MAIL FROM:<{address}>")
        code = client.say(f"RCPT TO:<{token}@example.net>").code
        if code == 250:
            client.expect(354, "DATA")
            client.send(make_message(
                address, f"{token}@example.net", token).replace(
                    b"\r\n.", b"\r\n..") + b".\r\n")
            code = client.reply().code
        else:
            client.expect(250, "RSET")
        self.codes[token] = code


@contextlib.contextmanager
def senders(site):
    is_over = threading.Event()
    threads = [Sender(site, number,
                      "eve" if number < EVES_SESSIONS else "bob", is_over)
               for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        is_over.set()
        for thread in threads:
            thread.join(SECONDS_A_REPLY)


def follow(server, site, threads):
    """What each step took; a step is checked before the next."""
    took = collections.defaultdict(list)
    for number in range(1, RELOADS + 1):
        hops = 50 + number // OTHER_SERVER_EVERY
        server.config.write_text(text_of(site, number, hops),
                                 encoding="utf-8")
        steps = [("reload", number % OTHER_SERVER_EVERY == 0)]
        if number % UPGRADE_EVERY == 5:
            steps.append(("upgrade", False))
        for step, is_other in steps:
            started = time.monotonic()
            done = run_once(step, "-c", server.config, seconds=120)
            assert done.returncode == 0, \
                f"{step} {number}: {done.stderr}{server.stderr()[-3000:]}"
            took[step + (" of the server" if is_other else "")].append(
                time.monotonic() - started)
    return took


def tokens_of(site):
    return collections.Counter(
        re.search(rb"^To: <(mail-[0-9-]+)@", message, re.M)[1].decode()
        for message in maildir_messages(site.maildir))


def test_reloads_and_upgrades_under_load(site, start):
    server = start(text_of(site, 0))
    began = time.monotonic()
    with senders(site) as threads:
        wait_for(lambda: all(thread.sessions for thread in threads),
                 "fifty sessions", 60)
        took = follow(server, site, threads)
    seconds = time.monotonic() - began
    surprises = list(itertools.chain.from_iterable(
        thread.surprises for thread in threads))
    assert not surprises, surprises[:10]
    assert sum(map(len, took.values())) == RELOADS + RELOADS // UPGRADE_EVERY
    told = {token: code for thread in threads
            for token, code in thread.codes.items()}
    taken = tokens_of(site)
    assert {token for token, code in told.items() if code == 250} \
        == set(taken)
    assert set(taken.values()) == {1}
    eves = sum(code == 250 for thread in threads[:EVES_SESSIONS]
               for code in thread.codes.values())
    assert EVES <= eves <= EVES + EVES * seconds / 86400 + 1
    wait_for(lambda: "has drained and ended" in server.stderr(), "an end")
    assert "timeouts.drain has passed" not in server.stderr()


KILLS = 8


def test_a_process_that_is_killed_under_load(site, start):
    """What was answered is there, once; what was charged is charged; and no line
    of the log is torn. A line that was not written yet died with it."""
    server = start(text_of(site, 0))
    began = time.monotonic()
    with senders(site) as threads:
        wait_for(lambda: all(thread.sessions for thread in threads),
                 "fifty sessions", 60)
        for _ in range(KILLS):
            before = sum(len(thread.codes) for thread in threads)
            os.kill(server.worker_pid, signal.SIGKILL)
            wait_for(lambda: sum(len(thread.codes) for thread in threads)
                     > before + SESSIONS * 2, "mail that flows again", 60)
    seconds = time.monotonic() - began
    told = {token for thread in threads
            for token, code in thread.codes.items() if code == 250}
    taken = tokens_of(site)
    assert told <= set(taken)
    assert set(taken.values()) == {1}
    of_eve = re.compile(rf"mail-[0-{EVES_SESSIONS - 1}]-")
    eves = sum(bool(of_eve.match(token)) for token in taken)
    assert eves <= EVES + EVES * seconds / 86400 + 1
    lines = site.log.read_text(encoding="utf-8").splitlines(keepends=True)
    assert all(line.endswith("\n") and json.loads(line) for line in lines)
