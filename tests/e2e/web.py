"""HTTP by hand: every octet is the test's own choice."""

import dataclasses
import json
import socket

import ports
from dialogue import logged_in
from messages import make_message
from users import PASSWORDS
from waiting import wait_for

OWNED = """\
policy:
  mail:
    - rule: senders own their address
      when: {mail.from: {not_in: "{auth.addresses}"}}
      reject: "553 5.7.1 {auth.user} may not send as {mail.from}"
  rcpt:
    - rule: recipients an hour
      when: {auth.user: {exists: true}}
      limit: {recipients: 50/h, burst: 5, by: "{auth.user}"}
      defer: "450 4.7.1 {auth.user} may reach {limit.rate} recipients"
"""


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)


class Web:
    """The HTTP listener of one server."""

    def __init__(self, site):
        self.site = site
        self.port = ports.free_port()

    def text_of(self, upstream=None, dashboard="true", more=""):
        site = self.site
        return (site.head(upstream or site.to_maildir())
                + f'control: "{site.folder}/control"\nworkers: 2\n'
                + f'http: {{address: "127.0.0.1:{self.port}", '
                + f"dashboard: {dashboard}}}\n" + more)

    def wait(self, server):
        assert ports.wait_listening([self.port], server.is_alive), \
            server.stderr()

    def connect(self, seconds=20):
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def get(self, target, method="GET", fields=(), version="1.1"):
        lines = [f"{method} {target} HTTP/{version}"]
        if not any(name.lower() == "host" for name, _ in fields):
            lines.append(f"Host: 127.0.0.1:{self.port}")
        lines += [f"{name}: {value}" for name, value in fields]
        lines.append("Connection: close")
        return self.say("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def say(self, octets):
        with self.connect() as connection:
            try:
                connection.sendall(octets)
            except ConnectionError:
                pass  # the answer may be there already
            return read_answer(connection, octets.startswith(b"HEAD "))


def read_answer(connection, is_head=False):
    """None: closed without a word."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            assert octets == b"", octets
            return None
        octets += more
    head, _, body = octets.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        fields[name.lower()] = value
    wanted = 0 if is_head else int(fields.get("content-length", 0))
    pieces = [body]
    missing = wanted - len(body)
    while missing > 0:
        pieces.append(connection.recv(1 << 20))
        assert pieces[-1], "the answer is cut short"
        missing -= len(pieces[-1])
    return Answer(int(lines[0].split()[1]), fields, b"".join(pieces))


def send(site, user="bob", sender=None, content=None, recipients=1):
    """One mail. The last reply."""
    sender = sender or f"{user}@example.com"
    with logged_in(site, user, PASSWORDS[user]) as dialogue:
        reply = dialogue.say(f"MAIL FROM:<{sender}>")
        if reply.code != 250:
            return reply
        replies = [dialogue.say(f"RCPT TO:<r{i}@example.net>")
                   for i in range(recipients)]
        if all(reply.code != 250 for reply in replies):
            return replies[-1]
        return dialogue.message(content or make_message(
            sender, "r0@example.net", "mail"))


def wait_entries(web, query, count):
    """The entries of /api/log, once there are so many."""
    def ask():
        lines = web.get(f"/api/log?{query}").json["lines"]
        return lines if len(lines) >= count else None
    return wait_for(ask, f"{count} entries of {query}")
