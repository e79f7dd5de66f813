"""tests/bench/cost and tests/bench/cores: that they read right what tools
wrote. What the figures are is no test."""

import collections
import json
import subprocess
import sys

import places

BENCH = places.ROOT / "tests" / "bench"
sys.path.append(str(BENCH))
from cost_model import rooms, system_calls, tables, waits  # noqa: E402
from cost_model.callgrind import Profile  # noqa: E402
from cost_model.copies import ELSEWHERE, Copies  # noqa: E402

ROOT = "/tree"
PROFILE = """\
events: Ir

ob=/tree/postern
fl=/tree/proxy/session/session.c
fn=on_bytes.lto_priv.0
10 100
fi=/tree/proxy/log/json_line.c
20 30
cob=/lib/libc.so.6
cfi=./string/memmove.S
cfn=memcpy
calls=3 1
20 60
fe=/tree/proxy/session/session.c
cfi=/tree/rules/base/arena.c
cfn=arena_alloc
calls=2 7
11 540

fl=/tree/rules/base/arena.c
fn=arena_alloc
7 48
cob=/lib/libc.so.6
cfi=./malloc/./malloc/malloc.c
cfn=malloc
calls=1 1
8 700

fl=/tree/proxy/net/stream.c
fn=stream_turn
5 10
cfi=/tree/rules/base/arena.c
cfn=arena_alloc
calls=1 7
6 180

ob=/lib/libc.so.6
fl=./malloc/./malloc/malloc.c
fn=malloc
1 700

fl=./string/memmove.S
fn=memcpy
1 60

fl=./nptl/nobody.c
fn=start_thread
1 5
"""


def profile(tmp_path):
    (tmp_path / "profile").write_text(PROFILE, encoding="utf-8")
    return Profile(tmp_path / "profile")


def test_instructions_go_to_the_room_that_they_serve(tmp_path):
    read = profile(tmp_path)
    costs = rooms.Rooms(read, ROOT).costs()
    assert read.total() == 100 + 30 + 48 + 10 + 700 + 60 + 5
    assert {room: round(cost) for room, cost in costs.items()} == {
        rooms.CLIENT: 100 + 36, rooms.STREAMS: 10 + 12, rooms.LOG: 30 + 60,
        rooms.MEMORY: 700, rooms.REST: 5}


def test_calls_are_counted_by_the_file_that_they_are_in(tmp_path):
    assert profile(tmp_path).calls_of("memcpy") == {
        ("/tree/proxy/log/json_line.c", "/tree/postern"): 3}
    assert profile(tmp_path).named("on_bytes")


CLIENT = "9<TCP:[127.0.0.1:15001->127.0.0.1:40000]>"
UPSTREAM = "10<TCP:[127.0.0.1:40001->127.0.0.1:15002]>"
CALLS = f"""\
7 accept4(5<TCP:[127.0.0.1:15001]>, NULL, NULL, SOCK_CLOEXEC) = {CLIENT}
7 read({CLIENT}, ""..., 65536) = 40
7 read({CLIENT}, 0x1, 65536) = -1 EAGAIN (Resource temporarily unavailable)
8 write(3</site/decisions.jsonl>, ""..., 50 <unfinished ...>
7 writev({UPSTREAM}, [{{iov_base=""..., iov_len=3}}], 1) = 3
8 <... write resumed>) = 50
7 epoll_wait(4<anon_inode:[eventpoll]>, [], 1024, 5) = 0
7 --- SIGTERM {{si_signo=SIGTERM}} ---
7 +++ exited with 0 +++
"""


def test_system_calls_go_to_the_side_that_they_serve(tmp_path):
    path = tmp_path / "strace"
    path.write_text(CALLS, encoding="utf-8")
    read = system_calls.SystemCalls(path, 15001, 15002)
    client, upstream = system_calls.CLIENT, system_calls.UPSTREAM
    assert read.counts == {
        (client, "accept4"): 1, (client, "read"): 2, (upstream, "writev"): 1,
        (system_calls.LOG, "write"): 1, (system_calls.OTHER, "epoll_wait"): 1}
    assert read.nothing == {(client, "read"): 1}
    assert read.octets == {(client, "read"): 40, (upstream, "written"): 3,
                           (system_calls.LOG, "written"): 50}


def test_copies_go_to_the_file_that_wants_them(tmp_path):
    path = tmp_path / "copies"
    path.write_text(json.dumps({
        "ftbl": ["[root]", "0x1: memcpy (in /lib/dhat.so)",
                 "0x2: SSL_read (in /lib/libssl.so.0)",
                 "0x3: arena_str (arena.c:3)", "0x4: on_read (stream.c:12)"],
        "pps": [{"tb": 5, "fs": [1, 4]}, {"tb": 7, "fs": [1, 2, 4]},
                {"tb": 1, "fs": [1, 3, 4]}, {"tb": 2, "fs": [1, 2]}],
    }), encoding="utf-8")
    copies = Copies(path, {"stream.c": "net/stream.c"})
    assert copies.octets == {"net/stream.c": 6, "net/stream.c, SSL_read": 7,
                             ELSEWHERE: 2}


def test_a_wait_for_a_lock_is_none_for_work():
    lines = ["7 futex(0x1, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>",
             "7 <... futex resumed>) = 0",
             "8 futex(0x1, FUTEX_WAIT_PRIVATE, 2, NULL) = 0",
             "8 futex(0x1, FUTEX_WAIT_BITSET_PRIVATE, 0, {tv_sec=1}, "
             "FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT",
             "7 futex(0x2, FUTEX_WAIT_PRIVATE, 2, NULL) = 0",
             "7 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1",
             "7 +++ exited with 0 +++"]
    assert waits.waits(lines, ["7"]) == {
        waits.LOCK: 2, waits.OTHERS_LOCK: 1, waits.WORK: 1, waits.WAKES: 1}


def test_rows_that_are_left_out_are_summed_up():
    counters = [collections.Counter(a=9, b=1, c=1), collections.Counter(a=2)]
    assert list(tables.with_others(
        counters, lambda values: max(values) > 1, "others")) == [
            ("a", [9, 2]), ("others", [2, 0])]


def test_a_missing_tool_is_named():
    for bench in ("cost", "cores"):
        done = subprocess.run(
            ["/usr/bin/python3", BENCH / bench, "--build", places.ROOT],
            env={"PATH": "/nowhere"}, capture_output=True, text=True,
            timeout=60, check=False)
        assert done.returncode == 1
        assert done.stderr == (f"{bench}: not installed: strace, valgrind "
                               "(contrib/setup --tests does that)\n")
