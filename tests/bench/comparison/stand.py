"""The sink and all endpoints in front of it, up at once."""

import contextlib

from comparison.sink import Sink
from peers.direct import Direct
from peers.dovecot import Dovecot
from peers.haproxy import Haproxy
from peers.nginx import Nginx
from peers.postern import ColdPostern, Postern
from peers.postfix import Postfix

PEERS = {"direct": Direct, "haproxy": Haproxy, "nginx": Nginx,
         "dovecot": Dovecot, "postfix": Postfix, "postern": Postern}
# What takes a peer's place in some scenarios.
STAND_INS = {"postern-cold": ColdPostern}


class Stand:
    """Use it with `with`: whatever is up at its end is stopped."""

    def __init__(self, site, names, sink_options):
        self.site = site
        self.names = names
        self.sink = Sink(site, sink_options)
        self.endpoints = {}

    def __enter__(self):
        with contextlib.ExitStack() as stops:
            stops.callback(self.close)
            self.sink.start()
            for name in self.names:
                self.start(name)
            stops.pop_all()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.ExitStack() as stops:
            stops.callback(self.sink.stop)
            for endpoint in self.endpoints.values():
                stops.callback(endpoint.stop)

    def start(self, name):
        made = {**PEERS, **STAND_INS}[name](self.site, self.sink)
        self.endpoints[name] = made
        made.start()

    def restart(self, name):
        self.endpoints.pop(name).stop()
        self.start(name)
