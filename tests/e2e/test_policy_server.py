"""`ask`: a real policy server, over TCP and over a unix socket."""

import pytest

import policy_server
from dialogue import logged_in
from maildir import wait_message
from messages import make_message
from users import PASSWORDS
from waiting import wait_for

POLICY = """
policy:
  rcpt:
    - rule: ask the judge
      ask: judge
  message:
    - rule: ask the judge at the end
      ask: judge
"""


@pytest.fixture(params=["tcp", "unix"])
def judge(request, tmp_path):
    if request.param == "tcp":
        server = policy_server.on_tcp()
        server.written = f"127.0.0.1:{server.address[1]}"
    else:
        server = policy_server.on_unix(tmp_path / "judge.sock")
        server.written = f"unix:{server.address}"
    server.start()
    yield server
    server.close()


def configure(site, judge, on_failure="defer"):
    return (site.head(site.to_maildir()) + f"""\
policy_servers:
  judge: {{address: "{judge.written}", timeout: 2s, on_failure: {on_failure}}}
workers: 1
""" + POLICY)


@pytest.fixture
def mails(site):
    for part in ("tmp", "new", "cur"):
        (site.maildir / part).mkdir(parents=True)
    return site.maildir


def begin(site):
    client = logged_in(site, "bob", PASSWORDS["bob"])
    client.expect(250, "MAIL FROM:<bob@example.com> SIZE=1000")
    return client


def test_each_answer_is_acted_on(site, start, judge, mails):
    server = start(configure(site, judge))
    client = begin(site)
    refused = client.expect(554, "RCPT TO:<reject@example.net>")
    assert "not wanted by the policy server" in refused.text
    assert "Greylisted" in client.expect(
        450, "RCPT TO:<defer@example.net>").text
    client.expect(451, "RCPT TO:<discard@example.net>")
    client.expect(250, "RCPT TO:<prepend@example.net>")
    client.expect(250, "RCPT TO:<slow@example.net>")
    assert client.message(make_message("bob@example.com", "a@example.net",
                                       "judged")).code == 250
    assert b"X-Judged: yes" in wait_message(mails, "judged")
    questions = list(judge.questions)
    assert [item["protocol_state"] for item in questions] == \
        ["RCPT"] * 5 + ["END-OF-MESSAGE"]
    assert len({item["instance"] for item in questions}) == 1
    assert questions[0]["sasl_username"] == "bob"
    assert questions[0]["client_address"] == "127.0.0.1"
    assert questions[0]["server_port"] == str(site.starttls)
    assert questions[0]["encryption_protocol"] == "TLSv1.3"
    assert questions[-1]["recipient_count"] == "2"
    line = server.log.wait_transactions(1)[0]
    assert [item["server"] for item in line["asks"]] == ["judge"] * 6
    client.expect(221, "QUIT")


def test_recipients_in_one_piece_are_answered_in_order(site, start, judge,
                                                       mails):
    start(configure(site, judge))
    client = begin(site)
    words = ["a", "reject", "slow", "b", "defer", "c"]
    client.send("".join(f"RCPT TO:<{word}@example.net>\r\n"
                        for word in words).encode() + b"NOOP\r\n")
    assert [client.reply().code for _ in words] == \
        [250, 554, 250, 250, 450, 250]
    assert client.reply().code == 250


@pytest.mark.parametrize("on_failure, code", [("defer", 451),
                                              ("continue", 250)])
def test_a_server_that_is_away_and_comes_back(site, start, judge, mails,
                                              on_failure, code):
    server = start(configure(site, judge, on_failure))
    client = begin(site)
    client.expect(250, "RCPT TO:<a@example.net>")
    judge.stop()
    client.expect(code, "RCPT TO:<b@example.net>")
    client.expect(code, "RCPT TO:<c@example.net>")
    wait_for(lambda: "policy server judge" in server.stderr(), "a warning")
    assert server.stderr().count("policy server judge") == 1
    judge.start()
    client.expect(250, "RCPT TO:<d@example.net>")
    wait_for(lambda: "judge answers again" in server.stderr(), "the all-clear")


def test_a_question_without_an_answer_is_a_failure(site, start, judge, mails):
    start(configure(site, judge))
    client = begin(site)
    client.expect(451, "RCPT TO:<vanish@example.net>")
    client.expect(250, "RCPT TO:<a@example.net>")


def test_a_stop_ends_while_a_connection_is_kept(site, start, judge, mails):
    server = start(configure(site, judge))
    client = begin(site)
    client.expect(250, "RCPT TO:<a@example.net>")
    client.expect(221, "QUIT")
    server.terminate()
    assert server.wait_end() == 0
