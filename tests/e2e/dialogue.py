"""SMTP by hand: every octet is the test's own choice."""

import base64
import dataclasses
import socket
import ssl


@dataclasses.dataclass
class Reply:
    code: int
    lines: list

    @property
    def text(self):
        return self.lines[-1]

    def __str__(self):
        return f"{self.code} {' / '.join(self.lines)}"


class Closed(Exception):
    """The other side closed where a reply was wanted."""


def unverified_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Dialogue:
    def __init__(self, port, host="127.0.0.1", tls=False, seconds=30,
                 source=None):
        self.socket = socket.create_connection(
            (host, port), timeout=seconds,
            source_address=(source, 0) if source else None)
        self.buffer = b""
        if tls:
            self.wrap()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def wrap(self, context=None):
        self.socket = (context or unverified_context()).wrap_socket(
            self.socket, server_hostname="localhost")

    def send(self, octets):
        self.socket.sendall(octets)

    def read_line(self):
        while b"\n" not in self.buffer:
            try:
                octets = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                octets = b""
            if not octets:
                raise Closed(self.buffer)
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        assert line.endswith(b"\r"), line
        return line[:-1].decode("utf-8")

    def reply(self):
        lines = []
        while True:
            line = self.read_line()
            lines.append(line[4:])
            assert line[:3].isdigit() and line[3:4] in ("", " ", "-"), line
            if line[3:4] != "-":
                return Reply(int(line[:3]), lines)

    def say(self, line):
        self.send(line.encode("utf-8") + b"\r\n")
        return self.reply()

    def expect(self, code, line=None):
        """Says the line, if there is one; the reply must have that code."""
        reply = self.reply() if line is None else self.say(line)
        assert reply.code == code, f"{line!r}: wanted {code}, got {reply}"
        return reply

    def is_closed(self):
        """Nothing comes any more but the end."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def hello(self, name="laptop.example.com"):
        return self.expect(250, f"EHLO {name}")

    def starttls(self):
        self.expect(220, "STARTTLS")
        self.wrap()

    def login(self, user, password):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.say(f"AUTH PLAIN {token}")

    def message(self, octets):
        """The message, its dots doubled, and its end; or DATA is refused."""
        reply = self.say("DATA")
        if reply.code != 354:
            return reply
        if octets.startswith(b"."):
            octets = b"." + octets
        self.send(octets.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return self.reply()


def logged_in(site, user, password):
    """On the STARTTLS port, ready for MAIL."""
    dialogue = Dialogue(site.starttls, site.host)
    dialogue.expect(220)
    dialogue.hello()
    dialogue.starttls()
    dialogue.hello()
    reply = dialogue.login(user, password)
    assert reply.code == 235, reply
    return dialogue
