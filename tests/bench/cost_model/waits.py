"""Where threads wait for one another: the futexes that the kernel was asked
about. A lock that is free, and one that is given back with nobody waiting, ask
it nothing."""

import collections
import re

LOCK = "waits of a worker for a lock"
OTHERS_LOCK = "waits of another thread for a lock"
WORK = "waits for work"
WAKES = "wakes"
BEGUN = re.compile(r"(\d+) +futex\((.*)")
# A mutex that is taken has its word say that others wait; they wait for that
# word, and for no time. A condition waits for a set of bits.
FOR_A_LOCK = re.compile(r"FUTEX_WAIT_PRIVATE, 2, NULL")


def kind_of(line, workers):
    """None: no call's beginning."""
    found = BEGUN.match(line)
    if not found:
        return None
    thread, about = found.groups()
    if FOR_A_LOCK.search(about):
        return LOCK if thread in workers else OTHERS_LOCK
    return WORK if "FUTEX_WAIT" in about else WAKES


def waits(lines, workers):
    """By kind, from what strace wrote; workers: ids of their threads."""
    kinds = collections.Counter(kind_of(line, workers) for line in lines)
    del kinds[None]
    return kinds
