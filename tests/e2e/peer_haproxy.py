"""A real HAProxy in front of Postern, or behind it, from build/peers."""

import subprocess

import places
import ports

CONFIG = """\
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
"""

LISTEN = """\
listen {name}
    bind {host}:{front} {bind}
    server postern 127.0.0.1:{back} {how}
"""


# One port for several: who does not answer gets no more connections.
BALANCE = """\
listen balance{front}
    bind {host}:{front}
    balance roundrobin
    option redispatch
    default-server inter 200ms fall 1 rise 1
"""
BALANCED = """\
    server postern{back} 127.0.0.1:{back} {how} check check-send-proxy
"""


class Haproxy:
    """Use it with `with`. `ways` are (port of Postern, how) pairs, such as
    (site.starttls, "send-proxy-v2"); `fronts` the ports to connect to, which
    take a PROXY header where `bind` is "accept-proxy". A way may have several
    ports, and then its connections go round. `text` is a whole configuration
    instead, which has `fronts`."""

    def __init__(self, folder, ways, host="127.0.0.1", bind="", text=None,
                 fronts=None):
        tree = places.peer("haproxy")
        self.host = host
        self.fronts = fronts or [ports.free_port() for _ in ways]
        self.config = folder / "haproxy.cfg"
        self.config.write_text(text or CONFIG + "".join(
            self.way(front, back, how, bind)
            for front, (back, how) in zip(self.fronts, ways)))
        libraries = ":".join(str(path) for path in tree.glob("usr/lib/*-gnu"))
        self.command = [tree / "usr/sbin/haproxy", "-db", "-f", self.config]
        self.environment = {"LD_LIBRARY_PATH": libraries}
        self.stderr = folder / "haproxy.log"
        self.process = None

    def way(self, front, back, how, bind):
        if isinstance(back, int):
            return LISTEN.format(name=f"way{front}", host=self.host,
                                 front=front, back=back, how=how, bind=bind)
        return (BALANCE.format(host=self.host, front=front)
                + "".join(BALANCED.format(back=one, how=how) for one in back))

    def __enter__(self):
        with open(self.stderr, "wb") as stderr:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=stderr,
                stderr=stderr, stdin=subprocess.DEVNULL)
        assert ports.wait_listening(
            self.fronts, lambda: self.process.poll() is None), \
            self.stderr.read_text()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
