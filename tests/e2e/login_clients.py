"""Clients that log in by a mechanism of one's choice, and what Debian's builds
of them can. Each sends the mail and returns an Outcome, but for gsasl, which
logs in and leaves.

`mail.password` is the token of OAUTHBEARER and XOAUTH2. `proof` is the client
certificate (certificates.Certificate) of EXTERNAL; where a client must give a
name with it, that is mail.user.
"""

import os
import urllib.parse

from clients import is_implicit, run

HELO = "laptop.example.com"


def gsasl(site, port, mail, mechanism, proof=None, more=()):
    """STARTTLS alone. `more`: further options. Without a mechanism it chooses
    one itself."""
    assert not is_implicit(site, port)
    shown = ["--x509-cert-file", str(proof.chain),
             "--x509-key-file", str(proof.key)] if proof else []
    name = ["-z", mail.user] if mechanism == "EXTERNAL" else \
        ["-a", mail.user, "-p", mail.password]
    wanted = ["-m", mechanism] if mechanism else []
    return run(["gsasl", "--smtp", "--starttls", "--verbose",
                "--x509-ca-file", str(site.certificate.chain), *shown,
                *wanted, *name, *more,
                "--connect", f"{site.host}:{port}"], input=b"")


def swaks(site, port, mail, mechanism, proof=None):
    tls = "--tls-on-connect" if is_implicit(site, port) else "--tls"
    shown = ["--tls-cert", str(proof.chain),
             "--tls-key", str(proof.key)] if proof else []
    return run(["swaks", "--server", site.host, "--port", str(port), tls,
                *shown, "--auth", mechanism, "--auth-user", mail.user,
                "--auth-password", mail.password, "--from", mail.sender,
                "--to", mail.recipient, "--ehlo", HELO])


def curl(site, port, mail, mechanism, proof=None):
    path = site.folder / "curl.eml"
    path.write_bytes(mail.content)
    scheme = "smtps" if is_implicit(site, port) else "smtp"
    shown = ["--cert", str(proof.chain), "--key", str(proof.key)] \
        if proof else []
    secret = ["--user", f"{mail.user}:{mail.password}"]
    if mechanism in ("OAUTHBEARER", "XOAUTH2"):
        secret = ["--user", f"{mail.user}:", "--oauth2-bearer", mail.password]
    elif mechanism == "EXTERNAL":
        secret = ["--user", f"{mail.user}:"]
    return run(["curl", "--silent", "--show-error", "--verbose",
                "--ssl-reqd", "--cacert", str(site.certificate.chain), *shown,
                *secret, "--login-options", f"AUTH={mechanism}",
                "--mail-from", mail.sender, "--mail-rcpt", mail.recipient,
                "--upload-file", str(path),
                f"{scheme}://{site.host}:{port}/{HELO}"])


def msmtp(site, port, mail, mechanism, proof=None):
    config = site.folder / "msmtprc"
    starttls = "off" if is_implicit(site, port) else "on"
    shown = f"tls_cert_file {proof.chain}\ntls_key_file {proof.key}\n" \
        if proof else ""
    config.write_text(
        f"account default\nhost {site.host}\nport {port}\n"
        f"tls on\ntls_starttls {starttls}\n"
        f"tls_trust_file {site.certificate.chain}\n{shown}"
        f"auth {mechanism.lower()}\nuser {mail.user}\n"
        f"password {mail.password}\nfrom {mail.sender}\ndomain {HELO}\n",
        encoding="utf-8")
    config.chmod(0o600)
    return run(["msmtp", f"--file={config}", "--debug", "--", mail.recipient],
               input=mail.content.replace(b"\r\n", b"\n"))


def s_nail(site, port, mail, mechanism, proof=None):
    """It writes the message itself. What it calls oauthbearer is XOAUTH2; of
    EXTERNAL it is "externanon" that names nobody beside the certificate."""
    scheme = "smtps" if is_implicit(site, port) else "smtp"
    name, password = (urllib.parse.quote(text, safe="") for text in
                      (mail.user, mail.password))
    settings = {
        "v15-compat": "yes", "from": mail.sender, "hostname": HELO,
        "smtp-auth": {"XOAUTH2": "oauthbearer", "EXTERNAL": "externanon"}.get(
            mechanism, mechanism.lower()),
        "mta": f"{scheme}://{name}:{password}@localhost:{port}",
        "smtp-use-starttls": None, "tls-verify": "strict",
        "tls-ca-file": site.certificate.chain, "tls-ca-no-defaults": None,
        "sendwait": None, "verbose": None, "nosave": None,
    }
    if proof:
        settings["tls-config-pairs"] = \
            f"Certificate={proof.chain},PrivateKey={proof.key}"
    options = [f"-S{key}" if value is None else f"-S{key}={value}"
               for key, value in settings.items()]
    return run(["s-nail", "-:/", *options, "-s", "by s-nail", "-.",
                mail.recipient], input=b"Hello.\n",
               env={**os.environ, "HOME": str(site.folder),
                    "LC_ALL": "C.UTF-8"})


# By mechanism, those that can.
ABLE = {
    "PLAIN": [gsasl, swaks, curl, msmtp, s_nail],
    "LOGIN": [gsasl, swaks, curl, msmtp, s_nail],
    "CRAM-MD5": [gsasl, swaks, curl, msmtp, s_nail],
    "SCRAM-SHA-256": [gsasl, msmtp],
    "SCRAM-SHA-256-PLUS": [gsasl],
    "OAUTHBEARER": [curl, msmtp],
    "XOAUTH2": [curl, msmtp, s_nail],
    "EXTERNAL": [gsasl, curl, msmtp, s_nail],
}
