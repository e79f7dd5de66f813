"""A real redis-server from build/peers, that can be stopped, paused, emptied
and started again."""

import signal
import subprocess

import places
import ports
from waiting import wait_for


class Redis:
    """Use it with `with`. `is_kept`: what it has told is on disk; else one that
    was stopped is empty when it is started again."""

    def __init__(self, folder, password=None, is_local=False, is_kept=False):
        tree = places.peer("redis-server")
        self.programs = tree / "usr/bin"
        libraries = [str(path) for path in tree.glob("usr/lib/*-gnu")]
        self.environment = {"LD_LIBRARY_PATH": ":".join(libraries)}
        self.folder = folder
        self.port = ports.free_port()
        self.socket = folder / "redis.sock"
        self.url = (f"redis+unix://{self.socket}" if is_local
                    else f"redis://127.0.0.1:{self.port}/0")
        self.password = password
        self.is_kept = is_kept
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        words = ["--bind", "127.0.0.1", "--port", str(self.port),
                 "--unixsocket", str(self.socket), "--save", "",
                 "--appendonly", "yes" if self.is_kept else "no",
                 "--appendfsync", "always", "--dir", str(self.folder)]
        if self.password:
            words += ["--requirepass", self.password]
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "redis-server", *words], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        wait_for(self.answers, "an answer of the redis-server")

    def answers(self):
        try:
            return self.say("PING") == "PONG"
        except AssertionError:
            return False

    def stop(self):
        """At once, as when it fails."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(10)

    def pause(self):
        """It keeps its connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def say(self, *words):
        """One command by redis-cli; what it answered."""
        password = ["--no-auth-warning", "-a", self.password] \
            if self.password else []
        done = subprocess.run(
            [self.programs / "redis-cli", "-p", str(self.port), *password,
             *words], capture_output=True, text=True, timeout=10,
            env=self.environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()
