"""Bearer tokens: JWTs that prove themselves, and tokens that a server is
asked about."""

import base64
import json
import os
import textwrap
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

import clients
import peer_introspection
from certificates import make_certificate
from dialogue import Dialogue
from messages import make_message
from waiting import wait_for

ISSUER = "https://id.example.com"
AUDIENCE = "postern"
KEYS = {
    "RS256": (RSAAlgorithm, rsa.generate_private_key(65537, 2048)),
    "ES256": (ECAlgorithm, ec.generate_private_key(ec.SECP256R1())),
    "EdDSA": (OKPAlgorithm, ed25519.Ed25519PrivateKey.generate()),
}
STRANGER = ed25519.Ed25519PrivateKey.generate()
OWN_ADDRESS = textwrap.dedent("""\
    policy:
      mail:
        - rule: senders own their address
          when: {mail.from: {not_in: "{auth.addresses}"}}
          reject: "553 5.7.1 {auth.user} may not send as {mail.from}"
    """)


def jwk(algorithm, key, kid):
    text = algorithm.to_jwk(key.public_key())
    read = json.loads(text) if isinstance(text, str) else text
    return {**read, "kid": kid, "use": "sig"}


def key_set(names=tuple(KEYS)):
    return json.dumps({"keys": [
        {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ", "kid": "x"},
        *(jwk(*KEYS[name], kid=name) for name in names)]})


def claims(**changed):
    now = int(time.time())
    found = {"iss": ISSUER, "aud": AUDIENCE, "sub": "bob", "iat": now,
             "exp": now + 600, "scope": "openid smtp",
             "email": "bob@example.com", "groups": ["staff"], **changed}
    return {name: value for name, value in found.items() if value is not None}


def signed(algorithm="EdDSA", key=None, kid=None, **changed):
    return jwt.encode(claims(**changed), key or KEYS[algorithm][1], algorithm,
                      headers={"kid": kid or algorithm})


def encoded(text):
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def response(mechanism, token, name):
    if mechanism == "XOAUTH2":
        return encoded(f"user={name}\1auth=Bearer {token}\1\1")
    authzid = f"a={name}" if name else ""
    return encoded(f"n,{authzid},\1host=localhost\1port=587\1"
                   f"auth=Bearer {token}\1\1")


def authenticate(client, token, mechanism="OAUTHBEARER", name=""):
    """The answer to the whole exchange."""
    reply = client.say(f"AUTH {mechanism} {response(mechanism, token, name)}")
    if reply.code == 334:
        excuse = json.loads(base64.b64decode(reply.text))
        assert "status" in excuse
        reply = client.say("AQ==" if mechanism == "OAUTHBEARER" else "")
    return reply


def opened(site):
    client = Dialogue(site.implicit, tls=True)
    client.expect(220)
    client.hello()
    return client


def login(site, token, mechanism="OAUTHBEARER", name=""):
    with opened(site) as client:
        return authenticate(client, token, mechanism, name)


def head(site, backend):
    """`backend`: the YAML of an entry of auth.backends."""
    text = site.head(site.to_maildir())
    mechanisms = "mechanisms: [PLAIN, LOGIN, OAUTHBEARER, XOAUTH2]"
    return text.replace("mechanisms: [PLAIN, LOGIN]", (
        f"{mechanisms}\n  delay: 0")).replace(
            "  backends:\n", f"  backends:\n    - {backend}\n").replace(
                "log: {", "log: {level: debug, ")


def write_whole(path, text):
    """Another file in the place of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


@pytest.fixture
def keys_file(site):
    path = site.folder / "keys.json"
    path.write_text(key_set(), encoding="utf-8")
    return path


def jwt_head(site, keys_file):
    return head(site, f'jwt: {{jwks: "{keys_file}", issuer: "{ISSUER}", '
                      f'audience: {AUDIENCE}, scope: smtp, '
                      f'addresses_claim: email}}')


@pytest.fixture
def jwt_server(site, start, keys_file):
    return start(jwt_head(site, keys_file) + OWN_ADDRESS)


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signed_token_logs_in(site, jwt_server, algorithm, mechanism):
    with opened(site) as client:
        token = signed(algorithm)
        reply = authenticate(client, token, mechanism, "bob")
        assert reply.code == 235, jwt_server.stderr()
        client.expect(250, "MAIL FROM:<bob@example.com>")
        client.expect(250, "RCPT TO:<ann@example.net>")
        assert client.message(make_message(
            "bob@example.com", "ann@example.net", "token")).code == 250
    [line] = jwt_server.log.wait_transactions(1)
    assert line["auth"]["user"] == "bob"
    assert line["auth"]["mechanism"] == mechanism
    assert line["auth"]["groups"] == ["staff"]


def test_the_token_says_whose_the_address_is(site, jwt_server):
    with opened(site) as client:
        assert authenticate(client, signed()).code == 235
        client.expect(553, "MAIL FROM:<eve@example.com>")


REFUSED = {
    "expired": lambda: signed(exp=int(time.time()) - 120),
    "without an end": lambda: signed(exp=None),
    "not valid yet": lambda: signed(nbf=int(time.time()) + 600),
    "of another audience": lambda: signed(aud="webmail"),
    "of another issuer": lambda: signed(iss="https://evil.example"),
    "without the scope": lambda: signed(scope="openid"),
    "of nobody": lambda: signed(sub=None),
    "by a stranger": lambda: signed(key=STRANGER),
    "by an unknown key": lambda: signed(kid="another"),
    "by another kind of key": lambda: signed(kid="RS256"),
    "unsigned": lambda: jwt.encode(claims(), None, "none"),
    "by a secret": lambda: jwt.encode(claims(), "x" * 32, "HS256",
                                      headers={"kid": "x"}),
    "cut": lambda: signed()[:-4],
    "of another kind": lambda: jwt.encode(
        claims(), KEYS["EdDSA"][1], "EdDSA", headers={"typ": "logout+jwt"}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_all_other_tokens_are_refused_alike(site, jwt_server, kind):
    token = REFUSED[kind]()
    for mechanism in ["OAUTHBEARER", "XOAUTH2"]:
        reply = login(site, token, mechanism, "bob")
        assert (reply.code, reply.text[:5]) == (535, "5.7.8")
    said = jwt_server.stderr()
    assert "jwt: the token is refused: " in said
    assert token not in said and token.split(".")[1] not in said


def test_a_token_serves_its_own_user_alone(site, jwt_server):
    for mechanism in ["OAUTHBEARER", "XOAUTH2"]:
        assert login(site, signed(), mechanism, "BOB").code == 235
        assert login(site, signed(), mechanism, "eve").code == 535


def test_keys_are_read_again_when_their_file_changes(site, start, keys_file):
    keys_file.write_text(key_set(["RS256"]), encoding="utf-8")
    server = start(jwt_head(site, keys_file))
    assert login(site, signed("ES256")).code == 535
    write_whole(keys_file, key_set(["ES256"]))
    wait_for(lambda: login(site, signed("ES256")).code == 235,
             "the new key")
    assert login(site, signed("RS256")).code == 535
    assert "keys.json has changed and was read: 1 keys" in server.stderr()
    write_whole(keys_file, "{}")
    wait_for(lambda: login(site, signed("ES256")).code == 235 and
             "can't be used: it is no JWK set" in server.stderr(),
             "word of the broken file")
    keys_file.unlink()
    wait_for(lambda: login(site, signed("ES256")).code == 235 and
             "keys.json is gone: what it held is kept" in server.stderr(),
             "word of the missing file")
    assert server.stderr().count("has changed and can't be used") == 1


def test_curl_logs_in_with_a_token(site, jwt_server):
    path = site.folder / "curl.eml"
    path.write_bytes(make_message("bob@example.com", "ann@example.net", "c"))
    for mechanism in ["OAUTHBEARER", "XOAUTH2"]:
        done = clients.run(
            ["curl", "--silent", "--show-error", "--verbose", "--ssl-reqd",
             "--cacert", str(site.certificate.chain), "--user", "bob:",
             "--oauth2-bearer", signed("RS256"),
             "--login-options", f"AUTH={mechanism}",
             "--mail-from", "bob@example.com",
             "--mail-rcpt", "ann@example.net", "--upload-file", str(path),
             f"smtp://{site.host}:{site.starttls}/laptop.example.com"])
        assert done.sent, done.said + jwt_server.stderr()
    assert len(jwt_server.log.wait_transactions(2)) == 2


# --- introspection ---


@pytest.fixture
def endpoint(certificate):
    with peer_introspection.Endpoint(certificate) as served:
        served.tokens["opaque"] = {
            "username": "Bob", "email": "bob@example.com", "scope": "smtp",
            "groups": ["staff"], "exp": int(time.time()) + 600}
        yield served


def introspect_head(site, endpoint, more="", secret=None, ca=None):
    path = site.folder / "client-secret"
    path.write_text((secret or peer_introspection.CLIENT_SECRET) + "\n",
                    encoding="utf-8")
    path.chmod(0o600)
    return head(site, f'introspect: {{url: "{endpoint.url}", '
                      f'ca: "{ca or site.certificate.chain}", '
                      f'client_id: {peer_introspection.CLIENT_ID}, '
                      f'client_secret_file: "{path}", scope: smtp, '
                      f'addresses_claim: email{more}}}')


def test_a_server_is_asked_about_a_token(site, start, endpoint):
    server = start(introspect_head(site, endpoint) + OWN_ADDRESS)
    with opened(site) as client:
        assert authenticate(client, "opaque").code == 235, server.stderr()
        client.expect(553, "MAIL FROM:<eve@example.com>")
        client.expect(250, "MAIL FROM:<bob@example.com>")
    assert endpoint.asked == [("/introspect?realm=mail", "opaque")]
    assert login(site, "unknown").code == 535
    assert login(site, "opaque", name="eve").code == 535
    said = server.stderr()
    assert "introspect: the token is refused: it is not active" in said
    assert "opaque" not in said
    assert peer_introspection.CLIENT_SECRET not in said


def test_a_good_answer_is_kept_and_a_bad_one_is_not(site, start, endpoint):
    start(introspect_head(site, endpoint))
    for _ in range(3):
        assert login(site, "opaque").code == 235
        assert login(site, "unknown").code == 535
    tokens = [token for _, token in endpoint.asked]
    assert (tokens.count("opaque"), tokens.count("unknown")) == (1, 3)


def test_a_token_is_kept_no_longer_than_it_is_good(site, start, endpoint):
    start(introspect_head(site, endpoint, ", skew: 0, cache: 1h"))
    endpoint.tokens["opaque"]["exp"] = int(time.time()) + 4
    assert login(site, "opaque").code == 235
    wait_for(lambda: login(site, "opaque").code == 535, "its end")


def test_a_connection_serves_several_questions(site, start, endpoint):
    start(introspect_head(site, endpoint, ", cache: 0") + "workers: 1\n")
    for _ in range(5):
        assert login(site, "opaque").code == 235
    assert len(endpoint.asked) == 5
    assert endpoint.connections == 1


def fail_by_status(endpoint):
    endpoint.status, endpoint.body = 500, "{}"


def redirect(endpoint):
    endpoint.status, endpoint.body = 302, "{}"
    endpoint.headers = {"Location": endpoint.url}


def answer_html(endpoint):
    endpoint.body = "<html>"


def be_silent(endpoint):
    endpoint.delay = 3


def go_away(endpoint):
    endpoint.stop()


FAULTS = {
    fail_by_status: "it could not answer (status 500)",
    redirect: "it redirects elsewhere, and is not followed",
    answer_html: "its answer is not what RFC 7662 says",
    be_silent: "it did not answer in time",
    go_away: "connection refused",
}


def cannot_be_asked(server, words):
    said = server.stderr()
    return "auth.backends: introspect https://127.0.0.1:" in said and \
        words in said


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_server_that_cannot_be_asked_is_told_of(site, start, endpoint,
                                                  fault):
    server = start(introspect_head(site, endpoint, ", timeout: 1s"))
    fault(endpoint)
    reply = login(site, "opaque")
    assert (reply.code, reply.text[:5]) == (454, "4.7.0")
    assert cannot_be_asked(server, FAULTS[fault]), server.stderr()


def test_a_wrong_secret_is_told_of(site, start, endpoint):
    server = start(introspect_head(site, endpoint, secret="wrong"))
    assert login(site, "opaque").code == 454
    assert cannot_be_asked(server, "it does not accept our client_id")


def test_a_strange_certificate_is_told_of(site, start, endpoint, tmp_path):
    other = make_certificate(tmp_path / "other")
    server = start(introspect_head(site, endpoint, ca=other.chain))
    assert login(site, "opaque").code == 454
    assert cannot_be_asked(server, ": check ca")
    assert endpoint.asked == []


def test_both_kinds_of_tokens_beside_each_other(site, start, endpoint,
                                                keys_file):
    text = introspect_head(site, endpoint, ", cache: 0")
    first = (f'jwt: {{jwks: "{keys_file}", issuer: "{ISSUER}", '
             f'audience: {AUDIENCE}}}')
    start(text.replace("  backends:\n", f"  backends:\n    - {first}\n"))
    assert login(site, signed()).code == 235
    assert endpoint.asked == []
    assert login(site, "opaque").code == 235
