"""Odd messages through one Postern into Postfix, Exim and OpenSMTPD side by
side: either nothing arrives anywhere, or the same envelope and the same octets
do everywhere, and they are those that were sent.

Each MTA delivers onward to a sink of its own, which keeps what it is given.
Two of them take chunks from Postern, OpenSMTPD does not. Where one is known to
be otherwise, the message's row in odd_messages.py says how and why.
"""

import contextlib
import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import ports
from dialogue import Closed, Dialogue
from odd_messages import corpus, stuffed
from onward_mtas import MTAS
from peer_sink import Sink
from server import Postern, Site
from users import PASSWORDS
from waiting import wait_for

CORPUS = corpus()

# What an MTA completes in a header block that comes from its own machine.
ADDED_FIELDS = {"opensmtpd": (b"Date:", b"Message-ID:")}

CONFIG = """\
hostname: mail.example.com
listeners:
{listeners}
tls:
  certificates:
    - {{chain: "{certificate.chain}", key: "{certificate.key}"}}
auth:
  mechanisms: [PLAIN]
  backends:
    - {{users: "{users}"}}
upstreams:
{upstreams}
upstream: postfix
log: {{decisions: "{log}"}}
limits: {{state: "{state}"}}
policy:
  mail:
    - rule: the company we bought
      when: {{mail.from: '/^(.+)@old\\.example$/'}}
      rewrite: {{mail.from: "{{1}}@example.com"}}
    - rule: tagged senders
      when: {{mail.from: tagged@example.com}}
      headers: {{add: {{X-Tag: "{{auth.user}}"}}}}
    - rule: set senders
      when: {{mail.from: set@example.com}}
      headers: {{set: {{X-Set: "{{mail.from}}"}}}}
  rcpt:
    - rule: recipients of the company we bought
      when: {{rcpt.to: '/^(.+)@old\\.example$/'}}
      rewrite: {{rcpt.to: "{{1}}@new.example"}}
    - rule: copied senders
      when: {{mail.from: copied@example.com}}
      add_recipient: "archive-{{rcpt.to}}"
  header:
    - rule: forbidden
      when: {{header.x-forbidden: {{exists: true}}}}
      reject: "550 5.7.1 Forbidden"
    - rule: hide what the client runs
      headers: {{remove: [X-Mailer]}}
"""


@dataclasses.dataclass
class Outcome:
    """What the client heard about one message."""
    envelope: list  # replies to MAIL and each RCPT
    end: list = ()  # replies to the message and what stood behind it
    noop: str = None


class Way:
    """From a client through Postern and one MTA to its sink."""

    def __init__(self, name, sink, mta):
        self.name = name
        self.sink = sink
        self.mta = mta
        self.ports = {repair: ports.free_port() for repair in (False, True)}
        self.sessions = {}
        self.outcomes = {}
        self.noop = None

    def listeners(self):
        return "\n".join(
            f'  {self.name}-{mode}: {{address: "127.0.0.1:{port}", '
            f'tls: implicit, line_endings: {mode}, upstream: {self.name}}}'
            for mode, port in zip(("strict", "repair"), self.ports.values()))

    def upstream(self):
        return (f'  {self.name}: {{servers: ["127.0.0.1:{self.mta.port}"], '
                f'tls: {{mode: none}}}}')

    def session(self, repair):
        """Logged in, as the message before left it."""
        if repair not in self.sessions:
            client = Dialogue(self.ports[repair], tls=True)
            self.sessions[repair] = client
            client.expect(220)
            client.hello()
            assert client.login("bob", PASSWORDS["bob"]).code == 235
            self.noop = str(client.expect(250, "NOOP"))
        return self.sessions[repair]

    def drop(self, repair):
        self.sessions.pop(repair).socket.close()

    def send_one(self, odd):
        try:
            outcome = send(self.session(odd.repair), odd)
        except Closed:
            self.drop(odd.repair)
            return None
        except OSError as error:
            raise OSError(f"{self.name}, {odd.name}: {error}") from error
        if outcome.noop != self.noop:
            self.drop(odd.repair)
        return outcome

    def send_all(self):
        for odd in CORPUS.values():
            self.outcomes[odd.name] = self.send_one(odd)
        for client in self.sessions.values():
            client.expect(221, "QUIT")
            client.socket.close()


def send(client, odd):
    commands = [f"MAIL FROM:<{odd.sender}>{odd.parameters}"] + [
        f"RCPT TO:<{recipient}>{odd.rcpt_parameters}"
        for recipient in odd.recipients]
    client.send("".join(f"{line}\r\n" for line in commands).encode())
    outcome = Outcome([client.reply() for _ in commands])
    if all(reply.code != 250 for reply in outcome.envelope[1:]):
        client.expect(250, "RSET")
    elif odd.chunks is None:
        outcome.end = send_data(client, odd)
    else:
        outcome.end = send_chunks(client, odd)
    # An answer to anything that the message held would come in its place.
    outcome.noop = str(client.say("NOOP"))
    return outcome


def send_data(client, odd):
    reply = client.say("DATA")
    if reply.code != 354:
        return [reply]
    wire = stuffed(odd.content) if odd.wire is None else odd.wire
    step = 1 if odd.slowly else len(wire)
    for at in range(0, len(wire), step):
        client.send(wire[at:at + step])
    return [client.reply() for _ in odd.codes]


def send_chunks(client, odd):
    """The reply that counts: the first that is no 250, or the last."""
    *chunks, last = odd.chunks
    client.send(b"".join(b"BDAT %d\r\n%s" % (len(chunk), chunk)
                         for chunk in chunks)
                + b"BDAT %d LAST\r\n%s" % (len(last), last))
    replies = [client.reply() for _ in odd.chunks]
    return [reply for reply in replies if reply.code != 250][:1] or \
        replies[-1:]


def configuration(site, ways):
    return CONFIG.format(
        listeners="\n".join(way.listeners() for way in ways),
        upstreams="\n".join(way.upstream() for way in ways),
        certificate=site.certificate, users=site.users, log=site.log,
        state=site.state)


def send_to_all(site, ways):
    server = Postern(site, configuration(site, ways), wanted_ports=[
        port for way in ways for port in way.ports.values()])
    try:
        server.wait_ready()
        with ThreadPoolExecutor() as pool:
            list(pool.map(Way.send_all, ways))
        for way in ways:
            wait_for(way.mta.is_idle, f"an empty queue of {way.name}", 60)
    finally:
        server.terminate()
    server.check_end()


@pytest.fixture(scope="module")
def ways(tmp_path_factory, certificate, users_file):
    """The whole corpus sent to each, and nothing of it under way any more."""
    with contextlib.ExitStack() as stack:
        made = []
        for name, make in MTAS.items():
            folder = tmp_path_factory.mktemp(name)
            sink = stack.enter_context(Sink())
            mta = make(folder, certificate, sink.port)
            mta.start()
            stack.callback(mta.stop)
            made.append(Way(name, sink, mta))
        site = Site(tmp_path_factory.mktemp("site"), certificate, users_file)
        send_to_all(site, made)
        yield made


RECEIVED = rb"Received:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n"


def canonical(address):
    local, at, domain = address.rpartition("@")
    return local + at + domain.lower()


def without_trace(content, sent, added):
    """Without the two fields in front, Postern's and the MTA's, and without
    the fields that this MTA adds behind where they were not sent."""
    traced = re.match(RECEIVED + RECEIVED, content)
    assert traced, f"two Received fields must come first: {content[:300]}"
    block, end, body = (b"\r\n" + content[traced.end():]).partition(
        b"\r\n\r\n")
    had = (b"\r\n" + sent).partition(b"\r\n\r\n")[0]
    for name in added:
        if b"\r\n" + name not in had:
            block = re.sub(rb"\r\n" + name + rb"[^\r\n]*", b"", block, count=1)
    return (block + end + body)[2:]


def first_difference(want, got):
    at = next((n for n, pair in enumerate(zip(want, got))
               if pair[0] != pair[1]), min(len(want), len(got)))
    return (f"octet {at} of {len(want)}, {len(got)} came: "
            f"wanted {want[max(0, at - 30):at + 30]}, "
            f"got {got[max(0, at - 30):at + 30]}")


def wanted_arrivals(odd):
    """(sender, recipients, content, some parameters) of each."""
    own = [] if odd.arrives is None else [
        (odd.arrives_from, odd.arrives_at, odd.arrives, odd.arrives_with)]
    return own + list(odd.also)


def check_arrival(way, sender, recipients, content, parameters):
    wanted_at = sorted(map(canonical, recipients))
    copies = [copy for copy in way.sink.delivered
              if set(map(canonical, copy.recipients)) & set(wanted_at)]
    arrived_at = sorted(canonical(recipient) for copy in copies
                        for recipient in copy.recipients)
    assert arrived_at == wanted_at, f"{way.name}: recipients"
    for copy in copies:
        assert copy.sender == sender, f"{way.name}: reverse path"
        assert set(parameters) <= set(copy.parameters), \
            f"{way.name}: {copy.parameters}"
        got = without_trace(copy.content, content,
                            ADDED_FIELDS.get(way.name, ()))
        assert got == content, \
            f"{way.name}: {first_difference(content, got)}"


def check_replies(way, wanted, replies):
    """5 stands for any code of its class, where the words are an MTA's."""
    agreed = len(wanted) == len(replies) and all(
        reply.code in (code, code * 100 + reply.code % 100)
        for code, reply in zip(wanted, replies))
    assert agreed, f"{way.name}: wanted {wanted}, got " + \
        ", ".join(map(str, replies))


@pytest.mark.parametrize("name", CORPUS)
def test_the_same_arrives_everywhere(ways, name):
    for way in ways:
        odd = CORPUS[name].at(way.name)
        outcome = way.outcomes[name]
        assert outcome, f"{way.name}: the session was closed"
        check_replies(way, odd.envelope_codes, outcome.envelope)
        check_replies(way, odd.codes, outcome.end)
        assert outcome.noop == way.noop, \
            f"{way.name}: more was answered than asked"
        for wanted in wanted_arrivals(odd):
            check_arrival(way, *wanted)


def test_nothing_else_arrives_anywhere(ways):
    for way in ways:
        wanted = sorted(
            canonical(recipient) for odd in CORPUS.values()
            for _, recipients, _, _ in wanted_arrivals(odd.at(way.name))
            for recipient in recipients)
        arrived = sorted(canonical(recipient) for copy in way.sink.delivered
                         for recipient in copy.recipients)
        assert arrived == wanted, way.name
