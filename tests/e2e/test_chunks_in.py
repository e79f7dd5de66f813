"""Messages that come in chunks, by hand, since no common client sends them:
to a real Postfix that takes chunks, and to one that does not."""

import random
import ssl

import pytest

from dialogue import logged_in
from maildir import maildir_messages, wait_message
from messages import body_hash, headers, make_large_message, make_message
from peer_postfix import Postfix
from users import PASSWORDS

MAIL = b"MAIL FROM:<bob@example.com>\r\nRCPT TO:<a@example.net>\r\n"


@pytest.fixture(scope="module")
def postfix_without_chunks(tmp_path_factory, certificate):
    server = Postfix(tmp_path_factory.mktemp("postfix"), certificate,
                     hidden="chunking")
    server.start()
    yield server
    server.stop()


def in_chunks(content, sizes):
    """The commands and octets of BDAT; the last chunk may be empty."""
    wire = b""
    while content:
        size = min(next(sizes), len(content))
        wire += b"BDAT %d\r\n%s" % (size, content[:size])
        content = content[size:]
    return wire + b"BDAT 0 LAST\r\n"


def sizes_of(token):
    numbers = random.Random(token)
    while True:
        yield numbers.choice((1, 2, 7, 998, 4096, 16385, 65536))


def messages(prefix):
    def of(token, make, *more):
        return make("bob@example.com", "a@example.net", token, *more)
    empty = headers("bob@example.com", "a@example.net", f"{prefix}empty")
    return {
        f"{prefix}small": of(f"{prefix}small", make_message),
        f"{prefix}large": of(f"{prefix}large", make_large_message, 400_000),
        f"{prefix}empty": empty + b"\r\n",
        f"{prefix}cut": empty.replace(b"empty", b"cut") + b"\r\n.\r\n.",
    }


def send_all(site, contents):
    """Each mail in one write; a reply for each command, in order."""
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        for token, content in contents.items():
            wire = in_chunks(content, sizes_of(token))
            client.send(MAIL + wire)
            for _ in range(2 + wire.count(b"BDAT ")):
                reply = client.reply()
                assert reply.code == 250, (token, reply)
        client.expect(221, "QUIT")


def assert_arrives(site, start, postfix, prefix):
    server = start(site.head(site.to_port(postfix.port)))
    contents = messages(prefix)
    send_all(site, contents)
    for token, content in contents.items():
        arrived = wait_message(postfix.maildir, f"<{token}@")
        whole = content if content.endswith(b"\r\n") else content + b"\r\n"
        assert body_hash(arrived) == body_hash(whole), postfix.log()
    lines = server.log.wait_transactions(len(contents))
    assert [line["message"]["bytes"] for line in lines][:3] == \
        [len(content) for content in contents.values()][:3]


def test_chunks_arrive_where_chunks_are_taken(site, start, postfix):
    assert_arrives(site, start, postfix, "inout")


def test_wire_D05_chunks_arrive_where_none_are_taken(
        site, start, postfix_without_chunks):
    assert_arrives(site, start, postfix_without_chunks, "inonly")
    assert "bdat=" not in postfix_without_chunks.log()


def test_wire_K05_nothing_in_clear_text_completes_a_chunk(
        site, start, postfix):
    server = start(site.head(site.to_port(postfix.port)))
    content = make_message("bob@example.com", "a@example.net", "clear")
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.send(MAIL)
        assert [client.reply().code for _ in range(2)] == [250, 250]
        client.send(b"BDAT %d LAST\r\n" % len(content) + content[:500])
        client.socket.settimeout(30)
        try:
            plain = client.socket.unwrap()
        except (ssl.SSLError, OSError):
            plain = None  # closed at once, without its close_notify
        if plain is not None:
            client.socket = plain
            try:
                plain.sendall(content[500:])
            except OSError:
                pass
        client.buffer = b""
        assert client.is_closed()
    [line] = server.log.wait_transactions(1)
    assert line["verdict"] == "abort"
    assert not any(b"<clear@" in mail
                   for mail in maildir_messages(postfix.maildir))
    send_all(site, {"after": make_message("bob@example.com", "a@example.net",
                                          "afterclear")})
    wait_message(postfix.maildir, "<afterclear@")


def test_repaired_line_ends_arrive(site, start, postfix):
    text = site.head(site.to_port(postfix.port))
    assert text.count("tls: starttls}") == 1
    server = start(text.replace("tls: starttls}",
                                "tls: starttls, line_endings: repair}"))
    contents = {token: make_message("bob@example.com", "a@example.net", token)
                for token in ("repaired1", "repaired2")}
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        first, second = contents.values()
        client.send(MAIL + in_chunks(first.replace(b"\r\n", b"\n"),
                                     sizes_of("repair")))
        while (reply := client.reply()).text.find("queued as") < 0:
            assert reply.code == 250, reply
        client.send(MAIL)
        assert [client.reply().code for _ in range(2)] == [250, 250]
        stuffed = second.replace(b"\r\n.", b"\r\n..").replace(b"\r\n", b"\n")
        client.expect(354, "DATA")
        client.send(stuffed + b"\r\n.\r\n")
        assert client.reply().code == 250
    for token, content in contents.items():
        arrived = wait_message(postfix.maildir, f"<{token}@")
        extra = b"\r\n" if token == "repaired2" else b""
        assert body_hash(arrived) == body_hash(content + extra), token
    lines = server.log.wait_transactions(2)
    assert all(line["message"]["repaired"] for line in lines)
