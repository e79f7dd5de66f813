"""The processes of a running Postern: its supervisor, which is the one that
was started, and the worker processes, its children."""

import pathlib


def is_worker(pid):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"worker" in words


def workers_of(supervisor):
    """Of every worker process the pid, the oldest first."""
    children = pathlib.Path(
        f"/proc/{supervisor}/task/{supervisor}/children").read_text(
            encoding="ascii")
    return [pid for pid in map(int, children.split()) if is_worker(pid)]


def has_ended(pid):
    """And let go of all that it had open: the kernel takes a process's memory,
    and with it what is_worker() reads, before its sockets and locks, which go
    with the last of its threads."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        threads = len(list(pathlib.Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX" and threads <= 1
