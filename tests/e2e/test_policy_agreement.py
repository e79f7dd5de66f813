"""What `postern check` foretells for given facts is what the server then
does: each case is told to both, and the policy test expects the very reply
that the client got."""

import json


from decision_log import ID
from dialogue import logged_in
from server import run_once
from users import PASSWORDS

POLICY = r"""
lists:
  partners: [partner.example, .both.example, "*.below.example"]
  nets: [127.0.0.0/8, "::1"]
policy:
  auth:
    - {rule: near, when: {client.ip: "@nets"}, tag: near}
  mail:
    - {rule: bounce, when: {mail.from: ""}, tag: bounce}
    - {rule: moved, when: {mail.from: '/^(.+)@old\.example$/i'},
       rewrite: {mail.from: "{1}@example.com"}}
    - {rule: own, when: {mail.from: {not_in: "{auth.addresses}"}},
       reject: "553 5.7.1 {auth.user}: {mail.from}, not {mail.original}"}
    - {rule: small, when: {auth.groups: students}, limit: {size: 10K},
       reject: "552 5.3.4 At most {limit.max}"}
    - {rule: paced, when: {mail.from.local: paced},
       limit: {messages: 3/h, burst: 2, by: "{mail.from}"},
       defer: "450 4.7.1 {limit.rate} {limit.used} {limit.retry_after}"}
  rcpt:
    - {rule: partner, when: {rcpt.to.domain: "@partners"},
       reject: "550 5.7.1 {rcpt.to.domain} is a partner"}
    - {rule: plus, when: {rcpt.to: '/^(?<u>[^@+]+)\+[^@]+@(?<d>.+)$/'},
       rewrite: {rcpt.to: "{u}@{d}"}}
    - {rule: plain, when: {rcpt.to: no@x.example},
       reject: "550 5.1.1 {rcpt.to} was {rcpt.original}"}
    - {rule: few, limit: {recipients: 2},
       defer: "452 4.5.3 At most {limit.max}"}
  header:
    - {rule: loop, limit: {hops: 3},
       reject: "554 5.4.6 {limit.used} of {limit.max}"}
    - {rule: name, when: {header.from.name: "/paypal/i"},
       reject: "550 5.7.1 No {header.from.name}"}
  message:
    - {rule: line, limit: {line: 2000},
       reject: "554 5.6.0 {limit.used} of {limit.max}"}
"""

BOB = {"auth.user": "bob", "auth.groups": ["staff"],
       "auth.addresses": ["bob@example.com", "*@sales.example.com"]}
EVE = {"auth.user": "eve", "auth.groups": ["students"],
       "auth.addresses": ["eve@example.com"]}

# (a name, MAIL, RCPTs, lines of header, lines of body); MAIL may have a size.
CASES = [
    ("a null sender", BOB, "", ["a@x.example"], [], []),
    ("an own address", BOB, "BOB@Example.com", ["a@x.example"], [], []),
    ("a glob", BOB, "any@sales.example.com", ["a@x.example"], [], []),
    ("a rewrite", BOB, "Bob@OLD.example", ["a@x.example"], [], []),
    ("a rewrite that is vetted", BOB, "ceo@old.example", [], [], []),
    ("a foreign address", BOB, "eve@example.com", [], [], []),
    ("a declared size", EVE, ("eve@example.com", 10241), [], [], []),
    ("the largest", EVE, ("eve@example.com", 10240), ["a@x.example"], [], []),
    ("a domain", BOB, "bob@example.com", ["a@partner.example"], [], []),
    ("a domain and below", BOB, "bob@example.com", ["a@both.example"], [], []),
    ("below", BOB, "bob@example.com", ["a@x.both.example"], [], []),
    ("below only", BOB, "bob@example.com", ["a@x.below.example"], [], []),
    ("not itself", BOB, "bob@example.com", ["a@below.example"], [], []),
    ("a capture", BOB, "bob@example.com", ["no+x@x.example"], [], []),
    ("two", BOB, "bob@example.com", ["a@x.example", "b@x.example"], [], []),
    ("three", BOB, "bob@example.com",
     ["a@x.example", "b@x.example", "c@x.example"], [], []),
    ("three hops", BOB, "bob@example.com", ["a@x.example"],
     [("received", "x")] * 3, []),
    ("four hops", BOB, "bob@example.com", ["a@x.example"],
     [("received", "x")] * 4, []),
    ("an encoded name", BOB, "bob@example.com", ["a@x.example"],
     [("from", "=?utf-8?B?UGF5UGFs?= <bob@example.com>")], []),
    ("a line", BOB, "bob@example.com", ["a@x.example"], [], ["x" * 2000]),
    ("a long line", BOB, "bob@example.com", ["a@x.example"], [], ["x" * 2001]),
    ("the burst, 1", BOB, "paced@sales.example.com", ["a@x.example"], [], []),
    ("the burst, 2", BOB, "paced@sales.example.com", ["a@x.example"], [], []),
    ("the burst, 3", BOB, "paced@sales.example.com", [], [], []),
]


def split_sender(sender):
    return sender if isinstance(sender, tuple) else (sender, None)


def facts_of(login, sender, recipients, fields, body):
    """What the server learns of such a mail, as a test states it."""
    address, size = split_sender(sender)
    facts = {**login, "client.ip": "127.0.0.1", "mail.from": address}
    if size:
        facts["mail.size"] = str(size)
    if recipients:
        facts["rcpt.to"] = recipients
    for name, value in fields:
        facts.setdefault(f"header.{name}", []).append(value)
    if body:
        facts["message.longest_line"] = str(max(map(len, body)))
    return facts


def send(dialogue, sender, recipients, fields, body):
    """The first reply that refuses, or the last."""
    address, size = split_sender(sender)
    dialogue.expect(250, "RSET")
    reply = dialogue.say(f"MAIL FROM:<{address}>"
                         + (f" SIZE={size}" if size else ""))
    for recipient in recipients:
        if reply.code == 250:
            reply = dialogue.say(f"RCPT TO:<{recipient}>")
    if reply.code != 250 or not recipients:
        return reply
    lines = [f"{name.title()}: {value}" for name, value in fields]
    return dialogue.message("\r\n".join(
        [*lines, "X-Test: yes", "", *body, ""]).encode())


def test_the_policy_tests_foretell_what_the_server_does(site, start):
    start(site.head(site.to_maildir()) + POLICY)
    steps = []
    for login in (BOB, EVE):
        user = login["auth.user"]
        with logged_in(site, user, PASSWORDS[user]) as dialogue:
            for _name, who, *mail in CASES:
                if who is not login:
                    continue
                reply = send(dialogue, *mail)
                said = f"{reply.code} {ID.sub('', reply.text).strip()}"
                steps.append({
                    "given": facts_of(who, *mail),
                    "expect": {"reply": "250" if reply.code == 250 else said}})
    codes = {step["expect"]["reply"][:3] for step in steps}
    assert codes == {"250", "450", "452", "550", "552", "553", "554"}
    config = site.folder / "foretold.yaml"
    config.write_text(
        site.head(site.to_maildir()) + POLICY + "tests:\n"
        + f"  - {json.dumps({'name': 'all', 'steps': steps})}\n",
        encoding="utf-8")
    done = run_once("check", config)
    assert done.returncode == 0, done.stderr
