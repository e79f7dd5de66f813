"""More connections than there may be: the sessions there are go on."""

import contextlib
import os
import pathlib
import resource
import socket
import ssl
import time

import pytest

from dialogue import Closed, Dialogue, logged_in
from messages import make_message
from users import PASSWORDS
from waiting import wait_for

CROWD = 10_000
A_NET = 100  # caps.connections_per_net
FEW = 100    # descriptors of a server that is to run out of them


@pytest.fixture
def sockets():
    """Closes what was opened, and lets this program open enough."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    with contextlib.ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connected(sockets, site, source=None):
    return sockets.enter_context(
        Dialogue(site.starttls, site.host, source=source))


def deliver(dialogue, subject):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    return dialogue.message(
        make_message("bob@example.com", "a@example.net", subject))


def test_O03_ten_thousand_idle_connections(site, start, sockets):
    """A hundred of each of a hundred nets, and one more."""
    server = start(site.head(site.to_maildir())
                   + "timeouts: {first_command: 10m}\n")
    before = sockets.enter_context(logged_in(site, "bob", PASSWORDS["bob"]))
    for net in range(CROWD // A_NET):
        crowd = [connected(sockets, site, f"127.0.1.{net + 1}")
                 for _ in range(A_NET)]
        for one in crowd:
            one.expect(220)
    refused = connected(sockets, site, "127.0.1.1")
    assert refused.expect(421).text.startswith(
        "4.3.2 Too many connections from your network")
    assert refused.is_closed()
    assert deliver(before, "before").code == 250
    with logged_in(site, "bob", PASSWORDS["bob"]) as new:
        assert deliver(new, "new").code == 250
    assert "caps.connections_per_net reached" in server.stderr()
    assert server.is_alive()


def test_O03_above_the_cap_of_all_connections(site, start, sockets):
    server = start(site.head(site.to_maildir()) + "caps: {connections: 3}\n")
    first, *_ = inside = [connected(sockets, site) for _ in range(3)]
    for one in inside:
        one.expect(220)
    refused = connected(sockets, site)
    assert refused.expect(421).text == \
        "4.3.2 Too many connections, try again later"
    assert refused.is_closed()
    # A client of implicit TLS would not understand a word of it.
    with socket.create_connection((site.host, site.implicit), 10) as secure:
        secure.settimeout(10)
        assert secure.recv(100) == b""
    first.expect(221, "QUIT")
    wait_for(lambda: connected(sockets, site).reply().code == 220,
             "room for one more")
    assert "caps.connections reached" in server.stderr()


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.worker_pid}/stat").read_text(
        encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(sockets, site):
    """Connects until one is turned away for want of descriptors."""
    idle = []
    for _ in range(FEW):
        one = connected(sockets, site)
        reply = one.reply()
        if reply.code == 421:
            return idle, reply
        assert reply.code == 220
        idle.append(one)
    raise AssertionError("there was room for all")


def test_O03_out_of_descriptors_accept_pauses(site, start, sockets):
    server = start(site.head(site.to_maildir())
                   + "workers: 1\ntimeouts: {first_command: 10m}\n",
                   descriptors=FEW)
    before = sockets.enter_context(logged_in(site, "bob", PASSWORDS["bob"]))
    idle, refusal = fill(sockets, site)
    assert len(idle) > 10
    assert refusal.text == "4.3.2 Out of resources, try again later"

    # Clients that wait in the backlog all the time are no work: each has its
    # answer, a few a second.
    began, used = time.monotonic(), cpu_seconds(server)
    waiting = [connected(sockets, site) for _ in range(8)]
    for one in waiting:
        one.expect(421)
        assert one.is_closed()
    took, used = time.monotonic() - began, cpu_seconds(server) - used
    assert took > 1
    assert used < took / 3, f"{used} s of {took} s"

    # Who is in goes on, and is told the truth where a file can't be had.
    before.expect(250, "NOOP")
    assert 400 <= deliver(before, "too early").code < 500
    for one in idle:
        one.socket.close()

    def new_session():
        with contextlib.suppress(Closed, ssl.SSLError, AssertionError):
            return sockets.enter_context(
                logged_in(site, "bob", PASSWORDS["bob"]))
    new = wait_for(new_session, "descriptors")
    assert deliver(new, "new").code == 250
    assert deliver(before, "before").code == 250
    told = [line for line in server.stderr().splitlines()
            if "clients wait or are turned away" in line]
    assert len(told) == 1, told
    assert "Too many open files" in told[0]
    assert "raise LimitNOFILE" in told[0]


def test_O03_too_few_descriptors_are_told_at_the_start(site, start):
    server = start(site.head(site.to_maildir()), descriptors=FEW)
    assert ("caps.connections of 20000 may need 40256 file descriptors, and "
            f"{FEW} are allowed: raise LimitNOFILE") in server.stderr()


def test_O03_the_soft_limit_is_raised_at_the_start(site, start):
    server = start(site.head(site.to_maildir())
                   + "caps: {connections: 500}\n", descriptors=f"{FEW}:2000")
    limits = pathlib.Path(f"/proc/{server.worker_pid}/limits").read_text(
        encoding="ascii")
    [line] = [one for one in limits.splitlines() if "open files" in one]
    assert line.split()[3:5] == ["1256", "2000"]
    assert "LimitNOFILE" not in server.stderr()
