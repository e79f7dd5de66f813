"""Free ports, and when a server listens on one."""

import pathlib
import random
import socket
import time

# Below those that Linux gives to outgoing connections, so that none of them
# takes a port between its being found and its being used.
PORTS = range(15000, 32000)

given = set()


def is_free(port):
    try:
        with socket.socket() as four, \
                socket.socket(socket.AF_INET6) as six:
            four.bind(("127.0.0.1", port))
            six.bind(("::1", port))
    except OSError:
        return False
    return True


def free_port():
    """A port that nobody uses on 127.0.0.1 nor ::1, nor was given before."""
    while True:
        port = random.choice(PORTS)
        if port not in given and is_free(port):
            given.add(port)
            return port


def listening_ports():
    """Asked of the kernel: connecting would show in the server's log."""
    ports = set()
    for name in ("tcp", "tcp6"):
        for line in pathlib.Path("/proc/net", name).read_text(
                encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def wait_listening(ports, is_alive, seconds=30):
    """Returns whether all of them listen before the time is up or the server
    is gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if set(ports) <= listening_ports():
            return True
        if not is_alive():
            return False
        time.sleep(0.02)
    return False
