"""`postern top`: what it shows of real traffic, in a terminal and without."""

import contextlib
import json
import re
import signal
import socket
import threading

import pytest

from dialogue import Dialogue, logged_in
from overviews import Numbers
from peer_raw import RawUpstream, Script
from server import Postern, run_once
from terminals import STOPS, Terminal
from users import PASSWORDS
from waiting import wait_for

POLICY = """
policy:
  mail:
    - rule: no forgers
      when: {mail.from.local: forger}
      reject: "553 5.7.1 no"
  rcpt:
    - rule: recipients an hour
      when: {auth.user: {exists: true}}
      limit: {recipients: 500/h, burst: 4, by: "{auth.user}"}
      defer: "450 4.7.1 later"
"""
SHOWN = "no forgers"


def text_of(site, port):
    return (site.head(site.to_port(port))
            + f'control: "{site.folder}/control"\nworkers: 1\n' + POLICY)


@pytest.fixture
def upstream():
    with RawUpstream(Script()) as peer:
        yield peer


@pytest.fixture
def server(site, start, upstream):
    return start(text_of(site, upstream.port))


def mail(dialogue):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    dialogue.expect(354, "DATA")
    dialogue.send(b"From: <bob@example.com>\r\n\r\nHello\r\n.\r\n")
    dialogue.expect(250)


def traffic(site):
    """Three messages and one forged."""
    with logged_in(site, "bob", PASSWORDS["bob"]) as bob:
        for _ in range(3):
            mail(bob)
        bob.expect(553, "MAIL FROM:<forger@example.com>")
        bob.expect(221, "QUIT")


def top(server, *words, **options):
    return Terminal("top", "-c", server.config, *words, **options)


def users_line(text):
    [line] = [line for line in text.splitlines() if line.startswith("bob ")]
    return line.split()


def test_traffic_as_it_comes(site, server, upstream):
    with top(server) as terminal:
        terminal.wait_text("mail.example.com")
        before = terminal.text()
        assert "USER" in before and "bob" not in before
        assert f"main 127.0.0.1:{upstream.port}" in before
        traffic(site)
        seen = terminal.wait(lambda text: "\nbob " in text, "bob")
        assert users_line(seen)[:5] == ["bob", "3", "3", "1", "3/4"]
        assert SHOWN in seen
        assert "3 last hour" in seen and "1 last hour" in seen
        with Dialogue(site.starttls) as client:
            client.expect(220)
            terminal.wait_text("sessions 1 of")
        terminal.keys("q")
        assert terminal.wait_end() == 0
        assert terminal.is_restored()
        assert not terminal.strange_octets()


def test_it_fits_any_size(site, server):
    traffic(site)
    with top(server) as terminal:
        terminal.wait_text("recipients an hour")
        for columns, lines in ((200, 60), (60, 20), (24, 8), (80, 24), (1, 1),
                               (5, 3), (100, 40)):
            terminal.resize(columns, lines)
            if lines > 1 and columns > 8:
                terminal.wait_text("postern")
            frame = terminal.wait(lambda text: text.strip(), "anything")
            assert len(frame.splitlines()) <= lines
        seen = terminal.wait_text("recipients an hour")
        assert seen.splitlines()[0].startswith("postern mail.example.com")
        terminal.resize(60, 24)
        narrow = terminal.wait(lambda text: "\nbob " in text, "bob")
        assert "OF RULE" not in narrow and "MESSAGES" in narrow
        terminal.keys("q")
        assert terminal.wait_end() == 0


def test_keys(site, server):
    traffic(site)
    with top(server) as terminal:
        terminal.wait_text("\nbob ")
        terminal.wait_text("users by recipients")
        terminal.keys("s")
        terminal.wait_text("users by messages")
        terminal.keys("s")
        terminal.wait_text("users by refused")
        terminal.keys("/forq")
        terminal.wait_text("names with: forq_")
        terminal.keys("\x7f\r")
        terminal.wait(lambda text: "names with: for  p" in text
                      and SHOWN in text and "\nbob " not in text,
                      "the rule alone")
        terminal.keys("\x1b")
        terminal.wait_text("\nbob ")
        terminal.keys("p")
        terminal.wait_text("paused")
        with Dialogue(site.starttls) as client:
            client.expect(220)
            wait_for(lambda: Numbers(server).get("postern_sessions_open") == 1,
                     "a session")
            terminal.keys("xyz")
            assert "sessions 1 of" not in terminal.text()
            terminal.keys("p")
            terminal.wait_text("sessions 1 of")
        terminal.keys("q")
        assert terminal.wait_end() == 0


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_leaves_the_terminal_as_it_was(server, number):
    with top(server) as terminal:
        terminal.wait_text("mail.example.com")
        terminal.signal(number)
        assert terminal.wait_end() == 0
        wait_for(terminal.is_restored, "the terminal as it was")


def test_stopped_and_continued(server):
    with top(server) as terminal:
        terminal.wait_text("mail.example.com")
        terminal.keys("\x1a")  # what the terminal makes SIGTSTP of
        wait_for(terminal.is_stopped, "a stop")
        wait_for(terminal.is_restored, "the terminal as it was")
        terminal.signal(signal.SIGCONT)
        wait_for(lambda: not terminal.is_stopped(), "going on")
        terminal.wait_text("mail.example.com")
        wait_for(lambda: not terminal.is_restored(), "the other screen")
        terminal.keys("\x03")
        assert terminal.wait_end() == 0
        wait_for(terminal.is_restored, "the terminal as it was")


def test_a_server_that_goes_and_comes_back(site, server, upstream):
    traffic(site)
    with top(server) as terminal:
        terminal.wait_text("\nbob ")
        server.terminate()
        server.check_end()
        seen = terminal.wait_text("No server answers")
        assert "\nbob " in seen, "what was last seen stays"
        again = Postern(site, text_of(site, upstream.port))
        try:
            again.wait_ready()
            terminal.wait(lambda text: "No server answers" not in text
                          and "mail.example.com" in text, "a server again")
            assert "\nbob " not in terminal.text()
            terminal.keys("q")
            assert terminal.wait_end() == 0
        finally:
            again.terminate()
            again.check_end()


def test_a_server_that_hangs(server):
    with top(server) as terminal:
        terminal.wait_text("mail.example.com")
        server.process.send_signal(signal.SIGSTOP)
        try:
            terminal.wait_text("No server answers: it gave no answer")
        finally:
            server.process.send_signal(signal.SIGCONT)
        terminal.wait(lambda text: "No server" not in text, "a server again")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def test_without_symbols(site, server):
    traffic(site)
    with top(server, symbols=False) as terminal:
        terminal.wait_text("\nbob ")
        assert terminal.octets.isascii()
        terminal.keys("q")
        assert terminal.wait_end() == 0


def test_once_and_without_a_terminal(site, server):
    traffic(site)
    plain = run_once("top", "-c", server.config)
    assert plain.returncode == 0
    assert "\x1b" not in plain.stdout and SHOWN in plain.stdout
    assert users_line(plain.stdout)[:3] == ["bob", "3", "3"]
    with top(server, "--once") as terminal:
        assert terminal.wait_end() == 0
        wait_for(lambda: b"bob" in terminal.octets, "bob")
        assert b"\x1b" not in terminal.octets
    seen = json.loads(run_once("top", "-c", server.config, "--json").stdout)
    assert seen["users"][0]["user"] == "bob"
    text = run_once("top", "-c", server.config, "--metrics").stdout
    assert 'postern_top_user_messages{user="bob"} 3\n' in text


def test_a_dumb_terminal_gets_one_picture(site, server):
    traffic(site)
    with top(server, TERM="dumb") as terminal:
        assert terminal.wait_end() == 0
        wait_for(lambda: b"bob" in terminal.octets, "bob")
        assert b"\x1b" not in terminal.octets


def test_without_colours(site, server):
    with top(server, NO_COLOR="1") as terminal:
        terminal.wait_text("mail.example.com")
        terminal.keys("q")
        assert terminal.wait_end() == 0
        assert b"m" not in {found[-1:] for found in re.findall(
            rb"\x1b\[[0-9;]*[A-Za-z]", terminal.octets)}


def test_forty_columns(site, server):
    """What matters most is there: all names and numbers that fit."""
    traffic(site)
    with top(server, columns=40, lines=30) as terminal:
        seen = terminal.wait(lambda text: "\nbob " in text, "bob")
        assert users_line(seen)[:3] == ["bob", "3", "3"]
        lines = seen.splitlines()
        assert lines[0].startswith("postern mail.example.com")
        assert any(line.startswith("no forgers") for line in lines)
        assert any(line.startswith("main 127.0.0.1") and "up" in line
                   for line in lines)
        assert all(len(line) <= 40 for line in lines)
        terminal.keys("q")
        assert terminal.wait_end() == 0


@contextlib.contextmanager
def pretender(folder, answer):
    """Something on the control socket that says what it likes; the
    configuration that names it."""
    config = folder / "postern.yaml"
    config.write_text(f'control: "{folder}/control"\n', encoding="utf-8")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "control"))
    listener.listen(16)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.recv(4096)
                client.sendall(answer + b"\n")

    threading.Thread(target=serve, daemon=True).start()
    yield config
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\u009b31m\u202e" + "w" * 300 + "\u6f22" * 90
MANY = [{"stage": HOSTILE, "rule": HOSTILE, "did": HOSTILE, "hour": 2**62,
         "total": -5, "minutes": [2**62, -1, "x", None] * 20}] * 300
STRANGE = {
    "ok": True, "time": HOSTILE, "hostname": HOSTILE, "version": HOSTILE,
    "policy": "x", "uptime_s": -1, "sessions": [], "minutes": {"accept": 7},
    "rules": MANY, "users": [{"user": HOSTILE, "messages": "many",
                              "budgets": [{"rule": HOSTILE, "used": 2**62,
                                           "held": 2, "max": 1}, 7]}] * 50,
    "upstreams": [{"server": HOSTILE, "upstream": HOSTILE, "error": HOSTILE,
                   "since": HOSTILE, "latency_ms": 7}] * 50,
    "shadow": {"recent": [{"time": "x", "rule": HOSTILE}]}}


@pytest.mark.parametrize("answer", [
    STRANGE, {"ok": True}, {"ok": True, "users": 3, "rules": {}},
    {"ok": False, "error": HOSTILE}, [1], {"ok": True, "minutes": [[]] * 9}])
def test_whatever_answers_can_do_no_harm(tmp_path, answer):
    with pretender(tmp_path, json.dumps(answer).encode()) as config:
        with Terminal("top", "-c", config) as terminal:
            for columns, lines in ((100, 40), (30, 9), (200, 50)):
                terminal.resize(columns, lines)
                terminal.wait(lambda text: text.strip(), "anything")
                assert "owned" not in terminal.screen.title
            terminal.keys("q")
            assert terminal.wait_end() == 0
            assert not terminal.strange_octets()
            assert "\u202e" not in terminal.octets.decode()
        run_once("top", "-c", config, "--once")


def test_names_beyond_ascii_can_be_typed(tmp_path):
    answer = {"ok": True, "users": [{"user": "jürgen"}, {"user": "jurgen"}]}
    with pretender(tmp_path, json.dumps(answer).encode()) as config:
        with Terminal("top", "-c", config) as terminal:
            terminal.wait_text("jurgen")
            terminal.keys("/üß\x7f\r")
            terminal.wait(lambda text: "names with: ü  p" in text
                          and "jürgen" in text and "jurgen" not in text,
                          "jürgen alone")
            terminal.keys("q")
            assert terminal.wait_end() == 0
            assert not terminal.strange_octets()


def test_nobody_answers(tmp_path):
    config = tmp_path / "postern.yaml"
    config.write_text(f'control: "{tmp_path}/nobody"\n', encoding="utf-8")
    done = run_once("top", "-c", config, "--once")
    assert done.returncode == 1 and "no server answers" in done.stderr
    assert run_once("top", "-c", tmp_path / "none.yaml").returncode == 78


@pytest.mark.parametrize("words", [["now"], ["--now"], ["-d"], ["-d", "0"],
                                   ["-d", "3601"], ["-d", "x"]])
def test_wrong_usage(words):
    done = run_once("top", *words)
    assert done.returncode == 2 and "usage: postern top" in done.stderr
