"""Clients that are slow or rude where only real sockets show it: octets that
trickle into a handshake, sockets half closed, connections that come and go."""

import os
import pathlib
import socket

import pytest

from dialogue import Dialogue, logged_in
from maildir import maildir_messages
from users import PASSWORDS
from waiting import wait_for

# A TLS record of 512 octets is announced.
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)


def open_sockets(server):
    folder = pathlib.Path(f"/proc/{server.worker_pid}/fd")
    return sum(path.is_socket() for path in folder.iterdir())


def trickle(dialogue, octets):
    """An octet at a time until the other side ends; how many went."""
    dialogue.socket.settimeout(0.1)
    for sent in range(len(octets)):
        try:
            dialogue.socket.sendall(octets[sent:sent + 1])
            if dialogue.socket.recv(1) == b"":
                return sent
        except socket.timeout:
            continue
        except ConnectionError:
            return sent
    return len(octets)


@pytest.mark.parametrize("is_implicit", [True, False],
                         ids=["implicit", "STARTTLS"])
def test_wire_O01_octets_that_trickle_into_a_handshake(site, start,
                                                       is_implicit):
    server = start(site.head(site.to_maildir())
                   + "timeouts: {tls_handshake: 1s}\n")
    port = site.implicit if is_implicit else site.starttls
    with Dialogue(port, site.host) as slow, \
            Dialogue(site.starttls, site.host) as other:
        if not is_implicit:
            slow.expect(220)
            slow.hello()
            slow.expect(220, "STARTTLS")
        assert 1 < trickle(slow, CLIENT_HELLO) < 60
        other.expect(220)
        other.expect(250, "NOOP")
    sessions = server.log.wait_events("session", 2)
    assert ["timeouts.tls_handshake"] in [line.get("caps") for line in sessions]


def test_wire_G14_half_a_socket_closed_behind_quit(site, start):
    start(site.head(site.to_maildir()))
    with Dialogue(site.starttls, site.host) as dialogue:
        dialogue.send(b"NOOP\r\nQUIT\r\n")
        dialogue.socket.shutdown(socket.SHUT_WR)
        assert [dialogue.reply().code for _ in range(3)] == [220, 250, 221]
        assert dialogue.is_closed()


def test_wire_G09_an_early_talker_is_answered_in_order(site, start):
    start(site.head(site.to_maildir()))
    with socket.create_connection((site.host, site.starttls)) as early:
        early.sendall(b"EHLO early.example.com\r\nNOOP\r\nQUIT\r\n")
        heard = b""
        while octets := early.recv(65536):
            heard += octets
        lines = heard.split(b"\r\n")
        assert lines[0].startswith(b"220 ")
        assert lines[1].startswith(b"250-")
        assert lines[-2].startswith(b"221 ")


def test_wire_O10_connections_that_come_and_go(site, start):
    server = start(site.head(site.to_maildir()))
    with Dialogue(site.starttls, site.host) as other:
        other.expect(220)
        before = open_sockets(server)
        for i in range(2000):
            port = site.implicit if i % 2 else site.starttls
            socket.create_connection((site.host, port)).close()
        other.expect(250, "NOOP")
        wait_for(lambda: open_sockets(server) == before,
                 "every socket is closed")


FALSE_ENDS = [
    b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r",
    b"\r.\n", b"\n.\r", b"\r\n\0.\r\n", b"\r\0\n.\r\n", b"\r\n.\0\r\n",
    b"\r\n.\r\0\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\n\r.\r\n",
    b"\n\n.\r\n", b"\r\r.\r\n", b"\r\n\r.\r\n", b"\r\n\n.\r\n",
    b"\r\n..\n", b"\n..\r\n",
]


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "by octets"])
def test_wire_S22_false_ends_in_records_of_one_octet(site, start, is_cut):
    """Each octet is a TLS record and, without delay, a segment of its own."""
    server = start(site.head(site.to_maildir()))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for false_end in FALSE_ENDS:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            dialogue.expect(250, "RCPT TO:<a@example.net>")
            dialogue.expect(354, "DATA")
            octets = (b"From: bob@example.com\r\n\r\ntext" + false_end
                      + b"MAIL FROM:<evil@example.com>\r\n.\r\n")
            size = 1 if is_cut else len(octets)
            for at in range(0, len(octets), size):
                dialogue.send(octets[at:at + size])
            reply = dialogue.reply()
            assert reply.code == 550, (false_end, str(reply))
        dialogue.expect(250, "NOOP")
    lines = server.log.wait_transactions(len(FALSE_ENDS))
    assert {line["verdict"] for line in lines} == {"reject"}
    assert {line["mail"]["from"] for line in lines} == {"bob@example.com"}
    assert not maildir_messages(site.maildir)


def test_wire_K05_clear_text_behind_the_end_of_tls(site, start):
    """A chunk breaks off by close_notify, and an octet follows outside TLS."""
    server = start(site.head(site.to_maildir()))
    dialogue = logged_in(site, "bob", PASSWORDS["bob"])
    with dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.send(b"BDAT 1000 LAST\r\nFrom: bob@example.com\r\n\r\n")
        dialogue.send(b"half of it\r\n" * 40)
        tls = dialogue.socket
        with socket.socket(fileno=os.dup(tls.fileno())) as clear:
            try:
                tls.unwrap()
            except OSError:
                pass  # the server is not asked to say goodbye as well
            try:
                clear.sendall(b"x")
            except OSError:
                pass  # it has closed already
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "abort"
    assert not maildir_messages(site.maildir)
    with Dialogue(site.starttls, site.host) as other:
        other.expect(220)


def test_wire_O11_bad_commands_fill_no_log(site, start):
    server = start(site.head(site.to_maildir()))
    before = server.stderr().count("\n")
    for _ in range(20):
        with Dialogue(site.starttls, site.host) as rude:
            rude.expect(220)
            rude.send(b"NONSENSE\r\n" * 100)
            while rude.reply().code != 421:
                pass
    sessions = server.log.wait_events("session", 20)
    assert len(server.log.lines()) == len(sessions) == 20
    assert server.stderr().count("\n") - before < 12


def test_wire_O11_warnings_that_repeat_are_counted(site, start):
    text = site.head(site.to_maildir()).replace(
        "tls: starttls}", "tls: starttls, proxy_protocol: {from: 127.0.0.1}}")
    server = start(text)
    for _ in range(100):
        with socket.create_connection((site.host, site.starttls)) as wire:
            wire.sendall(b"EHLO stranger.example.com\r\n")
            try:
                assert wire.recv(1) == b""
            except ConnectionError:
                pass
    assert 0 < server.stderr().count("no PROXY header") <= 12
