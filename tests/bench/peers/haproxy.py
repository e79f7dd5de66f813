"""HAProxy with one thread: it ends TLS and passes on what comes, with no login
and no look at it."""

from peer_program import PeerProgram

from .endpoint import Endpoint

CONFIG = """\
global
    maxconn {connections}
    nbthread 1
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 5s
    timeout client 600s
    timeout server 600s
listen all
    bind 127.0.0.1:{port} ssl crt {pem}
    server sink 127.0.0.1:{sink_port}
"""


class Haproxy(Endpoint, PeerProgram):
    TITLE = "HAProxy (no AUTH)"
    PACKAGES = [["haproxy"]]
    AUTH = "none"
    CHECKS_PASSWORDS = False
    CONNECTIONS_A_SESSION = 2
    PACKAGE = "haproxy"
    PRELOADED = []

    def __init__(self, site, _sink):
        super().__init__(site.make("haproxy"))
        self.site = site

    def start(self):
        certificate = self.site.certificate
        pem = self.folder / "both.pem"
        pem.write_text(certificate.chain.read_text(encoding="ascii")
                       + certificate.key.read_text(encoding="ascii"),
                       encoding="ascii")
        config = self.folder / "haproxy.cfg"
        config.write_text(CONFIG.format(
            port=self.port, pem=pem, sink_port=self.site.sink_port,
            connections=(self.site.descriptors - 100) // 2),
            encoding="utf-8")
        self.run([self.program(), "-db", "-f", config], self.environment())

    def program(self):
        return self.root / "usr/sbin/haproxy"

    def version(self):
        return self.asked(self.program(), "-v").split()[2] + ", " + self.tls()
