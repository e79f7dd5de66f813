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


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["-newkey", "rsa:2048"]


def make_certificate(folder, name="localhost", algorithm=None, issuer=None,
                     days=30, has_alternatives=True):
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    signed = ["-CA", issuer.chain, "-CAkey", issuer.key] if issuer else []
    names = ["-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1,IP:::1"]
    subprocess.run(
        ["openssl", "req", "-x509", *(algorithm or EC), "-nodes", "-utf8",
         "-days", str(days), "-subj", f"/CN={name}", *signed,
         *(names if has_alternatives else []),
         "-keyout", made.key, "-out", made.chain],
        check=True, capture_output=True, timeout=30)
    made.key.chmod(0o600)
    return made


def let_end(certificate):
    """The same certificate, which ended yesterday."""
    subprocess.run(
        ["openssl", "x509", "-in", certificate.chain,
         "-signkey", certificate.key, "-days", "-1",
         "-out", certificate.chain],
        check=True, capture_output=True, timeout=30)
