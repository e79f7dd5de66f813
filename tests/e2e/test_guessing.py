"""Floods of guessed passwords: the owner of the account still gets in."""

import base64
import itertools
import re
import threading

import pytest

from dialogue import Dialogue
from test_balancer import balanced
from users import PASSWORDS
from waiting import wait_for

# More than wait to be hashed, strangers all.
STRANGERS = 320


def guessed(site):
    text = balanced(site)
    return text.replace("auth:\n", "auth:\n  delay: 0\n  attempts: 100\n", 1) + (
        "caps: {connections_per_net: 1000}\n")


class Client(Dialogue):
    """A client that a balancer says comes from this address."""

    def __init__(self, site, address):
        super().__init__(site.implicit, seconds=120)
        self.send(f"PROXY TCP4 {address} 127.0.0.1 40000 465\r\n".encode())
        self.wrap()
        self.expect(220)
        self.hello()

    def guess(self, name, password):
        text = base64.b64encode(f"\0{name}\0{password}".encode())
        self.send(b"AUTH PLAIN " + text + b"\r\n")


class Flood(threading.Thread):
    """Guesses on all connections, each again as soon as it was answered, so
    that the places of those that wait are never free for long."""

    def __init__(self, clients, name):
        super().__init__()
        self.clients = clients
        self.name_of = name
        self.has_ended = False
        self.codes = []

    def run(self):
        for n, client in enumerate(self.clients):
            client.guess(self.name_of(n), "guess")
        for n, client in itertools.cycle(enumerate(self.clients)):
            self.codes.append(client.reply().code)
            if self.has_ended:
                return
            client.guess(self.name_of(n), f"guess {len(self.codes)}")

    def wait_full(self):
        wait_for(lambda: 454 in self.codes, "a guess without a place", 60)

    def end(self):
        self.has_ended = True
        self.join()
        for client in self.clients:
            client.socket.close()


@pytest.mark.parametrize("net, name", [
    (lambda n: f"10.1.{n // 250}.{n % 250}", lambda n: "bob"),
    (lambda n: "10.1.0.1", lambda n: f"user{n}"),
], ids=["many networks at one account", "one network at many accounts"])
def test_A09_the_owner_gets_in_past_the_whole_world(site, start, net, name):
    server = start(guessed(site))
    with Client(site, "192.0.2.1") as owner:
        assert owner.login("bob", PASSWORDS["bob"]).code == 235
    flood = Flood([Client(site, net(n)) for n in range(STRANGERS)], name)
    flood.start()
    try:
        flood.wait_full()
        for _ in range(8):
            with Client(site, "192.0.2.1") as owner:
                assert owner.login("bob", PASSWORDS["bob"]).code == 235
    finally:
        flood.end()
    # What there was no room for was not taken for wrong.
    assert set(flood.codes) == {535, 454}
    told = re.findall("can't be asked|answers again", server.stderr())
    # Once each time: a flood that the machine slows down may have breaks.
    assert told[::2] == ["can't be asked"] * len(told[::2])
    assert told and told[1::2] == ["answers again"] * len(told[1::2])


def test_A09_the_owner_gets_in_where_a_stranger_waits(site, start):
    start(balanced(site).replace("auth:\n", "auth:\n  attempts: 10\n", 1))
    with Client(site, "10.1.0.1") as stranger:
        for _ in range(3):
            stranger.guess("bob", "wrong")
            assert stranger.reply().code == 535
        stranger.guess("bob", "wrong")
        # Its answer is held, and the owner's is not, from the same network.
        with Client(site, "10.1.0.1") as owner:
            owner.socket.settimeout(30)
            assert owner.login("bob", PASSWORDS["bob"]).code == 235
        assert stranger.reply().code == 535
