"""The log of real sessions, run through policies: under its own nothing
changes, under another exactly what that one decides otherwise."""

import json
import socketserver
import threading

import pytest

from dialogue import Closed, Dialogue, logged_in
from server import run_once
from users import PASSWORDS

# One worker: two that race for the last of a budget are recorded in the order
# of their clocks, which need not be that of the budget.
POLICY = r"""
workers: 1
lists:
  partners: [partner.example, .both.example]
  disliked: {dynamic: true}
  contained: {dynamic: true}
policy:
  connect:
    - {rule: crowds, limit: {connections: 30, by: "{client.net}"},
       close: "421 4.7.0 Too many connections at once"}
  helo:
    - {rule: known names, when: {helo.name: "bad.example"},
       reject: "550 5.7.1 Not as {helo.name}"}
  auth:
    - rule: guesses
      when: {auth.result: failed}
      limit: {failures: 3/1h, by: "{auth.name}"}
      close: "421 4.7.0 Too many failed logins, {limit.used} of {limit.max}"
    - {rule: contained logins, when: {auth.user: "@contained"},
       reject: "525 5.7.13 Sending is suspended for {auth.user}"}
    - {rule: many at once, when: {auth.user: {exists: true}},
       limit: {connections: 6, by: "{auth.user}"},
       defer: "454 4.7.0 Too many sessions"}
  mail:
    - {rule: moved, when: {mail.from: '/^(.+)@old\.example$/i'},
       rewrite: {mail.from: "{1}@example.com"}}
    - {rule: slow, when: {mail.original.domain: old.example}, delay: 300ms}
    - {rule: travels, limit: {networks: 3/1d, by: "{auth.user}"},
       defer: "450 4.7.1 From too many networks"}
    - {rule: own, when: {mail.from: {not_in: "{auth.addresses}"}},
       reject: "553 5.7.1 {auth.user} may not send as {mail.from}"}
    - {rule: small, when: {auth.groups: students}, limit: {size: 10K},
       reject: "552 5.3.4 At most {limit.max}, not {limit.used}"}
    - {rule: paced, limit: {messages: 6/1h, burst: 4, by: "{auth.user}"},
       defer: "450 4.7.1 {limit.rate}, try again in {limit.retry_after}"}
    - {rule: volume, limit: {bytes: 200K/1h, by: "{auth.user}"},
       defer: "450 4.7.1 {auth.user} has sent {limit.used}"}
    - {rule: hidden, mode: shadow, when: {mail.from.domain: example.com},
       limit: {messages: 1/1h, by: "{auth.user}"},
       reject: "550 5.7.1 Only pretended"}
  rcpt:
    - {rule: partner, when: {rcpt.to.domain: "@partners"},
       reject: "550 5.7.1 {rcpt.to.domain} is a partner"}
    - {rule: plus, when: {rcpt.to: '/^(?<u>[^@+]+)\+[^@]+@(?<d>.+)$/'},
       rewrite: {rcpt.to: "{u}@{d}"}}
    - {rule: disliked now, when: {rcpt.to: "@disliked"},
       reject: "550 5.1.1 {rcpt.to} bounced before"}
    - {rule: asked, when: {rcpt.to.local: [asked, unasked]}, ask: quota}
    - {rule: strangers, when: {auth.user: alice},
       limit: {new_recipients: 2/1d, by: "{auth.user}"},
       defer: "450 4.7.1 {limit.used} new ones"}
    - {rule: archive, when: {rcpt.to.local: a},
       add_recipient: archive@house.example}
    - {rule: recipients, limit: {recipients: 8/1h, burst: 7,
       by: "{auth.user}"}, defer: "450 4.7.1 {limit.used} of {limit.max}"}
  data:
    - {rule: too wide, when: {data.domains: one.example,
       data.recipients: /^z@/}, reject: "554 5.5.0 Not both"}
  header:
    - {rule: spam, when: {header.subject: /viagra/i},
       reject: "550 5.7.1 Not this: {header.subject}"}
    - {rule: untitled, when: {header.subject: {exists: false}}, tag: untitled}
    - {rule: alignment, when: {header.from: {not_in: "{auth.addresses}"}},
       reject: "550 5.7.1 The From header must be yours"}
    - {rule: name, when: {header.from.name: "/paypal/i"},
       reject: "550 5.7.1 No {header.from.name}"}
    - {rule: hops, limit: {hops: 2}, reject: "554 5.4.6 {limit.used} hops"}
    - {rule: clean, when: {header.x-mailer: {exists: true}},
       headers: {remove: [X-Mailer], set: {X-Vetted: "{auth.user}"}}}
  message:
    - {rule: line, limit: {line: 1200}, reject: "554 5.6.0 {limit.used}"}
  reply:
    - {rule: bounced, when: {reply.code: ">= 500", reply.command: RCPT},
       list: {add: {disliked: "{reply.to}"}, for: 1h}}
    - {rule: contain, limit: {rejects: 3/1h, by: "{auth.user}"},
       list: {add: {contained: "{auth.user}"}, for: 1h}}
"""


class PolicyServer(socketserver.ThreadingTCPServer):
    """Refuses unasked@ and thinks nothing of the others."""
    allow_reuse_address = True
    daemon_threads = True

    class RequestHandlerClass(socketserver.StreamRequestHandler):
        def handle(self):
            request = []
            try:
                for line in self.rfile:
                    if line.strip():
                        request.append(line.strip())
                        continue
                    refuses = any(b"unasked" in each for each in request)
                    self.wfile.write(b"action=%s\n\n" % (
                        b"REJECT not today" if refuses else b"DUNNO"))
                    request = []
            except ConnectionResetError:
                pass  # the server has stopped


@pytest.fixture
def policy_server():
    server = PolicyServer(("127.0.0.1", 0), PolicyServer.RequestHandlerClass)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def letter(sender, *fields, body=b"hello\r\n"):
    lines = [f"From: {sender}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def send(dialogue, sender, recipients, message, size=None):
    """One mail as far as it gets; the code of the last reply."""
    reply = dialogue.say(f"MAIL FROM:<{sender}>"
                         + (f" SIZE={size}" if size else ""))
    if reply.code != 250:
        return reply.code
    accepted = [to for to in recipients
                if dialogue.say(f"RCPT TO:<{to}>").code == 250]
    if not accepted:
        dialogue.expect(250, "RSET")
        return 550
    reply = dialogue.say("DATA")
    if reply.code == 354:
        dialogue.send(message + b".\r\n")
        reply = dialogue.reply()
    return reply.code


def a_day_of_bob(site, codes):
    with logged_in(site, "bob", PASSWORDS["bob"]) as bob:
        def mail(sender, recipients, message, **more):
            codes.append(send(bob, sender, recipients, message, **more))
        own = letter("bob@example.com", "Subject: hi", "X-Mailer: m")
        mail("eve@example.com", ["a@x.example"], own)
        mail("", ["a@partner.example", "refused@x.example"], own)
        mail("bob@example.com", ["refused@x.example"], own)
        mail("bob@example.com", ["c@x.example"],
             letter("bob@example.com", "Subject: =?utf-8?Q?Viagra?= now"))
        mail("bob@example.com", ["d@x.example"],
             letter("ceo@example.com", "Subject: x"))
        mail("bob@example.com", ["e@x.example"],
             letter('"PayPal" <bob@example.com>', "Subject: x"))
        mail("bob@example.com", ["f@x.example"],
             letter("bob@example.com", "Subject: x",
                    *["Received: from x"] * 3))
        mail("bob@example.com", ["g@x.example"],
             letter("bob@example.com", "Subject: x",
                    body=b"y" * 1300 + b"\r\n"))
        mail("bob@example.com", ["unasked@x.example"], own)
        mail("bob@example.com", ["a@x.example", "b+x@x.example",
                                 "asked@x.example"], own)
        mail("bob@old.example", ["a@x.example"],
             letter("bob@example.com"))
        mail("bob@example.com", ["z@one.example"], own)
        for i in range(6):
            mail("bob@example.com", [f"h{i}@x.example", f"i{i}@x.example"],
                 own)
        bob.say("QUIT")


def a_day_of_eve(site, codes):
    with logged_in(site, "eve", PASSWORDS["eve"]) as eve:
        own = letter("eve@example.com", "Subject: hi")
        codes.append(send(eve, "eve@example.com", ["a@x.example"], own,
                          size=20000))
        codes.append(send(eve, "eve@example.com", ["a@x.example"],
                          own + b"z" * 70 + b"\r\n" + b"0123456\r\n" * 2000))
        for i in range(4):
            codes.append(send(eve, "eve@example.com",
                              [f"refused{i}@x.example"], own))
        # Contained by now, or refused: the session may be closed.
        eve.say("MAIL FROM:<eve@example.com>")


def clients_that_leave(site):
    with logged_in(site, "alice", PASSWORDS["alice"]) as alice:
        alice.expect(250, "MAIL FROM:<alice@example.com>")
        alice.expect(250, "RCPT TO:<a@x.example>")
    with logged_in(site, "alice", PASSWORDS["alice"]) as alice:
        alice.expect(250, "MAIL FROM:<alice@example.com>")
        alice.expect(250, "RCPT TO:<a@x.example>")
        alice.expect(354, "DATA")
        alice.send(b"From: alice@example.com\r\n\r\nhalf a me")
    with logged_in(site, "alice", PASSWORDS["alice"]) as alice:
        alice.expect(250, "MAIL FROM:<alice@example.com>")
        alice.expect(250, "RCPT TO:<b@x.example>")
        alice.expect(250, "RSET")
        alice.expect(550, "EHLO bad.example")


def guess(site):
    for _ in range(3):
        with Dialogue(site.starttls, site.host) as guesser:
            try:
                guesser.expect(220)
                guesser.hello()
                guesser.starttls()
                guesser.hello()
                guesser.login("alice", "wrong")
                guesser.login("alice", "wrong again")
            except Closed:
                pass


def many_at_once(site):
    """Sessions that count against the same budgets: all are there before the
    first mail is sent."""
    arrived = threading.Barrier(8, timeout=60)

    def one(number):
        alice = None
        try:
            alice = logged_in(site, "alice", PASSWORDS["alice"])
        except (AssertionError, Closed):
            pass  # one too many
        arrived.wait()
        for i in range(3 if alice else 0):
            send(alice, "alice@example.com", [f"m{number}{i}@x.example"],
                 letter("alice@example.com", "Subject: race"))
        if alice:
            alice.socket.close()
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def replay(log, config, code):
    done = run_once("replay", log, "-c", config, "--json", seconds=120)
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def record(site, start, aiosmtpd, policy_server, policy=POLICY):
    """A day's log, complete: the server has stopped."""
    aiosmtpd.keeper.refuse = lambda to: (
        "550 5.1.1 No such user" if to.startswith("refused") else None)
    servers = ('policy_servers: {quota: {address: '
               f'"127.0.0.1:{policy_server}"}}}}\n')
    server = start(site.head(site.to_port(aiosmtpd.port)) + servers + policy)
    codes = []
    a_day_of_bob(site, codes)
    a_day_of_eve(site, codes)
    clients_that_leave(site)
    guess(site)
    many_at_once(site)
    server.terminate()
    server.check_end()
    return server, codes


def change(site, old, new):
    config = site.folder / "changed.yaml"
    text = (site.folder / "postern.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    config.write_text(text.replace(old, new), encoding="utf-8")
    return config


def test_a_day_replays_to_the_decisions_that_were_made(site, start, aiosmtpd,
                                                       policy_server):
    server, codes = record(site, start, aiosmtpd, policy_server)
    assert {250, 450, 550, 552, 553, 554} <= set(codes), codes
    # What the policy above is rich in did happen.
    acted = {rule["rule"] for line in server.log.lines()
             for rule in line.get("rules", [])}
    for rule in ("known names", "guesses", "contained logins", "many at once",
                 "moved", "own", "small", "paced", "partner", "plus", "too wide",
                 "recipients", "spam", "untitled", "alignment", "name",
                 "slow", "asked", "strangers",
                 "archive", "clean", "line", "hops", "bounced", "contain", "hidden"):
        assert rule in acted, rule

    result = replay(site.log, server.config, 0)
    assert result["transactions"] == len(server.log.events("transaction"))
    assert result["rules"] == [] and result["missing_facts"] == []
    for key in ("newly_refused", "newly_passed", "changed", "not_judged",
                "assumed", "not_asked", "unreadable"):
        assert result[key] == 0, (key, result)

    # Nothing else than what is newly decided.
    refused = replay(site.log, change(
        site, '{header.subject: /viagra/i}', '{header.subject: /viagra|hi/i}'),
        1)
    spam = [row for row in refused["rules"] if row["rule"] == "spam"]
    assert spam[0]["newly_refused"] > 0
    assert spam[0]["examples"][0]["after"].startswith("header: 550 5.7.1")

    unknown = replay(site.log, change(
        site, '{header.subject: /viagra/i}', '{header.x-spam: "yes"}'), 1)
    assert unknown["not_judged"] > 0
    assert {"rule": "spam", "fact": "header.x-spam"}.items() <= \
        unknown["missing_facts"][0].items()
