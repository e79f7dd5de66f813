"""After a login was answered, what it was made with is nowhere any more: not in
the memory of Postern, used or given back, and in no log."""

import ctypes
import socket
import struct
import time

import pytest

import memory_search
import users
from dialogue import Dialogue
from messages import make_message
from peer_dovecot import Dovecot
from peer_dovecot_auth import DovecotAuth
from peer_raw import RawUpstream, Script
from peer_sink import Sink
from server import run_once
from test_oauth import (  # noqa: F401
    encoded, endpoint, introspect_head, jwt_head, keys_file, response, signed)
from waiting import wait_for

# What a worker may still be at when the client has its answer.
SECONDS = 2


def search(server, secret):
    """Where it is, once nothing happens any more that could wipe it."""
    end = time.monotonic() + SECONDS
    found = memory_search.find(server.worker_pid, secret)
    while found and time.monotonic() < end:
        time.sleep(0.1)
        found = memory_search.find(server.worker_pid, secret)
    return found


def written(server):
    """What logs and the budgets' journal hold."""
    site = server.site
    files = [site.log, server.stderr_path, *site.state.rglob("*")]
    return b"\n".join(path.read_bytes() for path in files if path.is_file())


def check_gone(server, secret, after=""):
    found = search(server, secret)
    assert not found, "\n".join([f"after {after}:", *found])
    assert not list(memory_search.pieces_in(written(server),
                                            memory_search.needles(secret)))


def plainly(text):
    """As head() of test_oauth.py gives it, without what it adds."""
    return text.replace("  delay: 0\n", "").replace("level: debug, ", "")


def with_users(site, line, upstream=None):
    path = site.folder / "users"
    path.write_text(line + "\n", encoding="utf-8")
    path.chmod(0o600)
    return site.head(upstream or site.to_maildir()).replace(
        str(site.users), str(path))


def talkative(text):
    """At its most, and all in one worker; nobody waits for a wrong one."""
    return text.replace("log: {", "log: {level: debug, ").replace(
        "auth:\n", "auth:\n  delay: 0\n  attempts: 100\n") + "workers: 1\n"


def opened(site):
    client = Dialogue(site.implicit, tls=True)
    client.expect(220)
    client.hello()
    return client


def plain(secret, name="bob"):
    return encoded(f"\0{name}\0{secret}")


# --- ways to say it; each ends with an answer, and returns its code ---


def plain_at_once(client, secret):
    return client.say(f"AUTH PLAIN {plain(secret)}").code


def plain_when_asked(client, secret):
    client.expect(334, "AUTH PLAIN")
    return client.say(plain(secret)).code


def plain_to_act_as_oneself(client, secret):
    return client.say("AUTH PLAIN " + encoded(f"bob\0bob\0{secret}")).code


def login_when_asked(client, secret):
    client.expect(334, "AUTH LOGIN")
    client.expect(334, encoded("bob"))
    return client.say(encoded(secret)).code


def login_with_the_name(client, secret):
    client.expect(334, "AUTH LOGIN " + encoded("bob"))
    return client.say(encoded(secret)).code


def in_small_records(client, secret):
    line = f"AUTH PLAIN {plain(secret)}\r\n".encode()
    for at in range(0, len(line), 7):
        client.send(line[at:at + 7])
        time.sleep(0.002)
    return client.reply().code


def with_more_behind(client, secret):
    """Commands, one of them not whole, in the same record."""
    client.send(f"AUTH PLAIN {plain(secret)}\r\nNOOP\r\nNOOP\r\nNO".encode())
    code = client.reply().code
    client.expect(250)
    client.expect(250)
    return code


def with_the_name_before(client, secret):
    client.send(f"AUTH LOGIN\r\n{encoded('bob')}\r\n{encoded(secret)}\r\n"
                .encode())
    client.expect(334)
    client.expect(334)
    return client.reply().code


GOOD = [plain_at_once, plain_when_asked, plain_to_act_as_oneself,
        login_when_asked, login_with_the_name, in_small_records,
        with_more_behind, with_the_name_before]


def broken_base64(client, secret):
    return client.say(f"AUTH PLAIN {plain(secret)}!").code


def not_base64(client, secret):
    client.expect(334, "AUTH PLAIN")
    return client.say(secret + " " + secret).code


def malformed(client, secret):
    return client.say("AUTH PLAIN " + encoded(f"bob\0{secret}")).code


def with_a_control_in_it(client, secret):
    return client.say("AUTH PLAIN " + plain(secret + "\r\n" + secret)).code


def too_long(client, secret):
    return client.say("AUTH PLAIN " + plain(secret * 400)).code


def too_long_when_asked(client, secret):
    client.expect(334, "AUTH PLAIN")
    return client.say(plain(secret * 400)).code


def too_long_in_small_records(client, secret):
    line = f"AUTH PLAIN {plain(secret * 400)}\r\n".encode()
    for at in range(0, len(line), 1000):
        client.send(line[at:at + 1000])
        time.sleep(0.002)
    return client.reply().code


def with_a_bare_lf(client, secret):
    client.send(f"AUTH PLAIN {plain(secret)}\n{plain(secret)}\r\n".encode())
    return client.reply().code


def by_no_mechanism(client, secret):
    return client.say(f"AUTH {secret} {plain(secret)}").code


def behind_no_verb(client, secret):
    return client.say(plain(secret)).code


def cancelled_behind_the_token(client, secret):
    client.expect(334, "AUTH OAUTHBEARER " +
                  response("OAUTHBEARER", secret, "bob"))
    return client.say("*").code


def with_the_token(client, secret):
    client.expect(334, "AUTH XOAUTH2 " + response("XOAUTH2", secret, "bob"))
    return client.say("").code


def with_a_broken_token(client, secret):
    return client.say("AUTH OAUTHBEARER " + encoded(
        f"n,,\1auth=Bearer {secret} {secret}\1\1")).code


BAD = {
    broken_base64: 501, not_base64: 501, malformed: 501,
    with_a_control_in_it: 501, too_long: 500, too_long_when_asked: 500,
    too_long_in_small_records: 500, with_a_bare_lf: 500, by_no_mechanism: 504,
    behind_no_verb: 500, cancelled_behind_the_token: 535, with_the_token: 535,
    with_a_broken_token: 501,
}


def name_of(value):
    return getattr(value, "__name__", None)


# --- a users file ---


@pytest.fixture
def secret():
    return memory_search.new_secret()


@pytest.fixture
def server(site, start, secret):
    return start(talkative(with_users(
        site, users.hashed_cheaply("bob", secret))))


def test_what_is_there_is_found(site, server, secret):
    """While a line is not whole. Without this, finding nothing is nothing."""
    with opened(site) as client:
        client.send(f"AUTH PLAIN {plain(secret)}".encode())
        wait_for(lambda: memory_search.find(server.worker_pid, secret),
                 "what was sent, in memory")
    check_gone(server, secret)


def check_ways(server, ways, secret):
    """`ways` to codes. Each alone, while its session lasts; all once more when
    they have ended."""
    for way, code in ways.items():
        with opened(server.site) as client:
            assert way(client, secret) == code, way
            check_gone(server, secret, way)
    check_gone(server, secret, "the end of all")


def test_a_right_password_is_gone(server, secret):
    check_ways(server, dict.fromkeys(GOOD, 235), secret)


def test_a_wrong_password_is_gone(server):
    check_ways(server, dict.fromkeys(GOOD, 535), memory_search.new_secret())


def test_what_is_no_login_is_gone(site, start, secret, keys_file):
    server = start(talkative(plainly(jwt_head(site, keys_file))))
    check_ways(server, BAD, secret)


def with_scram(name, password):
    done = run_once("passwd", "--scram", name, stdin=password + "\n")
    [line] = [line for line in done.stdout.splitlines() if line]
    return line


def with_argon2(name, password):
    octets, text = password.encode(), ctypes.create_string_buffer(200)
    code = ctypes.CDLL("libargon2.so.1").argon2id_hash_encoded(
        *map(ctypes.c_size_t, (2, 8192, 1)), octets,
        ctypes.c_size_t(len(octets)), b"a pinch of salt",
        *map(ctypes.c_size_t, (15, 32)), text, ctypes.c_size_t(len(text)))
    assert code == 0
    return f"{name}:{text.value.decode()}"


@pytest.mark.parametrize("hashed", [users.hashed, with_scram, with_argon2],
                         ids=name_of)
def test_no_hash_leaves_a_password(site, start, secret, hashed):
    server = start(talkative(with_users(site, hashed("bob", secret))))
    with opened(site) as client:
        assert plain_at_once(client, secret) == 235
        check_gone(server, secret)


def test_what_is_kept_of_a_login_is_not_its_password(site, start, secret):
    """Out of the cache, the second time."""
    text = with_users(site, users.hashed_cheaply("bob", secret))
    server = start(talkative(text.replace("auth:\n", "auth:\n  cache: 1h\n")))
    check_ways(server, {plain_at_once: 235, login_when_asked: 235}, secret)


def test_a_second_login_is_gone(site, server, secret):
    with opened(site) as client:
        assert plain_at_once(client, secret) == 235
        second = memory_search.new_secret()
        assert plain_at_once(client, second) == 503
        check_gone(server, second)


def test_a_login_in_clear_text_is_gone(site, server, secret):
    with Dialogue(site.starttls) as client:
        client.expect(220)
        client.hello()
        assert plain_at_once(client, secret) == 538
        check_gone(server, secret)


def test_a_login_within_a_mail_is_gone(site, server, secret):
    with opened(site) as client:
        assert plain_at_once(client, secret) == 235
        second = memory_search.new_secret()
        client.send(b"MAIL FROM:<bob@example.com>\r\n"
                    b"RCPT TO:<ann@example.net>\r\n"
                    b"AUTH PLAIN " + plain(second).encode() + b"\r\n")
        assert [client.reply().code for _ in range(3)] == [250, 250, 503]
        check_gone(server, second)


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))


def test_a_login_that_waits_for_a_mail_is_gone_with_it(site, start, secret):
    never = Script({"RCPT": lambda line, wire: wire.line()})
    with RawUpstream(never) as upstream:
        server = start(talkative(with_users(
            site, users.hashed_cheaply("bob", secret),
            site.to_port(upstream.port))))
        second = memory_search.new_secret()
        with opened(site) as client:
            assert plain_at_once(client, secret) == 235
            client.send(b"MAIL FROM:<bob@example.com>\r\n"
                        b"RCPT TO:<ann@example.net>\r\n"
                        b"AUTH PLAIN " + plain(second).encode() + b"\r\n")
            client.expect(250)
            wait_for(lambda: memory_search.find(server.worker_pid, second),
                     "what waits, in memory")
            reset(client)
        server.log.wait_events("session", 1)
        check_gone(server, second)


def half_a_line(line):
    return [line]


def before_its_answer(line):
    return [line + b"\r\n"]


def with_another_unread(line):
    """Decrypted, perhaps, and waiting for the first one's answer."""
    return [line + b"\r\n", line + b"\r\n" + line, line + b"\r\n"]


@pytest.mark.parametrize("said", [half_a_line, before_its_answer,
                                  with_another_unread], ids=name_of)
def test_a_client_that_leaves_leaves_nothing(site, server, said):
    wrong = memory_search.new_secret()
    with opened(site) as client:
        for octets in said(f"AUTH PLAIN {plain(wrong)}".encode()):
            client.send(octets)
    server.log.wait_events("session", 1)
    check_gone(server, wrong)


# --- tokens ---


def test_a_signed_token_is_gone(site, start, keys_file):
    server = start(talkative(plainly(jwt_head(site, keys_file))))
    for mechanism in ["OAUTHBEARER", "XOAUTH2"]:
        token = signed("EdDSA", padding=memory_search.new_secret())
        # Its head is the same in all, and its end too short to cut off.
        known = token.split(".", 1)[1]
        with opened(site) as client:
            assert client.say(f"AUTH {mechanism} " + response(
                mechanism, token, "bob")).code == 235, server.stderr()
            check_gone(server, known, mechanism)
        check_gone(server, known, mechanism)


def test_a_token_that_is_asked_about_is_gone(site, start, endpoint, secret):
    """The client's own secret is kept to ask with."""
    endpoint.tokens[secret] = {"username": "bob", "scope": "smtp"}
    server = start(talkative(plainly(introspect_head(site, endpoint))))
    wrong = memory_search.new_secret()
    for token, code in [(secret, 235), (wrong, 334)]:
        with opened(site) as client:
            assert client.say("AUTH XOAUTH2 " + response(
                "XOAUTH2", token, "bob")).code == code, server.stderr()
            check_gone(server, token, code)
        check_gone(server, token, code)
    assert endpoint.asked


# --- others that are asked ---


def dovecot_head(site, dovecot):
    return site.head(site.to_maildir()).replace(
        f'- {{users: "{site.users}"}}', f'- {{dovecot: "{dovecot.socket}"}}')


@pytest.fixture
def dovecot(tmp_path, secret):
    folder = tmp_path / "dovecot"
    folder.mkdir()
    server = DovecotAuth(folder)
    server.add_user("bob", secret)
    server.start()
    yield server
    server.stop()
    server.discard()


def test_what_dovecot_is_asked_is_gone(site, start, secret, dovecot):
    server = start(talkative(dovecot_head(site, dovecot)))
    check_ways(server, {plain_at_once: 235, login_when_asked: 235}, secret)
    check_ways(server, {plain_at_once: 535, login_when_asked: 535},
               memory_search.new_secret())


@pytest.fixture
def submission(tmp_path, certificate, secret):
    folder = tmp_path / "submission"
    folder.mkdir()
    with Sink() as last:
        server = Dovecot(folder, certificate, last.port, {"bob": secret})
        server.start()
        yield server
        server.stop()


def test_what_the_upstream_is_asked_is_gone_in_the_end(site, start, secret,
                                                       submission):
    """While its session lasts, a login is needed to bring on the mail."""
    text = site.head(
        f'{{servers: ["127.0.0.1:{submission.port}"], tls: {{mode: starttls, '
        f'name: localhost, ca: "{site.certificate.chain}"}}, '
        f'login: {{client: true}}}}')
    server = start(talkative(text.replace(f'{{users: "{site.users}"}}',
                                          "{upstream: main}")))
    with opened(site) as client:
        assert plain_at_once(client, secret) == 235, submission.log()
        client.expect(250, "MAIL FROM:<bob@example.com>")
        client.expect(250, "RCPT TO:<ann@example.net>")
        assert client.message(make_message(
            "bob@example.com", "ann@example.net", "secret")).code == 250
        assert memory_search.find(server.worker_pid, secret)
    check_gone(server, secret)
    wrong = memory_search.new_secret()
    with opened(site) as client:
        assert plain_at_once(client, wrong) == 535
        check_gone(server, wrong)
