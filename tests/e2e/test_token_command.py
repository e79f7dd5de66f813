"""Programs that print tokens are run by the supervisor, as the worker process
may run none: whatever becomes of either, and of the program."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import tempfile

import pytest

import memory_search
import peer_dovecot
from dialogue import logged_in
from server import run_once
from test_upstream_login import (  # noqa: F401
    arrived, dovecot, send, sink, upstream)
from users import PASSWORDS
from waiting import wait_for


class Program:
    """A script that says when it was run, and with what."""

    def __init__(self, folder, body):
        self.path = folder / "program"
        self.runs_path = folder / "runs"
        self.path.write_text(
            f'#!/bin/sh\necho "$$ $1" >> "{self.runs_path}"\n{body}\n',
            encoding="utf-8")
        self.path.chmod(0o700)

    def runs(self):
        """Of each run its process and its argument."""
        if not self.runs_path.exists():
            return []
        return [(int(pid), word) for pid, word in re.findall(
            r"^(\d+) (\w+)$", self.runs_path.read_text(encoding="ascii"),
            re.M)]

    def text(self, site, peer, word, more=""):
        login = f'{{user: postern, token_command: ["{self.path}", {word}]}}'
        in_one_line = re.sub(r"\n\s+", " ", upstream(site, peer, login))
        return (site.head(in_one_line)
                + f'control: "{site.folder}/control"\nworkers: 1\n' + more)


def token_file(folder):
    path = folder / "token"
    path.write_text(peer_dovecot.token("postern"), encoding="ascii")
    return path


def is_there(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] not in "ZX"


def waits_for_go(folder):
    """It prints once the file is there."""
    return Program(folder, f'until test -e "{folder}/go"; do sleep 0.05; done\n'
                           f'cat "{token_file(folder)}"')


HANGS = "exec sleep 600"


def test_each_worker_process_is_served(site, start, dovecot,  # noqa: F811
                                       sink):  # noqa: F811
    """The first, the one after a reload, and the one after a crash."""
    program = Program(site.folder, f'cat "{token_file(site.folder)}"')
    server = start(program.text(site, dovecot, "first"))
    assert send(site, "token-first")[-1].code == 250, server.stderr()
    first = server.worker_pid
    server.config.write_text(program.text(site, dovecot, "second"),
                             encoding="utf-8")
    done = run_once("reload", "-c", server.config, seconds=60)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: not is_there(first), "the end of the old one")
    assert send(site, "token-second")[-1].code == 250, server.stderr()
    words = [word for _, word in program.runs()]
    assert sorted(set(words)) == ["first", "second"]
    os.kill(server.worker_pid, signal.SIGKILL)
    wait_for(lambda: send(site, "token-third")[-1].code == 250, "a new one")
    assert len(program.runs()) > len(words)
    assert program.runs()[-1][1] == "second"
    for name in ("first", "second", "third"):
        assert arrived(sink, f"token-{name}")


def test_an_upgrade_lets_a_program_finish(site, start, dovecot,  # noqa: F811
                                          sink):  # noqa: F811
    program = waits_for_go(site.folder)
    server = start(program.text(site, dovecot, "slow"))
    [(first, _)] = program.runs()
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.send(b"MAIL FROM:<bob@example.com>\r\n"
                      b"RCPT TO:<ann@example.net>\r\n")
        done = run_once("upgrade", "-c", server.config, seconds=60)
        assert done.returncode == 0, done.stderr + server.stderr()
        wait_for(lambda: len(program.runs()) == 2, "the new one's question")
        assert is_there(first)
        (site.folder / "go").touch()
        assert [dialogue.reply().code for _ in range(2)] == [250, 250], \
            server.stderr()
    wait_for(lambda: not is_there(first), "its end")
    assert send(site, "upgraded")[-1].code == 250
    assert arrived(sink, "upgraded")
    assert "token_command" not in server.stderr()


def test_a_program_that_hangs_ends_with_the_server(site, start,
                                                   dovecot):  # noqa: F811
    program = Program(site.folder, HANGS)
    server = start(program.text(site, dovecot, "hang"))
    [(pid, _)] = program.runs()
    assert is_there(pid)
    server.terminate()
    assert server.wait_end() == 0
    wait_for(lambda: not is_there(pid), "its end")


def test_a_program_that_nobody_waits_for_is_ended(site, start,
                                                  dovecot):  # noqa: F811
    program = Program(site.folder, HANGS)
    server = start(program.text(site, dovecot, "hang"))
    [(pid, _)] = program.runs()
    server.kill_worker()
    wait_for(lambda: not is_there(pid), "its end")


def test_the_supervisor_never_has_the_token(site, start,
                                            dovecot):  # noqa: F811
    path = token_file(site.folder)
    program = Program(site.folder, f'cat "{path}"')
    server = start(program.text(site, dovecot, "secret"))
    assert send(site, "secret")[-1].code == 250, server.stderr()
    token = path.read_text(encoding="ascii")
    assert memory_search.find(server.worker_pid, token)  # it is kept there
    assert not memory_search.find(server.process.pid, token)


def test_a_program_gets_no_more_than_it_needs(site, start,
                                              dovecot):  # noqa: F811
    """What it complains of goes where the server's own complaints go."""
    program = Program(
        site.folder,
        "(ls -l /proc/$$/fd >&2)\n"
        "grep -E '^(CapEff|CapBnd|NoNewPrivs|SigIgn):' /proc/self/status >&2\n"
        f'cat "{token_file(site.folder)}"')
    server = start(program.text(site, dovecot, "show"))
    assert send(site, "show")[-1].code == 250, server.stderr()
    said = server.stderr()
    opened = dict(re.findall(r" (\d+) -> (\S+)$", said, re.M))
    assert opened.pop("0") == "/dev/null"
    assert opened.pop("1").startswith("pipe:")
    assert opened.pop("2") == str(server.stderr_path)
    # The script itself.
    assert list(opened.values()) in ([], [str(program.path)])
    found = dict(re.findall(r"^(\w+):\s+(\w+)$", said, re.M))
    assert int(found["CapEff"], 16) == 0
    assert int(found["SigIgn"], 16) == 0
    assert found["NoNewPrivs"] == "1"


@pytest.fixture
def open_folder():
    """Its parents may be entered by anybody, unlike those of tmp_path."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0,
                    reason="only root can become another user")
def test_a_program_is_the_user_that_serves(site, start, dovecot,  # noqa: F811
                                           open_folder):
    nobody = pwd.getpwnam("nobody")
    shared = open_folder / "shared"
    shared.mkdir()
    os.chown(shared, nobody.pw_uid, nobody.pw_gid)
    site.log = shared / "decisions.jsonl"
    site.state = shared / "limits"
    program = Program(shared, 'id -u >&2\nid -g >&2\n'
                              f'cat "{token_file(shared)}"')
    os.chown(program.path, nobody.pw_uid, nobody.pw_gid)
    server = start(program.text(site, dovecot, "who", "user: nobody\n"))
    assert send(site, "who")[-1].code == 250, server.stderr()
    assert f"\n{nobody.pw_uid}\n{nobody.pw_gid}\n" in server.stderr()
