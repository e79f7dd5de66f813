"""Behind a real HAProxy: the client is the one that it names."""

import socket

import pytest

from dialogue import Dialogue, logged_in
from peer_haproxy import Haproxy
from users import PASSWORDS


def balanced(site, networks="[127.0.0.1/32]", host="127.0.0.1"):
    text = site.head(site.to_maildir(), host)
    for tls in ("starttls", "implicit"):
        text = text.replace(
            f"tls: {tls}}}",
            f"tls: {tls}, proxy_protocol: {{from: {networks}}}}}")
    return text


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2",
                                 "send-proxy-v2-ssl",
                                 "send-proxy-v2 proxy-v2-options crc32c"])
def test_Y02_the_client_is_the_one_that_haproxy_names(site, start, tmp_path,
                                                      how):
    server = start(balanced(site))
    ways = [(site.starttls, how), (site.implicit, how)]
    with Haproxy(tmp_path, ways) as haproxy:
        for front, tls in zip(haproxy.fronts, [False, True]):
            with Dialogue(front, tls=tls, source="127.0.0.2") as dialogue:
                dialogue.expect(220)
                dialogue.hello()
                if not tls:
                    dialogue.starttls()
                    dialogue.hello()
                reply = dialogue.login("bob", PASSWORDS["bob"])
                assert reply.code == 235
                dialogue.expect(250, "MAIL FROM:<bob@example.com>")
                dialogue.expect(250, "RCPT TO:<ann@example.net>")
                assert dialogue.message(b"Subject: x\r\n\r\nx\r\n").code == 250
    for line in server.log.wait_transactions(2):
        assert line["client"]["ip"] == "127.0.0.2"
        assert line["client"]["via"] == "127.0.0.1"


def test_Y02_a_client_of_ipv6_behind_a_balancer_of_ipv4(site, start, tmp_path):
    server = start(balanced(site))
    with Haproxy(tmp_path, [(site.implicit, "send-proxy-v2")],
                 host="::1") as haproxy:
        with Dialogue(haproxy.fronts[0], host="::1", tls=True) as dialogue:
            dialogue.expect(220)
            dialogue.expect(221, "QUIT")
    client = server.log.wait_events("session", 1)[0]["client"]
    assert (client["ip"], client["via"]) == ("::1", "127.0.0.1")


def test_Y01_nobody_else_may_name_a_client(site, start):
    server = start(balanced(site, networks="[127.0.0.3/32]"))
    with socket.create_connection(("127.0.0.1", site.starttls), 10) as wire:
        wire.settimeout(10)
        wire.sendall(b"PROXY TCP4 192.0.2.66 192.0.2.2 1 25\r\n")
        said = b""
        while octets := wire.recv(4096):
            said += octets
    assert b"421 4.7.0" in said
    line = server.log.wait_events("session", 1)[0]
    assert line["client"]["ip"] == "127.0.0.1"
    logged_in(site, "bob", PASSWORDS["bob"]).expect(221, "QUIT")
