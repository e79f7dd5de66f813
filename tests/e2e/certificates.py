"""Self-signed certificates, made with the openssl command."""

import dataclasses
import pathlib
import ssl
import subprocess


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path

    def client_context(self):
        """For a client that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.chain))


def make_certificate(folder, name="localhost"):
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1,IP:::1",
         "-keyout", made.key, "-out", made.chain],
        check=True, capture_output=True, timeout=30)
    made.key.chmod(0o600)
    return made
