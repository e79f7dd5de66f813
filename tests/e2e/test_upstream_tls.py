"""TLS towards the upstream: whom we trust by fingerprint, what we show, and
sessions that are taken up again."""

import hashlib
import re
import ssl

import pytest

import certificates
from dialogue import logged_in
from peer_postfix import Postfix
from peer_raw import RawUpstream
from server import run_once
from test_upstream_faults import TlsUpstream, context_of, refuse
from users import PASSWORDS
from waiting import wait_for

FINGERPRINT = re.compile(r"its fingerprint is ([0-9a-f]{64})")


class Listening(TlsUpstream):
    """Keeps the TLS of each connection, as it was before the first MAIL."""

    def __init__(self, context):
        super().__init__(context)
        self.secured = []

    def serve(self, wire):
        try:
            super().serve(wire)
        finally:
            if isinstance(wire.connection, ssl.SSLSocket):
                self.secured.append(wire.connection)


def fingerprint_of(certificate):
    text = certificate.chain.read_text(encoding="ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def upstream_of(port, tls, more=""):
    return (f'{{servers: ["127.0.0.1:{port}"], '
            f'tls: {{mode: starttls, {tls}}}{more}}}')


def answer_to_rcpt(site):
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        return client.say("RCPT TO:<a@example.net>")


@pytest.fixture
def stranger(tmp_path):
    """A certificate that ended, of no name that we know, of nobody we trust."""
    made = certificates.make_certificate(tmp_path / "stranger",
                                         name="other.example")
    certificates.let_end(made)
    return made


@pytest.fixture
def ours(tmp_path):
    return certificates.make_certificate(tmp_path / "ours",
                                         name="postern.example")


def showing(certificate):
    return f'certificate: "{certificate.chain}", key: "{certificate.key}"'


def test_a_fingerprint_is_proof_enough(site, start, stranger):
    peer = Listening(context_of(stranger))
    digits = fingerprint_of(stranger).upper()
    colons = ":".join(re.findall("..", digits))
    with RawUpstream(peer.serve) as upstream:
        start(site.head(upstream_of(upstream.port,
                                    f'fingerprint: ["{"0" * 64}", {colons}]')))
        reply = answer_to_rcpt(site)
    assert reply.code == 250, reply
    assert "MAIL FROM:<bob@example.com>" in peer.said


def test_another_fingerprint_is_none_and_the_log_tells_the_right_one(
        site, start, stranger):
    peer = Listening(context_of(stranger))
    with RawUpstream(peer.serve) as upstream:
        server = start(site.head(upstream_of(
            upstream.port, f'fingerprint: "{"0" * 64}"')))
        refuse(answer_to_rcpt(site), peer.said)
        [seen] = set(FINGERPRINT.findall(server.stderr()))
    assert seen == fingerprint_of(stranger)


def test_an_unknown_issuer_is_told_with_the_fingerprint(site, start, stranger,
                                                        ours):
    peer = Listening(context_of(stranger))
    with RawUpstream(peer.serve) as upstream:
        server = start(site.head(upstream_of(upstream.port,
                                             f'ca: "{ours.chain}"')))
        refuse(answer_to_rcpt(site), peer.said)
        assert fingerprint_of(stranger) in server.stderr()
        assert "tls.fingerprint" in server.stderr()


def test_the_upstream_sees_our_certificate(site, start, stranger, ours):
    context = context_of(stranger)
    context.load_verify_locations(ours.chain)
    context.verify_mode = ssl.CERT_REQUIRED
    peer = Listening(context)
    with RawUpstream(peer.serve) as upstream:
        start(site.head(upstream_of(
            upstream.port, f"fingerprint: {fingerprint_of(stranger)}, "
                           + showing(ours))))
        reply = answer_to_rcpt(site)
    assert reply.code == 250, reply


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_an_upstream_that_wants_our_certificate_is_told_of(
        site, start, stranger, ours, version):
    context = context_of(stranger)
    context.load_verify_locations(ours.chain)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = getattr(ssl.TLSVersion, version)
    peer = Listening(context)
    with RawUpstream(peer.serve) as upstream:
        server = start(site.head(upstream_of(
            upstream.port, f"fingerprint: {fingerprint_of(stranger)}")))
        refuse(answer_to_rcpt(site), peer.said)
        assert re.search("the peer (wants|.*lacks) a certificate of ours",
                         server.stderr()), server.stderr()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_are_resumed(site, start, stranger, version):
    context = context_of(stranger)
    context.minimum_version = getattr(ssl.TLSVersion, version)
    context.maximum_version = getattr(ssl.TLSVersion, version)
    peer = Listening(context)
    with RawUpstream(peer.serve) as upstream:
        text = site.head(upstream_of(
            upstream.port, f"fingerprint: {fingerprint_of(stranger)}",
            ", pool: {transactions: 1}"))
        start(text + "workers: 1\n")
        for _ in range(3):
            assert answer_to_rcpt(site).code == 250
        # The first mail takes the connection of the probe.
        wait_for(lambda: len(peer.secured) >= 3, "three connections")
        reused = [one.session_reused for one in peer.secured]
    assert reused[0] is False and all(reused[1:]), reused


CLIENTS_BY_CERTIFICATE = """\
smtpd_tls_ask_ccert = yes
smtpd_tls_received_header = yes
smtpd_tls_fingerprint_digest = sha256
smtpd_relay_restrictions = permit_tls_clientcerts, reject
relay_clientcerts = inline:{{ {fingerprint}=postern }}
"""


def test_postfix_relays_for_our_certificate_alone(site, start, tmp_path,
                                                  stranger, ours):
    digits = ":".join(re.findall("..", fingerprint_of(ours).upper()))
    postfix = Postfix(tmp_path / "postfix", stranger,
                      more=CLIENTS_BY_CERTIFICATE.format(fingerprint=digits))
    postfix.start()
    try:
        pinned = f"fingerprint: {fingerprint_of(stranger)}"
        text = site.head(upstream_of(postfix.port,
                                     f"{pinned}, {showing(ours)}"))
        other = upstream_of(postfix.port, pinned)
        start(text.replace("upstreams:\n", f"upstreams:\n  other: {other}\n") +
              "policy: {mail: [{rule: other, when: "
              "{mail.from: '*@other.example'}, route: other}]}\n")
        with logged_in(site, "bob", PASSWORDS["bob"]) as client:
            client.expect(250, "MAIL FROM:<bob@example.com>")
            client.expect(250, "RCPT TO:<a@example.net>")
            client.expect(250, "RSET")
            client.expect(250, "MAIL FROM:<bob@other.example>")
            client.expect(554, "RCPT TO:<a@example.net>")
    finally:
        postfix.stop()


def checked(site, tls):
    config = site.folder / "checked.yaml"
    config.write_text(site.head(upstream_of(25, tls)), encoding="utf-8")
    return run_once("check", config)


def test_check_tells_of_a_certificate_that_servers_will_refuse(site, ours):
    certificates.let_end(ours)
    done = checked(site, showing(ours))
    assert done.returncode == 0, done.stderr
    assert "has expired; servers will refuse it" in done.stdout + done.stderr


def test_check_refuses_a_key_that_others_may_read(site, ours):
    ours.key.chmod(0o644)
    done = checked(site, showing(ours))
    assert done.returncode == 78
    assert "others may read it" in done.stdout + done.stderr
