"""More connections than there may be, in all and from one network: those that
are there go on, the next is told, and the server's log names the cap."""

import pytest

from dialogue import Dialogue
from waiting import wait_for


def greeted(site, source):
    dialogue = Dialogue(site.starttls, site.host, source=source)
    dialogue.expect(220)
    return dialogue


def is_let_in(site, source):
    with Dialogue(site.starttls, site.host, source=source) as dialogue:
        return dialogue.reply().code == 220


@pytest.mark.parametrize("cap, sources, third, words", [
    ("caps.connections", ["127.0.0.2", "127.0.0.3"], "127.0.0.4",
     "Too many connections, try again later"),
    ("caps.connections_per_net", ["127.0.0.2", "127.0.0.2"], "127.0.0.2",
     "Too many connections from your network, try again later"),
], ids=["in all", "of a network"])
def test_the_third_of_two_is_turned_away(site, start, cap, sources, third,
                                         words):
    server = start(site.head(site.to_maildir())
                   + f"caps: {{{cap.removeprefix('caps.')}: 2}}\n")
    with greeted(site, sources[0]) as first, \
            greeted(site, sources[1]) as second:
        with Dialogue(site.starttls, site.host, source=third) as turned_away:
            reply = turned_away.reply()
            assert (reply.code, reply.text) == (421, f"4.3.2 {words}")
            assert turned_away.is_closed()
        wait_for(lambda: f"{cap} reached" in server.stderr(),
                 "the log names the cap")
        first.expect(250, "NOOP")
        second.expect(250, "NOOP")
        second.expect(221, "QUIT")
        assert second.is_closed()
        wait_for(lambda: is_let_in(site, third), "there is room again")


def test_another_network_is_not_turned_away(site, start):
    start(site.head(site.to_maildir()) + "caps: {connections_per_net: 1}\n")
    with greeted(site, "127.0.0.2"), greeted(site, "127.0.0.3") as other:
        other.expect(250, "NOOP")
