"""What smtpload was asked to send is what smtpsink says has come, in every
shape; what did not go as it should is told."""

import ctypes
import os
import re
import resource
import signal

import pytest

from load_tools import PLAIN, STARTTLS, TLS, Ended, LoadSink, Relay, load, \
    load_well, start_load
from peer_raw import RawUpstream
from users import PASSWORDS
from waiting import wait_for

CONNECTIONS, EACH = 3, 7
MESSAGES = CONNECTIONS * EACH
COUNT = ("--conns", CONNECTIONS, "--per-conn", EACH)


@pytest.fixture(params=[PLAIN, STARTTLS, TLS])
def any_sink(certificate, request):
    with LoadSink(certificate, mode=request.param) as running:
        yield running


@pytest.fixture(params=[STARTTLS, TLS])
def secure_sink(certificate, request):
    with LoadSink(certificate, mode=request.param) as running:
        yield running


SHAPES = {
    "one_by_one": (),
    "plain_login": ("--auth", "plain", "--users", 2),
    "login_login": ("--auth", "login"),
    "pipelining": ("--pipelining", "--rcpts", 3),
    "chain": ("--chain",),
    "chunk": ("--bdat",),
    "chunk_pipelining": ("--bdat", "--pipelining", "--rcpts", 2),
    "barrier": ("--barrier", "--quickack"),
    "tiny": ("--size", 1),
    "large": ("--size", 300_000),
    "large_chain": ("--size", 300_000, "--chain"),
    "large_chunk": ("--size", 300_000, "--bdat", "--pipelining"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_is_sent_has_come(any_sink, shape):
    sink, given = any_sink, dict(zip(shape, shape[1:]))
    result = load_well(sink.port, *COUNT, "--mode", sink.mode, *shape)
    assert result["msgs"] == result["upstream_text"] == MESSAGES
    assert result["handshakes"] == (sink.mode != PLAIN) * CONNECTIONS
    assert sink.judged() == (MESSAGES, 0, 0, 0)
    counters = sink.counters()
    assert counters["msgs"] == MESSAGES
    assert counters["rcpts"] == MESSAGES * given.get("--rcpts", 1)
    assert counters["auths"] == ("--auth" in given) * CONNECTIONS
    assert counters["aborted"] == 0
    if given.get("--size") != 1:
        assert counters["bytes"] == MESSAGES * given.get("--size", 4096)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_sessions_of_tls_are_resumed_if_wanted(secure_sink, version):
    sink = secure_sink
    options = ("--mode", sink.mode, "--tls-max", version, "--conns", 2,
               "--per-conn", 1, "--total", 10)
    assert load_well(sink.port, *options)["resumed"] == 0
    result = load_well(sink.port, *options, "--resume")
    assert (result["handshakes"], result["resumed"]) == (10, 8)
    assert sink.judged() == (20, 0, 0, 0)


def test_idle_sessions_are_held(any_sink, tmp_path):
    sink, ready = any_sink, tmp_path / "ready"
    process = start_load(
        sink.port, "--mode", sink.mode, "--idle", 60, "--conns", 5, "--auth",
        "plain", "--idle-msgs", 1, "--hold", 600, "--ready-file", ready)
    wait_for(lambda: ready.exists() and ready.read_text() == "60\n",
             "the sessions")
    assert sink.counters()["open"] == 60 + 1
    process.send_signal(signal.SIGINT)
    ended = Ended(process)
    assert ended.status == 0, ended.errors
    assert ended.result["idle_ok"] == ended.result["idle_still"] == 60
    assert sink.judged() == (60, 0, 0, 0)


def test_an_idle_session_that_is_lost_is_told(certificate, tmp_path):
    ready = tmp_path / "ready"
    with LoadSink(certificate) as sink:
        process = start_load(sink.port, "--idle", 5, "--hold", 600,
                             "--ready-file", ready)
        wait_for(ready.exists, "the sessions")
    wait_for(lambda: not sessions_of(process), "the end of all sessions")
    process.send_signal(signal.SIGINT)
    ended = Ended(process)
    assert ended.status == 1
    assert ended.result["idle_ok"] == ended.result["errors"] == 5
    assert ended.result["idle_still"] == 0
    assert "5 x read: closed by the server" in ended.errors


def sessions_of(process):
    links = [os.readlink(entry.path)
             for entry in os.scandir(f"/proc/{process.pid}/fd")]
    return [link for link in links if link.startswith("socket:")]


def test_with_a_port_for_tls_logins_are_offered_there_alone(certificate):
    with LoadSink(certificate, mode=TLS) as sink:
        load_well(sink.port, "--mode", TLS, "--auth", "plain")
        assert load(sink.plain_port, "--auth", "plain").status == 1


def test_connections_come_from_many_addresses(load_sink):
    with Relay(load_sink.port) as relay:
        load_well(relay.port, "--conns", 2, "--per-conn", 1, "--total", 8,
                  "--sources", 5)
    assert relay.sources == {f"127.1.{n}.1" for n in range(5)}


def test_a_client_without_descriptors_says_so_first():
    def take_away():
        drop_from_bounding_set = sys_resource = 24
        ctypes.CDLL(None).prctl(drop_from_bounding_set, sys_resource, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    ended = Ended(start_load(1, "--idle", 100, preexec_fn=take_away))
    assert ended.status == 2
    assert "116 open files are needed, and the hard limit is 40" \
        in ended.errors


@pytest.mark.parametrize("bound, told", [
    ("--stall", "1 x stalled at: greeting"),
    ("--max-time", "1 x client: --max-time is reached")])
def test_a_server_that_says_nothing_is_given_up(bound, told):
    with RawUpstream(lambda wire: wire.fill()) as silent:
        ended = load(silent.port, bound, 0.1)
    assert ended.status == 1
    assert ended.result["errors"] == 1
    assert told in ended.errors


# What a write of the client holds, by how it was asked to write.
WRITES = {
    "one_by_one": ((), rb"MAIL FROM:<[^>]*>\r\n\Z"),
    "pipelining": (("--pipelining",),
                   rb"\AMAIL [^\r]*\r\nRCPT [^\r]*\r\nDATA\r\n\Z"),
    "chain": (("--chain",),
              rb"\r\n\.\r\nMAIL [^\r]*\r\nRCPT [^\r]*\r\nDATA\r\n\Z"),
    "chunk": (("--bdat",), rb"\ABDAT 4096 LAST\r\nFrom: "),
    "chunk_pipelining": (
        ("--bdat", "--pipelining"),
        rb"\AMAIL [^\r]* SIZE=4096\r\nRCPT [^\r]*\r\nBDAT 4096 LAST\r\nFrom"),
}


@pytest.mark.parametrize("shape", WRITES)
def test_writes_are_of_the_shape_that_was_asked_for(load_sink, shape):
    options, wanted = WRITES[shape]
    with Relay(load_sink.port) as relay:
        load_well(relay.port, "--per-conn", 3, *options)
    assert sum(bool(re.search(wanted, octets)) for octets in relay.wrote) == \
        (2 if shape == "chain" else 3), relay.wrote
    assert load_sink.judged() == (3, 0, 0, 0)


def test_what_is_not_offered_is_not_done(certificate):
    with LoadSink(certificate, "--no-chunking", "--no-pipelining") as sink:
        with Relay(sink.port) as relay:
            ended = load(relay.port, "--per-conn", 3, "--pipelining")
        assert ended.status == 0
        assert "PIPELINING is not offered" in ended.errors
        assert not any(b"\r\nRCPT" in octets for octets in relay.wrote)
        assert sink.judged() == (3, 0, 0, 0)
        ended = load(sink.port, "--bdat")
        assert ended.status == 1
        assert "CHUNKING is not offered" in ended.errors
        assert sink.judged() == (3, 0, 0, 0)


@pytest.mark.parametrize("shape", ["one_by_one", "pipelining", "chain",
                                   "chunk", "chunk_pipelining"])
def test_refused_recipients_are_told(certificate, shape):
    options = (*COUNT, "--allow-errors", *SHAPES[shape], "--rcpts", 2)
    with LoadSink(certificate, "--reject", "rcpt0@") as sink:
        ended = load(sink.port, *options)
        assert ended.status == 0
        assert ended.result["non2xx"] == ended.result["msgs"] == MESSAGES
        assert sink.counters()["rcpts"] == MESSAGES
        assert load(sink.port, *options[:4]).status == 1
    with LoadSink(certificate, "--reject", "@") as sink:
        ended = load(sink.port, *options)
        assert ended.result["rejected"] == MESSAGES
        assert ended.result["errors"] == ended.result["msgs"] == 0
        # Each recipient, and what was sent behind them unasked.
        unasked = "--pipelining" in options or "--chain" in options
        assert ended.result["non2xx"] == MESSAGES * (2 + unasked)
        assert sink.counters()["msgs"] == 0


@pytest.mark.parametrize("shape", [
    ("--total", 3, "--per-conn", 1),  # fewer connections than it waits for
    ("--total", 3),
], ids=["limited", "unlimited"])
def test_a_barrier_opens_when_all_that_come_are_there(load_sink, shape):
    assert load_well(load_sink.port, "--barrier", "--conns", 8, *shape,
                     "--max-time", 30)["msgs"] == 3
    assert load_sink.judged() == (3, 0, 0, 0)


def test_a_barrier_is_given_up_when_one_does_not_come(load_sink):
    one = iter([True])

    def serve(wire):
        if not next(one, False):
            relay.relay(wire)
    with Relay(load_sink.port) as relay, RawUpstream(serve) as door:
        ended = load(door.port, "--barrier", "--conns", 3, "--per-conn", 2)
    assert ended.status == 1
    assert ended.result["errors"] == 1
    assert ended.result["msgs"] == 0
    assert load_sink.judged() == (0, 0, 0, 0)


POSTERN = {
    "one_by_one": (),
    "pipelining": ("--pipelining", "--rcpts", 3),
    "chain": ("--chain",),
    "chunk_pipelining": ("--bdat", "--pipelining"),
    "large": ("--size", 300_000),
    "a_connection_each": ("--per-conn", 1, "--total", MESSAGES, "--resume"),
}


@pytest.mark.parametrize("mode", [STARTTLS, TLS])
def test_what_goes_through_postern_has_come(site, start, load_sink, mode):
    start(site.head(site.to_port(load_sink.port)))
    for shape in POSTERN.values():
        result = load_well(
            site.implicit if mode == TLS else site.starttls, "--mode", mode,
            "--auth", "plain", "--user", "bob", "--pass", PASSWORDS["bob"],
            "--from", "bob@example.com", *COUNT, *shape)
        assert result["msgs"] == MESSAGES
    assert load_sink.judged() == (len(POSTERN) * MESSAGES, 0, 0, 0)
