"""What all endpoints of a comparison share: a folder, a certificate, the login
and the port of the sink behind them."""

import dataclasses
import pathlib

import certificates

USER = "user"
PASSWORD = "secret"
SENDER = "sender@load.test"


@dataclasses.dataclass
class Site:
    folder: pathlib.Path
    programs: pathlib.Path  # a build folder: postern, smtpload and its kin
    certificate: certificates.Certificate
    sink_port: int
    sink_tls_port: int
    descriptors: int  # how many a process may open

    def make(self, name):
        """A folder of its own, made anew."""
        for number in range(1000):
            folder = self.folder / f"{name}-{number}"
            if not folder.exists():
                folder.mkdir()
                return folder
        raise RuntimeError(f"too many folders for {name}")

    def load_program(self, name):
        return self.programs / "tests/bench/load" / name
