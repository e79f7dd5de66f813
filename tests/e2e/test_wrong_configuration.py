"""A wrong configuration never starts, and says where it is wrong."""

import os
import re
import socket

import pytest

from server import run_once


def run_with(site, text, name="postern.yaml"):
    config = site.folder / name
    config.write_text(text, encoding="utf-8")
    return config, run_once("run", "-c", config)


def assert_one_line(done, code, *wanted):
    """One clear line, naming what the caller wants to read in it."""
    assert done.returncode == code, (done.returncode, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    for text in wanted:
        assert str(text) in lines[0], lines[0]


@pytest.mark.parametrize("old, new, line, column", [
    ("hostname:", "hostnam:", 1, 1),
    ("tls: starttls", "tls: startls", 3, None),
    ("mechanisms: [PLAIN, LOGIN]", "mechanisms: [PLAIN, PLAN]", 10, None),
    ("upstream: main", "upstream: man", 15, 11),
    ("upstream: main", "upstream: main\nupstream: main", 16, 1),
    ("upstream: main", "upstream: main\nstrange: 1", 16, 1),
])
def test_an_error_names_file_line_and_column(site, old, new, line, column):
    text = site.head(site.to_maildir())
    assert old in text
    config, done = run_with(site, text.replace(old, new, 1))
    assert done.returncode == 78, done.stderr
    found = re.search(rf"^{re.escape(str(config))}:(\d+):(\d+): error: .+",
                      done.stderr, re.M)
    assert found, done.stderr
    assert int(found.group(1)) == line, done.stderr
    assert column is None or int(found.group(2)) == column, done.stderr


def test_the_nearest_name_is_offered(site):
    text = site.head(site.to_maildir()).replace("hostname:", "hostnam:")
    assert "hostname" in run_with(site, text)[1].stderr


def test_several_errors_are_all_told(site):
    text = site.head(site.to_maildir()) + "one: 1\ntwo: 2\nthree: 3\n"
    done = run_with(site, text)[1]
    assert done.returncode == 78
    assert done.stderr.count("error:") == 3, done.stderr


@pytest.mark.parametrize("text", [
    "", "- a\n", "hostname: {\n", "\0", "a: *b\n", "&a [*a]\n",
    "hostname: \t@x\n", "[" * 2000, "\xff\xfe",
], ids=["empty", "a list", "an open brace", "NUL", "an unknown alias",
        "an alias of itself", "an at sign", "deep", "UTF-16"])
def test_nonsense_is_refused_without_a_crash(site, text):
    done = run_with(site, text)[1]
    assert done.returncode == 78, done.stderr
    assert "error:" in done.stderr


def test_a_file_that_is_not_there(site):
    done = run_once("run", "-c", site.folder / "missing.yaml")
    assert_one_line(done, 78, "missing.yaml")


def test_a_missing_certificate(site):
    text = site.head(site.to_maildir()).replace("cert.pem", "none.pem")
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:7:", "none.pem")


def test_a_certificate_that_is_none(site):
    (site.folder / "empty.pem").write_text("no certificate\n",
                                           encoding="ascii")
    text = site.head(site.to_maildir()).replace(
        str(site.certificate.chain), str(site.folder / "empty.pem"))
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:7:", "empty.pem")


def test_a_missing_users_file(site):
    text = site.head(site.to_maildir()).replace(
        str(site.users), str(site.folder / "nobody"))
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:12:", site.folder / "nobody")


def test_an_unreadable_users_file(site):
    """A folder can't be read by anybody, root included."""
    text = site.head(site.to_maildir()).replace(
        str(site.users), str(site.folder))
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:12:", site.folder)


@pytest.mark.parametrize("line", [
    "bob:secret:addresses=bob@example.com",
    "bob:$9$what$ever:groups=staff",
    "bob",
    "bob:{PLAIN}secret:groups=staff",
], ids=["clear", "unknown", "none", "a scheme for clear"])
def test_a_bad_hash(site, line):
    users = site.folder / "users"
    users.write_text("# logins\n" + line + "\n", encoding="utf-8")
    users.chmod(0o600)
    text = site.head(site.to_maildir()).replace(str(site.users), str(users))
    done = run_with(site, text)[1]
    assert_one_line(done, 78, f"{users}:2:")
    assert "secret" not in done.stderr


def test_a_log_folder_that_is_not_there(site):
    text = site.head(site.to_maildir()).replace(
        str(site.log), str(site.folder / "none" / "decisions.jsonl"))
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:16:", "none")


def test_a_maildir_below_nothing(site):
    maildir = site.folder / "none" / "mail"
    text = site.head(site.to_maildir()).replace(str(site.maildir),
                                                str(maildir))
    config, done = run_with(site, text)
    assert_one_line(done, 78, f"{config}:14:", maildir,
                    "No such file or directory")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_maildir_that_is_a_file(site, command):
    """Which root can't use either."""
    site.maildir.mkdir()
    (site.maildir / "tmp").write_text("", encoding="ascii")
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()), encoding="utf-8")
    done = run_once(*([command, "-c"] if command == "run" else [command]),
                    config)
    assert done.returncode == 78, done.stderr
    assert f"{config}:14:" in done.stdout + done.stderr
    assert "Not a directory" in done.stdout + done.stderr


def test_an_address_in_use(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.starttls))
        taken.listen()
        done = run_with(site, site.head(site.to_maildir())
                        + f'control: "{site.folder}/control"\n')[1]
    assert_one_line(done, 1, site.starttls)


def test_clear_listeners_need_trusted_clients(site):
    text = site.head(site.to_maildir()).replace(
        "tls: starttls", "tls: none, auth: none")
    done = run_with(site, text)[1]
    assert done.returncode == 78
    assert "trusted" in done.stderr


@pytest.mark.parametrize("arguments", [["run"], ["frobnicate"], [],
                                       ["run", "-c"], ["check", "a", "b"]])
def test_wrong_usage(arguments, tmp_path):
    if arguments == ["run"] and os.path.exists("/etc/postern/postern.yaml"):
        arguments = ["run", "--strange"]
    done = run_once(*arguments)
    wanted = (2, 78) if arguments == ["run"] else (2,)
    assert done.returncode in wanted, done.stderr
    assert done.stderr or done.stdout


def test_check_tells_the_same_as_run(site):
    config, done = run_with(
        site, site.head(site.to_maildir()).replace("hostname:", "hostnam:"))
    checked = run_once("check", config)
    assert checked.returncode == 78
    assert done.stderr.splitlines()[0] in \
        checked.stdout + checked.stderr


def test_check_is_content_with_a_good_file(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()), encoding="utf-8")
    done = run_once("check", config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_fails_with_a_failing_policy_test(site):
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir()) + """\
policy:
  mail:
    - rule: nobody
      reject: "550 5.7.1 No"
tests:
  - name: bob may
    given: {mail.from: bob@example.com}
    expect: {reply: 250}
""", encoding="utf-8")
    done = run_once("check", config)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{config}:" in done.stdout + done.stderr
    assert run_once("run", "-c", config).returncode == 78
