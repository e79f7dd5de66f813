"""Postern under each tool in turn, with the same load: a model of what one
message costs."""

import pathlib
import signal
import subprocess
import time

from cost_model.copies import Copies
from cost_model.instructions import profile_of
from cost_model.system_calls import SystemCalls
from cost_model.warm import (
    STOP_SECONDS, VALGRIND, ToolFault, Warm, written)


class Measured(Warm):
    """Each of its methods measures one thing, from a fresh start."""

    def __init__(self, site, load, sources):
        super().__init__(site, load)
        self.sources = sources

    def processor(self):
        """Seconds in user space and in the kernel, with no tool."""
        with self.running() as (sink, postern):
            before = processor_seconds(postern.worker_pid())
            self.send(sink, postern, self.load.native)
            after = processor_seconds(postern.worker_pid())
        return [now - then for then, now in zip(before, after)]

    def system_calls(self):
        """Attached when all is warm, let go when the load is through."""
        path = self.folder / "strace"
        with self.running() as (sink, postern):
            tracer = subprocess.Popen(
                ["strace", "-f", "-yy", "-s", "0", "-o", path, "-p",
                 str(postern.worker_pid())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            try:
                said = tracer.stderr.readline()
                if "attached" not in said:
                    raise ToolFault(f"strace can't attach: {said.strip()}")
                self.send(sink, postern, self.load.messages)
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.communicate(timeout=STOP_SECONDS)
        return SystemCalls(path, postern.port, self.site.sink_port)

    def instructions(self):
        return profile_of(self)

    def copies(self):
        """What is copied at the start and to warm up is taken off."""
        nothing, copied = (self.copied_with(messages) for messages
                           in (0, self.load.messages))
        copied.subtract(nothing)
        return copied

    def copied_with(self, messages):
        path = self.folder / f"dhat-{time.monotonic_ns()}"
        with self.running(*VALGRIND, "--tool=dhat", "--mode=copy",
                          f"--dhat-out-file={path}.%p") as (sink, postern):
            if messages > 0:
                self.send(sink, postern, messages)
        return Copies(written(path, postern), self.sources).octets


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(
        encoding="ascii").rpartition(")")[2].split()
    return [int(ticks) / 100 for ticks in fields[11:13]]
