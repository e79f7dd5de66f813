"""Logins that a real Dovecot knows: whom it lets in and whom not, and what
becomes of them while it starts anew, is away, or hangs."""

import threading
import time

import pytest

from dialogue import Dialogue
from peer_dovecot_auth import DovecotAuth
from waiting import wait_for

PASSWORD = "séame, öffne dich 9"
SCHEMES = ["BLF-CRYPT", "SHA512-CRYPT", "ARGON2ID", "PLAIN"]


@pytest.fixture
def dovecot(tmp_path):
    folder = tmp_path / "dovecot"
    folder.mkdir()
    server = DovecotAuth(folder)
    for scheme in SCHEMES:
        server.add_user(scheme.lower(), PASSWORD, scheme)
    server.add_user(
        "bob", PASSWORD,
        extra="addresses=bob@example.com,*@sales.example.com groups=staff,it")
    server.add_user("ann@example.org", PASSWORD)
    server.add_user("gone", PASSWORD, extra="nologin=y reason=gone")
    server.add_user("elsewhere", PASSWORD,
                    extra="nopassword=y proxy=y host=192.0.2.1")
    server.start()
    yield server
    server.stop()
    server.discard()


def head(site, dovecot, more=""):
    return site.head(site.to_maildir()).replace(
        f'- {{users: "{site.users}"}}', f'- {{dovecot: "{dovecot.socket}"}}'
    ) + "workers: 2\n" + more


def login(site, name, password=PASSWORD):
    with Dialogue(site.implicit, tls=True, seconds=60) as client:
        client.expect(220)
        client.hello()
        return client.login(name, password)


def auth_line(server, name):
    [line] = [line for line in wait_for(
        lambda: [line for line in server.log.events("auth")
                 if line["auth"].get("name") == name],
        f"the login of {name} in the log")]
    return line["auth"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_of_its_passwords(site, start, dovecot, scheme):
    start(head(site, dovecot))
    name = scheme.lower()
    assert login(site, name).code == 235, dovecot.log()
    assert login(site, name, "wrong").code == 535
    assert login(site, name, PASSWORD + "x").code == 535
    assert login(site, name, PASSWORD[:-1]).code == 535


def test_what_it_tells_of_a_user_is_known(site, start, dovecot):
    server = start(head(site, dovecot))
    assert login(site, "Bob").code == 235, dovecot.log()
    auth = auth_line(server, "Bob")
    assert auth["user"] == "bob"
    assert auth["addresses"] == ["bob@example.com", "*@sales.example.com"]
    assert auth["groups"] == ["staff", "it"]
    assert login(site, "ann@example.org").code == 235
    assert auth_line(server, "ann@example.org")["addresses"] == \
        ["ann@example.org"]


@pytest.mark.parametrize("name", ["nobody", "gone", "elsewhere", "bob x",
                                  "bo*", "%u", "b\u00f6b", "b" * 200])
def test_whom_it_does_not_let_in(site, start, dovecot, name):
    start(head(site, dovecot))
    assert login(site, name).code == 535, dovecot.log()
    assert login(site, "bob").code == 235


def test_a_long_password_harms_nobody_else(site, start, dovecot):
    """Dovecot cuts off who sends it too much, and all others with it."""
    server = start(head(site, dovecot))
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.hello()
        assert client.login("bob", "x" * 6000).code == 535
    assert login(site, "bob").code == 235
    assert "BUG" not in dovecot.log()
    assert "can't be asked" not in server.stderr()


class Load:
    """Logins one after the other, on some threads."""

    def __init__(self, site, threads=4):
        self.site = site
        self.codes = []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(threads)]

    def run(self):
        while not self.is_over:
            self.codes.append(login(self.site, "bob").code)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def wait(self, count):
        wanted = len(self.codes) + count
        wait_for(lambda: len(self.codes) >= wanted, "logins", 60)


def test_a_restart_under_load_is_not_felt(site, start, dovecot):
    server = start(head(site, dovecot))
    with Load(site) as load:
        load.wait(10)
        for _ in range(2):
            dovecot.stop()
            dovecot.start()
            load.wait(10)
    assert set(load.codes) == {235}, dovecot.log()
    assert "can't be asked" not in server.stderr()
    # As it says of two connections of what it takes for one process.
    assert "BUG" not in dovecot.log()


def test_while_it_is_stopped_logins_are_put_off(site, start, dovecot):
    server = start(head(site, dovecot))
    assert login(site, "bob").code == 235
    dovecot.stop()
    for name in ("bob", "nobody", "bob", "bob"):
        assert login(site, name).code == 454
    said = server.stderr()
    assert said.count("can't be asked") == 1, said
    assert str(dovecot.socket) in said
    dovecot.start()
    assert login(site, "bob").code == 235
    assert login(site, "nobody").code == 535


def test_a_socket_that_is_missing_at_start_is_no_error(site, start, dovecot):
    dovecot.stop()
    dovecot.socket.unlink(missing_ok=True)
    server = start(head(site, dovecot))
    assert login(site, "bob").code == 454
    assert "no such file or directory" in server.stderr()
    assert "unix_listener" in server.stderr()
    dovecot.start()
    assert login(site, "bob").code == 235


def test_one_that_hangs_has_a_time_limit(site, start, dovecot):
    server = start(head(site, dovecot))
    for _ in range(4):
        assert login(site, "bob").code == 235
    dovecot.freeze()
    try:
        began = time.monotonic()
        assert login(site, "bob").code == 454
        assert 5 < time.monotonic() - began < 50
        assert server.stderr().count("can't be asked") == 1
    finally:
        dovecot.thaw()
    assert login(site, "bob").code == 235


def test_a_failure_of_its_own_is_no_wrong_password(site, start, dovecot):
    server = start(head(site, dovecot))
    assert login(site, "temporary").code == 454, dovecot.log()
    assert "temporary failure" in server.stderr()
    assert login(site, "bob").code == 235
