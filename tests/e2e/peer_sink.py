"""The last stop behind a real MTA: keeps each envelope and message as it was
given, octet for octet."""

import dataclasses
import re

from peer_raw import RawUpstream

ENVELOPE = re.compile(
    r'(?:MAIL FROM|RCPT TO):<((?:"(?:\\.|[^"\\])*"|[^">])*)>(.*)', re.I)

REPLIES = {
    "EHLO": "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
            "250-SMTPUTF8\r\n250-DSN\r\n250 SIZE 104857600",
    "DATA": "354 Go on",
    "QUIT": "221 2.0.0 Bye",
}


@dataclasses.dataclass
class Delivered:
    sender: str
    recipients: list
    parameters: list  # of MAIL and each RCPT
    content: bytes


class Sink(RawUpstream):
    """Use it with `with`."""

    def __init__(self):
        super().__init__(self.take)
        self.delivered = []

    def take(self, wire):
        wire.write("220 sink.example ESMTP")
        message = None
        verb = None
        while verb != "QUIT":
            line = wire.line()
            verb = line[:4].upper()
            if verb == "MAIL":
                path, parameters = ENVELOPE.match(line).groups()
                message = Delivered(path, [], parameters.split(), b"")
            elif verb == "RCPT":
                path, parameters = ENVELOPE.match(line).groups()
                message.recipients.append(path)
                message.parameters += parameters.split()
            wire.write(REPLIES.get(verb, "250 2.0.0 Ok"))
            if verb == "DATA":
                message.content = wire.content()
                self.delivered.append(message)
                wire.write("250 2.0.0 Kept")
