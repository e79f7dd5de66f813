"""`postern list`: what dynamic lists hold, and changes to them, at once."""

import json

import pytest

from dialogue import Closed, logged_in
from server import run_once
from users import PASSWORDS

POLICY = """\
lists:
  contained: {dynamic: true}
  watched: {dynamic: true}
  banned: {dynamic: true}
  partners: [example.org]
policy:
  auth:
    - rule: contained logins
      when: {auth.user: "@contained"}
      reject: "525 5.7.13 Sending is suspended for {auth.user}, ask your postmaster"
  mail:
    - rule: watched senders
      when: {mail.from: "@watched"}
      tag: [watched]
  rcpt:
    - rule: partners only
      when: {listener: nowhere, rcpt.to.domain: "@partners"}
      tag: [partner]
    - rule: banned domains
      when: {rcpt.to.domain: "@banned"}
      reject: "550 5.7.1 No mail for {rcpt.to.domain}"
"""


@pytest.fixture
def live(site, start):
    class Live:
        text = (site.head(site.to_maildir())
                + f'control: "{site.folder}/control"\n' + POLICY)

        def __init__(self):
            self.server = start(self.text)

        def again(self):
            self.server.terminate()
            self.server.check_end()
            self.server = start(self.text)

        def list(self, *words, code=0):
            done = run_once("list", "-c", self.server.config, *words)
            assert done.returncode == code, (done.stdout, done.stderr)
            return done.stderr if code else done.stdout

    return Live()


def values(live, name="contained"):
    answer = json.loads(live.list(name, "--json"))
    return {item["value"]: item.get("left_ms") for item in answer["values"]}


def test_a_contained_login_is_refused_at_its_next_mail(site, live):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RSET")
        said = live.list("contained", "--add", "BOB", "--for", "1h")
        assert said == "contained: bob is added for 1h\n"
        reply = dialogue.expect(421, "MAIL FROM:<bob@example.com>")
        assert "4.7.0 Sending is suspended for bob" in reply.text
        with pytest.raises(Closed):
            dialogue.reply()
    [event] = live.server.log.wait_events("list", 1)
    assert (event["by"], event["list"], event["did"], event["value"],
            event["for_ms"]) == ("control", "contained", "add", "bob", 3600000)


def test_a_value_that_is_taken_out_may_mail_again(site, live):
    live.list("contained", "--add", "bob")
    assert live.list("contained").split() == ["bob", "until", "removed"]
    said = live.list("contained", "--remove", "bob")
    assert said == "contained: bob is removed\n"
    assert live.list("contained") == "(empty)\n"
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    assert [event["did"] for event in live.server.log.wait_events("list", 2)] \
        == ["add", "remove"]


def test_values_are_shown_with_their_time_and_in_order(live):
    live.list("contained", "--add", "eve", "--for", "1h")
    live.list("contained", "--add", "alice")
    live.list("watched", "--add", "x@example.com", "--for", "10m")
    left = values(live)
    assert list(sorted(left)) == ["alice", "eve"]
    assert left["alice"] is None
    assert 3500000 < left["eve"] <= 3600000
    lines = live.list("contained").splitlines()
    assert lines[0].split()[0] == "alice"
    assert lines[1].split()[0] == "eve"
    assert lines[1].endswith(" left")
    assert list(values(live, "watched")) == ["x@example.com"]


def test_addresses_are_kept_as_rules_compare_them(live):
    live.list("watched", "--add", '"Bob"@Example.COM')
    assert list(values(live, "watched")) == ["bob@example.com"]


def test_H14_domains_are_kept_as_a_labels_and_logins_as_they_are(site, live):
    live.list("banned", "--add", "Bücher.example")
    live.list("contained", "--add", "jörg.müller")
    assert list(values(live, "banned")) == ["xn--bcher-kva.example"]
    assert list(values(live)) == ["jörg.müller"]
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        reply = dialogue.expect(550, "RCPT TO:<ann@xn--bcher-kva.example>")
        assert "5.7.1 No mail for xn--bcher-kva.example" in reply.text
    live.list("banned", "--remove", "bücher.example")
    assert list(values(live, "banned")) == []


def test_a_list_survives_a_reload_and_a_restart(live):
    live.list("contained", "--add", "bob", "--for", "12h")
    live.list("contained", "--add", "eve")
    assert run_once("reload", "-c", live.server.config).returncode == 0
    assert sorted(values(live)) == ["bob", "eve"]
    live.again()
    left = values(live)
    assert sorted(left) == ["bob", "eve"]
    assert left["eve"] is None
    assert 12 * 3600000 - 120000 < left["bob"] <= 12 * 3600000


WRONG = [
    (["contaned"], 1, "there is no list contaned; the dynamic lists here "
                      "are: contained, watched"),
    (["partners"], 1, "the list partners is not dynamic"),
    (["contained", "--add", ""], 1, "1 to 1024 octets"),
    (["contained", "--add", "x" * 2000], 1, "1 to 1024 octets"),
    ([], 2, "which list?"),
    (["contained", "--for", "1h"], 2, "--for goes with --add"),
    (["contained", "--add", "bob", "--for", "soon"], 2, "30m or 12h, not soon"),
    (["contained", "--add", "a", "--remove", "b"], 2, "one at a time"),
    (["contained", "watched"], 2, "one list at a time"),
    (["contained", "--add"], 2, "a word is missing behind --add"),
]


def test_what_can_not_be_is_said(live):
    for words, code, said in WRONG:
        assert said in live.list(*words, code=code)
