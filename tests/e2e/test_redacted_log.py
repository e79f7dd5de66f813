"""`log: {redact: [...]}`: what the log hides stands nowhere in it, equal values
keep equal hashes over restarts, and what reads the log says what it lacks."""

import pytest

from dialogue import logged_in
from messages import make_message
from server import run_once
from users import PASSWORDS

HIDDEN = ["127.0.0.1", "bob", "ann@example.net", "a plan"]

POLICY = """\
control: "{site.folder}/control"
lists:
  contained: {{dynamic: true}}
policy:
  rcpt:
    - rule: not there
      when: {{rcpt.to.domain: example.org}}
      reject: "550 5.7.1 {{auth.user}} may not write to {{rcpt.to}}"
    - rule: recipients a day
      limit: {{recipients: 100/d, by: "{{auth.user}}"}}
      defer: "450 4.7.1 Slowly"
  header:
    - rule: what about
      when: {{header.subject: /plan/}}
      note: "{{auth.user}} writes about {{header.subject}}"
"""


def text_of(site, mode=0o600):
    key = site.folder / "redact.key"
    key.write_text("0123456789abcdef0123456789abcdef\n")
    key.chmod(mode)
    head = site.head(site.to_maildir())
    plain = f'log: {{decisions: "{site.log}"}}\n'
    assert plain in head
    return head.replace(plain, (
        f'log: {{decisions: "{site.log}", redact_key_file: "{key}",\n'
        "  redact: [client.ip, auth.user, auth.addresses, mail.from, rcpt.to,\n"
        "    header.from, header.subject, header.message-id]}\n"
    )) + POLICY.format(site=site)


def send(site):
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        refused = client.expect(550, "RCPT TO:<ann@example.org>")
        assert "bob may not write to ann@example.org" in refused.text
        client.expect(250, "RCPT TO:<Ann@example.net>")
        message = make_message("bob@example.com", "ann@example.net", "bob-1")
        reply = client.message(message.replace(b"Subject: test",
                                               b"Subject: a plan"))
        assert reply.code == 250, reply
        client.expect(221, "QUIT")


def order(server, *words):
    done = run_once(*words, "-c", server.config)
    assert done.returncode == 0, done
    return done.stdout


def test_what_is_hidden_stands_nowhere(site, start):
    server = start(text_of(site))
    send(site)
    order(server, "list", "contained", "--add", "bob")
    order(server, "list", "contained", "--remove", "bob")
    order(server, "limits", "bob", "--reset")
    server.kill_worker()
    server.wait_serving()
    send(site)
    first, second = server.log.wait_transactions(2)
    text = site.log.read_text(encoding="utf-8")
    for value in HIDDEN:
        assert value not in text.lower(), value
    token = first["auth"]["user"]
    assert token.startswith("redacted:") and second["auth"]["user"] == token
    assert first["limits"][0]["key"] == token
    assert {line["value"] for line in server.log.events("list")} == {token}
    assert [line["key"] for line in server.log.events("limit")] == [token]
    assert first["rcpt"][0]["to"] != first["rcpt"][1]["to"]
    assert first["rcpt"][0]["reply"].startswith(f"550 5.7.1 {token} may not")
    assert first["notes"] == second["notes"]


def test_what_reads_the_log_says_what_it_lacks(site, start):
    server = start(text_of(site))
    send(site)
    [line] = server.log.wait_transactions(1)
    told = order(server, "explain", line["id"])
    assert "the log does not hold auth.user, which rules name" in told, told
    assert "the log does not hold header.subject" in told
    done = run_once("replay", site.log, "-c", server.config)
    assert "header.subject" in done.stdout, done
    shown = order(server, "tail", f"user={line['auth']['user']}")
    assert line["id"] in shown


@pytest.mark.parametrize("mode, text, wanted", [
    (0o604, None, "others may read or write it; chmod o= it"),
    (0o600, "short", "16 octets or more are expected in it"),
    (0o600, "", "16 octets or more are expected in it"),
])
def test_a_key_that_is_none(site, mode, text, wanted):
    config = site.folder / "postern.yaml"
    config.write_text(text_of(site, mode))
    if text is not None:
        (site.folder / "redact.key").write_text(text)
    done = run_once("check", "-c", config)
    assert done.returncode == 78, done
    assert f"redact.key can't be used: {wanted}" in done.stdout + done.stderr


def test_a_key_that_is_not_there(site):
    config = site.folder / "postern.yaml"
    config.write_text(text_of(site))
    (site.folder / "redact.key").unlink()
    done = run_once("check", "-c", config)
    assert done.returncode == 78, done
    assert "redact.key can't be used: No such file" in done.stdout + done.stderr
