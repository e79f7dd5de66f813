"""A Postern that is warm, alone or under a tool, and the load that it gets."""

import contextlib
import shutil
import subprocess

from comparison import meter
from comparison.sink import Sink
from peers.postern import Postern

PACKAGES = {"strace": "strace", "valgrind": "valgrind",
            "callgrind_control": "valgrind"}
STOP_SECONDS = 120


class ToolFault(Exception):
    """A tool is missing, or did not do what it should."""


def require_tools():
    missing = sorted({package for program, package in PACKAGES.items()
                      if shutil.which(program) is None})
    if missing:
        raise ToolFault("not installed: " + ", ".join(missing)
                        + " (contrib/setup --tests does that)")


# The worker process is a child of the one that is started; each writes a file
# of its own.
VALGRIND = ["valgrind", "--trace-children=yes"]


def written(path, postern):
    """What was written of the worker process, whose number ends the name."""
    path = path.with_name(f"{path.name}.{postern.worker}")
    if not path.exists():
        raise ToolFault(f"valgrind wrote nothing: {postern.log()}")
    return path


class Traced(Postern):
    """Started by a tool, whose process becomes it."""

    def __init__(self, site, sink, tool, workers):
        super().__init__(site, sink)
        self.tool = tool
        self.worker = None
        self.WORKERS = workers

    def start(self):
        super().start()
        self.worker = self.worker_pid()

    def command(self):
        return [*self.tool, *super().command()]

    def stop(self):
        """The tool may have much to write."""
        if self.process is None or self.process.poll() is not None:
            return
        for _ in range(2):
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


class Warm:
    """One load; the folder is for what tools write."""

    def __init__(self, site, load, workers=1):
        self.site = site
        self.load = load
        self.workers = workers
        self.folder = site.make("cost")

    @contextlib.contextmanager
    def running(self, *tool):
        """Logins are known, upstreams connected, memory is there."""
        sink = Sink(self.site, ["--quickack"])
        postern = Traced(self.site, sink, tool, self.workers)
        with contextlib.ExitStack() as stops:
            sink.start()
            stops.callback(sink.stop)
            stops.callback(postern.stop)
            postern.start()
            self.send(sink, postern, self.load.warm_up)
            yield sink, postern

    def send(self, sink, postern, messages):
        """Returns what the client and the kernel say of it."""
        result = meter.run(self.site, sink, postern,
                           self.load.options(messages))
        if result.wrong:
            raise ToolFault(f"{self.load.name}: {result.wrong}")
        return result.figures
