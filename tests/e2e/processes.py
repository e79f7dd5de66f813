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
