"""smtpsink can be trusted: harm that a message comes to on its way is found
out, and nothing else is taken for harm."""

import hashlib
import re
import smtplib

import pytest

from load_tools import Relay, load_well


def flip_digit(match):
    return match[0][:-1] + (b"1" if match[0].endswith(b"0") else b"0")


def once(pattern, replacement):
    """Alters the first place, of all that pass."""
    left = [1]

    def alter(octets):
        if left:
            octets, done = re.subn(pattern, replacement, octets, count=1)
            if done:
                left.pop()
        return octets
    return alter


HARMS = {
    "a_flipped_bit": (rb"\r\nEND ", b"\r\neND "),
    "another_id": (rb"X-Load-ID: .", flip_digit),
    "another_sum": (rb"X-Load-Sum: .", flip_digit),
    "a_lost_dot": (rb"\r\n\r\n\.\.", b"\r\n\r\n."),
    "a_dot_too_many": (rb"\r\n\r\n\.\.", b"\r\n\r\n..."),
    "a_lost_line": (rb"END [0-9a-f]{16}\r\n", b""),
    "a_line_end_of_one_octet": (rb"\r\nEND ", b"\nEND "),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_message_that_was_altered_is_found_out(load_sink, harm):
    alter = once(*HARMS[harm])
    with Relay(load_sink.port, alter) as relay:
        load_well(relay.port, "--per-conn", 3)
    assert load_sink.judged() == (2, 1, 0, 0)
    assert "is not as it was sent" in load_sink.stop()


def test_an_octet_altered_in_a_chunk_is_found_out(load_sink):
    with Relay(load_sink.port, once(*HARMS["a_flipped_bit"])) as relay:
        load_well(relay.port, "--per-conn", 3, "--bdat")
    assert load_sink.judged() == (2, 1, 0, 0)


def test_a_lost_sum_is_found_out(load_sink):
    alter = once(rb"X-Load-Sum: [0-9a-f]{64}\r\n", b"")
    with Relay(load_sink.port, alter) as relay:
        load_well(relay.port, "--per-conn", 3)
    assert load_sink.judged() == (2, 0, 1, 0)


def test_a_header_may_grow(load_sink):
    field = b"Received: from there\r\n\tby " + b"here" * 99 + b"\r\nFrom: "
    with Relay(load_sink.port, once(rb"From: ", field)) as relay:
        load_well(relay.port, "--per-conn", 3)
    assert load_sink.judged() == (3, 0, 0, 0)


@pytest.mark.parametrize("shape", [(), ("--bdat",)], ids=["data", "chunk"])
def test_it_does_not_matter_how_octets_come(load_sink, shape):
    with Relay(load_sink.port, slice_size=1) as relay:
        load_well(relay.port, "--per-conn", 2, "--size", 1500, *shape)
    assert load_sink.judged() == (2, 0, 0, 0)


def marked(number, body):
    """As the documentation of the sum says, written a second time."""
    name = f"{number:016x}"
    digest = hashlib.sha256(body + name.encode()).hexdigest()
    return f"X-Load-ID: {name}\r\nX-Load-Sum: {digest}\r\n\r\n".encode() + body


def test_a_message_that_comes_twice_is_found_out(load_sink):
    # A dot on a line of its own, and at the end of a line that LF ends.
    bodies = [b"one\r\n.\r\ntwo\n.\r\n", b"", b"\r\n\r\n.\n\r\n"]
    with smtplib.SMTP("127.0.0.1", load_sink.port, timeout=20) as client:
        client.ehlo()
        for number in (1, 2, 3, 1):
            client.mail("a@example.com")
            client.rcpt("b@example.com")
            client.putcmd("DATA")
            assert client.getreply()[0] == 354
            content = marked(number, bodies[number - 1])
            client.send(re.sub(rb"(?<=\r\n)\.", b"..", content) + b".\r\n")
            assert client.getreply()[0] == 250
    assert load_sink.judged() == (4, 0, 0, 1)


def test_the_sink_takes_no_command_out_of_order(load_sink):
    with smtplib.SMTP("127.0.0.1", load_sink.port, timeout=20) as client:
        client.ehlo()
        for command, code in [
                ("RCPT TO:<b@example.com>", 503), ("DATA", 503),
                ("BDAT 4 LAST\r\nQUIT", 503), ("MAIL FROM:<>", 250),
                ("MAIL FROM:<>", 503), ("DATA", 503),
                ("RCPT TO:<b@example.com>", 250), ("BDAT 0", 250),
                ("RCPT TO:<c@example.com>", 503), ("DATA", 503),
                ("RSET", 250), ("BDAT 0 LAST", 503), ("BDAT x", 501)]:
            # The octets of a chunk are not taken for a command.
            if command.startswith("BDAT 4"):
                client.send(command.encode())
                assert client.getreply()[0] == code
            else:
                assert client.docmd(command)[0] == code, command
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.docmd("NOOP")
    assert load_sink.counters()["msgs"] == 0
