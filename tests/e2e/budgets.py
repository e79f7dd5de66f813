"""The file in which budgets survive."""

import time

from waiting import wait_for


def wait_written(site, server, above=0):
    """Until the file is larger than that, and has been still for longer than
    changes are collected."""
    sizes = [(-1, 0.0)]

    def is_still():
        assert server.is_alive(), server.stderr()
        size = site.state.stat().st_size
        if size != sizes[-1][0]:
            sizes.append((size, time.monotonic()))
        return size > above and time.monotonic() - sizes[-1][1] > 1

    wait_for(is_still, "a state that is written")
