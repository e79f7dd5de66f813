"""What was counted and listed survives a stop, kill -9 and a torn file."""

import base64
import contextlib
import json
import signal

import pytest

from budgets import wait_written
from dialogue import Dialogue, logged_in
from server import Postern, run_once
from users import PASSWORDS
from waiting import wait_for

POLICY = """
lists:
  contained: {dynamic: true}
policy:
  auth:
    - rule: contained logins
      when: {auth.user: "@contained"}
      reject: "525 5.7.13 Sending is suspended for {auth.user}"
  mail:
    - rule: a trap
      when: {mail.from.local: trap}
      list: {add: {contained: "{auth.user}"}, for: 12h}
  rcpt:
    - rule: recipients a day
      limit: {recipients: 4/d, by: "{auth.user}"}
      defer: "450 4.7.1 {limit.used} of {limit.max} are used"
"""


def text_of(site):
    return site.head(site.to_maildir()) + POLICY


@contextlib.contextmanager
def running(site, how):
    """A Postern that ends by that signal."""
    server = Postern(site, text_of(site))
    try:
        server.wait_ready()
        yield server
    finally:
        if how == signal.SIGKILL:
            server.kill()
        else:
            server.process.send_signal(how)
        code = server.wait_end()
    assert code == (0 if how == signal.SIGTERM else -how), server.stderr()


def send(dialogue, recipients):
    """One message; what each recipient was told."""
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    replies = [dialogue.say(f"RCPT TO:<r{i}@example.net>")
               for i in range(recipients)]
    if any(reply.code == 250 for reply in replies):
        dialogue.expect(354, "DATA")
        dialogue.send(b"Subject: a\r\n\r\nHello.\r\n.\r\n")
        assert dialogue.reply().code == 250
    else:
        dialogue.expect(250, "RSET")
    return [reply.code for reply in replies]


def contain_eve(site):
    with logged_in(site, "eve", PASSWORDS["eve"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<trap@example.com>")


def assert_eve_is_contained(site):
    with Dialogue(site.starttls) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        dialogue.starttls()
        dialogue.hello()
        reply = dialogue.login("eve", PASSWORDS["eve"])
        assert reply.code == 525, reply


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_budgets_and_lists_outlive_the_process(site, start, how):
    with running(site, how) as server:
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            assert send(dialogue, 3) == [250, 250, 250]
        contain_eve(site)
        if how == signal.SIGKILL:
            wait_written(site, server)
    start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert send(dialogue, 2) == [250, 450]
    assert_eve_is_contained(site)


def test_what_was_only_held_died_with_the_process(site, start):
    with running(site, signal.SIGKILL):
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            for i in range(4):
                dialogue.expect(250, f"RCPT TO:<r{i}@example.net>")
    start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert send(dialogue, 4) == [250] * 4


def test_a_torn_record_costs_no_more_than_itself(site, start):
    with running(site, signal.SIGKILL) as server:
        contain_eve(site)
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            assert send(dialogue, 2) == [250, 250]
            wait_written(site, server)
            before = site.state.stat().st_size
            assert send(dialogue, 1) == [250]
        wait_written(site, server, above=before)
    with open(site.state, "r+b") as state:
        state.truncate(site.state.stat().st_size - 3)
    server = start(text_of(site))
    assert "was not written to its end" in server.stderr()
    assert not site.state.with_name("limits.bad").exists()
    assert_eve_is_contained(site)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert send(dialogue, 3) == [250, 250, 450]


def test_damage_is_told_and_kept_aside(site, start):
    with running(site, signal.SIGTERM):
        contain_eve(site)
    octets = bytearray(site.state.read_bytes())
    octets[3] ^= 1
    site.state.write_bytes(octets)
    server = start(text_of(site))
    assert "start empty; the file is kept as" in server.stderr()
    assert site.state.with_name("limits.bad").read_bytes() == octets
    with logged_in(site, "eve", PASSWORDS["eve"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<eve@example.com>")


def test_two_processes_do_not_share_a_state(site, start):
    start(text_of(site))
    second = site.folder / "second.yaml"
    other = type(site)(site.folder, site.certificate, site.users)
    second.write_text(text_of(other), encoding="utf-8")
    done = run_once("run", "-c", second)
    assert done.returncode == 78
    assert "another postern process is using it" in done.stderr
    assert f"{second}:" in done.stderr


def test_a_state_that_cannot_be_written_is_a_wrong_configuration(site):
    config = site.folder / "postern.yaml"
    site.state = "/proc/nowhere/limits"
    config.write_text(text_of(site), encoding="utf-8")
    done = run_once("run", "-c", config)
    assert done.returncode == 78
    line = text_of(site).splitlines().index(
        'limits: {state: "/proc/nowhere/limits"}') + 1
    assert f"{config}:{line}:" in done.stderr
    assert " error: /proc/nowhere: " in done.stderr


def test_the_log_line_shows_what_was_kept(site, start):
    with running(site, signal.SIGTERM):
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            assert send(dialogue, 2) == [250, 250]
    site.log.unlink()
    start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert send(dialogue, 1) == [250]
    wait_for(lambda: "transaction" in site.log.read_text("utf-8"), "a line")
    lines = [json.loads(line) for line in site.log.read_text(
        "utf-8").splitlines()]
    [transaction] = [line for line in lines if line["event"] == "transaction"]
    assert transaction["limits"][0]["before"] == 2


def salt_of(site, name):
    """What SCRAM says that the password of this login is salted with."""
    first = base64.b64encode(f"n,,n={name},r=abc".encode()).decode()
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        reply = dialogue.expect(334, f"AUTH SCRAM-SHA-256 {first}")
    challenge = base64.b64decode(reply.lines[0]).decode()
    return dict(part.split("=", 1) for part in challenge.split(","))["s"]


def test_A10_a_salt_that_nobody_has_outlives_a_restart(site):
    """That of a login does: another one would tell that there is none."""
    done = run_once("passwd", "--scram", "bob", stdin=PASSWORDS["bob"] + "\n")
    # The site's own is shared by all tests.
    site.users = site.folder / "users"
    site.users.write_text(done.stdout.splitlines()[0] + "\n",
                          encoding="utf-8")
    site.users.chmod(0o600)
    text = text_of(site).replace("mechanisms: [", "mechanisms: [SCRAM-SHA-256, ")
    salts = []
    for _ in range(2):
        server = Postern(site, text)
        try:
            server.wait_ready()
            salts.append([salt_of(site, name) for name in ("bob", "nobody")])
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.wait_end()
    assert salts[0] == salts[1]
    assert salts[0][0] != salts[0][1]
