"""Two processes: one that keeps the doors, one that serves. What becomes of
mail when either dies, or is followed by another."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import clients
import places
import ports
import processes
from budgets import wait_written
from dialogue import Closed, Dialogue, logged_in
from messages import make_message
from peer_raw import RawUpstream, Script
from server import ENVIRONMENT, run_once
from users import PASSWORDS
from waiting import wait_for


def text_of(site, more="", upstream=None):
    return (site.head(upstream or site.to_maildir())
            + f'control: "{site.folder}/control"\nworkers: 2\n' + more)


def send(dialogue, name):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    dialogue.expect(354, "DATA")
    dialogue.send(make_message("bob@example.com", "a@example.net", name)
                  .replace(b"\r\n.", b"\r\n..") + b".\r\n")
    dialogue.expect(250)


def bob(site):
    return logged_in(site, "bob", PASSWORDS["bob"])


def order(server, *words):
    return run_once(*words, "-c", server.config, seconds=120)


def status(server):
    return json.loads(order(server, "status", "--json").stdout)


def states(server):
    return sorted(one["state"] for one in status(server)["processes"])


def is_refused(site):
    try:
        Dialogue(site.starttls, seconds=2).socket.close()
        return False
    except OSError:
        return True


def delivered(site):
    return len(list((site.maildir / "new").iterdir()))


# A sanitizer would see to a crash itself.
CRASHING = {"ASAN_OPTIONS": "handle_segv=0:detect_leaks=0",
            "TSAN_OPTIONS": ENVIRONMENT["TSAN_OPTIONS"] + ":handle_segv=0"}


# --- a process that dies ---

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM,
                                 signal.SIGSEGV])
def test_another_worker_process_takes_the_place_of_a_dead_one(
        site, start, how):
    server = start(text_of(site), environment=CRASHING)
    before = server.worker_pid
    with bob(site) as dialogue:
        send(dialogue, "before")
        if how == signal.SIGTERM:  # a terminal sends it to both: it waits
            os.kill(before, how)
            send(dialogue, "and still")
            return
        server.kill_worker(how)
        with pytest.raises((Closed, OSError)):
            dialogue.expect(250, "NOOP")
    with bob(site) as dialogue:
        send(dialogue, "after")
    assert server.worker_pid != before
    assert f"worker process {before}, which was serving, ended by signal " \
        f"{int(how)}" in server.stderr()
    assert delivered(site) == 2


def test_processes_that_die_at_once_come_ever_later(site, start):
    server = start(text_of(site))
    server.wait_serving()
    dead = []
    for _ in range(4):
        wait_for(lambda: set(processes.workers_of(server.process.pid))
                 - set(dead), "a new process")
        dead.append(server.worker_pid)
        os.kill(dead[-1], signal.SIGKILL)
    with bob(site) as dialogue:
        send(dialogue, "again")
    said = server.stderr()
    for delay in (100, 200):
        assert f"a new worker process is started in {delay} ms" in said


def test_a_supervisor_that_dies_leaves_no_mail_undone(site, start):
    answer = threading.Event()

    def slow(_line, _wire):
        answer.wait(30)
        return "250 2.0.0 Ok: queued as S1"

    with RawUpstream(Script({".": slow})) as upstream:
        server = start(text_of(
            site, upstream=site.to_port(upstream.port)))
        worker = server.worker_pid
        with bob(site) as dialogue, bob(site) as idle:
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            dialogue.expect(250, "RCPT TO:<a@example.net>")
            dialogue.expect(354, "DATA")
            dialogue.send(b"Subject: last\r\n\r\nHello.\r\n.\r\n")
            server.process.kill()
            assert idle.reply().code == 421
            wait_for(lambda: is_refused(site), "closed doors")
            answer.set()
            dialogue.expect(250)
        wait_for(lambda: processes.has_ended(worker),
                 "the end of the worker process")
    server.wait_end()
    server.check_end = lambda: None
    assert "the supervisor is gone" in server.stderr()
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "accept"
    start(text_of(site))  # nothing of it is left in the way
    with bob(site) as dialogue:
        dialogue.expect(250, "NOOP")


# --- stop and drain ---

def test_stop_ends_it(site, start):
    server = start(text_of(site))
    with bob(site) as idle:
        done = order(server, "stop")
        assert (done.returncode, done.stdout) == (0, "stopped\n")
        assert idle.reply().code == 421
    assert server.wait_end(5) == 0
    assert not (site.folder / "control").exists()


def test_drain_lets_sessions_end_by_themselves(site, start):
    server = start(text_of(site))
    with bob(site) as dialogue:
        drain = subprocess.Popen(
            [server.binary, "drain", "-c", server.config],
            stdout=subprocess.PIPE, text=True)
        wait_for(lambda: is_refused(site), "closed doors")
        send(dialogue, "one more")
        assert states(server) == ["draining"]
        send(dialogue, "and another")
        dialogue.expect(221, "QUIT")
    assert drain.communicate(timeout=30)[0] == "drained, and stopped\n"
    assert drain.returncode == 0
    assert server.wait_end(5) == 0
    assert delivered(site) == 2


def test_a_drain_has_an_end(site, start):
    server = start(text_of(site))
    with bob(site) as dialogue:
        done = order(server, "drain", "--within", "500ms")
        assert done.returncode == 0, done.stderr
        assert dialogue.reply().code == 421
    assert "timeouts.drain has passed" in server.stderr()
    assert server.wait_end(5) == 0


@pytest.mark.parametrize("words, wrong", [
    (["drain", "--within", "soon"], "not soon"),
    (["drain", "--within"], "needs a time"),
    (["drain", "now"], "no option now"),
    (["stop", "now"], "write -c before the file"),
    (["upgrade", "--now"], "there is no option --now"),
    (["loglevel", "loud"], "not loud"),
    (["loglevel"], "which one"),
])
def test_wrong_usage(words, wrong):
    done = run_once(*words)
    assert done.returncode == 2
    assert wrong in done.stderr


@pytest.mark.parametrize("command", [["stop"], ["drain"], ["upgrade"],
                                     ["loglevel", "info"]])
def test_without_a_server_they_say_so(site, tmp_path, command):
    config = tmp_path / "postern.yaml"
    config.write_text(f'control: "{tmp_path}/nobody"\n', encoding="utf-8")
    done = run_once(*command, "-c", config)
    assert done.returncode == 1
    assert "no server answers" in done.stderr


def test_the_log_says_more_when_it_is_told_to(site, start):
    server = start(text_of(site))
    assert order(server, "loglevel", "debug").returncode == 0
    with bob(site) as dialogue:
        send(dialogue, "loud")
    wait_for(lambda: " debug " in server.stderr(), "a debug line")
    # That a process ends is when it is wanted most.
    said = len(server.stderr())
    os.kill(server.worker_pid, signal.SIGKILL)
    wait_for(lambda: " ready: " in server.stderr()[said:], "another process")
    with bob(site) as dialogue:
        send(dialogue, "still loud")
    wait_for(lambda: " debug " in server.stderr()[said:], "a debug line")
    assert order(server, "loglevel", "info").returncode == 0


# --- upgrade ---

def test_an_upgrade_cuts_no_session(site, start):
    server = start(text_of(site))
    before = server.worker_pid
    with bob(site) as dialogue:
        send(dialogue, "before")
        done = order(server, "upgrade")
        assert done.returncode == 0, done.stderr + server.stderr()
        assert done.stdout.startswith("upgraded: postern ")
        assert states(server) == ["draining", "serving"]
        assert f"worker process {before} is draining, for " \
            in order(server, "status").stdout
        send(dialogue, "in the old one")
        with bob(site) as newcomer:
            send(newcomer, "in the new one")
        dialogue.expect(221, "QUIT")
    wait_for(lambda: states(server) == ["serving"], "the end of the old one")
    assert server.worker_pid != before
    assert f"worker process {before} has drained and ended" in server.stderr()
    assert status(server)["pid"] == server.process.pid
    assert delivered(site) == 3


def test_a_session_outlives_several_upgrades(site, start):
    server = start(text_of(site))
    with bob(site) as first:
        assert order(server, "upgrade").returncode == 0
        with bob(site) as second:
            assert order(server, "upgrade").returncode == 0
            assert order(server, "upgrade").returncode == 0
            wait_for(lambda: states(server)
                     == ["draining", "draining", "serving"], "two that drain")
            send(first, "in the first one")
            send(second, "in the second one")
            second.expect(221, "QUIT")
        first.expect(221, "QUIT")
    wait_for(lambda: states(server) == ["serving"], "the end of the old ones")


COUNTED = """\
policy:
  rcpt:
    - rule: three an hour
      when: {auth.user: bob}
      limit: {recipients: 3/d, by: "{auth.user}"}
      defer: "450 4.7.1 enough for today"
"""


def test_both_processes_charge_the_same_budget(site, start):
    server = start(text_of(site, COUNTED), environment=CRASHING)
    with bob(site) as dialogue:
        send(dialogue, "one")
        assert order(server, "upgrade").returncode == 0
        with bob(site) as newcomer:
            send(newcomer, "two")
            send(dialogue, "three, in the old one")
            newcomer.expect(250, "MAIL FROM:<bob@example.com>")
            newcomer.expect(450, "RCPT TO:<a@example.net>")
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(450, "RCPT TO:<a@example.net>")
        # What the old one has counted is in the new one's journal.
        wait_written(site, server)
        newest = processes.workers_of(server.process.pid)[-1]
        os.kill(newest, signal.SIGSEGV)
        wait_for(lambda: not processes.is_worker(newest), "its end")
    with bob(site) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(450, "RCPT TO:<a@example.net>")


def test_what_a_dead_process_held_is_free_again(site, start):
    server = start(text_of(site, COUNTED))
    with bob(site) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        for name in "abc":
            dialogue.expect(250, f"RCPT TO:<{name}@example.net>")
        with bob(site) as other:
            other.expect(250, "MAIL FROM:<bob@example.com>")
            other.expect(450, "RCPT TO:<d@example.net>")
        server.kill_worker()
    with bob(site) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        for name in "abc":
            dialogue.expect(250, f"RCPT TO:<{name}@example.net>")
        assert status(server)["connections"] == 1


def test_a_signal_upgrades_too(site, start):
    server = start(text_of(site))
    before = server.worker_pid
    wait_for(lambda: states(server) == ["serving"], "one that serves")
    server.process.send_signal(signal.SIGUSR2)
    wait_for(lambda: before not in processes.workers_of(server.process.pid),
             "another worker process", 60)
    with bob(site) as dialogue:
        send(dialogue, "after")


def copy_of_program(site, program):
    folder = site.folder / "program"
    folder.mkdir()
    return pathlib.Path(shutil.copy2(program, folder / "postern"))


def replace(program, text):
    """As a package does: another file under the name."""
    other = program.with_name("new")
    other.write_text(text, encoding="utf-8")
    other.chmod(0o755)
    other.rename(program)


@pytest.mark.parametrize("script, reason", [
    ("#!/bin/sh\nexit 78\n", "the new program refuses the configuration"),
    ("no program\n", "the new program refuses the configuration"),
    ("#!/bin/sh\n[ \"$1\" = check ] || exit 3\nrm \"$0\"\n",
     "can't be executed: No such file"),
])
def test_a_program_that_does_not_work_changes_nothing(
        site, start, script, reason):
    program = copy_of_program(site, places.program())
    server = start(text_of(site), binary=program)
    before = server.worker_pid
    replace(program, script)
    done = order(server, "upgrade")
    assert done.returncode == 1
    assert reason in done.stderr, done.stderr
    assert reason in server.stderr()
    assert server.worker_pid == before
    with bob(site) as dialogue:
        send(dialogue, "still here")
    said = order(server, "status")
    assert said.returncode == 0
    assert re.search(f"the last change of process failed: .*{reason}",
                     said.stdout), said.stdout


def test_an_upgrade_by_a_wrong_configuration_changes_nothing(site, start):
    server = start(text_of(site))
    text = server.config.read_text(encoding="utf-8")
    server.config.write_text(text + "nonsense: 1\n", encoding="utf-8")
    done = order(server, "upgrade")
    server.config.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    assert "refuses the configuration" in done.stderr
    with bob(site) as dialogue:
        send(dialogue, "still here")


@pytest.mark.parametrize("word", ["stop", "drain"])
def test_it_ends_also_in_the_middle_of_an_upgrade(site, start, word):
    server = start(text_of(site))
    upgrade = subprocess.Popen(
        [server.binary, "upgrade", "-c", server.config],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        done = order(server, word)
        assert done.returncode == 0 or "ask again" in done.stderr, done.stderr
        server.terminate()
        assert server.wait_end() == 0
    finally:
        upgrade.wait(60)


# --- a service manager ---

class Manager:
    """What systemd hears."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(0.1)
        self.heard = []

    def hears(self, word):
        try:
            while True:
                text = self.socket.recv(4096).decode()
                self.heard.append(text)
        except TimeoutError:
            return any(word in text for text in self.heard)


def test_a_service_manager_is_told(site, start):
    manager = Manager(site.folder)
    server = start(text_of(site), environment={
        "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "3000000"})
    wait_for(lambda: manager.hears("READY=1"), "READY")
    wait_for(lambda: manager.hears("WATCHDOG=1"), "WATCHDOG")
    assert any(text.startswith("READY=1\nSTATUS=policy sha256:")
               for text in manager.heard)
    for order_of in ("reload", "upgrade"):
        check_reloading(manager, server, order_of)
    server.config.write_text(text_of(site, "nonsense"), encoding="utf-8")
    assert order(server, "reload").returncode == 1
    server.terminate()
    wait_for(lambda: manager.hears("STOPPING=1"), "STOPPING")


def check_reloading(manager, server, word):
    manager.heard.clear()
    assert order(server, word).returncode == 0
    wait_for(lambda: manager.hears("READY=1"), "READY again")
    told = [text for text in manager.heard if "=1" in text
            and not text.startswith("WATCHDOG")]
    assert told[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert told[-1].startswith("READY=1\nSTATUS=")


def test_sockets_of_a_service_manager_are_taken_up(site, start):
    """By its real tool, which starts the program at the first client."""
    config = site.folder / "postern.yaml"
    config.write_text(text_of(site), encoding="utf-8")
    activate = ["systemd-socket-activate", "-l", f"127.0.0.1:{site.starttls}",
                "-l", f"127.0.0.1:{site.implicit}",
                "--fdname=submission:submissions"]
    stderr = open(site.folder / "stderr", "wb")
    process = subprocess.Popen(
        [*activate, places.program(), "run", "-c", config],
        stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    try:
        assert ports.wait_listening([site.starttls, site.implicit],
                                    lambda: process.poll() is None)
        with bob(site) as dialogue:
            send(dialogue, "activated")
        outcome = clients.swaks(site, site.implicit, clients.Mail(
            "bob", PASSWORDS["bob"], "bob@example.com", "a@example.net",
            make_message("bob@example.com", "a@example.net", "implicit")))
        assert outcome.sent, outcome.said
        assert run_once("upgrade", "-c", config, seconds=60).returncode == 0
        with bob(site) as dialogue:
            send(dialogue, "activated, and upgraded")
    finally:
        process.terminate()
        assert process.wait(30) == 0, \
            (site.folder / "stderr").read_text(encoding="utf-8")
        stderr.close()
    assert delivered(site) == 3


@pytest.mark.skipif(os.geteuid() != 0 and not shutil.which("unshare"),
                    reason="no unshare")
def test_it_may_be_process_1(site):
    """Of a container, where orphans become its children and signals have no
    default."""
    config = site.folder / "postern.yaml"
    config.write_text(text_of(site), encoding="utf-8")
    with open(site.folder / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--pid", "--fork",
             "--kill-child", places.program(), "run", "-c", config],
            stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    try:
        assert ports.wait_listening([site.starttls],
                                    lambda: process.poll() is None), \
            (site.folder / "stderr").read_text(encoding="utf-8")
        [first] = children(process.pid)
        with bob(site) as dialogue:
            send(dialogue, "contained")
        os.kill(first, signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
    assert "stopped" in (site.folder / "stderr").read_text(encoding="utf-8")


def children(pid):
    return [int(word) for word in pathlib.Path(
        f"/proc/{pid}/task/{pid}/children").read_text(
            encoding="ascii").split()]
