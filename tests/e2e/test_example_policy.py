"""Every rule of config/example.yaml does what it says, through the real
program and to an upstream."""

import pytest

from decision_log import refusal_id
from dialogue import Closed, Dialogue, logged_in
from example_policy import ExampleSite
from messages import header_of, make_message
from peer_raw import RawUpstream, Script
from server import run_once
from users import PASSWORDS
from waiting import wait_for


@pytest.fixture
def example(site, start, aiosmtpd):
    """The example, running, with aiosmtpd behind it."""
    example_site = ExampleSite(site)
    server = start(example_site.text(aiosmtpd.port),
                   wanted_ports=example_site.ports())
    server.printers = example_site.printers
    return server


def as_user(example, user):
    return logged_in(example.site, user, PASSWORDS[user])


def rule_names(line):
    return [rule["rule"] for rule in line["rules"]]


def test_its_own_tests_pass(site):
    config = site.folder / "postern.yaml"
    config.write_text(ExampleSite(site).text(25), encoding="utf-8")
    done = run_once("check", config)
    assert done.returncode == 0, done.stdout + done.stderr


def fail_login(site):
    """One failed login on a connection of its own; the reply's code, 421
    even where it comes instead of a banner."""
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        reply = dialogue.login("bob", "wrong")
        if reply.code == 421:
            assert dialogue.is_closed()
        return reply


def test_one_network_ten_failures(example):
    for _ in range(10):
        assert fail_login(example.site).code == 535
    reply = fail_login(example.site)
    assert reply.code == 421
    assert reply.text.startswith(
        "4.7.0 Too many failed logins, try again later")
    assert example.log.wait_mention(refusal_id(reply))
    # A right password is no failure, so it still gets in.
    with as_user(example, "bob") as dialogue:
        dialogue.expect(221, "QUIT")


def test_the_company_we_bought(example, aiosmtpd):
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, "MAIL FROM:<Bob@OLD.example>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(
            make_message("bob@example.com", "a@example.net", "old"))
        assert reply.code == 250, reply
    [delivered] = aiosmtpd.wait_delivered(1)
    assert delivered.sender == "Bob@example.com"
    [line] = example.log.wait_transactions(1)
    assert line["mail"]["from"] == "Bob@OLD.example"
    assert line["mail"]["sent"] == "Bob@example.com"
    assert "the company we bought" in rule_names(line)


def test_a_rewritten_sender_is_vetted_as_well(example):
    with as_user(example, "bob") as dialogue:
        reply = dialogue.expect(553, "MAIL FROM:<eve@old.example>")
        assert "bob may not send as eve@example.com" in reply.text


def test_senders_own_their_address(example, aiosmtpd):
    with as_user(example, "bob") as dialogue:
        reply = dialogue.expect(553, "MAIL FROM:<ceo@example.com>")
        assert reply.text.startswith(
            "5.7.1 bob may not send as ceo@example.com (")
        line = example.log.wait_transaction(refusal_id(reply))
        assert line["verdict"] == "reject" and line["stage"] == "mail"
        assert "senders own their address" in rule_names(line)
        for own in ("bob@example.com", "BOB@example.COM",
                    "any@sales.example.com", ""):
            dialogue.expect(250, f"MAIL FROM:<{own}>")
            dialogue.expect(250, "RSET")
    assert aiosmtpd.delivered == []


def test_students_send_small_mail_by_the_declared_size(example):
    with as_user(example, "eve") as dialogue:
        reply = dialogue.expect(
            552, f"MAIL FROM:<eve@example.com> SIZE={20 << 20}")
        assert reply.text.startswith("5.3.4 The limit for students is 10M (")
        line = example.log.wait_transaction(refusal_id(reply))
        assert "students send small mail" in rule_names(line)
        dialogue.expect(250, f"MAIL FROM:<eve@example.com> SIZE={10 << 20}")
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, f"MAIL FROM:<bob@example.com> SIZE={20 << 20}")


def test_students_send_small_mail_by_the_real_size(example, aiosmtpd):
    message = make_message("eve@example.com", "a@example.net", "lie")
    message += (b"x" * 998 + b"\r\n") * (11 * 1024 * 1024 // 1000)
    with as_user(example, "eve") as dialogue:
        dialogue.expect(250, "MAIL FROM:<eve@example.com> SIZE=1000")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(message)
        assert reply.code == 552, reply
        assert "10M" in reply.text
    assert aiosmtpd.delivered == []


def test_printers_mail_the_house_only(example, aiosmtpd):
    with Dialogue(example.printers) as dialogue:
        dialogue.expect(220)
        dialogue.hello("printer.example.com")
        dialogue.expect(250, "MAIL FROM:<printer@example.com>")
        reply = dialogue.expect(550, "RCPT TO:<a@elsewhere.example>")
        assert "a@elsewhere.example is not on the allowlist" in reply.text
        identifier = refusal_id(reply)
        dialogue.expect(250, "RCPT TO:<a@EXAMPLE.net>")
        reply = dialogue.message(
            make_message("printer@example.com", "a@example.net", "paper"))
        assert reply.code == 250, reply
    [delivered] = aiosmtpd.wait_delivered(1)
    assert delivered.recipients == ["a@EXAMPLE.net"]
    line = example.log.wait_transaction(identifier)
    assert "printers mail the house only" in rule_names(line)


def test_recipients_an_hour(example):
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        for number in range(100):
            dialogue.expect(250, f"RCPT TO:<r{number}@example.net>")
        reply = dialogue.expect(450, "RCPT TO:<one@example.net>")
        assert reply.text.startswith(
            "4.7.1 bob may reach 500/h recipients, try again in "), reply
        # Nothing was sent: what was held is given back.
        dialogue.expect(250, "RSET")
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<one@example.net>")
        dialogue.expect(250, "RSET")
    line = example.log.wait_transaction(refusal_id(reply))
    assert "recipients an hour" in rule_names(line)


def test_recipients_that_were_reached_stay_counted(example, aiosmtpd):
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        for number in range(100):
            dialogue.expect(250, f"RCPT TO:<r{number}@example.net>")
        reply = dialogue.message(
            make_message("bob@example.com", "r0@example.net", "hundred"))
        assert reply.code == 250, reply
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(450, "RCPT TO:<one@example.net>")
    assert len(aiosmtpd.wait_delivered(1)[0].recipients) == 100
    # Another login has a budget of its own.
    with as_user(example, "alice") as dialogue:
        dialogue.expect(250, "MAIL FROM:<alice@example.com>")
        dialogue.expect(250, "RCPT TO:<one@example.net>")


@pytest.mark.parametrize("fields", [
    b"From: <ceo@example.com>\r\n",
    b"From: <bob@example.com>\r\nFrom: <ceo@example.com>\r\n",
    b"From: <bob@example.com>, <ceo@example.com>\r\n",
    b"Subject: no From at all\r\n",
], ids=["foreign", "two fields", "two addresses", "none"])
def test_header_from_is_theirs_too(example, aiosmtpd, fields):
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(fields + b"\r\ntext\r\n")
        assert reply.code == 550, reply
        assert reply.text.startswith(
            "5.7.1 The From header must be one of your addresses (")
        line = example.log.wait_transaction(refusal_id(reply))
        assert "header From is theirs too" in rule_names(line)
        # The session is as good as before.
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(
            make_message("bob@example.com", "a@example.net", "own"))
        assert reply.code == 250, reply
    aiosmtpd.wait_delivered(1)


def test_hide_what_the_client_runs(example, aiosmtpd):
    with as_user(example, "bob") as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        reply = dialogue.message(make_message(
            "bob@example.com", "a@example.net", "hide",
            b"user-agent: Mail\r\n for Laptops\r\nX-Mailer: old\r\n"
            b"X-Originating-IP: 10.1.2.3\r\nX-Kept: yes\r\n"))
        assert reply.code == 250, reply
    [delivered] = aiosmtpd.wait_delivered(1)
    fields = [field.lower() for field in header_of(delivered.content)]
    assert not [field for field in fields if field.startswith(
        ("user-agent:", "x-mailer:", "x-originating-ip:"))]
    assert "x-kept: yes" in fields
    assert not any("laptops" in field for field in fields)


def test_contain_a_login_that_bounces(site, start):
    """The 51st refusal of the upstream contains the login: its session ends
    at the next MAIL, and no new login of it is let in."""
    script = Script({"RCPT": "550 5.1.1 Nobody of that name"})
    example_site = ExampleSite(site)
    with RawUpstream(script) as upstream:
        server = start(example_site.text(upstream.port),
                       wanted_ports=example_site.ports())
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            for number in range(51):
                dialogue.expect(550, f"RCPT TO:<r{number}@example.net>")
            dialogue.expect(250, "RSET")
            reply = dialogue.expect(421, "MAIL FROM:<bob@example.com>")
            assert "Sending is suspended for bob" in reply.text
            assert dialogue.is_closed()
        with Dialogue(site.implicit, tls=True) as dialogue:
            dialogue.expect(220)
            dialogue.hello()
            reply = dialogue.login("bob", PASSWORDS["bob"])
            assert reply.code == 525, reply
            assert reply.text.startswith(
                "5.7.13 Sending is suspended for bob, ask your postmaster")
            assert server.log.wait_mention(refusal_id(reply))
        with logged_in(site, "alice", PASSWORDS["alice"]) as dialogue:
            dialogue.expect(221, "QUIT")
    wait_for(lambda: server.log.events("list"), "the list in the log")


def test_fifty_bounces_contain_nobody(site, start):
    script = Script({"RCPT": "550 5.1.1 Nobody of that name"})
    example_site = ExampleSite(site)
    with RawUpstream(script) as upstream:
        start(example_site.text(upstream.port),
              wanted_ports=example_site.ports())
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            for number in range(50):
                dialogue.expect(550, f"RCPT TO:<r{number}@example.net>")
            dialogue.expect(250, "RSET")
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")


def test_a_refused_login_closes_nothing_for_others(example):
    with Dialogue(example.site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        for _ in range(3):
            last = dialogue.login("eve", "wrong")
        assert last.code in (421, 535)
        with pytest.raises(Closed):
            while True:
                dialogue.expect(421)
    with as_user(example, "eve") as dialogue:
        dialogue.expect(221, "QUIT")
