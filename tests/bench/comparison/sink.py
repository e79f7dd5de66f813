"""What stands behind every endpoint: takes and counts all mail."""

import re
import socket
import subprocess

import ports


class Sink:
    def __init__(self, site, options):
        self.site = site
        self.options = options
        self.process = None

    def start(self):
        site = self.site
        self.process = subprocess.Popen(
            [site.load_program("smtpsink"), "--port", str(site.sink_port),
             "--tls-port", str(site.sink_tls_port), "--auth", "--quiet",
             "--cert", site.certificate.chain, "--key", site.certificate.key,
             *self.options], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, start_new_session=True)
        assert ports.wait_listening(
            [site.sink_port, site.sink_tls_port],
            lambda: self.process.poll() is None), "the sink does not start"

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def counts(self):
        """Its counters by name: msgs, ok, bad, dup and so on."""
        with socket.create_connection(("127.0.0.1", self.site.sink_port),
                                      timeout=60) as wire:
            wire.sendall(b"XSTAT\r\nQUIT\r\n")
            said = wire.makefile("rb").read().decode()
        return {name: int(value)
                for name, value in re.findall(r"(\w+)=(\d+)", said)}
