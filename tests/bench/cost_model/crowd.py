"""Postern with more workers than one: what they get done, and what they take
from one another."""

import collections
import subprocess
import time

from cost_model.instructions import profile_of
from cost_model.threads import Threads
from cost_model.waits import waits
from cost_model.warm import STOP_SECONDS, ToolFault, Warm

LOCKS = ["pthread_mutex_lock", "pthread_rwlock_rdlock",
         "pthread_rwlock_wrlock"]


class Crowd(Warm):
    def run(self):
        """With no tool; the figures of one message."""
        with self.running() as (sink, postern):
            threads = Threads(postern.worker_pid())
            sent = self.send(sink, postern, self.load.native)
            spent = list(threads.spent().values())
        sums = [sum(figures) for figures in zip(*spent)]
        return {"rate": sent["msgs_per_s"],
                "processor_us": sums[0] / 1000 / self.load.native,
                "waits": sums[1] / self.load.native,
                "put_off": sums[2] / self.load.native,
                "busiest": 100 * spent[0][0] / sums[0]}

    def waits(self):
        """strace is told of futexes alone; all else goes at full speed."""
        path = self.folder / "futexes"
        with self.running("strace", "-D", "-f", "--seccomp-bpf", "-o", path,
                          "-e", "trace=futex") as (sink, postern):
            begin = path.stat().st_size
            threads = Threads(postern.worker_pid())
            self.send(sink, postern, self.load.native)
            workers = list(threads.spent())[:self.workers]
            end = path.stat().st_size
        await_end(path)
        with open(path, "rb") as file:
            file.seek(begin)
            lines = file.read(end - begin).decode("ascii", "replace")
        return waits(lines.splitlines(), workers)

    def locks(self):
        """How many are taken, by the file that does."""
        profile = profile_of(self)
        counts = collections.Counter()
        for name in LOCKS:
            for (file, binary), count in profile.calls_of(name).items():
                counts[file if "/" in file else binary, name] += count
        return counts


def await_end(path):
    """strace, which is no child, writes on for a moment."""
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        tail = subprocess.run(["tail", "-n", "1", path], check=True,
                              capture_output=True, text=True).stdout
        if "+++" in tail:
            return
        time.sleep(0.05)
    raise ToolFault("strace does not end")
