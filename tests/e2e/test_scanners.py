"""What the scanners that administrators and attackers use say of both ports:
testssl.sh, sslscan, nmap. They are clients; none of them asks anybody but the
Postern under test."""

import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import xml.etree.ElementTree

import pytest

import certificates
import ports
from server import Postern, Site

PORTS = ["starttls", "implicit"]
SECONDS = 900

# Protocols, cipher categories, curves, the server's order, vulnerabilities.
# Not -S: most of it is about the certificate, and it takes as long as all of
# these together.
TESTSSL_GROUPS = ["-p", "-s", "-f", "-P", "-U"]
TESTSSL_ENVIRONMENT = {
    "TERM": "dumb",
    "PHONE_OUT": "false",
    # Where it wants to fail to connect: not by a question to a name server.
    "NXCONNECT": "127.0.0.1:0",
    # What it sleeps after each thing it sends, and before it listens.
    "USLEEP_SND": "0.01", "USLEEP_REC": "0.05",
}
FINE = {"OK", "INFO", "LOW", "DEBUG"}
# What is found and is not Postern's: the finding's id, and why.
NOT_OURS = {
    "engine_problem": "the scanner's own OpenSSL has no GOST engine",
}
# These must have been looked at, and found as they should be. TLS 1.0 and 1.1
# are less than medium to testssl.sh; not to RFC 8996.
WANTED = {
    "SSLv2": "not offered", "SSLv3": "not offered",
    "TLS1": "not offered", "TLS1_1": "not offered",
    "TLS1_2": "offered", "TLS1_3": "offered",
    "cipherlist_NULL": "not offered", "cipherlist_aNULL": "not offered",
    "cipherlist_EXPORT": "not offered", "cipherlist_LOW": "not offered",
    "cipherlist_3DES_IDEA": "not offered",
    "cipherlist_AVERAGE": "not offered", "cipherlist_STRONG": "offered",
    "cipher_order": "server", "PFS": "offered",
    "PFS_ECDHE_curves": "prime256v1 secp384r1 X25519",
    "heartbleed": "not vulnerable", "CCS": "not vulnerable",
    "ROBOT": "not vulnerable",
    "secure_renego": "supported", "secure_client_renego": "not vulnerable",
    "CRIME_TLS": "not vulnerable", "POODLE_SSL": "not vulnerable",
    "fallback_SCSV": "no protocol below", "SWEET32": "not vulnerable",
    "FREAK": "not vulnerable", "DROWN": "not vulnerable",
    "LOGJAM": "not vulnerable", "BEAST": "not vulnerable",
    "LUCKY13": "not vulnerable", "RC4": "not vulnerable",
}

CIPHERS = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
}


class Scanned:
    """A Postern with a certificate of each kind, of an authority that the
    scanners are told to trust."""

    def __init__(self, folder, users):
        def made(where, **options):
            return certificates.make_certificate(folder / where, days=200,
                                                 **options)
        self.folder = folder
        self.authority = made("authority", name="authority.example")
        rsa = made("rsa", issuer=self.authority, algorithm=certificates.RSA)
        self.site = Site(folder, made("ec", issuer=self.authority), users)
        line = "tls:\n  certificates:\n"
        text = self.site.head(self.site.to_maildir()).replace(
            line,
            f'{line}    - {{chain: "{rsa.chain}", key: "{rsa.key}"}}\n')
        self.server = Postern(self.site, text)
        self.server.wait_ready()

    def port(self, which):
        return getattr(self.site, which)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory, users_file):
    one = Scanned(tmp_path_factory.mktemp("scanned"), users_file)
    yield one
    one.server.terminate()
    one.server.check_end()


def run_testssl(folder, port, *options):
    """The findings. It phones nobody and looks up no name."""
    found = folder / f"testssl-{port}.json"
    with subprocess.Popen(
            ["testssl", "--quiet", "--warnings", "batch", "--color", "0",
             "--openssl", "/usr/bin/openssl", "--nodns", "none",
             "--ip", "127.0.0.1", "--jsonfile", found, *options,
             f"localhost:{port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, **TESTSSL_ENVIRONMENT}) as scan:
        try:
            said = scan.communicate(timeout=SECONDS)[0]
        except BaseException:
            # It is a shell script, and has children.
            os.killpg(scan.pid, signal.SIGKILL)
            raise
    assert found.exists(), said.decode("utf-8", "replace")
    return json.loads(found.read_text())


@contextlib.contextmanager
def old_server(certificate, *options):
    """One that lets in what nobody should."""
    port = ports.free_port()
    with subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet",
             "-cert", certificate.chain, "-key", certificate.key, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL) as old:
        try:
            assert ports.wait_listening([port], lambda: old.poll() is None)
            yield port
        finally:
            old.terminate()


@pytest.fixture(scope="module")
def findings(scanned, certificate):
    """Of both ports, and of a server that is as it should not be. As many
    scans at a time as there are cores."""
    def scan(which):
        start = ["-t", "smtp"] if which == "starttls" else []
        return run_testssl(scanned.folder, scanned.port(which), *start,
                           "--add-ca", scanned.authority.chain,
                           *TESTSSL_GROUPS)

    def scan_old():
        with old_server(certificate, "-no_tls1_3",
                        "-cipher", "ALL:eNULL:@SECLEVEL=0") as port:
            return run_testssl(scanned.folder, port, "-s")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        of_ports = pool.map(scan, PORTS)
        of_old = pool.submit(scan_old)
        return {**dict(zip(PORTS, of_ports)), "old": of_old.result()}


def troubles(found):
    return [f'{one["id"]}: {one["severity"]}: {one["finding"]}'
            for one in found
            if one["severity"] not in FINE and one["id"] not in NOT_OURS]


def missing(found, wanted):
    """What was not looked at, or not found to be as it should be."""
    return {name for name, words in wanted.items()
            if not any(one["id"] == name and one["finding"].startswith(words)
                       for one in found)}


@pytest.mark.parametrize("port", PORTS)
def test_testssl_finds_nothing_of_medium_severity(findings, scanned, port):
    assert not troubles(findings[port])
    assert not missing(findings[port], WANTED)
    assert scanned.server.is_alive()


def test_testssl_finds_what_is_there_to_find(findings):
    found = findings["old"]
    assert {line.split(":")[0] for line in troubles(found)} >= \
        {"cipherlist_NULL", "cipherlist_aNULL"}
    assert "cipherlist_AVERAGE" in missing(found, WANTED)


def run_sslscan(port, *options):
    done = subprocess.run(
        ["sslscan", "--xml=-", "--sni-name=localhost", *options,
         f"127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
        check=True)
    return xml.etree.ElementTree.fromstring(done.stdout).find("ssltest")


def weaknesses(test):
    """What sslscan would print in red or yellow."""
    found = []
    for one in test.iter("protocol"):
        name = one.get("type") + one.get("version")
        if (one.get("enabled") == "1") != (name in ("tls1.2", "tls1.3")):
            found.append(f"{name}: enabled {one.get('enabled')}")
    for one in test.iter("cipher"):
        if one.get("cipher") not in CIPHERS or \
                one.get("strength") not in ("strong", "acceptable"):
            found.append(f"{one.get('cipher')}: {one.get('strength')}")
    for one in test.iter("heartbleed"):
        if one.get("vulnerable") != "0":
            found.append("heartbleed")
    for one in test.iter("renegotiation"):
        if one.get("supported") != "0" and one.get("secure") != "1":
            found.append("insecure renegotiation")
    for one in test.iter("compression"):
        if one.get("supported") != "0":
            found.append("compression")
    for one in test.iter("fallback"):
        if one.get("supported") != "1":
            found.append("no fallback SCSV")
    for one in test.iter("group"):
        if int(one.get("bits")) < 128:
            found.append(f"group {one.get('name')}")
    return found


@pytest.mark.parametrize("port", PORTS)
def test_sslscan_finds_nothing(scanned, port):
    start = ["--starttls-smtp"] if port == "starttls" else []
    test = run_sslscan(scanned.port(port), *start)
    assert not weaknesses(test)
    assert {one.get("cipher") for one in test.iter("cipher")} == CIPHERS
    assert len(list(test.iter("protocol"))) == 6
    assert {one.get("name") for one in test.iter("group")} >= {"x25519"}
    assert list(test.iter("heartbleed")) and list(test.iter("renegotiation"))


def test_sslscan_finds_what_is_there_to_find(certificate):
    with old_server(certificate, "-cipher", "ALL:@SECLEVEL=0") as port:
        found = weaknesses(run_sslscan(port))
    assert "tls1.0: enabled 1" in found
    assert any(line.startswith("ECDHE-ECDSA-AES128-SHA:") for line in found)


def run_nmap(*wanted_ports):
    """What its scripts say, by port and script. The + has them run on ports
    that are none of SMTP's."""
    done = subprocess.run(
        ["nmap", "-n", "-Pn", "-sT", "--unprivileged", "-oX", "-", "--script",
         "+smtp-open-relay,+smtp-enum-users,+smtp-commands",
         "-p", ",".join(map(str, wanted_ports)), "127.0.0.1"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
        check=True)
    return {int(port.get("portid")):
            {one.get("id"): one.get("output") for one in port.iter("script")}
            for port in xml.etree.ElementTree.fromstring(
                done.stdout).iter("port")}


def test_nmap_finds_neither_a_relay_nor_users(scanned):
    said = run_nmap(*map(scanned.port, PORTS))
    assert set(said) == set(map(scanned.port, PORTS))
    for one in said.values():
        # It has been there, and understood what it heard.
        assert "mail.example.com, PIPELINING" in one["smtp-commands"]
        assert one["smtp-open-relay"] == \
            "Server isn't an open relay, authentication needed"
        assert one["smtp-enum-users"].strip() == \
            "Couldn't perform user enumeration, authentication needed"


def test_nmap_finds_a_relay_where_there_is_one(site, start):
    """A listener that asks for no login, for all of this machine."""
    text = site.head(site.to_maildir())
    start(text.replace(
        "tls: starttls}",
        "tls: none, auth: none, trusted: [127.0.0.0/8]}"))
    said = run_nmap(site.starttls)[site.starttls]
    assert "Server is an open relay" in said["smtp-open-relay"]
