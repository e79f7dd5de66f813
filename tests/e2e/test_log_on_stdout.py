"""`log: {decisions: stdout}`: what containers and journals take. Whatever is
there (a pipe, read slowly or no more, a terminal, a socket, nothing), mail
flows, and a line is complete or absent."""

import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import threading
import time

import pytest

from dialogue import logged_in
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for
from web import Web

# One that no pipe takes at once.
MANY = 120
ESCAPE = "\x1b"
TEXT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ([0-9A-Z]{12}) accept bob "
                  r"bob@example\.com → r0@example\.net( \(\+\d+\))? .* \d+ ms$")


def text_of(site, form="", more=""):
    head = site.head(site.to_maildir())
    file = f'log: {{decisions: "{site.log}"}}\n'
    assert file in head
    wanted = f"log: {{decisions: stdout{form}}}\n"
    return (head.replace(file, wanted)
            + f'control: "{site.folder}/control"\nworkers: 2\n'
            + "policy: {mail: []}\n" + more)


def bob(site):
    return logged_in(site, "bob", PASSWORDS["bob"])


def send(dialogue, name, recipients=1):
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    for i in range(recipients):
        dialogue.expect(250, f"RCPT TO:<r{i}@example.net>")
    reply = dialogue.message(make_message("bob@example.com", "r0@example.net",
                                          name))
    assert reply.code == 250, reply


def order(server, *words):
    done = run_once(*words, "-c", server.config, seconds=120)
    assert done.returncode == 0, done
    return done


class Reader:
    """Reads from a descriptor, from when it is told to."""

    def __init__(self, fd, at_once=True):
        self.fd = fd
        self.octets = b""
        self.thread = threading.Thread(target=self.read, daemon=True)
        if at_once:
            self.thread.start()

    def read(self):
        while True:
            try:
                octets = os.read(self.fd, 65536)
            except OSError:
                return  # the other side of a terminal is gone
            if not octets:
                return
            self.octets += octets

    def whole(self):
        """All, once the server is gone."""
        self.thread.join(60)
        assert not self.thread.is_alive()
        assert self.octets.endswith(b"\n"), self.octets[-200:]
        return self.octets.decode("utf-8")

    def objects(self):
        """After a crash, and only then, an empty line may stand there."""
        found = [json.loads(line) for line in self.whole().splitlines()
                 if line]
        assert all(isinstance(one, dict) for one in found)
        return found


class Pipe:
    def __init__(self, octets=None):
        self.reading, self.writing = os.pipe()
        if octets is not None:
            fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, octets)

    def fill(self):
        """To the last octet."""
        os.set_blocking(self.writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.writing, b"\n")
        os.set_blocking(self.writing, True)

    def close_writing(self):
        if self.writing is not None:
            os.close(self.writing)
            self.writing = None


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    made.close_writing()


@pytest.fixture
def small_pipe():
    made = Pipe(4096)
    yield made
    made.close_writing()


def transactions(objects):
    return [one for one in objects if one["event"] == "transaction"]


def lost_of(objects):
    return sum(one.get("lost", 0) for one in objects if one["event"] == "log")


def end(server):
    server.terminate()
    assert server.wait_end() == 0, server.stderr()


def test_a_pipe_gets_json(site, start, pipe):
    server = start(text_of(site), stdout=pipe.writing)
    pipe.close_writing()
    reader = Reader(pipe.reading)
    with bob(site) as client:
        send(client, "json")
        send(client, "long", MANY)
    end(server)
    found = reader.objects()
    assert [len(one["rcpt"]) for one in transactions(found)] == [1, MANY]
    assert not (site.folder / "stdout").exists()
    assert "\n\n" not in reader.whole()


def test_text_is_what_tail_shows(site, start, pipe):
    server = start(text_of(site, ", format: text"), stdout=pipe.writing,
                   environment={"TERM": "xterm"})
    pipe.close_writing()
    reader = Reader(pipe.reading)
    with bob(site) as client:
        send(client, "text")
        send(client, "long", MANY)
    end(server)
    lines = reader.whole().splitlines()
    found = [line for line in lines if TEXT.match(line)]
    assert len(found) == 2, lines
    assert found[1].count(f"(+{MANY - 1})") == 1
    assert not any(ESCAPE in line or line.startswith("{") for line in lines)


def test_a_reload_and_a_killed_worker_process_go_on_there(site, start, pipe):
    server = start(text_of(site), stdout=pipe.writing)
    pipe.close_writing()
    reader = Reader(pipe.reading)
    with bob(site) as before:
        send(before, "first")
        server.config.write_text(text_of(site, more="caps: {hops: 40}\n"))
        order(server, "reload")  # a new process beside the old one
        send(before, "still in the old one", MANY)
        with bob(site) as after:
            send(after, "in the new one", MANY)
    wait_for(lambda: len(transactions_now(reader)) == 3, "three lines")
    wait_for(lambda: has_one_worker(server), "the end of the old process")
    server.kill_worker()
    with wait_for(lambda: session_of(site), "a session") as client:
        send(client, "after the crash", MANY)
    server.config.write_text(text_of(site, ", format: text",
                                     "caps: {hops: 40}\n"))
    order(server, "reload")
    with bob(site) as client:
        send(client, "as text")
    end(server)
    lines = reader.whole().splitlines()
    shown = [line for line in lines if TEXT.match(line)]
    assert len(shown) == 1
    found = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(transactions(found)) == 4 and lost_of(found) == 0


def transactions_now(reader):
    lines = reader.octets.decode("utf-8").split("\n")[:-1]
    return transactions([json.loads(line) for line in lines if line])


def has_one_worker(server):
    try:
        return server.worker_pid
    except ValueError:
        return False


def session_of(site):
    try:
        return bob(site)
    except OSError:
        return None


def test_an_upgrade_goes_on_there(site, start, pipe):
    server = start(text_of(site), stdout=pipe.writing)
    pipe.close_writing()
    reader = Reader(pipe.reading)
    with bob(site) as client:
        send(client, "before")
        order(server, "upgrade")
        send(client, "meanwhile")
    with bob(site) as client:
        send(client, "after")
    end(server)
    assert len(transactions(reader.objects())) == 3


def test_a_full_pipe_holds_nobody_back_and_losses_are_told(
        site, start, small_pipe):
    server = start(text_of(site), stdout=small_pipe.writing)
    small_pipe.close_writing()
    sent = 40
    with bob(site) as client:
        started = time.monotonic()
        for i in range(sent):
            send(client, f"unread-{i}", 30)
        took = time.monotonic() - started
        wait_for(lambda: "standard output can't be written" in server.stderr(),
                 "a word about it")
        reader = Reader(small_pipe.reading)
        wait_for(lambda: lost_told(reader), "a line about losses")
        send(client, "read again")
    end(server)
    found = reader.objects()
    whole = len(transactions(found))
    assert lost_of(found) > 0, "the pipe was never full"
    assert whole + lost_of(found) > sent
    assert transactions(found)[-1]["verdict"] == "accept"
    assert took < 60, "each mail waited for the reader"
    assert "standard output is written again" in server.stderr()


def lost_told(reader):
    return b'"lost":' in reader.octets


def passes(dialogue, name):
    """Whether a mail goes through; else it was deferred for the log."""
    reply = dialogue.say("MAIL FROM:<bob@example.com>")
    if reply.code == 250:
        dialogue.expect(250, "RCPT TO:<r0@example.net>")
        reply = dialogue.message(make_message(
            "bob@example.com", "r0@example.net", name))
    if reply.code == 250:
        return True
    assert reply.code == 451, reply
    assert "Decisions can't be logged now" in reply.text
    return False


def test_a_strict_log_lets_no_mail_through_without_its_line(
        site, start, small_pipe):
    web = Web(site)
    http = f'http: {{address: "127.0.0.1:{web.port}"}}\n'
    server = start(text_of(site, ", strict: true", http),
                   stdout=small_pipe.writing)
    web.wait(server)
    small_pipe.close_writing()
    passed = 0
    with bob(site) as client:
        while passes(client, f"mail {passed}"):
            passed += 1
            assert passed < 10000
        assert not passes(client, "deferred")
        client.expect(221, "QUIT")
    wait_for(lambda: "can't be written, new mail is deferred (log.strict)"
             in server.stderr(), "a word about it")
    answer = web.get("/readyz")
    assert answer.status == 503 and b"decisions can't be logged" in answer.body
    reader = Reader(small_pipe.reading)
    wait_for(lambda: "is written again" in server.stderr(), "the log's return")
    with bob(site) as client:
        assert passes(client, "mail again")
    assert web.get("/readyz").status == 200
    end(server)
    found = reader.objects()
    accepted = [one for one in transactions(found)
                if one["verdict"] == "accept"]
    assert len(accepted) == passed + 1
    assert lost_of(found) == 0
    sessions = [one for one in found if one["event"] == "session"]
    assert [one.get("caps") for one in sessions] == [["log.strict"], None]


def test_a_stop_does_not_wait_for_a_reader(site, start, small_pipe):
    server = start(text_of(site), stdout=small_pipe.writing)
    with bob(site) as client:
        for i in range(20):
            send(client, f"unread-{i}", 30)
    started = time.monotonic()
    end(server)
    assert time.monotonic() - started < 15


def test_a_reader_that_goes_away_harms_nobody(site, start, pipe):
    server = start(text_of(site), stdout=pipe.writing)
    pipe.close_writing()
    os.close(pipe.reading)
    with bob(site) as client:
        for i in range(5):
            send(client, f"to nobody {i}")
        wait_for(lambda: "standard output can't be written, decisions are "
                 "lost: Broken pipe" in server.stderr(), "a word about it")
        order(server, "reload")
        send(client, "still")
    assert server.stderr().count("can't be written") == 1
    end(server)


@pytest.mark.parametrize("is_read", [True, False])
def test_a_terminal_gets_colours_and_holds_nobody_back(site, start, is_read):
    ours, theirs = pty.openpty()
    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
    server = start(text_of(site, ", format: text"), stdout=theirs,
                   environment={"TERM": "xterm", "NO_COLOR": ""})
    reader = Reader(ours, is_read)
    with bob(site) as client:
        for i in range(3 if is_read else 60):
            send(client, f"shown-{i}", 10)
    # What a shell shares with it is as it was.
    assert fcntl.fcntl(theirs, fcntl.F_GETFL) == flags
    if is_read:
        wait_for(lambda: reader.octets.count(b" accept") == 3, "three lines")
        assert ESCAPE.encode() + b"[32m accept" in reader.octets
    end(server)
    os.close(theirs)
    os.close(ours)


def test_a_socket_gets_lines_and_holds_nobody_back(site, start):
    """As systemd gives one, whose other end is the journal."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = start(text_of(site), stdout=theirs)
    theirs.close()
    with bob(site) as client:
        for i in range(20):
            send(client, f"unread-{i}", 30)
        wait_for(lambda: "can't be written" in server.stderr(), "fullness")
        reader = Reader(ours.fileno())
        wait_for(lambda: lost_told(reader), "a line about losses")
    end(server)
    found = reader.objects()
    assert len(transactions(found)) + lost_of(found) >= 20
    ours.close()


def test_one_full_pipe_for_both_stops_nobody(site, start, small_pipe):
    """As `postern run 2>&1 | less`: the word about lost lines can't be said
    either."""
    small_pipe.fill()
    server = start(text_of(site), stdout=small_pipe.writing,
                   stderr=small_pipe.writing)
    small_pipe.close_writing()
    with bob(site) as client:
        for i in range(20):
            send(client, f"unread-{i}", 30)
        time_out = time.monotonic() + 3
        while time.monotonic() < time_out:  # some seconds of refused lines
            send(client, "unread")
    order(server, "status")
    end(server)


def test_nowhere_and_closed(site, start):
    nowhere = os.open("/dev/null", os.O_WRONLY)
    server = start(text_of(site), stdout=nowhere)
    os.close(nowhere)
    with bob(site) as client:
        send(client, "to nowhere", MANY)
    end(server)
    assert "can't be written" not in server.stderr()


def test_a_closed_descriptor_is_no_other_file(site, start):
    server = start(text_of(site), closes_stdout=True)
    for process in (server.process.pid, server.worker_pid):
        assert os.readlink(f"/proc/{process}/fd/1") == "/dev/null"
    with bob(site) as client:
        send(client, "to nowhere", MANY)
        order(server, "reload")
        send(client, "to nowhere")
    end(server)


def test_a_file_that_the_shell_opened(site, start):
    """`>FILE 2>&1`: both write at the same end of it."""
    server = start(text_of(site), stdout=None)
    with bob(site) as client:
        send(client, "to the file", MANY)
    end(server)
    lines = server.stderr().splitlines()
    [line] = [line for line in lines if '"event":"transaction"' in line]
    assert len(json.loads(line)["rcpt"]) == MANY
    assert any("listening" in line for line in lines)


def test_a_format_without_stdout_is_an_error(site):
    config = site.folder / "wrong.yaml"
    config.write_text(site.head(site.to_maildir()).replace(
        f'decisions: "{site.log}"', f'decisions: "{site.log}", format: text'))
    done = run_once("check", config)
    assert done.returncode == 78
    assert "log.format is for `decisions: stdout`" in done.stderr + done.stdout


def test_commands_that_read_the_log_say_what_to_do(site):
    config = site.folder / "stdout.yaml"
    config.write_text(text_of(site))
    done = run_once("tail", "-c", config)
    assert done.returncode == 78 and "name a file, or - for" in done.stderr
    done = run_once("explain", "7QK3M9T2XA01", "-c", config)
    assert done.returncode == 2 and "give --log FILE" in done.stderr
