"""What an administrator types: arguments, their misuse, exit codes, help."""

import base64
import hashlib
import hmac
import json
import os
import pty
import select
import subprocess
import time

import places
import pytest

from server import ENVIRONMENT, run_once
from waiting import wait_for

BUILT = ["run", "check", "explain", "replay", "tail", "passwd", "reload",
         "list", "limits", "status", "top", "stop", "drain", "upgrade", "loglevel",
         "schema", "help"]


def entry(number, **more):
    """A line of the decision log."""
    return json.dumps({
        "time": f"2026-01-05T09:30:{number:02}.000000Z",
        "event": "transaction", "id": f"7QK3M9T2XA{number:02}",
        "verdict": "accept", "auth": {"user": "bob"},
        "mail": {"from": "bob@example.com"},
        "rcpt": [{"to": f"r{number}@example.net", "verdict": "accept"}],
        **more}) + "\n"


def tail(*arguments, stdin=None):
    return run_once("tail", *arguments, stdin=stdin)


# --- help ---

def test_help_names_every_command():
    done = run_once("help")
    assert done.returncode == 0 and done.stderr == ""
    for name in BUILT:
        assert f"\n  {name} " in done.stdout
    for word in ("--help", "-h"):
        assert run_once(word).stdout == done.stdout


def test_no_command_is_wrong_usage_but_helps():
    done = run_once()
    assert done.returncode == 2
    assert "usage: postern COMMAND" in done.stdout


@pytest.mark.parametrize("name", BUILT)
def test_help_of_a_command(name):
    done = run_once("help", name)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: postern {name}")
    if name != "help":
        assert run_once(name, "--help").stdout == done.stdout


@pytest.mark.parametrize("arguments, wanted", [
    (["chekc"], "there is no command chekc; did you mean check?"),
    (["help", "chekc"], "there is no command chekc; did you mean check?"),
    (["help", "a", "b"], "one command at a time"),
    (["run", "postern.yaml"], "write -c before the file postern.yaml"),
    (["run", "-c"], "postern run: -c needs a file"),
    (["run", "-d"], "postern run: there is no option -d"),
    (["check", "-c"], "-c needs a file"),
    (["check", "--jsn", "x"], "there is no option --jsn"),
    (["check", "a", "b"], "one file at a time"),
    (["tail", "-x"], "there is no option -x"),
    (["tail", "-c"], "-c needs a file"),
    (["tail", "a", "b"], "one log at a time"),
    (["tail", "usr=bob", "a"], "there is no filter usr="),
    (["tail", "since=soon", "a"], '"soon" is no time'),
    (["tail", "verdict=rejct", "a"], "did you mean reject?"),
    (["tail", "event=transactions", "a"], "did you mean transaction?"),
    (["passwd", "a", "b"], "one login at a time"),
    (["passwd", "--strange"], "there is no option --strange"),
    (["passwd", "--scram", "bob", "a"], "one login at a time"),
    (["passwd", "bob", "--scrum"], "there is no option --scrum"),
], ids=" ".join)
def test_misuse_says_what_is_wrong_and_exits_2(arguments, wanted):
    done = run_once(*arguments)
    assert done.returncode == 2, done.stderr
    assert wanted in done.stderr
    assert "usage: postern " in done.stderr or "`postern help`" in done.stderr
    assert done.stdout == ""


def test_the_version():
    done = run_once("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("postern ")


# --- check ---

def test_check_json_names_places(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()).replace(
        "hostname:", "hostnam:"), encoding="utf-8")
    done = run_once("check", "--json", config)
    said = json.loads(done.stdout)
    assert done.returncode == 78 and done.stderr == ""
    assert not said["ok"] and said["not_shown"] == 0
    [diagnostic] = said["diagnostics"]
    assert diagnostic["file"] == str(config)
    assert (diagnostic["line"], diagnostic["column"]) == (1, 1)
    assert diagnostic["level"] == "error"
    assert "did you mean hostname?" in diagnostic["text"]


def test_check_json_counts_rules_and_tests(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()) + """\
policy:
  mail:
    - {rule: nobody, when: {listener: submision}, reject: "550 5.7.1 No"}
tests:
  - name: passes
    given: {mail.from: bob@example.com}
    expect: {reply: 250}
  - name: fails
    given: {mail.from: bob@example.com}
    expect: {reply: 550}
""", encoding="utf-8")
    done = run_once("check", "--json", config)
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert said["rules"] == 1
    assert said["tests"] == {"passed": 1, "failed": 1}
    levels = {item["level"] for item in said["diagnostics"]}
    assert levels == {"warning", "error"}


def test_check_stops_at_twenty_and_says_how_many_more(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()) + "".join(
        f"k{i}: x\n" for i in range(30)), encoding="utf-8")
    done = run_once("check", config)
    assert done.returncode == 78
    assert done.stderr.count(": error: ") == 20
    assert "10 more not shown" in done.stderr
    assert done.stdout == f"{config}: 30 errors\n"


def test_check_says_that_a_maildir_has_no_place(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(
        f'{{maildir: "{site.folder}/none/mail"}}'), encoding="utf-8")
    for arguments in (["check", config], ["run", "-c", config]):
        done = run_once(*arguments)
        assert done.returncode == 78, done.stderr
        assert f"{config}:14:" in done.stderr
        assert f"{site.folder}/none" in done.stderr


# --- passwd ---

def test_passwd_prints_the_line_alone():
    done = run_once("passwd", "Bob@Example.com", stdin="secret 1\n")
    assert done.returncode == 0 and done.stderr == ""
    login, hashed, rest = done.stdout.split(":", 2)
    assert login == "bob@example.com"
    assert hashed.startswith("$y$")
    assert rest == "addresses=bob@example.com\n"
    assert "secret" not in done.stdout


@pytest.mark.parametrize("arguments, stdin", [
    (["--scram", "Bob@Example.com"], "pencil\n"),
    (["Bob@Example.com", "--scram"], "pencil\n"),
    (["--scram"], "Bob@Example.com\npencil\n"),
], ids=["option first", "login first", "no login"])
def test_passwd_makes_scram_keys(arguments, stdin):
    done = run_once("passwd", *arguments, stdin=stdin)
    assert done.returncode == 0 and done.stderr == ""
    login, keys, rest = done.stdout.split(":")
    assert login == "bob@example.com"
    assert rest == "addresses=bob@example.com\n"
    assert keys.startswith("{SCRAM-SHA-256}")
    count, salt, stored, server = keys.partition("}")[2].split(",")
    assert int(count) >= 15000
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil",
                                 base64.b64decode(salt), int(count))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert base64.b64decode(stored) == hashlib.sha256(client_key).digest()
    assert base64.b64decode(server) == hmac.digest(
        salted, b"Server Key", "sha256")


def test_passwd_never_takes_the_same_salt():
    lines = {run_once("passwd", "--scram", "bob", stdin="pencil\n").stdout
             for _ in range(3)}
    assert len(lines) == 3


def test_passwd_says_which_passwords_scram_can_not_take():
    done = run_once("passwd", "--scram", "bob", stdin="p\u0007ncil\n")
    assert done.returncode == 1 and done.stdout == ""
    assert "no SCRAM keys could be made" in done.stderr


def test_passwd_asks_for_the_login():
    done = run_once("passwd", stdin="bob\nsecret 1\n")
    assert done.returncode == 0
    assert done.stdout.startswith("bob:$y$")
    assert done.stdout.endswith(":addresses=\n")


@pytest.mark.parametrize("arguments, stdin, code", [
    (["bob"], "", 1), (["bob"], "\n", 1), ([], "", 2),
    ([""], "x\n", 2), (["a:b"], "x\n", 2), (["#bob"], "x\n", 2),
    ([" bob"], "x\n", 2), (["a\nb"], "x\n", 2),
    (["bob"], "x" * 100000 + "\n", 1),
], ids=["no password", "an empty one", "no login", "an empty login",
        "a colon", "a comment", "a blank", "two lines", "too long a one"])
def test_passwd_refuses_what_would_not_work(arguments, stdin, code):
    done = run_once("passwd", *arguments, stdin=stdin)
    assert done.returncode == code, done.stdout
    assert done.stdout == ""
    assert done.stderr.startswith("postern passwd: ")


def type_password(*answers):
    """Types answers to the questions of `postern passwd bob` on a terminal;
    what the terminal showed, and the exit code."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [places.program(), "passwd", "bob"], stdin=terminal, stdout=terminal,
        stderr=terminal, start_new_session=True,
        env={**os.environ, **ENVIRONMENT})
    os.close(terminal)
    shown = b""
    waiting = list(answers)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([controller], [], [], 1)[0]:
            continue
        try:
            octets = os.read(controller, 4096)
        except OSError:
            break
        if not octets:
            break
        shown += octets
        if waiting and octets.endswith(b": "):
            os.write(controller, waiting.pop(0) + b"\n")
    os.close(controller)
    return shown.decode(), process.wait(30)


def test_passwd_on_a_terminal_asks_twice_and_shows_nothing():
    shown, code = type_password(b"secret 1", b"secret 1")
    assert code == 0, shown
    assert "bob:$y$" in shown and "secret" not in shown


def test_passwd_on_a_terminal_wants_the_same_twice():
    shown, code = type_password(b"secret 1", b"secret 2")
    assert code == 1
    assert "the two differ" in shown and "bob:" not in shown
    assert "secret" not in shown


# --- tail ---

def test_tail_shows_a_line_a_transaction_without_colour(tmp_path):
    log = tmp_path / "log"
    log.write_text(entry(1) + entry(2), encoding="utf-8")
    done = tail(log)
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
    assert "\x1b" not in done.stdout
    assert done.stdout == tail("-", stdin=log.read_text("utf-8")).stdout


def test_tail_filters(tmp_path):
    log = tmp_path / "log"
    log.write_text(entry(1) + entry(2, verdict="reject") +
                   entry(3, auth={"user": "eve"}), encoding="utf-8")

    def shown(*filters):
        return [line.split()[2][-2:]
                for line in tail(*filters, log).stdout.splitlines()]
    assert shown("user=bob") == ["01", "02"]
    assert shown("user=bob", "verdict=reject") == ["02"]
    assert shown("user=bob", "user=eve") == ["01", "02", "03"]
    assert shown("to=r3@*") == ["03"]
    assert shown("id=7QK3M9T2XA02") == ["02"]
    assert shown("until=2020-01-01T00:00") == []


def test_tail_says_where_a_log_is_damaged(tmp_path):
    log = tmp_path / "log"
    log.write_text(entry(1) + "garbage\n[1]\n" + entry(2) + '{"half',
                   encoding="utf-8")
    done = tail(log)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    for line in (2, 3, 5):
        assert f"{log}:{line}: warning: " in done.stderr


def test_tail_shows_no_control_octets_of_a_log(tmp_path):
    log = tmp_path / "log"
    log.write_text(entry(1, verdict="acc\x1b[31mept"), encoding="utf-8")
    assert "\x1b" not in tail(log).stdout


def test_tail_without_a_log(tmp_path):
    done = tail(tmp_path / "none")
    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert tail("-c", tmp_path / "none.yaml").returncode == 78


def test_tail_finds_the_log_by_the_configuration(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()), encoding="utf-8")
    site.log.write_text(entry(7), encoding="utf-8")
    assert "7QK3M9T2XA07" in tail("-c", config).stdout


def test_tail_follows_behind_a_rotation(tmp_path):
    log = tmp_path / "log"
    shown = tmp_path / "shown"
    log.write_text("".join(entry(i) for i in range(1, 15)), encoding="utf-8")
    with open(shown, "wb") as output:
        process = subprocess.Popen(
            [places.program(), "tail", "-f", log], stdout=output,
            stderr=subprocess.DEVNULL, env={**os.environ, **ENVIRONMENT})
    try:
        def lines():
            return shown.read_text("utf-8").splitlines()
        wait_for(lambda: len(lines()) == 10, "the last ten lines")
        with open(log, "a", encoding="utf-8") as more:
            more.write(entry(20))
        wait_for(lambda: len(lines()) == 11, "a line that was added")
        log.rename(tmp_path / "log.1")
        log.write_text(entry(21), encoding="utf-8")
        wait_for(lambda: len(lines()) == 12, "a line of the new log")
        assert [line.split()[2][-2:] for line in lines()[-3:]] == \
            ["14", "20", "21"]
    finally:
        process.terminate()
        process.wait(10)
