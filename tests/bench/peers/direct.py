"""No endpoint at all: the client straight to the sink, which ends TLS itself
and takes any login. What the others cost is on top of this."""

from .endpoint import Endpoint


class Direct(Endpoint):
    TITLE = "direct"
    CHECKS_PASSWORDS = False

    def __init__(self, site, sink):
        self.port = site.sink_tls_port
        self.sink = sink

    def start(self):
        pass

    def stop(self):
        pass

    def pids(self):
        return [self.sink.process.pid]

    def version(self):
        return "the sink"
