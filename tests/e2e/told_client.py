"""A client with an address of its own, and what a Postfix saw of it."""

from dialogue import Dialogue
from maildir import wait_message
from messages import header_of, make_message
from users import PASSWORDS


def log_in(site, user, source, helo):
    client = Dialogue(site.starttls, source=source)
    client.expect(220)
    client.hello(helo)
    client.starttls()
    client.hello(helo)
    assert client.login(user, PASSWORDS[user]).code == 235
    return client


def send(client, user, token):
    sender = f"{user}@example.com"
    client.expect(250, f"MAIL FROM:<{sender}>")
    client.expect(250, "RCPT TO:<a@example.net>")
    reply = client.message(make_message(sender, "a@example.net", token))
    assert reply.code == 250, reply


def received_by(postfix, token):
    """Postfix's own Received field, which is the uppermost."""
    fields = header_of(wait_message(postfix.maildir, token))
    return next(field for field in fields if field.startswith("Received:"))
