"""The tools of tests/bench/load, run: the client that sends, the sink that
counts, and a relay between them that may do harm."""

import contextlib
import os
import signal
import socket
import subprocess
import threading

import places
import ports
from peer_raw import RawUpstream
from server import ENVIRONMENT, FAULT


def start_tool(name, *arguments, **options):
    return subprocess.Popen(
        [places.bench_tool(name), *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, **ENVIRONMENT}, **options)


def end_of(process, seconds=60):
    """What it said, when it has ended; sanitizers must be silent."""
    out, errors = process.communicate(timeout=seconds)
    assert not FAULT.search(errors), errors
    return out, errors


def figures(line):
    """Of "NAME=VALUE ..."."""
    return {name: float(value) for name, _, value in
            (word.partition("=") for word in line.split() if "=" in word)}


class Ended:
    """What smtpload said at its end."""

    def __init__(self, process):
        out, self.errors = end_of(process)
        self.status = process.returncode
        last = out.splitlines()[-1] if out else ""
        self.result = figures(last) if last.startswith("RESULT ") else {}


def start_load(port, *options, **how):
    return start_tool("smtpload", "--port", port, "--quiet", *options, **how)


def load(port, *options):
    return Ended(start_load(port, *options))


def load_well(port, *options):
    """Gives the figures; nothing may have gone wrong."""
    ended = load(port, *options)
    assert ended.status == 0, ended.errors
    assert ended.errors == ""
    assert [ended.result[name] for name in ("rejected", "non2xx", "errors")] \
        == [0, 0, 0]
    return ended.result


PLAIN, STARTTLS, TLS = "plain", "starttls", "tls"


class LoadSink:
    """smtpsink, for a client of that mode with any login; it verifies. Use it
    with `with`."""

    def __init__(self, certificate, *options, mode=PLAIN):
        self.mode = mode
        self.port = self.plain_port = ports.free_port()
        self.options = ["--verify", "--auth", "--port", self.plain_port,
                        "--cert", certificate.chain, "--key", certificate.key,
                        *options]
        if mode == STARTTLS:
            self.options.append("--starttls")
        if mode == TLS:
            self.port = ports.free_port()
            self.options += ["--tls-port", self.port]

    def __enter__(self):
        self.process = start_tool("smtpsink", *self.options)
        assert ports.wait_listening(
            [self.port, self.plain_port],
            lambda: self.process.poll() is None), end_of(self.process)
        return self

    def stop(self):
        """Gives what it said to the standard error."""
        self.process.send_signal(signal.SIGTERM)
        out, errors = end_of(self.process)
        assert self.process.returncode == 0, errors
        assert out.splitlines()[-1].startswith("SINK ")
        return errors

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.stop()

    def counters(self):
        with socket.create_connection(("127.0.0.1", self.plain_port),
                                      20) as wire:
            wire.sendall(b"XSTAT\r\nQUIT\r\n")
            with wire.makefile(encoding="ascii") as replies:
                return figures(replies.read().splitlines()[1])

    def judged(self):
        """How many messages were right, wrong, unmarked and doubled."""
        counters = self.counters()
        return tuple(int(counters[name])
                     for name in ("ok", "bad", "nosum", "dup"))


class Relay(RawUpstream):
    """Hands on to a port what comes, in slices of a size at most; what the
    client says goes through alter(octets). Keeps what the client wrote at a
    time, and from where."""

    def __init__(self, port, alter=lambda octets: octets, slice_size=1 << 20):
        super().__init__(self.relay)
        self.target = port
        self.alter = alter
        self.slice_size = slice_size
        self.wrote = []
        self.sources = set()

    def relay(self, wire):
        client = wire.connection
        self.sources.add(client.getpeername()[0])
        with socket.create_connection(("127.0.0.1", self.target), 60) as sink:
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self.hand_on, args=[sink, client])
            back.start()
            self.hand_on(client, sink, self.wrote)
            back.join()

    def hand_on(self, one, other, wrote=None):
        with contextlib.suppress(OSError):
            while octets := one.recv(1 << 20):
                if wrote is not None:
                    wrote.append(octets)
                    octets = self.alter(octets)
                for i in range(0, len(octets), self.slice_size):
                    other.sendall(octets[i:i + self.slice_size])
            other.shutdown(socket.SHUT_WR)
