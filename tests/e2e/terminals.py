"""A command in a terminal that a test looks at: a pty, and pyte as what draws
its screen."""

import fcntl
import html
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import pyte

import places
from server import ENVIRONMENT, FAULT
from waiting import wait_for

# What a screen may be told; names of others must not add to it.
HARMLESS = re.compile(
    rb"\x1b\[(?:H|K|J|2J|\?1049[hl]|\?25[hl]|\?7[hl]|0m|1m|1;31m)")

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {margin: 0; background: #16181d}
pre {margin: 14px; color: #d8dade; font: 15px/19px "DejaVu Sans Mono"}
.bold {font-weight: bold; color: #fff} .red {color: #ff6b5e}
</style><pre>"""


class Terminal:
    def __init__(self, *words, columns=100, lines=40, symbols=True,
                 **environment):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.octets = b""
        self.lock = threading.Lock()
        self.master, worker = pty.openpty()
        self.size(columns, lines)
        self.attributes = termios.tcgetattr(worker)
        self.process = subprocess.Popen(
            [places.program(), *map(str, words)], stdin=worker, stdout=worker,
            stderr=worker, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, **ENVIRONMENT, "TERM": "xterm",
                 "LC_ALL": "C.UTF-8" if symbols else "C", **environment})
        self.worker = worker
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self.worker)
        self.reader.join(10)
        os.close(self.master)
        assert not FAULT.search(self.octets.decode("utf-8", "replace"))

    def read(self):
        while True:
            try:
                octets = os.read(self.master, 65536)
            except OSError:
                return
            with self.lock:
                self.octets += octets
                self.stream.feed(octets)

    def size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        with self.lock:
            self.screen.resize(lines, columns)
            self.screen.reset()
        self.size(columns, lines)

    def keys(self, text):
        os.write(self.master, text.encode())

    def signal(self, number):
        self.process.send_signal(number)

    def lines(self):
        with self.lock:
            return [line.rstrip() for line in self.screen.display]

    def html(self):
        """The screen as a page, for a picture of it."""
        with self.lock:
            lines = ["".join(
                f'<span class="{"bold" if cell.bold else ""} {cell.fg}">'
                f"{html.escape(cell.data)}</span>"
                for _, cell in sorted(self.screen.buffer[y].items()))
                for y in range(self.screen.lines)]
        return PAGE + "\n".join(lines) + "</pre>"

    def text(self):
        return "\n".join(self.lines())

    def wait(self, holds, what):
        """Until the screen is such; its text."""
        try:
            wait_for(lambda: holds(self.text()), what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None
        return self.text()

    def wait_text(self, text):
        return self.wait(lambda seen: text in seen, f"{text!r} on the screen")

    def wait_end(self):
        return self.process.wait(20)

    def is_restored(self):
        """As it was before the command: modes, cursor, screen, wrapping."""
        end = self.octets[-200:]
        return (termios.tcgetattr(self.worker) == self.attributes
                and end.rfind(b"\x1b[?1049l") > end.rfind(b"\x1b[?1049h")
                and end.rfind(b"\x1b[?25h") > end.rfind(b"\x1b[?25l")
                and end.rfind(b"\x1b[?7h") > end.rfind(b"\x1b[?7l"))

    def strange_octets(self):
        """Controls that the command should not send."""
        return re.findall(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]",
                          HARMLESS.sub(b"", self.octets))

    def is_stopped(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"


STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
