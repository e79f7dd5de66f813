"""An upstream that can't be found, or can't prove who it is: the client keeps
its mail, and not a word of it is said in clear text."""

import ssl

import pytest

import certificates
from dialogue import logged_in
from peer_raw import RawUpstream
from users import PASSWORDS


class TlsUpstream:
    """Offers STARTTLS; keeps what is said before it and behind it."""

    def __init__(self, context):
        self.context = context
        self.said = []

    def serve(self, wire):
        wire.write("220 mx")
        while True:
            line = wire.line()
            self.said.append(line)
            if line == "STARTTLS":
                wire.write("220 Go ahead")
                wire.connection = self.context.wrap_socket(
                    wire.connection, server_side=True)
            elif line.startswith("EHLO"):
                wire.write("250-mx\r\n250 STARTTLS")
            else:
                wire.write("250 Ok")


def context_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def answer_to_rcpt(site):
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        return client.say("RCPT TO:<a@example.net>")


def asked(site, start, context, trusted, name="mta.example"):
    peer = TlsUpstream(context)
    with RawUpstream(peer.serve) as upstream:
        start(site.head(
            f'{{servers: ["127.0.0.1:{upstream.port}"], tls: {{mode: starttls, '
            f'name: {name}, ca: "{trusted.chain}"}}}}'))
        return answer_to_rcpt(site), peer.said


def test_U11_the_right_certificate_will_do(site, start, tmp_path):
    mine = certificates.make_certificate(tmp_path, name="mta.example")
    reply, said = asked(site, start, context_of(mine), mine)
    assert reply.code == 250, reply
    assert "MAIL FROM:<bob@example.com>" in said


def refuse(reply, said):
    assert reply.code == 451 and "4.4.1" in reply.text, reply
    assert set(said) <= {"EHLO mail.example.com", "STARTTLS"}, said


def test_U11_a_certificate_that_has_ended(site, start, tmp_path):
    mine = certificates.make_certificate(tmp_path, name="mta.example")
    certificates.let_end(mine)
    refuse(*asked(site, start, context_of(mine), mine))


def test_U11_a_certificate_of_another_name(site, start, tmp_path):
    mine = certificates.make_certificate(tmp_path, name="other.example")
    refuse(*asked(site, start, context_of(mine), mine))


def test_U11_a_certificate_that_nobody_trusts(site, start, tmp_path):
    mine = certificates.make_certificate(tmp_path / "a", name="mta.example")
    trusted = certificates.make_certificate(tmp_path / "b", name="mta.example")
    refuse(*asked(site, start, context_of(mine), trusted))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_U11_tls_that_is_too_old(site, start, tmp_path, version):
    mine = certificates.make_certificate(tmp_path, name="mta.example")
    context = context_of(mine)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = getattr(ssl.TLSVersion, version)
    refuse(*asked(site, start, context, mine))


def test_U01_a_name_that_nobody_knows(site, start):
    start(site.head('{servers: ["mta.invalid:25"], tls: {mode: none}}'))
    reply = answer_to_rcpt(site)
    assert reply.code == 451 and "4.4.1" in reply.text, reply
