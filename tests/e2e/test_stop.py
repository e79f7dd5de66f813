"""A stop is graceful: what is in a transaction finishes."""

import threading

import pytest

from dialogue import Closed, Dialogue, logged_in
from messages import make_message
from peer_raw import RawUpstream, Script
from users import PASSWORDS
from waiting import wait_for


def test_sigterm_lets_a_transaction_finish(site, start, aiosmtpd):
    server = start(site.head(site.to_port(aiosmtpd.port)))
    message = make_message("bob@example.com", "a@example.net", "last")
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(354, "DATA")
        half = len(message) // 2
        dialogue.send(message[:half].replace(b"\r\n.", b"\r\n.."))
        server.terminate()
        wait_for(lambda: is_refused(site), "no new sessions")
        dialogue.send(message[half:].replace(b"\r\n.", b"\r\n..")
                      + b".\r\n")
        assert dialogue.reply().code == 250
        with pytest.raises(Closed):
            while True:
                assert dialogue.reply().code == 421
    assert server.wait_end() == 0
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "accept"
    assert len(aiosmtpd.wait_delivered(1)) == 1


def is_refused(site):
    try:
        with Dialogue(site.starttls, seconds=2) as dialogue:
            return dialogue.reply().code == 421
    except (OSError, Closed):
        return True


def test_sigterm_waits_for_the_upstreams_answer(site, start):
    asked, answer = threading.Event(), threading.Event()

    def slow(_line, _wire):
        asked.set()
        answer.wait(30)
        return "250 2.0.0 Ok: queued as S1"

    with RawUpstream(Script({".": slow})) as upstream:
        server = start(site.head(site.to_port(upstream.port)))
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            dialogue.expect(250, "RCPT TO:<a@example.net>")
            dialogue.expect(354, "DATA")
            dialogue.send(make_message(
                "bob@example.com", "a@example.net", "s").replace(
                    b"\r\n.", b"\r\n..") + b".\r\n")
            assert asked.wait(20)
            server.terminate()
            wait_for(lambda: is_refused(site), "no new sessions")
            answer.set()
            assert dialogue.reply().code == 250
        assert server.wait_end() == 0


def test_sigterm_ends_idle_sessions_at_once(site, start):
    server = start(site.head(site.to_maildir()))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        server.terminate()
        with pytest.raises(Closed):
            while True:
                assert dialogue.reply().code == 421
        assert server.wait_end(10) == 0
