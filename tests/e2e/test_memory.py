"""What a session holds does not grow with the message."""

import struct
import threading
import time

import places
from dialogue import logged_in
from messages import body_hash, make_large_message
from peer_raw import RawUpstream, Script
from users import PASSWORDS

ATTACHMENT = 25 << 20
MOST_GROWTH = 1 << 20


class Meter:
    """Reads tests/support/malloc_meter.c's counters of a process."""

    def __init__(self, path):
        self.path = path

    def read(self):
        live, peak, _ = struct.unpack("3q", self.path.read_bytes())
        return live, peak

    def restart_peak(self):
        """What is live now becomes the most there was."""
        live, _ = self.read()
        with open(self.path, "r+b") as file:
            file.seek(8)
            file.write(struct.pack("q", live))
        return live


class SlowReading(Script):
    """Takes about 6 MiB a second, and holds the client to that."""

    def __call__(self, wire):
        fill = wire.fill

        def slow_fill():
            if len(wire.buffer) > 4096:
                time.sleep(0.01)
            fill()
        wire.fill = slow_fill
        super().__call__(wire)


def send_large(dialogue, message):
    dialogue.expect(250, f"MAIL FROM:<bob@example.com> SIZE={len(message)}")
    dialogue.expect(250, "RCPT TO:<a@example.net>")
    return dialogue.message(message)


def test_a_large_mail_to_a_slow_upstream_takes_no_memory(
        site, start, malloc_meter):
    script = SlowReading()
    message = make_large_message(
        "bob@example.com", "a@example.net", "large", ATTACHMENT)
    assert len(message) >= ATTACHMENT
    with RawUpstream(script, receive_buffer=65536) as upstream:
        server = start(
            site.head(site.to_port(upstream.port)),
            binary=places.release_program(),
            environment={"LD_PRELOAD": str(malloc_meter),
                         "POSTERN_MALLOC_METER": str(site.folder / "meter")})
        meter = Meter(site.folder / f"meter.{server.worker_pid}")
        with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
            # A first mail opens what stays open: the pool, the log's buffers.
            assert send_large(dialogue, message[:100_000].rpartition(
                b"\r\n")[0] + b"\r\n").code == 250
            before = meter.restart_peak()
            started = time.monotonic()
            reply = send_large(dialogue, message)
            took = time.monotonic() - started
            assert reply.code == 250, reply
            _, peak = meter.read()
    assert body_hash(script.contents[-1]) == body_hash(message)
    assert took > 2, f"the upstream was not slow: {took} s"
    assert peak - before < MOST_GROWTH, f"grew by {peak - before} octets"
    [_, line] = server.log.wait_transactions(2)
    assert line["message"]["bytes"] >= ATTACHMENT


def test_the_meter_sees_what_a_process_holds(malloc_meter, tmp_path):
    """It can fail: a process that keeps the octets shows them."""
    import os
    import subprocess
    script = "import sys; x = bytearray(3 << 20); input()"
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", script], stdin=subprocess.PIPE,
        env={**os.environ, "LD_PRELOAD": str(malloc_meter),
             "POSTERN_MALLOC_METER": str(tmp_path / "meter")})
    try:
        meter = Meter(tmp_path / f"meter.{process.pid}")
        done = threading.Event()
        for _ in range(500):
            if meter.path.exists() and meter.path.stat().st_size and \
                    meter.read()[0] > 3 << 20:
                break
            done.wait(0.02)
        live, peak = meter.read()
        assert 3 << 20 < live <= peak
    finally:
        process.communicate(b"\n", timeout=10)
