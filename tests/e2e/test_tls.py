"""TLS as real clients speak it, with and without STARTTLS."""

import contextlib
import hashlib
import itertools
import re
import socket
import ssl
import struct
import subprocess

import pytest

import certificates
from dialogue import Dialogue, unverified_context
from users import PASSWORDS
from waiting import wait_for

PORTS = ["starttls", "implicit"]
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """An RSA certificate of the name that the site's ECDSA one has too."""
    return certificates.make_certificate(tmp_path_factory.mktemp("rsa"),
                                         algorithm=certificates.RSA)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return certificates.make_certificate(tmp_path_factory.mktemp("other"),
                                         name="other.example")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.make_certificate(tmp_path_factory.mktemp("ca"),
                                         name="authority.example")


def with_certificates(site, *more):
    text = site.head(site.to_maildir())
    line = "tls:\n  certificates:\n"
    return text.replace(line, line + "".join(
        f'    - {{chain: "{one.chain}", key: "{one.key}"}}\n' for one in more))


def connected(site, port):
    """A socket on which a ClientHello is the next thing to say."""
    connection = socket.create_connection((site.host, getattr(site, port)), 10)
    connection.settimeout(10)
    if port == "starttls":
        stream = connection.makefile("rb")
        stream.readline()
        connection.sendall(b"EHLO laptop\r\n")
        while stream.readline()[3:4] == b"-":
            pass
        connection.sendall(b"STARTTLS\r\n")
        assert stream.readline().startswith(b"220")
    return connection


def s_client(site, port, *options):
    """What `openssl s_client` says of a connection."""
    start = ["-starttls", "smtp"] if port == "starttls" else []
    done = subprocess.run(
        ["openssl", "s_client", "-connect",
         f"{site.host}:{getattr(site, port)}", *start, *options],
        input=b"QUIT\r\n", capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def of_version(version):
    context = unverified_context()
    context.minimum_version = context.maximum_version = version
    return context


def in_body(site, *more):
    """Logged in, and in the middle of a message."""
    dialogue = Dialogue(site.implicit, site.host, tls=True)
    dialogue.expect(220)
    dialogue.hello()
    assert dialogue.login("bob", PASSWORDS["bob"]).code == 235
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    dialogue.expect(250, "RCPT TO:<ann@example.net>")
    for octets in more:
        dialogue.send(octets)
    return dialogue


def session_lines(server, count):
    return server.log.wait_events("session", count)


@pytest.mark.parametrize("port", PORTS)
def test_the_certificate_is_one_that_the_client_can_verify(site, start, pair,
                                                           port):
    start(with_certificates(site, pair))
    for options, wanted in [
            (["-tls1_3"], "id-ecPublicKey"),
            (["-tls1_2"], "id-ecPublicKey"),
            (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "rsaEncryption"),
            (["-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"],
             "rsaEncryption"),
            (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
             "rsaEncryption")]:
        said = s_client(site, port, "-servername", "localhost", *options)
        text = subprocess.run(["openssl", "x509", "-noout", "-text"],
                              input=said[said.index("-----BEGIN"):].encode(),
                              capture_output=True, check=True,
                              timeout=30).stdout.decode()
        assert f"Public Key Algorithm: {wanted}" in text, options


@pytest.mark.parametrize("port", PORTS)
def test_T14_an_odd_name_gets_the_first_certificate(site, start, other, port):
    server = start(with_certificates(site, other))
    for name in ["unknown.example", "../../etc/passwd", "localhost\\",
                 "a" * 240 + ".example", "xn--80ak6aa92e.example"]:
        said = s_client(site, port, "-servername", name)
        assert "CN = other.example" in said, name
    assert "CN = localhost" in s_client(site, port, "-servername", "localhost")
    assert server.is_alive()


def client_hello(*names, version=0x0303, ciphers="c02b", compressions="00"):
    """A ClientHello as octets; a list of server names only if there are
    some."""
    entries = b"".join(b"\0" + struct.pack("!H", len(name)) + name
                       for name in names)
    sni = struct.pack("!HHH", 0, len(entries) + 2, len(entries)) + entries \
        if names else b""
    groups = bytes.fromhex("000a00040002001d")
    signing = bytes.fromhex("000d000400020403")
    extensions = sni + groups + signing
    suites = bytes.fromhex(ciphers)
    body = struct.pack("!H", version) + bytes(32) + b"\0" + \
        struct.pack("!H", len(suites)) + suites + \
        bytes([len(compressions) // 2]) + bytes.fromhex(compressions) + \
        struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


def answer_to(site, octets, port="implicit"):
    """The first octets of what comes back: 16 begins a handshake, 15 is an
    alert, whose last octet tells what it is about."""
    with connected(site, port) as connection:
        connection.sendall(octets)
        answer = b""
        while len(answer) < 7:
            more = connection.recv(7 - len(answer))
            if not more:
                break
            answer += more
        return answer


@pytest.mark.parametrize("port", PORTS)
def test_T14_no_name_gets_the_first_certificate(site, start, other, port):
    start(with_certificates(site, other))
    assert "CN = other.example" in s_client(site, port, "-noservername")


def test_T14_a_name_may_be_as_long_as_a_name_may_be(site, start):
    start(site.head(site.to_maildir()))
    for name in [b"a" * 255, b"x\\", b"../../x"]:
        assert answer_to(site, client_hello(name))[0] == 0x16, name
    assert answer_to(site, client_hello(b"a" * 256))[0] == 0x15


def test_T14_a_malformed_name_ends_the_handshake(site, start):
    server = start(site.head(site.to_maildir()))
    for names in [[b"a\0b"], [b""], [b"a" * 300], [b"a.example", b"b.example"],
                  [b"localhost\0.evil.example"]]:
        with connected(site, "implicit") as connection:
            connection.sendall(client_hello(*names))
            assert connection.recv(5)[:1] == b"\x15", names
    assert server.is_alive()


@pytest.mark.parametrize("port", PORTS)
def test_T17_no_protocol_but_smtp(site, start, port):
    start(site.head(site.to_maildir()))
    for version, protocols in itertools.product(
            VERSIONS, [["smtp"], [], ["http/1.1", "smtp"], ["http/1.1"],
                       ["h2"]]):
        context = of_version(version)
        if protocols:
            context.set_alpn_protocols(protocols)
        with connected(site, port) as connection:
            if protocols and "smtp" not in protocols:
                with pytest.raises(ssl.SSLError,
                                   match="(?i)no.application.protocol"):
                    context.wrap_socket(connection)
                continue
            with context.wrap_socket(connection) as secured:
                assert secured.selected_alpn_protocol() == \
                    ("smtp" if protocols else None)


@pytest.mark.parametrize("port", PORTS)
def test_T12_what_is_old_is_refused(site, start, pair, port):
    start(with_certificates(site, pair))
    for options in [["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                    ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
                    ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
                    ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"],
                    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"],
                    ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"]]:
        assert "BEGIN CERTIFICATE" not in s_client(site, port, *options), \
            options


HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70  # RFC 8446 6.2
# Real clients of today can't even ask for most of these.
OLD_CIPHERS = {
    "RC4": "00050004c011c007", "3DES": "000ac012c0080016", "DES": "00090015",
    "export": "000300060008000b000e00110014", "NULL": "00020001003bc010c006",
    "anonymous": "0018001b0034003a006cc018c019c01700a6",
    "CBC": "c009c00ac013c014c023c024c027c028", "CBC, no (EC)DHE": "002f0035003c",
    "IDEA, SEED, Camellia": "0007009600410084",
    "no forward secrecy": "009c009d", "DHE": "009e009fccaa0033",
    "CCM": "c0acc0aec09ec0a0", "PSK": "008c00a8d001ccac",
}


@pytest.mark.parametrize("port", PORTS)
def test_T12_old_ciphers_and_versions_are_refused_by_an_alert(site, start,
                                                              pair, port):
    start(with_certificates(site, pair))
    for ciphers in ["c02b", "c02f", "".join(OLD_CIPHERS.values()) + "c030"]:
        assert answer_to(site, client_hello(ciphers=ciphers), port)[0] == 0x16
    for about, ciphers in OLD_CIPHERS.items():
        answer = answer_to(site, client_hello(ciphers=ciphers), port)
        assert answer[0] == 0x15 and answer[5:] == \
            bytes([2, HANDSHAKE_FAILURE]), about
    for version in [0x0300, 0x0301, 0x0302]:
        hello = client_hello(version=version, ciphers="c02bc02fc009c013002f")
        answer = answer_to(site, hello, port)
        assert answer[0] == 0x15 and answer[5:] == \
            bytes([2, PROTOCOL_VERSION]), version


def test_T12_nothing_is_compressed(site, start):
    """CRIME: DEFLATE is asked for, and first; not to compress is chosen."""
    start(site.head(site.to_maildir()))
    with connected(site, "implicit") as connection:
        connection.sendall(client_hello(compressions="0100"))
        stream = connection.makefile("rb")
        assert stream.read(1) == b"\x16"
        stream.read(4 + 4 + 2 + 32)  # RFC 5246 7.4.1.3, up to the session id
        stream.read(stream.read(1)[0])
        assert stream.read(3) == bytes.fromhex("c02b00")


def test_T12_a_hello_of_ssl_2_is_refused(site, start):
    server = start(site.head(site.to_maildir()))
    hello = bytes.fromhex(
        "802e010002001500000010"
        "0100800200800300800400800500800600400700c0") + bytes(16)
    assert answer_to(site, hello)[:1] in (b"", b"\x15")
    assert session_lines(server, 1)[0]["end"] == "tls"


def test_T13_clear_text_where_tls_is_due_and_tls_where_it_is_not(site, start):
    server = start(site.head(site.to_maildir()))
    with connected(site, "implicit") as connection:
        connection.sendall(b"EHLO laptop\r\n")
        said = b"".join(iter(lambda: connection.recv(100), b""))
    # An alert of TLS, and not a word of SMTP.
    assert said[:1] == b"\x15" and len(said) == 7
    with Dialogue(site.starttls, site.host) as dialogue:
        dialogue.expect(220)
        dialogue.send(client_hello(b"localhost"))
        dialogue.expect(421)
        assert dialogue.is_closed()
    assert [line["end"] for line in session_lines(server, 2)] == \
        ["tls", "protocol"]


def test_T04_a_client_hello_in_the_same_segment_does_not_hang(site, start):
    """It stands in clear text behind STARTTLS, as an attacker's words would:
    the session ends."""
    start(site.head(site.to_maildir()))
    with Dialogue(site.starttls, site.host) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        dialogue.send(b"STARTTLS\r\n" + client_hello(b"localhost"))
        assert dialogue.reply().code in (220, 421)
        assert dialogue.is_closed()


@pytest.mark.parametrize("port", PORTS)
def test_T08_a_client_can_not_renegotiate(site, start, port):
    server = start(site.head(site.to_maildir()))
    start_tls = ["-starttls", "smtp"] if port == "starttls" else []
    with subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-connect",
             f"{site.host}:{getattr(site, port)}", *start_tls],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT) as client:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        said = client.communicate(timeout=20)[0].decode("utf-8", "replace")
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said.lower() or "error" in said.lower()
    assert session_lines(server, 1)[0]["end"] == "tls"
    assert server.is_alive()


NO_RECORDS = {
    "too large": b"\x16\x03\x01\x40\x01" + b"\0" * 0x4001,
    "empty": b"\x16\x03\x01\x00\x00" * 400,
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "data before keys": b"\x17\x03\x03\x00\x10" + b"x" * 16,
    "garbage": b"\xff" * 600,
}


@pytest.mark.parametrize("port", PORTS)
def test_T10_records_that_are_none_end_the_handshake(site, start, port):
    server = start(site.head(site.to_maildir()))
    for octets in NO_RECORDS.values():
        with connected(site, port) as connection:
            try:
                connection.sendall(octets)
                while connection.recv(4096):
                    pass
            except ConnectionError:
                pass
    ends = session_lines(server, len(NO_RECORDS))
    assert {line["end"] for line in ends} == {"tls"}
    assert server.is_alive()
    assert b"220" in hello_in_tls(site)


def hello_in_tls(site):
    with unverified_context().wrap_socket(connected(site, "implicit")) as secured:
        return secured.recv(4096)


@pytest.mark.parametrize("version", VERSIONS)
def test_T10_a_handshake_of_one_octet_a_record_is_a_handshake(site, start,
                                                              version):
    """Fragments are legal; only their time is bounded."""
    start(site.head(site.to_maildir()))
    context = of_version(version)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = context.wrap_bio(incoming, outgoing)
    with connected(site, "implicit") as connection:
        with pytest.raises(ssl.SSLWantReadError):
            engine.do_handshake()
        hello = outgoing.read()
        content = hello[5:]
        for octet in content:
            connection.sendall(hello[:3] + b"\0\1" + bytes([octet]))
        while True:
            incoming.write(connection.recv(65536))
            try:
                engine.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
        connection.sendall(outgoing.read())
        assert engine.version() == version.name.replace("_", ".")


def test_T10_the_time_of_a_handshake_is_bounded_as_a_whole(site, start):
    """An octet now and then does not make it longer."""
    server = start(site.head(site.to_maildir())
                   + "timeouts: {tls_handshake: 1s}\n")
    hello = client_hello(b"localhost")
    with connected(site, "implicit") as connection:
        connection.settimeout(0.1)
        sent = 0
        with pytest.raises(ConnectionError):
            for octet in hello[5:]:
                connection.sendall(hello[:3] + b"\0\1" + bytes([octet]))
                sent += 1
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(1) == b""
                    raise ConnectionError("closed")
        assert sent > 1
    assert session_lines(server, 1)[0]["end"] == "timeout"


def test_T15_early_data_is_not_offered(site, start, tmp_path):
    start(site.head(site.to_maildir()))
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(b"EHLO laptop\r\nMAIL FROM:<a@example.com>\r\n")
    # The ticket comes with the server's first words, so these are awaited.
    s_client(site, "implicit", "-tls1_3", "-nocommands", "-ign_eof",
             "-sess_out", str(session))
    ticket = subprocess.run(
        ["openssl", "sess_id", "-in", session, "-noout", "-text"],
        capture_output=True, check=True, timeout=30).stdout.decode()
    assert "TLS session ticket:" in ticket
    assert "Max Early Data: 0" in ticket
    said = s_client(site, "implicit", "-tls1_3", "-sess_in", str(session),
                    "-early_data", str(early))
    assert "Reused, TLSv1.3" in said
    assert "Early data was not sent" in said
    assert "Early data was accepted" not in said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_of_one_thread_is_taken_by_all(site, start, pair, version):
    """The kernel spreads connections over the threads."""
    start(with_certificates(site, pair) + "workers: 4\n")
    context = of_version(version)
    session = None
    for _ in range(24):
        with context.wrap_socket(connected(site, "implicit"),
                                 session=session) as secured:
            secured.recv(4096)
            assert secured.session_reused == (session is not None)
            session = session or secured.session


def client_ca_site(site, authority):
    text = site.head(site.to_maildir())
    return text.replace(
        "tls: implicit}", f'tls: implicit, client_ca: "{authority.chain}"}}')


def asked(context, site, port="implicit"):
    """Speaks one command; in TLS 1.3 a refusal comes behind the handshake."""
    with context.wrap_socket(connected(site, port)) as secured:
        secured.recv(4096)
        secured.sendall(b"QUIT\r\n")
        return secured.recv(4096)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate_is_asked_for_and_told_in_the_log(
        site, start, authority, tmp_path, version):
    mine = certificates.make_certificate(tmp_path / "mine", name="till.example",
                                         issuer=authority)
    server = start(client_ca_site(site, authority))
    context = of_version(version)
    assert asked(context, site).startswith(b"221")
    assert "fingerprint" not in session_lines(server, 1)[0]["tls"]
    context.load_cert_chain(mine.chain, mine.key)
    assert asked(context, site).startswith(b"221")
    shown = session_lines(server, 2)[1]["tls"]
    der = ssl.PEM_cert_to_DER_cert(mine.chain.read_text())
    assert shown["fingerprint"] == hashlib.sha256(der).hexdigest()
    assert shown["names"] == ["till.example"]


def test_L01_names_in_tls_stay_one_line_of_json(site, start, authority,
                                                tmp_path):
    odd = 'a"}\r\n\x1b[2J\u2028%n\\{'
    mine = certificates.make_certificate(
        tmp_path / "mine", name=odd.replace("\\", "\\\\"), issuer=authority,
        has_alternatives=False)
    server = start(client_ca_site(site, authority))
    context = unverified_context()
    context.load_cert_chain(mine.chain, mine.key)
    with context.wrap_socket(connected(site, "implicit"),
                             server_hostname='b"}\n\x1b[2J%n{') as secured:
        secured.recv(4096)
        secured.sendall(b"QUIT\r\n")
        assert secured.recv(4096).startswith(b"221")
    [line] = session_lines(server, 1)
    assert line["tls"]["names"] == [odd]
    assert line["tls"]["sni"] == 'b"}\n\x1b[2J%n{'
    said = site.log.read_text(encoding="utf-8") + server.stderr()
    assert "\x1b" not in said and "\u2028" not in said


def test_a_client_certificate_of_strangers_ends_the_handshake(
        site, start, authority, other):
    server = start(client_ca_site(site, authority))
    context = unverified_context()
    context.load_cert_chain(other.chain, other.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        if not asked(context, site):
            raise ConnectionError("closed")
    assert session_lines(server, 1)[0]["end"] == "tls"
    assert server.is_alive()


def test_a_rule_sees_the_client_certificate(site, start, authority, tmp_path):
    mine = certificates.make_certificate(tmp_path / "mine", name="till.example",
                                         issuer=authority)
    start(client_ca_site(site, authority) + """
policy:
  helo:
    - rule: tills only
      when: {tls.client.fingerprint: {exists: false}}
      reject: "550 5.7.1 Show a till's certificate"
""")
    context = unverified_context()
    with context.wrap_socket(connected(site, "implicit")) as secured:
        secured.recv(4096)
        secured.sendall(b"EHLO laptop\r\n")
        assert secured.recv(4096).startswith(b"550")
    context.load_cert_chain(mine.chain, mine.key)
    with context.wrap_socket(connected(site, "implicit")) as secured:
        secured.recv(4096)
        secured.sendall(b"EHLO laptop\r\n")
        assert secured.recv(4096).startswith(b"250")


@pytest.mark.parametrize("version", VERSIONS)
def test_T16_a_ticket_is_no_certificate(site, start, authority, version):
    """A session of the listener that asks for none is not resumed where one
    is asked for; on its own listener it is."""
    start(client_ca_site(site, authority))
    context = of_version(version)

    def session_of(port, session=None):
        with context.wrap_socket(connected(site, port),
                                 session=session) as secured:
            secured.sendall(b"EHLO laptop\r\n")
            secured.recv(4096)
            return secured.session, secured.session_reused

    session, reused = session_of("starttls")
    assert not reused
    assert session_of("starttls", session)[1]
    assert not session_of("implicit", session)[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_T16_a_ticket_is_no_login(site, start, version):
    start(site.head(site.to_maildir()))
    context = of_version(version)
    session = None
    for _ in range(2):
        with Dialogue(site.implicit, site.host) as dialogue:
            dialogue.socket = context.wrap_socket(dialogue.socket,
                                                  session=session)
            dialogue.expect(220)
            dialogue.hello()
            dialogue.expect(530, "MAIL FROM:<bob@example.com>")
            assert dialogue.login("bob", PASSWORDS["bob"]).code == 235
            dialogue.expect(250, "MAIL FROM:<bob@example.com>")
            assert dialogue.socket.session_reused == (session is not None)
            session = dialogue.socket.session


def test_T09_a_cut_behind_the_end_of_data_delivers_and_one_before_does_not(
        site, start):
    server = start(site.head(site.to_maildir()))
    message = b"Subject: x\r\n\r\ntext\r\n"
    for end in [b".\r\n", b""]:
        with in_body(site) as dialogue:
            dialogue.expect(354, "DATA")
            dialogue.send(message + end)
            if end:
                dialogue.expect(250)
    lines = server.log.wait_transactions(2)
    assert [line["verdict"] for line in lines] == ["accept", "abort"]


def test_K05_clear_text_behind_the_end_of_tls_is_never_read(site, start):
    """In the middle of a chunk: close_notify, then octets in clear text."""
    server = start(site.head(site.to_maildir()))
    dialogue = in_body(site, b"BDAT 1000 LAST\r\n" + b"x" * 500)
    dialogue.socket.settimeout(10)
    try:
        raw = dialogue.socket.unwrap()
    except (ConnectionError, ssl.SSLError):
        raw = socket.socket(fileno=dialogue.socket.detach())
    try:
        raw.sendall(b"y" * 500)
        while raw.recv(4096):
            pass
    except (ConnectionError, OSError):
        pass
    raw.close()
    assert server.log.wait_transactions(1)[0]["verdict"] == "abort"
    assert server.is_alive()


def test_a_certificate_that_ends_soon_is_in_the_log(site, start, tmp_path):
    soon = certificates.make_certificate(tmp_path / "soon", days=5)
    server = start(with_certificates(site, soon))
    # On the second that it was made in, it has five days yet.
    assert re.search("ends in [45] days; clients will refuse it then",
                     server.stderr())


def test_a_certificate_that_ends_soon_is_told_each_day(site, start, tmp_path,
                                                       days_pass):
    """Two days pass for a server that nobody restarts."""
    soon = certificates.make_certificate(tmp_path / "soon", days=5)
    server = start(with_certificates(site, soon),
                   environment={"LD_PRELOAD": str(days_pass),
                                "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def told():
        return [int(line.partition("ends in ")[2].split()[0])
                for line in server.stderr().splitlines()
                if "Z warning certificate" in line]

    wait_for(lambda: len(told()) == 3, "the third day")
    # On the second that it was made in, a day that was full is not yet less.
    assert told() in ([4, 3, 2], [5, 3, 2], [5, 4, 2], [5, 4, 3])
