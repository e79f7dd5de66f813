"""A day's decision log, made by a real Postern with real sessions: what was
asked of it is then answered from the log, by others."""

from dialogue import Dialogue
from messages import make_message
from peer_raw import Script
from users import PASSWORDS

POLICY = """\
shadow: {candidate}
policy:
  auth:
    - rule: names in one hour
      when: {{auth.result: failed}}
      limit: {{failures: 2/h, warn: 50%, by: "{{client.net}}"}}
      close: "421 4.7.0 Too many failed logins, try again later"
  mail:
    - rule: senders own their address
      when: {{mail.from: {{not_in: "{{auth.addresses}}"}}}}
      reject: "553 5.7.1 {{auth.user}} may not send as {{mail.from}}"
  rcpt:
    - rule: no competitors
      when: {{rcpt.to.domain: rival.example}}
      reject: "550 5.7.1 Not to {{rcpt.to}}"
    - rule: recipients an hour
      when: {{auth.groups: students}}
      limit: {{recipients: 3/h, by: "{{auth.user}}"}}
      defer: "450 4.7.1 {{auth.user}} may reach {{limit.rate}} recipients"
  header:
    - rule: no casino
      when: {{header.subject: '/casino/'}}
      reject: "550 5.7.1 Not that"
    - rule: told apart
      tag: [seen]
"""
CANDIDATE = """\
policy:
  mail:
    - rule: smaller mail
      when: {mail.from: alice@example.com}
      reject: "552 5.3.4 Smaller, please"
"""


def session(site, user, source="127.0.0.1"):
    client = Dialogue(site.starttls, site.host, source=source)
    client.expect(220)
    client.hello()
    client.starttls()
    client.hello()
    reply = client.login(user, PASSWORDS[user])
    assert reply.code == 235, reply
    return client


def mail(client, sender, recipients, token, extra=b""):
    """The last answer."""
    reply = client.say(f"MAIL FROM:<{sender}>")
    if reply.code != 250:
        return reply
    answers = [client.say(f"RCPT TO:<{one}>") for one in recipients]
    if not any(one.code == 250 for one in answers):
        client.expect(250, "RSET")
        return answers[-1]
    return client.message(make_message(sender, recipients[0], token, extra))


def guess(site, user, source):
    with Dialogue(site.starttls, site.host, source=source) as client:
        client.expect(220)
        client.hello()
        client.starttls()
        client.hello()
        return client.login(user, "guessed").code


def answer_recipient(line, _wire):
    if "nobody@" in line:
        return "550 5.1.1 No such user"
    return "250 2.1.5 Ok"


def script():
    return Script({"RCPT": answer_recipient})


def text_of(site, upstream):
    candidate = site.folder / "candidate.yaml"
    candidate.write_text(CANDIDATE)
    return (site.head(site.to_port(upstream.port))
            + POLICY.format(candidate=candidate))


def live_through(site):
    """Every kind of thing that people ask about."""
    with session(site, "bob") as bob, session(site, "bob", "127.0.0.7") as far:
        for i in range(5):
            mail(bob, "bob@example.com", [f"r{i}@example.net"], f"bob-{i}")
        mail(far, "bob@example.com", ["a@example.net", "b@example.net",
                                      "x@rival.example"], "bob-far")
        mail(far, "ceo@example.com", ["a@example.net"], "bob-lies")
        mail(bob, "bob@example.com", ["nobody@example.net"], "bob-nobody")
        mail(bob, "bob@example.com", ["a@example.net"], "bob-casino",
             b"X-Odd: =?utf-8?q?=C3=BC?= \"quoted\" \\ back\tslash\r\n")
    with session(site, "eve", "127.0.0.9") as eve:
        for i in range(5):
            mail(eve, "eve@example.com", [f"e{i}@example.org"], f"eve-{i}")
        mail(eve, "eve@example.com", ["x@rival.example"], "eve-rival")
    with session(site, "alice") as alice:
        mail(alice, "alice@example.com", ["a@example.net"], "alice-1")
        reply = alice.say("MAIL FROM:<alice@example.com> SIZE=99999999999")
        assert reply.code != 250
    for _ in range(3):
        guess(site, "bob", "127.0.0.66")

