"""The log that people tail: one line a transaction, and every refusal can be
found in it."""

import re
import signal
import subprocess

import places
from decision_log import refusal_id
from dialogue import Dialogue, logged_in
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for

POLICY = """\
policy:
  mail:
    - rule: no chief
      when: {mail.from: ceo@example.com}
      reject: "553 5.7.1 {auth.user} may not send as {mail.from}"
  rcpt:
    - rule: not there
      when: {rcpt.to.domain: closed.example}
      reject: "550 5.7.1 {rcpt.to} is closed"
  header:
    - rule: no shouting
      when: {header.subject: '/FREE/'}
      reject: "550 5.7.1 Please do not shout"
"""


def send(dialogue, token, extra=b""):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    return dialogue.message(
        make_message("bob@example.com", "a@example.net", token, extra))


def test_one_line_a_transaction(site, start):
    server = start(site.head(site.to_maildir()) + POLICY)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        for number in range(5):
            assert send(dialogue, f"n{number}").code == 250
        dialogue.expect(221, "QUIT")
    lines = server.log.wait_transactions(5)
    assert len({line["id"] for line in lines}) == 5
    [session] = {line["session"] for line in lines}
    assert re.fullmatch("[0-9A-Z]{10}", session)
    for number, line in enumerate(lines):
        assert line["id"].startswith(session) and len(line["id"]) == 12
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
                            line["time"])
        assert line["verdict"] == "accept"
        assert line["client"]["ip"] == "127.0.0.1"
        assert line["client"]["helo"] == "laptop.example.com"
        assert line["listener"] == "submission"
        assert line["tls"]["version"] in ("1.2", "1.3")
        assert line["auth"]["user"] == "bob"
        assert line["auth"]["groups"] == ["staff"]
        assert line["mail"]["from"] == "bob@example.com"
        assert line["rcpt"][0]["to"] == "a@example.net"
        assert line["rcpt"][0]["verdict"] == "accept"
        assert line["header"]["from"] == ["bob@example.com"]
        assert line["header"]["message_id"] == f"<n{number}@example.com>"
        assert line["message"]["bytes"] > 1000
        assert line["upstream"]["name"] == "main"
        assert line["policy"].startswith("sha256:")
        assert line["ms"]["total"] >= 0


def test_each_refusal_is_found_by_its_id(site, start):
    server = start(site.head(site.to_maildir()) + POLICY)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        at_mail = dialogue.expect(553, "MAIL FROM:<ceo@example.com>")
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        at_rcpt = dialogue.expect(550, "RCPT TO:<x@closed.example>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(250, "RSET")
        at_header = send(dialogue, "x", b"Subject: FREE MONEY\r\n")
        assert at_header.code == 550
        dialogue.expect(221, "QUIT")
    lines = {stage: server.log.wait_transaction(refusal_id(reply))
             for stage, reply in (("mail", at_mail), ("rcpt", at_rcpt),
                                  ("header", at_header))}
    assert at_mail.text.startswith("5.7.1 bob may not send as ceo@example")
    assert lines["mail"]["verdict"] == "reject"
    assert lines["mail"]["stage"] == "mail"
    assert any(rule["rule"] == "no chief" for rule in lines["mail"]["rules"])
    [first, second] = lines["rcpt"]["rcpt"]
    assert first["verdict"] == "reject" and "closed" in first["reply"]
    assert second["verdict"] == "accept"
    assert lines["header"]["verdict"] == "reject"
    assert lines["header"]["stage"] == "header"


def test_L01_no_password_is_ever_logged(site, start):
    server = start(site.head(site.to_maildir()) + POLICY)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(221, "QUIT")
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        assert dialogue.login("bob", "Wrong-Password-7").code == 535
        dialogue.expect(221, "QUIT")
    wait_for(lambda: len(server.log.events("auth")) >= 1, "an auth line")
    said = site.log.read_text(encoding="utf-8") + server.stderr()
    for secret in (PASSWORDS["bob"], "Wrong-Password-7",
                   "AGJvYgBjb3JyZWN0IGhvcnNlIDE", "AGJvYgBXcm9uZy1QYXNz"):
        assert secret not in said


def test_L01_text_from_outside_stays_one_line_of_json(site, start):
    server = start(site.head(site.to_maildir()) + POLICY)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        reply = send(
            dialogue, 'q"\\', b'X-Odd: "}\x1b[2J\xe2\x80\xa8{\r\n')
        assert reply.code == 250
    server.log.wait_transactions(1)
    assert "\x1b" not in site.log.read_text(encoding="utf-8")


def test_tail_shows_a_line_a_transaction(site, start):
    server = start(site.head(site.to_maildir()) + POLICY)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert send(dialogue, "one").code == 250
        dialogue.expect(553, "MAIL FROM:<ceo@example.com>")
        dialogue.expect(221, "QUIT")
    server.log.wait_transactions(2)
    everything = run_once("tail", site.log)
    assert everything.returncode == 0, everything.stderr
    shown = [line for line in everything.stdout.splitlines()
             if "example.com" in line]
    assert len(shown) == 2, everything.stdout
    assert "\x1b" not in everything.stdout
    refused = run_once("tail", "verdict=reject", site.log).stdout
    assert "ceo@example.com" in refused
    assert len(refused.splitlines()) == 1
    assert run_once("tail", "user=nobody", site.log).stdout == ""


def test_tail_follows(site, start):
    start(site.head(site.to_maildir()) + POLICY)
    output = site.folder / "tail.out"
    with open(output, "wb") as file:
        tail = subprocess.Popen([places.program(), "tail", "-f", site.log],
                                stdout=file, stderr=file)
    try:
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            assert send(dialogue, "one").code == 250
        wait_for(lambda: b"bob@example.com" in output.read_bytes(),
                 "tail -f to show the mail")
    finally:
        tail.send_signal(signal.SIGTERM)
        tail.wait(10)


def test_a_line_that_would_be_too_long_is_kept_with_less_in_it(site, start):
    server = start(site.head(site.to_maildir()))
    domain = ".".join(["d" * 60] * 3) + ".example"
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        for first in range(0, 1000, 50):
            dialogue.send(b"".join(
                f"RCPT TO:<{'r' * 50}{n}@{domain}>\r\n".encode()
                for n in range(first, first + 50)))
            for _ in range(50):
                dialogue.expect(250)
        assert dialogue.message(b"From: bob@example.com\r\n\r\nx\r\n").code \
            == 250
        dialogue.expect(221, "QUIT")
    line = server.log.wait_transactions(1)[0]
    assert line["verdict"] == "accept" and line["cut"] == ["rcpt"]
    assert line["rcpt_count"] == 1000 and 100 < len(line["rcpt"]) < 1000
