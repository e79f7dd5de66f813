"""A stop ends, whatever the upstream does, and sooner when it is asked for
twice."""

import threading
import time

import pytest

from dialogue import logged_in
from messages import make_message
from peer_raw import RawUpstream, Script
from users import PASSWORDS
from waiting import wait_for

SHUTDOWN = "timeouts: {shutdown: 1s}\n"


class Silent:
    """An upstream that never answers the final dot."""

    def __init__(self):
        self.asked, self.is_over = threading.Event(), threading.Event()
        self.upstream = RawUpstream(Script({".": self.hang}))

    def hang(self, _line, _wire):
        self.asked.set()
        self.is_over.wait(60)
        return "250 2.0.0 Ok: queued as late"

    def __enter__(self):
        self.upstream.__enter__()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        self.upstream.__exit__(*error)


def send_message(dialogue):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    dialogue.expect(354, "DATA")
    dialogue.send(make_message("bob@example.com", "a@example.net", "s")
                  .replace(b"\r\n.", b"\r\n..") + b".\r\n")


def is_stopping(server):
    return "stopping" in server.stderr()


@pytest.mark.parametrize("shutdown, signals", [(SHUTDOWN, 1), ("", 2)])
def test_an_upstream_that_hangs_holds_no_stop(site, start, shutdown, signals):
    with Silent() as silent:
        server = start(site.head(site.to_port(silent.upstream.port))
                       + shutdown)
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            send_message(dialogue)
            assert silent.asked.wait(20)
            before = time.monotonic()
            server.terminate()
            wait_for(lambda: is_stopping(server), "the stop has begun")
            for _ in range(signals - 1):
                server.terminate()
            assert server.wait_end(30) == 0
            assert time.monotonic() - before < 20
        is_out_of_patience = "timeouts.shutdown has passed" in server.stderr()
        assert is_out_of_patience == (signals == 1)
        [line] = server.log.wait_transactions(1)
        assert line["verdict"] == "abort"
        assert line["uncertain"] is True
