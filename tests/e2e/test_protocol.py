"""What the wire may bring: garbage, injection, pipelining, IPv6."""

import pytest

from dialogue import Closed, Dialogue, logged_in
from maildir import maildir_messages, wait_message
from messages import headers, make_message
from peer_raw import RawUpstream, Script
from users import PASSWORDS


def greeted(site):
    dialogue = Dialogue(site.starttls, site.host)
    dialogue.expect(220)
    return dialogue


def test_garbage_gets_errors_and_then_the_door(site, start):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        codes = []
        while 421 not in codes:
            codes.append(dialogue.say("\x01\x02 what is this").code)
            assert len(codes) < 20
        assert all(500 <= code <= 509 for code in codes[:-1]), codes
        assert 3 <= len(codes) <= 6
        assert dialogue.is_closed()


def test_an_endless_line_is_cut_off(site, start):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        dialogue.send(b"EHLO " + b"x" * 100_000 + b"\r\n")
        assert dialogue.reply().code in (421, 500)


def test_a_web_browser_is_sent_away(site, start):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        dialogue.send(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nEHLO x\r\n")
        codes = []
        with pytest.raises(Closed):
            while True:
                codes.append(dialogue.reply().code)
        assert 250 not in codes


@pytest.mark.parametrize("octets", [
    b"STARTTLS\r\nEHLO injected.example.com\r\n",
    b"STARTTLS\r\nAUTH PLAIN AGJvYgB4\r\nMAIL FROM:<a@b.example>\r\n",
    b"STARTTLS\r\nEHL",
], ids=["EHLO", "AUTH and MAIL", "half a command"])
def test_plaintext_behind_starttls_ends_the_session(site, start, octets):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        dialogue.hello()
        dialogue.send(octets)
        codes = []
        with pytest.raises(Closed):
            while True:
                codes.append(dialogue.reply().code)
        assert 250 not in codes and 235 not in codes


def test_after_tls_nothing_said_before_counts(site, start):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        dialogue.hello()
        dialogue.starttls()
        assert dialogue.login("bob", PASSWORDS["bob"]).code == 503
        dialogue.expect(503, "MAIL FROM:<bob@example.com>")
        hello = dialogue.hello()
        assert "STARTTLS" not in hello.lines
        assert any(line.startswith("AUTH ") for line in hello.lines)


def test_no_password_without_tls_and_no_mail_without_password(site, start):
    start(site.head(site.to_maildir()))
    with greeted(site) as dialogue:
        hello = dialogue.hello()
        assert "STARTTLS" in hello.lines
        assert not any(line.startswith("AUTH") for line in hello.lines)
        assert dialogue.login("bob", PASSWORDS["bob"]).code in (530, 538)
        dialogue.expect(530, "MAIL FROM:<bob@example.com>")


@pytest.mark.parametrize("ending", [b"\n.\n", b"\r\n.\n", b"\n.\r\n",
                                    b"\r.\r", b"\r\n.\r", b"\0\r\n.\r\n"],
                         ids=["lf-lf", "crlf-lf", "lf-crlf", "cr-cr",
                              "crlf-cr", "nul"])
def test_no_other_end_of_data_passes(site, start, ending):
    start(site.head(site.to_maildir()))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(354, "DATA")
        dialogue.send(
            headers("bob@example.com", "a@example.net", "outer")
            + b"\r\ntext" + ending + b"MAIL FROM:<evil@example.com>\r\n"
            b"RCPT TO:<v@example.net>\r\nDATA\r\nsmuggled\r\n.\r\n")
        codes = []
        try:
            codes.append(dialogue.reply().code)
            dialogue.send(b"QUIT\r\n")
            while True:
                codes.append(dialogue.reply().code)
        except Closed:
            pass
        assert codes[0] >= 500, codes
        # A genuine end with a NUL before it refuses the message and ends it:
        # what follows is a transaction of its own.
        arrived = maildir_messages(site.maildir)
        assert len(arrived) == ending.count(b"\r\n.\r\n")
        assert not any(b"outer" in message for message in arrived)


def test_ipv6_is_served(site, start):
    start(site.head(site.to_maildir(), host="[::1]"))
    site.host = "::1"
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(
            make_message("bob@example.com", "a@example.net", "six"))
        assert reply.code == 250, reply
    wait_message(site.maildir, "six")


def test_any_number_of_addresses(site, start):
    text = site.head(site.to_maildir()).replace(
        f'address: "127.0.0.1:{site.starttls}"',
        f'address: ["127.0.0.1:{site.starttls}", "[::1]:{site.starttls}"]')
    start(text)
    for host in ("127.0.0.1", "::1"):
        with Dialogue(site.starttls, host) as dialogue:
            dialogue.expect(220)


def test_nothing_waits_for_the_upstreams_answers(site, start):
    """MAIL and four RCPTs lie at the upstream before it has answered one;
    then its answers come back, one for one and in order."""
    script = Script()
    raw = script.answers

    def hold(_line, wire):
        commands = [wire.line() for _ in range(4)]
        script.commands.extend(commands)
        assert all(line.startswith("RCPT TO:") for line in commands)
        wire.write("250 2.1.0 Ok\r\n250 2.1.5 first\r\n550 5.1.1 second\r\n"
                   "450 4.2.1 third")
        return "250 2.1.5 fourth"

    raw["MAIL"] = hold
    with RawUpstream(script) as upstream:
        start(site.head(site.to_port(upstream.port)))
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.send(b"MAIL FROM:<bob@example.com>\r\n" + b"".join(
                b"RCPT TO:<r%d@example.net>\r\n" % n for n in range(4)))
            replies = [dialogue.reply() for _ in range(5)]
            assert [reply.code for reply in replies] == \
                [250, 250, 550, 450, 250]
            assert "second" in replies[2].text
            reply = dialogue.message(
                make_message("bob@example.com", "r0@example.net", "held"))
            assert reply.code == 250, reply
    assert len(script.contents) == 1


def test_the_upstreams_refusal_of_the_message_is_the_answer(site, start):
    script = Script({".": "554 5.7.1 I do not like it"})
    with RawUpstream(script) as upstream:
        server = start(site.head(site.to_port(upstream.port)))
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            dialogue.expect(250, "RCPT TO:<a@example.net>")
            reply = dialogue.message(
                make_message("bob@example.com", "a@example.net", "no"))
            assert (reply.code, reply.text) == \
                (554, "5.7.1 I do not like it")
        [line] = server.log.wait_transactions(1)
        assert line["verdict"] != "accept"


def test_an_upstream_that_is_away_costs_a_451(site, start):
    start(site.head(site.to_port(1)))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        reply = dialogue.expect(451, "RCPT TO:<a@example.net>")
        assert reply.text.startswith("4.4."), reply


def test_an_upstream_that_dies_after_the_dot_is_never_a_250(site, start):
    def die(_line, wire):
        wire.connection.close()
        raise ConnectionError("on purpose")

    with RawUpstream(Script({".": die})) as upstream:
        server = start(site.head(site.to_port(upstream.port)))
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            dialogue.expect(250, "RCPT TO:<a@example.net>")
            reply = dialogue.message(
                make_message("bob@example.com", "a@example.net", "lost"))
            assert reply.code == 451, reply
        [line] = server.log.wait_transactions(1)
        assert line["uncertain"] is True
