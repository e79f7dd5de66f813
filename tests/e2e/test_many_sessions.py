"""A thousand sessions of every kind, and then an end without a leak."""

import concurrent.futures
import itertools

from dialogue import Closed, Dialogue, logged_in
from messages import make_message
from users import PASSWORDS, hashed_cheaply, write_users
from waiting import wait_for

SESSIONS = 1000
AT_ONCE = 16


def good(site, number):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, f"RCPT TO:<r{number}@example.net>")
        reply = dialogue.message(
            make_message("bob@example.com", "r@example.net", f"m{number}"))
        assert reply.code == 250, reply
        dialogue.expect(221, "QUIT")


def bad_password(site, _number):
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        dialogue.hello()
        assert dialogue.login("bob", "wrong").code == 535
        assert dialogue.login("nobody", "wrong").code == 535


def aborted(site, number):
    """Gone at some point of a transaction, without a word."""
    with logged_in(site, "eve", PASSWORDS["eve"]) as dialogue:
        steps = [b"MAIL FROM:<eve@example.com>\r\n",
                 b"RCPT TO:<a@example.net>\r\n", b"DATA\r\n",
                 b"Subject: x\r\n", b"\r\nbody\r\n" * 1000]
        for step in steps[:1 + number % len(steps)]:
            dialogue.send(step)


def garbage(site, number):
    with Dialogue(site.starttls) as dialogue:
        dialogue.expect(220)
        dialogue.send(bytes((number + i * 7) % 256 for i in range(3000)))
        dialogue.send(b"\r\n" + b"BLAH\r\n" * 20)
        try:
            while dialogue.reply().code != 421:
                pass
        except (Closed, UnicodeDecodeError):
            pass


def broken_handshake(site, number):
    with Dialogue(site.implicit) as dialogue:
        dialogue.send(b"\x16\x03\x01\x02\x00\x01" + bytes([number % 256]) * 99)


def oversized(site, _number):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(552, "MAIL FROM:<bob@example.com> SIZE=999999999999")
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(354, "DATA")
        try:
            dialogue.send(b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n")
            dialogue.send((b"y" * 998 + b"\r\n") * 300 + b".\r\n")
            assert dialogue.reply().code == 552
        except (Closed, ConnectionError):
            pass


KINDS = [good, good, bad_password, aborted, aborted, garbage,
         broken_handshake, oversized]


def run_session(site, kind, number):
    """What a kind allows itself is no fault; the server's silence is."""
    try:
        kind(site, number)
    except (ConnectionError, BrokenPipeError):
        assert kind in (aborted, garbage, broken_handshake, oversized)


def test_a_thousand_mixed_sessions_leave_nothing_behind(
        site, start, aiosmtpd):
    site.users = write_users(site.folder / "users", hashed_cheaply)
    # All guesses come from one network: each would wait longer than the last.
    head = site.head(site.to_port(aiosmtpd.port)).replace(
        "auth:\n", "auth:\n  delay: 0\n", 1)
    server = start(
        head + "caps: {message: 200K, connections_per_net: 1000}\n")
    kinds = itertools.islice(itertools.cycle(KINDS), SESSIONS)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(run_session, site, kind, number)
                   for number, kind in enumerate(kinds)]
        for future in futures:
            future.result()
    expected = sum(1 for n in range(SESSIONS) if KINDS[n % len(KINDS)] is good)
    accepted = wait_for(
        lambda: [line for line in server.log.events("transaction")
                 if line["verdict"] == "accept"], "accepted mails")
    assert len(accepted) == expected
    assert len(aiosmtpd.delivered) == expected
    assert server.is_alive()
    # The fixture stops the server and reads what LeakSanitizer says.
