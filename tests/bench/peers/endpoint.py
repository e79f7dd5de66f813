"""What all endpoints of a comparison have in common."""

import pathlib
import re
import subprocess


class Endpoint:
    """Something that takes mail on `port` and passes it on to the sink. Each
    kind knows how to `start` and `stop` itself, and its `version`."""

    TITLE = ""
    PACKAGES = []  # what fetch-peer is asked for, one list a peer
    AUTH = "plain"
    CHECKS_PASSWORDS = True
    # How many connections a session takes, of those a process may have.
    CONNECTIONS_A_SESSION = 1
    # As many idle sessions as are opened at most.
    MOST_SESSIONS = None

    def pids(self):
        """Those of its processes that started all others."""
        return [self.process.pid]

    def most_sessions(self, site):
        """So that a tenth of its descriptors is left for other things."""
        return self.MOST_SESSIONS or \
            site.descriptors * 9 // 10 // self.CONNECTIONS_A_SESSION

    def asked(self, *command, libraries=""):
        """What a program of the peer's says when it is asked."""
        environment = self.environment()
        environment["LD_LIBRARY_PATH"] += f":{libraries}"
        done = subprocess.run(command, env=environment, check=True,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT)
        return done.stdout.strip()

    def tls(self):
        """The library in the peer's tree, or else the system's."""
        for root in (self.root, pathlib.Path("/")):
            for library in root.glob("usr/lib/*-linux-gnu/libcrypto.so.3"):
                found = re.search(rb"OpenSSL (\d+\.\d+\.\d+) \d",
                                  library.read_bytes())
                if found:
                    return f"OpenSSL {found[1].decode()}"
        return "an unknown TLS library"
