"""Each client by each mechanism that Debian's build of it has."""

import base64

import pytest

import certificates
import clients
import login_clients
from dialogue import Dialogue
from messages import make_message
from peer_dovecot import token
from peer_dovecot_auth import DovecotAuth
from server import run_once
from users import PASSWORDS
from waiting import wait_for

TOKENS = ("OAUTHBEARER", "XOAUTH2")
PAIRS = [pytest.param(client, mechanism,
                      id=f"{client.__name__}-{mechanism}")
         for mechanism, able in login_clients.ABLE.items()
         for client in able]


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory):
    """Who can say whether a token is good."""
    server = DovecotAuth(tmp_path_factory.mktemp("dovecot"))
    server.start()
    yield server
    server.stop()
    server.discard()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.make_certificate(tmp_path_factory.mktemp("ca"),
                                         name="clients")


@pytest.fixture(scope="module")
def proof(tmp_path_factory, authority):
    """The certificate that logs bob in."""
    return certificates.make_certificate(tmp_path_factory.mktemp("bob"),
                                         name="bob", issuer=authority)


def scram_line(name):
    done = run_once("passwd", "--scram", name, stdin=PASSWORDS[name] + "\n")
    [line] = [line for line in done.stdout.splitlines()
              if line.startswith(f"{name}:")]
    return ":".join(line.split(":")[:2])


@pytest.fixture(scope="module")
def keys(tmp_path_factory, dovecot):
    """A users file of which every line holds SCRAM's keys, and one with
    CRAM-MD5's."""
    folder = tmp_path_factory.mktemp("keys")
    scram, cram = folder / "scram", folder / "cram"
    scram.write_text(
        f"{scram_line('bob')}:addresses=bob@example.com groups=staff\n"
        f"{scram_line('eve')}:addresses=eve@example.com\n", encoding="utf-8")
    cram.write_text(
        f"bob:{dovecot.hashed('CRAM-MD5', PASSWORDS['bob'])}:"
        "addresses=bob@example.com groups=staff\n", encoding="utf-8")
    scram.chmod(0o600)
    cram.chmod(0o600)
    return {"SCRAM": scram, "CRAM-MD5": cram}


@pytest.fixture
def offering(site, keys, dovecot, authority):
    """offering(mechanisms): a configuration that offers these."""
    def write(*mechanisms):
        users = keys.get(mechanisms[0], keys["SCRAM"])
        more = f", mechanisms: [{', '.join(mechanisms)}]"
        if "EXTERNAL" in mechanisms:
            more += f', client_ca: "{authority.chain}", client_login: cn'
        text = site.head(site.to_maildir()).replace(
            f'- {{users: "{site.users}"}}', f'- {{users: "{users}"}}')
        if set(mechanisms) & set(TOKENS):
            text = text.replace(
                "backends:\n",
                f'backends:\n    - {{dovecot: "{dovecot.socket}"}}\n')
        for tls in ("starttls", "implicit"):
            text = text.replace(f"tls: {tls}}}", f"tls: {tls}{more}}}")
        return text
    return write


def mail_of(mechanism, is_right=True):
    secret = PASSWORDS["bob"] if is_right else "wrong"
    if mechanism in TOKENS:
        secret = token("bob") if is_right else token("bob")[:-3] + "AAA"
    return clients.Mail(
        "bob", secret, "bob@example.com", "a@example.net",
        make_message("bob@example.com", "a@example.net", mechanism))


def port_of(site, client):
    return site.starttls if client is login_clients.gsasl else site.implicit


def more_of(client, mechanism):
    """gsasl refuses SCRAM beside a channel that it could bind to."""
    is_bare = client is login_clients.gsasl and mechanism == "SCRAM-SHA-256"
    return {"more": ["--no-cb"]} if is_bare else {}


@pytest.mark.parametrize("client, mechanism", PAIRS)
def test_it_logs_in(site, start, offering, proof, client, mechanism):
    server = start(offering(mechanism))
    shown = proof if mechanism == "EXTERNAL" else None
    outcome = client(site, port_of(site, client), mail_of(mechanism),
                     mechanism, shown, **more_of(client, mechanism))
    assert outcome.sent, outcome.said
    [line] = server.log.wait_events("auth", 1)
    assert line["auth"]["mechanism"] == mechanism
    assert line["auth"]["result"] == "ok"
    assert line["auth"]["user"] == "bob"
    assert line["auth"]["groups"] == ["staff"]
    if client is not login_clients.gsasl:
        [line] = server.log.wait_transactions(1)
        assert line["verdict"] == "accept"


@pytest.mark.parametrize("client, mechanism", [
    pair for pair in PAIRS if pair.values[1] != "EXTERNAL"])
def test_a_wrong_secret_does_not(site, start, offering, client, mechanism):
    server = start(offering(mechanism))
    outcome = client(site, port_of(site, client), mail_of(mechanism, False),
                     mechanism, **more_of(client, mechanism))
    assert not outcome.sent, outcome.said
    wait_for(lambda: server.log.events("session"), "the session's end")
    results = {line["auth"]["result"] for line in server.log.events("auth")}
    assert results == {"failed"}
    assert server.log.events("transaction") == []


@pytest.mark.parametrize("behind", [b"", b"AQ==", b"*", b"?", b"A" * 20000])
def test_whatever_is_said_to_a_refusal_it_is_one(site, start, offering,
                                                 behind):
    server = start(offering("OAUTHBEARER"))
    wrong = f"n,a=bob,\1auth=Bearer {token('eve')}\1\1"
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        dialogue.expect(
            334, "AUTH OAUTHBEARER " + base64.b64encode(
                wrong.encode()).decode())
        dialogue.send(behind + b"\r\n")
        dialogue.expect(535)
    [line] = server.log.wait_events("auth", 1)
    assert line["auth"]["result"] == "failed"


@pytest.mark.parametrize("client", login_clients.ABLE["EXTERNAL"],
                         ids=lambda client: client.__name__)
def test_without_a_certificate_nobody_is_external(site, start, offering,
                                                  client):
    server = start(offering("EXTERNAL", "PLAIN"))
    mail = mail_of("EXTERNAL", False)
    assert not client(site, port_of(site, client), mail, "EXTERNAL").sent
    assert {line["auth"]["result"] for line in server.log.events("auth")} \
        <= {"failed"}


def test_a_certificate_logs_nobody_else_in(site, start, offering, proof):
    start(offering("EXTERNAL"))
    mail = mail_of("EXTERNAL")
    mail.user = "eve"
    outcome = login_clients.curl(site, site.implicit, mail, "EXTERNAL", proof)
    assert not outcome.sent, outcome.said


def test_swaks_shows_a_certificate_beside_its_password(site, start, offering,
                                                       proof):
    server = start(offering("PLAIN", "EXTERNAL"))
    outcome = login_clients.swaks(site, site.implicit, mail_of("PLAIN"),
                                  "PLAIN", proof)
    assert outcome.sent, outcome.said
    [line] = server.log.wait_transactions(1)
    assert line["auth"]["mechanism"] == "PLAIN"
    assert line["tls"]["fingerprint"]


def test_gsasl_is_not_offered_a_channel_that_can_not_be_bound_to(
        site, start, offering):
    server = start(offering("SCRAM-SHA-256-PLUS", "PLAIN"))
    outcome = login_clients.gsasl(
        site, site.starttls, mail_of("PLAIN"), "SCRAM-SHA-256-PLUS",
        more=["--priority", "NORMAL:-VERS-TLS1.3"])
    assert not outcome.sent
    assert "AUTH PLAIN\n" in outcome.said.replace("\r", "")
    assert not [line for line in server.log.events("auth")
                if line["auth"]["result"] == "ok"]


def test_gsasl_may_not_act_as_another(site, start, offering):
    start(offering("PLAIN"))
    for whom, is_right in [("bob", True), ("eve", False), ("x", False)]:
        outcome = login_clients.gsasl(site, site.starttls, mail_of("PLAIN"),
                                      "PLAIN", more=["-z", whom])
        assert outcome.sent == is_right, outcome.said


def test_gsasl_chooses_the_channel_that_it_can_bind_to(site, start, offering):
    server = start(offering("PLAIN", "LOGIN", "SCRAM-SHA-256",
                            "SCRAM-SHA-256-PLUS"))
    outcome = login_clients.gsasl(site, site.starttls, mail_of("PLAIN"), None)
    assert outcome.sent, outcome.said
    [line] = server.log.wait_events("auth", 1)
    assert line["auth"]["mechanism"] == "SCRAM-SHA-256-PLUS"


@pytest.mark.parametrize("starttls", [True, False],
                         ids=["starttls", "implicit"])
def test_msmtp_chooses_one_that_there_is(site, start, offering, starttls):
    server = start(offering("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                            "EXTERNAL"))
    outcome = login_clients.msmtp(
        site, site.starttls if starttls else site.implicit, mail_of("PLAIN"),
        "on")
    assert outcome.sent, outcome.said
    [line] = server.log.wait_events("auth", 1)
    assert line["auth"]["mechanism"] == "SCRAM-SHA-256"
