"""XCLIENT towards a real Postfix: it sees the client, not the proxy."""

import re

import pytest

from peer_postfix import Postfix
from told_client import log_in, received_by, send
from waiting import wait_for


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, certificate):
    """A Postfix that lets the proxy's address, and no other, say XCLIENT: it
    takes that back as soon as it was told of a client."""
    server = Postfix(tmp_path_factory.mktemp("trusting"), certificate,
                     xclient_hosts="127.0.0.1")
    server.start()
    yield server
    server.stop()


def upstream(port, tls="{mode: none}"):
    return (f'{{servers: ["127.0.0.1:{port}"], tls: {tls}, '
            f'identity: xclient}}')


def logged_client(postfix, queue_id):
    """What Postfix noted of the client of that message."""
    def find():
        return re.findall(rf"smtpd\[\d+\]: {queue_id}: (client=.*)",
                          postfix.log())
    return wait_for(find, f"{queue_id} in the log")[0]


def queue_id(received):
    return re.search(r" id (\w+)", received).group(1)


def assert_seen(postfix, token, source, helo, user):
    received = received_by(postfix, token)
    assert f"from {helo} (" in received, received
    assert f"[{source}]" in received, received
    assert "127.0.0.1" not in received, received
    noted = logged_client(postfix, queue_id(received))
    assert f"[{source}]" in noted, noted
    assert noted.endswith(f"sasl_username={user}"), noted


@pytest.mark.parametrize("mode", ["none", "starttls, verify: false"],
                         ids=["clear", "starttls"])
def test_postfix_sees_the_client(site, start, trusting, mode):
    server = start(site.head(upstream(trusting.port, f"{{mode: {mode}}}")))
    helo = "laptop.example.com"
    tokens = [f"seen-{mode[:4]}-{i}" for i in range(2)]
    with log_in(site, "bob", "127.0.0.7", helo) as client:
        for token in tokens:
            send(client, "bob", token)
    for token in tokens:
        assert_seen(trusting, token, "127.0.0.7", helo, "bob")
    assert "XCLIENT" not in server.stderr()


def test_clients_in_turns_are_never_mixed_up(site, start, trusting):
    """Both find idle connections that were told of the other."""
    start(site.head(upstream(trusting.port)) + "workers: 1\n")
    with log_in(site, "bob", "127.0.0.7", "laptop") as bob, \
            log_in(site, "eve", "127.0.0.8", "[127.0.0.8]") as eve:
        for i in range(3):
            send(bob, "bob", f"turn-bob-{i}")
            send(eve, "eve", f"turn-eve-{i}")
    for i in range(3):
        assert_seen(trusting, f"turn-bob-{i}", "127.0.0.7", "laptop", "bob")
        assert_seen(trusting, f"turn-eve-{i}", "127.0.0.8", "[127.0.0.8]",
                    "eve")


def test_a_postfix_that_does_not_trust_us_gets_no_mail(site, start, postfix):
    server = start(site.head(upstream(postfix.port)))
    with log_in(site, "bob", "127.0.0.7", "laptop") as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        reply = client.expect(451, "RCPT TO:<a@example.net>")
    assert reply.text.startswith("4.3.5 "), reply
    [transaction] = server.log.wait_transactions(1)
    assert transaction["verdict"] == "defer", transaction
    assert re.search(r"error upstream .*XCLIENT: not offered: .*"
                     r"smtpd_authorized_xclient_hosts", server.stderr()), \
        server.stderr()
