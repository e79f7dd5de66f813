"""What a real Postfix offers is offered, and what the client asks for by it
gets there: DSN, SMTPUTF8 and CHUNKING."""

import pytest

from dialogue import logged_in
from maildir import wait_message
from messages import header_of
from peer_postfix import Postfix
from users import PASSWORDS

POLICY = """
policy:
  rcpt:
    - rule: it moved
      when: {rcpt.to.domain: moved.example}
      rewrite: {rcpt.to: "moved@example.net"}
"""


@pytest.fixture(scope="module")
def old_postfix(tmp_path_factory, certificate):
    """One that knows neither DSN nor SMTPUTF8."""
    server = Postfix(tmp_path_factory.mktemp("old"), certificate,
                     hidden="dsn, smtputf8")
    server.start()
    yield server
    server.stop()


def log_in(site):
    client = logged_in(site, "bob", PASSWORDS["bob"])
    return client, client.hello().lines


def send_chunks(client, message):
    half = len(message) // 2
    client.send(b"BDAT %d\r\n%b" % (half, message[:half]))
    assert client.reply().code == 250
    client.send(b"BDAT %d LAST\r\n%b" % (len(message) - half, message[half:]))
    return client.reply()


def test_what_postfix_offers_reaches_it(site, start, postfix):
    start(site.head(site.to_port(postfix.port)) + POLICY)
    client, offer = log_in(site)
    for keyword in ("8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "PIPELINING",
                    "SIZE 52428800", "ENHANCEDSTATUSCODES",
                    "LIMITS RCPTMAX=1000"):
        assert keyword in offer, offer
    client.expect(250, "MAIL FROM:<bob@example.com> SMTPUTF8 BODY=8BITMIME "
                       "RET=HDRS ENVID=QQ+2B314159")
    client.expect(250, "RCPT TO:<jürgen@example.net> NOTIFY=SUCCESS "
                       "ORCPT=rfc822;first@example.org")
    client.expect(250, "RCPT TO:<a+b@moved.example> NOTIFY=SUCCESS")
    text = "From: bob@example.com\r\nSubject: grün\r\n\r\nWiese\r\n"
    assert send_chunks(client, text.encode("utf-8")).code == 250
    client.expect(221, "QUIT")
    told = wait_message(postfix.maildir, "first@example.org").decode("utf-8")
    assert "Original-Envelope-Id: QQ+314159" in told
    told = wait_message(postfix.maildir, "a+b@moved.example").decode("utf-8")
    assert "rfc822;a+b@moved.example" in told
    assert "moved@example.net" in told
    assert told.count("Original-Envelope-Id: QQ+314159") == 1


def test_the_trace_says_that_the_mail_was_utf8(site, start, postfix):
    start(site.head(site.to_port(postfix.port)))
    client, _ = log_in(site)
    client.expect(250, "MAIL FROM:<bob@example.com> SMTPUTF8")
    client.expect(250, "RCPT TO:<käthe@example.net>")
    reply = client.message("Subject: käthe-1\r\n\r\n.\r\n".encode("utf-8"))
    assert reply.code == 250
    fields = header_of(wait_message(postfix.maildir, "käthe-1"))
    trace = [field for field in fields if field.startswith("Received:")]
    assert "with UTF8SMTP " in trace[0] and "with UTF8SMTPSA " in trace[1]
    assert "Delivered-To: käthe@example.net" in fields


def test_what_postfix_lacks_is_not_offered(site, start, old_postfix):
    start(site.head(site.to_port(old_postfix.port)))
    client, offer = log_in(site)
    assert "8BITMIME" in offer and "CHUNKING" in offer
    assert "DSN" not in offer and "SMTPUTF8" not in offer
    client.expect(555, "MAIL FROM:<bob@example.com> SMTPUTF8")
    client.expect(555, "MAIL FROM:<bob@example.com> RET=FULL")
    client.expect(250, "MAIL FROM:<bob@example.com>")
    client.expect(553, "RCPT TO:<jürgen@example.net>")
    client.expect(555, "RCPT TO:<a@example.net> NOTIFY=NEVER")
