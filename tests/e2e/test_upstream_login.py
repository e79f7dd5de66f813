"""Logging in at a real submission server."""

import json
import textwrap

import pytest

import peer_dovecot
from dialogue import Dialogue
from messages import make_message
from peer_dovecot import Dovecot
from peer_sink import Sink
from test_wrong_configuration import run_with
from users import PASSWORDS
from waiting import wait_for

USERS = {"postern": "who knows, ünter \"uns\"", "relaybob": "bobs secret",
         "bob": PASSWORDS["bob"]}


@pytest.fixture(scope="module")
def sink():
    with Sink() as last:
        yield last


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory, certificate, sink):
    server = Dovecot(tmp_path_factory.mktemp("dovecot"), certificate,
                     sink.port, USERS)
    server.start()
    yield server
    server.stop()


def secret(site, text, name="secret"):
    path = site.folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def upstream(site, dovecot, login):
    return textwrap.dedent(f"""\
        {{servers: ["127.0.0.1:{dovecot.port}"],
            tls: {{mode: starttls, name: localhost,
                  ca: "{site.certificate.chain}"}},
            login: {login}}}""")


def send(site, marker, user="bob", sender="bob@example.com"):
    """The answers to AUTH, the recipient and the message, up to a refusal."""
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.hello()
        replies = [client.login(user, PASSWORDS[user])]
        for command in [f"MAIL FROM:<{sender}>", "RCPT TO:<ann@example.net>"]:
            if replies[-1].code < 400:
                replies.append(client.say(command))
        if replies[-1].code < 400:
            replies.append(client.message(
                make_message(sender, "ann@example.net", marker)))
        return replies


def arrived(sink, marker):
    return [message for message in sink.delivered
            if marker.encode() in message.content]


LOGINS = {
    "PLAIN": "password_file",
    "LOGIN": "password_file",
    "SCRAM-SHA-256": "password_file",
    "XOAUTH2": "token_file",
    "OAUTHBEARER": "token_file",
}


@pytest.mark.parametrize("mechanism", LOGINS)
def test_each_mechanism_logs_in(site, start, dovecot, sink, mechanism):
    key = LOGINS[mechanism]
    text = USERS["postern"] if key == "password_file" else \
        peer_dovecot.token("postern")
    login = (f'{{mechanism: {mechanism}, user: postern, '
             f'{key}: "{secret(site, text)}"}}')
    server = start(site.head(upstream(site, dovecot, login)))
    marker = f"login-{mechanism}"
    assert send(site, marker)[-1].code == 250, dovecot.log()
    assert len(arrived(sink, marker)) == 1
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "accept"
    assert f"user=<postern>, method={mechanism}" in dovecot.log()


@pytest.mark.parametrize("mechanism", LOGINS)
def test_what_is_refused_is_told_and_no_mail_goes(site, start, dovecot, sink,
                                                  mechanism):
    key = LOGINS[mechanism]
    text = "wrong" if key == "password_file" else \
        peer_dovecot.token("postern", seconds=-60)
    login = (f'{{mechanism: {mechanism}, user: postern, '
             f'{key}: "{secret(site, text)}"}}')
    server = start(site.head(upstream(site, dovecot, login)))
    marker = f"refused-{mechanism}"
    reply = send(site, marker)[-1]
    assert (reply.code, reply.text[:5]) == (451, "4.3.5")
    assert arrived(sink, marker) == []
    assert f"AUTH: {mechanism} as postern was refused with 535" in \
        server.stderr()
    assert "is the login right?" in server.stderr()


def test_a_program_gives_the_token_and_is_asked_again(site, start, dovecot,
                                                      sink):
    """Its first token has run out, and is refused."""
    tokens = [peer_dovecot.token("postern", seconds=-60),
              peer_dovecot.token("postern")]
    program = site.folder / "token"
    program.write_text(textwrap.dedent(f"""\
        #!/bin/sh
        echo asked >> "{site.folder}/asked"
        if [ "$1" = --mail ] && [ "$(wc -l < "{site.folder}/asked")" = 1 ]
        then echo '{json.dumps({"access_token": tokens[0],
                                "expires_in": 3600})}'
        else echo '{json.dumps({"access_token": tokens[1],
                                "expires_in": 3600})}'
        fi
        """), encoding="utf-8")
    program.chmod(0o700)
    login = f'{{user: postern, token_command: ["{program}", --mail]}}'
    server = start(site.head(upstream(site, dovecot, login)))
    replies = [send(site, f"program-{n}")[-1].code for n in range(3)]
    assert replies[-1] == 250, server.stderr() + dovecot.log()
    assert len(arrived(sink, "program-2")) == 1
    # Of each worker's two connections at most: the good one is kept.
    asked = len((site.folder / "asked").read_text().splitlines())
    assert 2 <= asked <= 5


@pytest.mark.parametrize("printed, words", [
    ("exit 3", "token_command: exit code 3"),
    ("echo two words", "token_command: what it gave is no token"),
    ("kill -9 $$", "token_command: killed by signal 9"),
    ("head -c 100000 /dev/zero", "token_command: it printed too much"),
])
def test_a_program_that_fails_is_told(site, start, dovecot, printed, words):
    login = (f'{{user: postern, token_command: [/bin/sh, -c, "{printed}"]}}')
    server = start(site.head(upstream(site, dovecot, login)))
    reply = send(site, "no-token")[-1]
    assert (reply.code, reply.text[:5]) == (451, "4.3.5")
    assert words in server.stderr()


def test_a_program_that_is_not_there_is_told(site, start, dovecot):
    login = '{user: postern, token_command: /nowhere/token}'
    server = start(site.head(upstream(site, dovecot, login)))
    assert send(site, "no-program")[-1].code == 451
    assert "token_command: no such file or directory" in server.stderr()


def test_each_user_logs_in_as_the_file_says(site, start, dovecot, sink):
    lines = f"bob relaybob {USERS['relaybob']}\n# eve has none\n"
    login = (f'{{credentials: {{by: "{{auth.user}}", '
             f'file: "{secret(site, lines)}"}}}}')
    server = start(site.head(upstream(site, dovecot, login)))
    assert send(site, "by-user")[-1].code == 250
    assert len(arrived(sink, "by-user")) == 1
    assert "user=<relaybob>" in dovecot.log()
    reply = send(site, "by-nobody", "eve", "eve@example.com")[-1]
    assert (reply.code, reply.text[:5]) == (451, "4.3.5")
    assert 'login.credentials has no line for "eve"' in server.stderr()
    assert arrived(sink, "by-nobody") == []


@pytest.mark.parametrize("mechanism", LOGINS)
def test_what_has_changed_serves_the_next_login(site, start, dovecot, sink,
                                                mechanism):
    """A password or a token that was wrong, and is put right."""
    key = LOGINS[mechanism]
    is_password = key == "password_file"
    path = secret(site, "wrong" if is_password else
                  peer_dovecot.token("postern", seconds=-60))
    server = start(site.head(upstream(
        site, dovecot, f'{{mechanism: {mechanism}, user: postern, '
        f'{key}: "{path}"}}')))
    assert send(site, "changed")[-1].code == 451
    fresh = secret(site, USERS["postern"] if is_password else
                   peer_dovecot.token("postern"), "fresh")
    fresh.replace(path)
    wait_for(lambda: send(site, f"changed-{mechanism}")[-1].code == 250,
             "the new secret")
    assert f"secret {path} has changed; renewed: " in server.stderr()
    assert arrived(sink, f"changed-{mechanism}")


def test_a_user_that_was_put_in_is_found(site, start, dovecot, sink):
    path = secret(site, "# nobody yet\n")
    start(site.head(upstream(
        site, dovecot,
        f'{{credentials: {{by: "{{auth.user}}", file: "{path}"}}}}')))
    assert send(site, "nobody")[-1].code == 451
    secret(site, f"bob relaybob {USERS['relaybob']}\n", "fresh").replace(path)
    wait_for(lambda: send(site, "put-in")[-1].code == 250, "the new line")
    assert arrived(sink, "put-in")


def test_a_client_logs_in_there_with_its_own(site, start, dovecot, sink):
    text = site.head(upstream(site, dovecot, "{client: true}"))
    text = text.replace(f'{{users: "{site.users}"}}', "{upstream: main}")
    server = start(text)
    assert send(site, "of-client")[-1].code == 250, dovecot.log()
    assert len(arrived(sink, "of-client")) == 1
    # Dovecot does not know her.
    assert send(site, "of-eve", "eve", "eve@example.com")[-1].code == 535
    [line] = server.log.wait_transactions(1)
    assert line["auth"]["user"] == "bob"


def test_an_upstream_that_is_away_is_no_wrong_password(site, start):
    text = site.head('{servers: ["127.0.0.1:1"], tls: {mode: none}, '
                     'login: {client: true}}')
    start(text.replace(f'{{users: "{site.users}"}}', "{upstream: main}"))
    assert send(site, "away")[0].code == 454


def test_a_secret_that_others_may_read_is_refused(site):
    path = secret(site, "secret")
    path.chmod(0o644)
    _, done = run_with(site, site.head(
        '{servers: ["127.0.0.1:1"], tls: {mode: none}, login: {user: x, '
        f'password_file: "{path}"}}}}'))
    assert done.returncode == 78
    assert f"{path} can't be used: others may read or write it; chmod o= it" \
        in done.stderr
