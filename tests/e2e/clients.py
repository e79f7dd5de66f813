"""Real mail clients, one function each: they send one message and return an
Outcome. `port` decides between STARTTLS and implicit TLS."""

import base64
import dataclasses
import smtplib
import subprocess

SECONDS = 60


@dataclasses.dataclass
class Outcome:
    sent: bool
    said: str


@dataclasses.dataclass
class Mail:
    user: str
    password: str
    sender: str
    recipient: str
    content: bytes


def run(command, **options):
    done = subprocess.run(command, capture_output=True, timeout=SECONDS,
                          check=False, **options)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Outcome(done.returncode == 0, said)


def is_implicit(site, port):
    return port == site.implicit


def swaks(site, port, mail, mechanism="PLAIN"):
    path = site.folder / "swaks.eml"
    # It ends the last line itself, whether or not that has an end.
    path.write_bytes(mail.content.removesuffix(b"\r\n"))
    tls = "--tls-on-connect" if is_implicit(site, port) else "--tls"
    return run(["swaks", "--server", site.host, "--port", str(port), tls,
                "--auth", mechanism, "--auth-user", mail.user,
                "--auth-password", mail.password, "--from", mail.sender,
                "--to", mail.recipient, "--ehlo", "laptop.example.com",
                "--data", f"@{path}"])


def curl(site, port, mail):
    path = site.folder / "curl.eml"
    path.write_bytes(mail.content)
    scheme = "smtps" if is_implicit(site, port) else "smtp"
    return run(["curl", "--silent", "--show-error", "--verbose",
                "--ssl-reqd", "--cacert", str(site.certificate.chain),
                "--user", f"{mail.user}:{mail.password}",
                "--mail-from", mail.sender, "--mail-rcpt", mail.recipient,
                "--upload-file", str(path),
                f"{scheme}://{site.host}:{port}/laptop.example.com"])


def msmtp(site, port, mail):
    config = site.folder / "msmtprc"
    starttls = "off" if is_implicit(site, port) else "on"
    config.write_text(
        f"account default\nhost {site.host}\nport {port}\n"
        f"tls on\ntls_starttls {starttls}\n"
        f"tls_trust_file {site.certificate.chain}\n"
        f"auth plain\nuser {mail.user}\npassword {mail.password}\n"
        f"from {mail.sender}\n", encoding="utf-8")
    config.chmod(0o600)
    return run(["msmtp", f"--file={config}", "--", mail.recipient],
               input=mail.content.replace(b"\r\n", b"\n"))


def python_smtplib(site, port, mail):
    context = site.certificate.client_context()
    try:
        if is_implicit(site, port):
            client = smtplib.SMTP_SSL(site.host, port, timeout=SECONDS,
                                      context=context)
        else:
            client = smtplib.SMTP(site.host, port, timeout=SECONDS)
            client.starttls(context=context)
        with client:
            client.login(mail.user, mail.password)
            client.sendmail(mail.sender, [mail.recipient], mail.content,
                            ["BODY=8BITMIME"])
        return Outcome(True, "")
    except smtplib.SMTPException as error:
        return Outcome(False, str(error))


def openssl_s_client(site, port, mail):
    """A dialogue typed by hand into `openssl s_client`, whose STARTTLS says
    EHLO on its own and hides the banner."""
    command = ["openssl", "s_client", "-quiet", "-verify_quiet",
               "-verify_return_error", "-CAfile", str(site.certificate.chain),
               "-connect", f"{site.host}:{port}"]
    if not is_implicit(site, port):
        command += ["-starttls", "smtp"]
    token = base64.b64encode(
        f"\0{mail.user}\0{mail.password}".encode()).decode()
    content = mail.content.replace(b"\r\n.", b"\r\n..")
    process = subprocess.Popen(command, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    said = []

    def reply():
        while True:
            line = process.stdout.readline().decode("utf-8", "replace")
            said.append(line)
            if not line or (line[:3].isdigit() and line[3:4] == " "):
                return line[:3]

    def say(octets):
        process.stdin.write(octets)
        process.stdin.flush()
        return reply()

    try:
        # s_client's STARTTLS passes on its EHLO's last line.
        opened = reply()
        codes = [say(b"EHLO laptop.example.com\r\n"),
                 say(b"AUTH PLAIN " + token.encode() + b"\r\n")]
        if codes[-1] == "235":
            codes += [
                say(f"MAIL FROM:<{mail.sender}> BODY=8BITMIME\r\n".encode()),
                say(f"RCPT TO:<{mail.recipient}>\r\n".encode()),
                say(b"DATA\r\n"), say(content + b".\r\n")]
        say(b"QUIT\r\n")
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close()
    wanted = ["250", "235", "250", "250", "354", "250"]
    return Outcome(opened in ("220", "250") and codes == wanted,
                   "".join(said))


ALL = [swaks, curl, msmtp, python_smtplib, openssl_s_client]
