"""The peers themselves work, without Postern: then a failure elsewhere is
ours."""

import smtplib

import pytest

from maildir import wait_message
from messages import body_hash, make_message
from onward_mtas import MTAS
from peer_sink import Sink
from waiting import wait_for


def send(port, message):
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("bob@example.com", ["a@example.net"], message,
                        ["BODY=8BITMIME"])


def test_postfix_delivers_into_its_maildir(postfix):
    message = make_message("bob@example.com", "a@example.net", "peer1")
    send(postfix.port, message)
    arrived = wait_message(postfix.maildir, "peer1")
    assert body_hash(arrived) == body_hash(message), postfix.log()


def test_aiosmtpd_keeps_what_it_was_given(aiosmtpd):
    message = make_message("bob@example.com", "a@example.net", "peer2")
    send(aiosmtpd.port, message)
    [delivered] = aiosmtpd.wait_delivered(1)
    assert delivered.recipients == ["a@example.net"]
    assert body_hash(delivered.content) == body_hash(message)


@pytest.mark.parametrize("name", MTAS)
def test_an_mta_delivers_onward(name, tmp_path, certificate):
    message = make_message("bob@example.com", "a@example.net", "peer3")
    with Sink() as sink:
        mta = MTAS[name](tmp_path, certificate, sink.port)
        mta.start()
        try:
            send(mta.port, message)
            wait_for(mta.is_idle, "an empty queue")
        finally:
            mta.stop()
        [delivered] = sink.delivered
    assert delivered.sender == "bob@example.com"
    assert delivered.recipients == ["a@example.net"]
    assert body_hash(delivered.content) == body_hash(message), mta.log()
