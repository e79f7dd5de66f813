"""A real Postfix takes messages in chunks: large, hard to carry, with octets
that only chunks of the very right size get through unharmed."""

import re

import clients
from maildir import wait_message
from messages import body_hash, headers, make_large_message, make_message
from users import PASSWORDS
from waiting import wait_for

# Three chunks and a bit. A line of two octets puts a CR or an LF at every
# edge, whatever stands before.
LARGE = 200_000


def mail_of(token, content):
    return clients.Mail(
        user="bob", password=PASSWORDS["bob"], sender="bob@example.com",
        recipient="a@example.net", content=content)


def commands_of_sessions(postfix):
    """What Postfix counted, a text for each session that is over."""
    return re.findall(r"disconnect from \S+ (ehlo=\S.*)", postfix.log())


def send_all(site, start, postfix, upstream, contents):
    over = len(commands_of_sessions(postfix))
    server = start(site.head(upstream))
    for token, content in contents.items():
        outcome = clients.python_smtplib(
            site, site.implicit, mail_of(token, content))
        assert outcome.sent, outcome.said
        arrived = wait_message(postfix.maildir, f"<{token}@")
        assert body_hash(arrived) == body_hash(content), postfix.log()
    assert len(server.log.wait_transactions(len(contents))) == len(contents)
    server.terminate()
    server.wait_end()
    return wait_for(lambda: commands_of_sessions(postfix)[over:],
                    "the sessions' ends in Postfix's log")


def messages(prefix):
    def of(token, make, *more):
        return make("bob@example.com", "a@example.net", token, *more)
    edges = headers("bob@example.com", "a@example.net", f"{prefix}edges")
    return {
        f"{prefix}small": of(f"{prefix}small", make_message),
        f"{prefix}large": of(f"{prefix}large", make_large_message, LARGE),
        f"{prefix}edges": edges + b"\r\n" + b"\r\n" * (LARGE // 2) + b"end\r\n",
        f"{prefix}odd": (edges.replace(b"edges", b"odd") + b"\r\nx"
                         + b"\r\n" * (LARGE // 2) + b"end\r\n"),
        f"{prefix}dots": (edges.replace(b"edges", b"dots") + b"\r\n"
                          + b".\r\n..\r\n" * (LARGE // 7) + b"end\r\n"),
    }


def test_messages_arrive_in_chunks_as_they_came(site, start, postfix):
    sessions = send_all(site, start, postfix, site.to_port(postfix.port),
                        messages("chunks"))
    assert any("bdat=" in session for session in sessions), sessions
    assert not any("data=" in session for session in sessions), sessions


def test_without_chunks_the_same_arrives_by_data(site, start, postfix):
    sessions = send_all(
        site, start, postfix,
        f'{{servers: ["127.0.0.1:{postfix.port}"], tls: {{mode: none}}, '
        f'disable: [CHUNKING]}}', messages("data"))
    assert any("data=" in session for session in sessions), sessions
    assert not any("bdat=" in session for session in sessions), sessions
