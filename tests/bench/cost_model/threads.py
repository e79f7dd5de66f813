"""What the threads of a process have had of the processor, by the kernel's
accounts. One that has ended is no longer counted: none does under a load."""

import pathlib
import re

SWITCHES = re.compile(r"^(non)?voluntary_ctxt_switches:\s*(\d+)$", re.M)


def threads(pid):
    """By id: nanoseconds, times it had to wait, times it was put off."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        switches = {kind or "own": int(count) for kind, count in
                    SWITCHES.findall((task / "status").read_text(
                        encoding="ascii"))}
        spent = (task / "schedstat").read_text(encoding="ascii").split()[0]
        found[task.name] = int(spent), switches["own"], switches["non"]
    return found


class Threads:
    """What they had since it was made."""

    def __init__(self, pid):
        self.pid = pid
        self.before = threads(pid)

    def spent(self):
        """By thread, the busiest first, the same three figures."""
        spent = {thread: tuple(now - then for now, then in zip(
                     figures, self.before.get(thread, (0, 0, 0))))
                 for thread, figures in threads(self.pid).items()}
        return dict(sorted(spent.items(), key=lambda one: one[1],
                           reverse=True))
