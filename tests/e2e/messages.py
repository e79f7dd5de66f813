"""Messages, and what two copies of one must have in common."""

import base64
import hashlib
import random

# What goes wrong first in a body: dots, long lines, 8-bit text, white space.
BODY_LINES = [
    b"Good day,",
    b"",
    b".",
    b"..",
    b"...three dots begin this line",
    b".x",
    b"From here on",
    b"\tspaces and tabs  \t ",
    "Grüße aus Köln".encode(),
    b"x" * 998,
    b"." * 500,
    b"",
    b"the end",
]


def headers(sender, recipient, token):
    return (f"From: <{sender}>\r\nTo: <{recipient}>\r\n"
            f"Subject: test {token}\r\nMessage-ID: <{token}@example.com>\r\n"
            f"Date: Mon, 05 Jan 2026 09:30:00 +0000\r\n"
            f"MIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n").encode()


def make_message(sender, recipient, token, extra=b""):
    """A message with CRLF lines and a body that is hard to carry."""
    return (headers(sender, recipient, token) + extra + b"\r\n"
            + b"\r\n".join(BODY_LINES) + b"\r\n")


def make_large_message(sender, recipient, token, size):
    """At least `size` octets: an attachment as clients send it."""
    octets = random.Random(token).randbytes(size * 57 // 78 + 57)
    text = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return headers(sender, recipient, token) + b"\r\n" + text


def crlf(octets):
    """As on the wire, from a file with LF lines."""
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def body_of(message):
    return message.partition(b"\r\n\r\n")[2]


def body_hash(message):
    return hashlib.sha256(body_of(message)).hexdigest()


def header_of(message):
    """The header fields as they stand, unfolded."""
    block = message.partition(b"\r\n\r\n")[0].decode("utf-8")
    return block.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
