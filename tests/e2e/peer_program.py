"""A server program from build/peers, as the tester: libraries that are
preloaded let it believe that it starts as root (tests/support/single_user.c).
It and all its processes end together."""

import os
import pathlib
import signal
import subprocess

import places
import ports


class PeerProgram:
    """What it writes lies in its folder. Each kind says how it is started
    and which files are its log."""

    PACKAGE = None
    PRELOADED = ["single_user"]
    LOGS = ["stderr"]

    def __init__(self, folder):
        self.folder = folder
        self.root = places.peer(self.PACKAGE)
        self.port = ports.free_port()
        self.process = None

    def environment(self):
        libraries = [*self.root.glob("usr/lib/*-linux-gnu"),
                     *self.root.glob("lib/*-linux-gnu")]
        preloaded = [places.preload_library(name, self.folder)
                     for name in self.PRELOADED]
        return {"PATH": os.environ["PATH"], "LANG": "C",
                "PEER_ROOT": str(self.folder / "root"),
                "LD_PRELOAD": ":".join(map(str, preloaded)),
                "LD_LIBRARY_PATH": ":".join(map(str, libraries))}

    def run(self, command, environment):
        with open(self.folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL,
                stdout=stderr, stderr=stderr, start_new_session=True)
        ready = ports.wait_listening(
            [self.port], lambda: self.process.poll() is None)
        assert ready, self.log()

    def holds_files(self, *folders):
        """Asked in that order, so of a queue the first stage first. What
        goes away meanwhile is no error."""
        return any(files for folder in folders
                   for _, _, files in os.walk(self.folder / folder))

    def log(self):
        """What it said, for a test that fails."""
        return "".join(
            pathlib.Path(self.folder, name).read_text(
                encoding="utf-8", errors="replace")
            for name in self.LOGS if (self.folder / name).exists())

    def stop(self):
        """The program ends its processes itself; they are one session's
        group, so none outlives it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
