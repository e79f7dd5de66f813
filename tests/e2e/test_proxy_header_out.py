"""The PROXY header towards real programs: they see the client, not Postern."""

import re

import pytest

from peer_haproxy import Haproxy
from peer_postfix import Postfix
from peer_raw import RawUpstream
from told_client import log_in, received_by, send
from waiting import wait_for


@pytest.fixture(scope="module")
def expecting(tmp_path_factory, certificate):
    """A Postfix that takes nothing but connections with a header."""
    server = Postfix(tmp_path_factory.mktemp("expecting"), certificate,
                     proxy_protocol="haproxy")
    server.start()
    yield server
    server.stop()


def upstream(port, tls="{mode: none}"):
    return (f'{{servers: ["127.0.0.1:{port}"], tls: {tls}, '
            f'identity: proxy-v2}}')


def connects(postfix, source):
    return re.findall(rf"connect from [^ ]*\[{re.escape(source)}\]\n",
                      postfix.log())


@pytest.mark.parametrize("mode, bobs, eves", [
    ("none", "127.0.0.7", "127.0.0.8"),
    ("starttls, verify: false", "127.0.0.17", "127.0.0.18")],
    ids=["clear", "starttls"])
def test_postfix_sees_each_client(site, start, expecting, mode, bobs, eves):
    start(site.head(upstream(expecting.port, f"{{mode: {mode}}}"))
          + "workers: 1\n")
    with log_in(site, "bob", bobs, "laptop") as bob, \
            log_in(site, "eve", eves, "phone") as eve:
        for i in range(2):
            send(bob, "bob", f"header-{bobs}-{i}")
            send(eve, "eve", f"header-{eves}-{i}")
    for source in bobs, eves:
        for i in range(2):
            received = received_by(expecting, f"header-{source}-{i}")
            assert f"[{source}]" in received, received
            assert "[127.0.0.1]" not in received, received
        # The header names a session: its mails share one connection.
        wait_for(lambda: connects(expecting, source), "a connection")
        wait_for(lambda: f"disconnect from unknown[{source}]"
                 in expecting.log(), "its end with the session")
        assert len(connects(expecting, source)) == 1


def test_haproxy_reads_all_four_parts(site, start, tmp_path):
    """It passes them on in version 1, which is text."""
    lines = []

    def serve(wire):
        lines.append(wire.line())
        wire.write("220 mx")
        while True:
            line = wire.line()
            wire.write("221 bye" if line == "QUIT" else "250 Ok")

    with RawUpstream(serve) as raw, \
            Haproxy(tmp_path, [(raw.port, "send-proxy")],
                    bind="accept-proxy") as haproxy:
        start(site.head(upstream(haproxy.fronts[0])) + "workers: 1\n")
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            client.expect(250, "MAIL FROM:<bob@example.com>")
            client.expect(250, "RCPT TO:<a@example.net>")
            port = client.socket.getsockname()[1]
    assert f"PROXY TCP4 127.0.0.7 127.0.0.1 {port} {site.starttls}" in lines
    # The question before any mail was Postern's own.
    assert all("127.0.0.7" in line or line.startswith("PROXY TCP4 127.0.0.1 ")
               for line in lines), lines
    assert len(lines) == 2, lines
