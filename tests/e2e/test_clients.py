"""Real clients on both ports, with the right and the wrong password; what
they send arrives octet for octet."""

import pytest

import clients
from maildir import wait_message
from messages import body_hash, make_message
from users import PASSWORDS


def mail_of(token, password=None):
    return clients.Mail(
        user="bob", password=password or PASSWORDS["bob"],
        sender="bob@example.com", recipient="a@example.net",
        content=make_message("bob@example.com", "a@example.net", token))


def port_of(site, tls):
    return site.starttls if tls == "starttls" else site.implicit


every_client = pytest.mark.parametrize(
    "client", clients.ALL, ids=lambda client: client.__name__)
both_ports = pytest.mark.parametrize("tls", ["starttls", "implicit"])


@both_ports
@every_client
def test_a_mail_arrives_unchanged(site, start, aiosmtpd, client, tls):
    server = start(site.head(site.to_port(aiosmtpd.port)))
    mail = mail_of("clients")
    outcome = client(site, port_of(site, tls), mail)
    assert outcome.sent, outcome.said
    [delivered] = aiosmtpd.wait_delivered(1)
    assert delivered.sender == "bob@example.com"
    assert delivered.recipients == ["a@example.net"]
    assert body_hash(delivered.content) == body_hash(mail.content)
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "accept"
    assert line["auth"]["user"] == "bob"


@both_ports
@every_client
def test_a_wrong_password_sends_nothing(site, start, aiosmtpd, client, tls):
    server = start(site.head(site.to_port(aiosmtpd.port)))
    outcome = client(site, port_of(site, tls), mail_of("no", "wrong"))
    assert not outcome.sent
    assert "535" in outcome.said, outcome.said
    assert aiosmtpd.delivered == []
    assert server.log.events("transaction") == []


def test_auth_login_works_as_well(site, start, aiosmtpd):
    start(site.head(site.to_port(aiosmtpd.port)))
    outcome = clients.swaks(site, site.implicit, mail_of("login"), "LOGIN")
    assert outcome.sent, outcome.said
    aiosmtpd.wait_delivered(1)


@both_ports
def test_postfix_takes_what_came(site, start, postfix, tls):
    server = start(site.head(site.to_port(postfix.port)))
    mail = mail_of(f"postfix-{tls}")
    outcome = clients.python_smtplib(site, port_of(site, tls), mail)
    assert outcome.sent, outcome.said
    arrived = wait_message(postfix.maildir, f"postfix-{tls}@")
    assert body_hash(arrived) == body_hash(mail.content), postfix.log()
    [line] = server.log.wait_transactions(1)
    assert line["upstream"]["queue_id"] in line["upstream"]["reply"]
    assert "queued as" in line["upstream"]["reply"]


def test_postfix_over_verified_starttls(site, start, postfix):
    start(site.head(
        f'{{servers: ["127.0.0.1:{postfix.port}"], tls: {{mode: starttls, '
        f'name: localhost, ca: "{postfix.certificate.chain}"}}}}'))
    mail = mail_of("postfix-upstream-tls")
    outcome = clients.python_smtplib(site, site.implicit, mail)
    assert outcome.sent, outcome.said
    arrived = wait_message(postfix.maildir, "postfix-upstream-tls@")
    assert body_hash(arrived) == body_hash(mail.content), postfix.log()


def test_an_upstream_with_a_foreign_certificate_gets_no_mail(
        site, start, postfix):
    start(site.head(
        f'{{servers: ["127.0.0.1:{postfix.port}"], tls: {{mode: starttls, '
        f'name: mta.example.com, ca: "{postfix.certificate.chain}"}}}}'))
    outcome = clients.curl(site, site.implicit, mail_of("foreign"))
    assert not outcome.sent
    assert "451" in outcome.said, outcome.said


def test_the_maildir_takes_what_came(site, start):
    start(site.head(site.to_maildir()))
    mail = mail_of("maildir")
    outcome = clients.curl(site, site.implicit, mail)
    assert outcome.sent, outcome.said
    arrived = wait_message(site.maildir, "maildir")
    assert body_hash(arrived) == body_hash(mail.content)
    assert not list((site.maildir / "tmp").iterdir())
