"""A users file that changes while the server runs: no restart, no word to it,
and nobody gets in by what was kept of an earlier login."""

import json
import os

import pytest

import users
from dialogue import Dialogue
from server import run_once
from waiting import wait_for

READ = "has changed and was read"
KEPT = "the logins that were there before are kept"


def line_of(user, password):
    return users.hashed_cheaply(user, password) + "\n"


def logs_in(site, user, password):
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.hello()
        reply = client.login(user, password)
        assert reply.code in (235, 535), reply
        return reply.code == 235


@pytest.fixture
def changing(site, start):
    """A server whose users file is its own, and that caches logins."""

    class Changing:
        path = site.users = site.folder / "users"

        def __init__(self):
            self.put(line_of("bob", "one") + line_of("eve", "two"))
            text = site.head(site.to_maildir())
            self.server = start(
                text.replace("auth:\n", "auth:\n  cache: 1h\n  delay: 0\n")
                .replace("[PLAIN, LOGIN]", "[PLAIN, LOGIN, SCRAM-SHA-256]")
                + f'control: "{site.folder}/control"\n')
            self.head = self.server.config.read_text(encoding="utf-8")

        def put(self, text, mode=0o600):
            """Another file in the place of the old one."""
            fresh = self.path.with_suffix(".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(mode)
            os.replace(fresh, self.path)

        def wait_told(self, words, times=1):
            wait_for(lambda: self.server.stderr().count(words) >= times,
                     f"{words!r} in the log")

        def reload(self, policy=""):
            self.server.config.write_text(self.head + policy,
                                          encoding="utf-8")
            return run_once("reload", "-c", self.server.config)

    return Changing()


def test_a_password_that_was_changed_is_void_at_once(site, changing):
    for _ in range(2):
        assert logs_in(site, "bob", "one")
    changing.put(line_of("bob", "three") + line_of("eve", "two"))
    changing.wait_told(f"users: {changing.path} {READ}: 2 logins")
    assert not logs_in(site, "bob", "one")
    assert logs_in(site, "bob", "three")
    assert logs_in(site, "eve", "two")


def test_who_is_taken_out_does_not_get_in_any_more(site, changing):
    assert logs_in(site, "bob", "one")
    assert logs_in(site, "eve", "two")
    changing.put(line_of("eve", "two"))
    changing.wait_told(READ)
    assert not logs_in(site, "bob", "one")
    assert logs_in(site, "eve", "two")
    changing.put("# nobody\n")
    changing.wait_told(READ, 2)
    assert not logs_in(site, "eve", "two")


def test_an_editor_that_writes_in_place_is_noticed_too(site, changing):
    assert logs_in(site, "bob", "one")
    with open(changing.path, "a", encoding="utf-8") as file:
        file.write(line_of("ann", "four"))
    changing.wait_told(f"{READ}: 3 logins")
    assert logs_in(site, "ann", "four")


@pytest.mark.parametrize("text, mode, words", [
    ("# these\neve:two\n", 0o600, "users:2:5: the password is not hashed"),
    ("bob\n", 0o600, "users:1:1: this is no line of login:hash"),
    ("", 0o644, "chmod o= it"),
], ids=["a clear password", "no line", "to be read by others"])
def test_a_broken_file_leaves_what_was_there(site, changing, text, mode,
                                             words):
    assert logs_in(site, "bob", "one")
    changing.put(text, mode)
    changing.wait_told(KEPT)
    assert words in changing.server.stderr()
    assert logs_in(site, "bob", "one")
    assert logs_in(site, "eve", "two")
    assert changing.server.stderr().count(KEPT) == 1
    changing.put(line_of("bob", "three"))
    changing.wait_told(READ)
    assert logs_in(site, "bob", "three")


def test_a_reload_takes_the_users_up_before_it_is_done(site, changing):
    assert logs_in(site, "bob", "one")
    changing.put(line_of("bob", "three"))
    done = changing.reload()
    assert done.returncode == 0, done.stderr
    assert not logs_in(site, "bob", "one")
    assert logs_in(site, "bob", "three")


def test_a_reload_with_a_broken_users_file_is_refused(site, changing):
    changing.put("bob:one\n")
    for _ in range(2):
        done = changing.reload("policy: {mail: [{rule: a, "
                               "reject: '550 5.7.1 No'}]}\n")
        assert done.returncode == 1
        assert f"{changing.path}:1:5: error: the password" in done.stderr
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.hello()
        assert client.login("bob", "one").code == 235
        client.expect(250, "MAIL FROM:<bob@example.com>")
    events = changing.server.log.wait_events("config", 2)
    assert {event["verdict"] for event in events} == {"reject"}, (
        json.dumps(events))


def mechanisms(site):
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        [words] = [line.split() for line in client.hello().lines
                   if line.startswith("AUTH ")]
        return words[1:]


def with_keys(user, password):
    done = run_once("passwd", user, "--scram", stdin=password + "\n")
    assert done.returncode == 0, done.stderr
    return "".join(line + "\n" for line in done.stdout.splitlines()
                   if line.startswith(f"{user}:"))


def test_scram_is_offered_as_soon_as_all_hold_its_keys(site, changing):
    assert "SCRAM-SHA-256" not in mechanisms(site)
    changing.put(with_keys("bob", "one"))
    changing.wait_told(READ)
    assert "SCRAM-SHA-256" in mechanisms(site)
    assert logs_in(site, "bob", "one")
    changing.put(with_keys("bob", "one") + line_of("eve", "two"))
    changing.wait_told("users:2:1: SCRAM is not offered: eve")
    assert "SCRAM-SHA-256" not in mechanisms(site)


def test_an_open_session_goes_on(site, changing):
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.hello()
        assert client.login("bob", "one").code == 235
        changing.put(line_of("eve", "two"))
        changing.wait_told(READ)
        client.expect(250, "MAIL FROM:<bob@example.com>")
