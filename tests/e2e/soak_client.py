"""A client of a soak: sends mails in every way there is, and dies at times."""

import random
import socket
import struct

from dialogue import Closed, Dialogue
from messages import make_large_message, make_message

# Most mails are sent to their end.
DEATH = 0.15
PLACES_TO_DIE = ("MAIL", "RCPT", "DATA", "within", "before the end", "end")
TRIES = 3


class Death(Exception):
    """The client dies here, on purpose."""


class SoakDialogue(Dialogue):
    """421 is the end: Postern says it when it stops, and never else here."""

    def reply(self):
        reply = super().reply()
        if reply.code == 421:
            raise Closed(reply)
        return reply


class SoakClient:
    """Its ledger is of the kind that ledgers.py compares."""

    def __init__(self, number, seed, ports, helos):
        self.number, self.chance = number, random.Random(seed)
        self.ports, self.helos = ports, helos
        self.ledger = []
        self.sent = 0
        self.sessions = 0
        self.surprises = []  # what it should never have heard

    def run(self, is_over):
        while not is_over.is_set():
            try:
                self.hold_session()
            except (OSError, Closed, AssertionError) as error:
                self.surprises.append(f"client {self.number}, mail "
                                      f"{self.sent}: {error!r}")

    def run_until_closed(self):
        """While Postern stops: some day it lets nobody in."""
        try:
            while True:
                self.hold_session()
        except (OSError, Closed):
            return
        except AssertionError as error:
            self.surprises.append(f"client {self.number}, at the stop: "
                                  f"{error!r}")

    def hold_session(self):
        port, is_tls = self.chance.choice(self.ports)
        with SoakDialogue(port, tls=is_tls, seconds=120) as client:
            self.sessions += 1
            client.expect(220)
            client.hello(self.chance.choice(self.helos))
            for _ in range(self.chance.randrange(1, 6)):
                self.sent += 1
                try:
                    self.send_until_taken(client, self.sent)
                except Death:
                    self.die(client)
                    return
            client.expect(221, "QUIT")

    def die(self, client):
        if self.chance.random() < 0.5:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))

    def send_until_taken(self, client, number):
        token = f"mail-{self.number}-{number}"
        for _ in range(TRIES):
            place = (self.chance.choice(PLACES_TO_DIE)
                     if self.chance.random() < DEATH else None)
            entry = {"token": token, "code": None}
            self.ledger.append(entry)
            entry["code"] = self.send(client, token, place)
            if entry["code"] // 100 != 4:
                return

    def send(self, client, token, place):
        """The code that decided it."""
        sender = f"{token}@example.com"
        client.expect(250, f"MAIL FROM:<{sender}>")
        self.die_at("MAIL", place)
        codes = self.say_recipients(client)
        if 250 not in codes:
            client.expect(250, "RSET")
            return max(codes)
        self.die_at("RCPT", place)
        message = self.make(sender)
        if self.chance.random() < 0.3:
            return self.send_chunks(client, message, place)
        return self.send_data(client, message, place)

    def die_at(self, here, place):
        if here == place:
            raise Death

    def say_recipients(self, client):
        count = self.chance.choice([1, 1, 2, 5])
        commands = [f"RCPT TO:<r{i}@example.net>\r\n" for i in range(count)]
        if self.chance.random() < 0.5:
            client.send("".join(commands).encode())
            return [client.reply().code for _ in commands]
        return [client.say(command.rstrip()).code for command in commands]

    def make(self, sender):
        size = self.chance.choice([0, 0, 0, 70_000, 150_000, 600_000])
        if size:
            return make_large_message(sender, "r@example.net", sender, size)
        return make_message(sender, "r@example.net", sender)

    def pieces(self, message):
        """The message in two; death is welcome between them."""
        at = self.chance.randrange(len(message))
        return message[:at], message[at:]

    def send_data(self, client, message, place):
        go_on = client.say("DATA")
        if go_on.code != 354:
            client.expect(250, "RSET")
            return go_on.code
        self.die_at("DATA", place)
        first, rest = self.pieces(message.replace(b"\r\n.", b"\r\n.."))
        client.send(first)
        self.die_at("within", place)
        client.send(rest)
        self.die_at("before the end", place)
        client.send(b".\r\n")
        self.die_at("end", place)
        return client.reply().code

    def send_chunks(self, client, message, place):
        first, rest = self.pieces(message)
        self.die_at("DATA", place)
        client.send(b"BDAT %d\r\n" % len(first) + first)
        self.die_at("within", place)
        reply = client.reply()
        if reply.code != 250:
            client.expect(250, "RSET")
            return reply.code
        self.die_at("before the end", place)
        client.send(b"BDAT %d LAST\r\n" % len(rest) + rest)
        self.die_at("end", place)
        return client.reply().code
