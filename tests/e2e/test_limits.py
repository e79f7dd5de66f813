"""`postern limits`: what is used and left under a key, and changes to it."""

import json

import pytest

from dialogue import logged_in
from server import run_once
from users import PASSWORDS
from waiting import wait_for

POLICY = """\
lists:
  quota: {file: QUOTA}
policy:
  auth:
    - rule: guesses
      when: {auth.result: failed}
      limit: {failures: 10/10m, by: "{client.net}"}
      close: "421 4.7.0 Too many"
  mail:
    - rule: a size that has no budget
      limit: {size: 10M}
      reject: "552 5.3.4 Too large"
    - rule: mails of all
      limit: {messages: 1000/d}
      defer: "451 4.7.1 Too many"
    - rule: networks of a login
      limit: {networks: 3/d, by: "{auth.user}"}
      defer: "451 4.7.1 From too many networks"
  rcpt:
    - rule: recipients an hour
      limit: {recipients: 600/h, burst: 4, by: "{auth.user}"}
      defer: "450 4.7.1 {limit.used} of {limit.max}, {limit.left} left"
    - rule: by a list
      mode: shadow
      limit: {recipients: "{auth.user|map:quota}", by: "{auth.user}"}
      defer: "450 4.7.1 Too many"
"""


@pytest.fixture
def live(site, start):
    quota = site.folder / "quota.txt"
    quota.write_text("bob 50/h\n", encoding="utf-8")

    class Live:
        text = (site.head(site.to_maildir())
                + f'control: "{site.folder}/control"\n'
                + POLICY.replace("QUOTA", f'"{quota}"'))

        def __init__(self):
            self.server = start(self.text)

        def again(self):
            self.server.terminate()
            self.server.check_end()
            self.server = start(self.text)

        def limits(self, *words, code=0):
            done = run_once("limits", "-c", self.server.config, *words)
            assert done.returncode == code, (done.stdout, done.stderr)
            return done.stderr if code else done.stdout

        def rules(self, *words):
            answer = json.loads(self.limits(*words, "--json"))
            return {limit["rule"]: limit for limit in answer["limits"]}

        def limit(self, key="bob"):
            return self.rules(key)["recipients an hour"]

    return Live()


def recipients(dialogue, count):
    """What so many were told, in a mail that stays open."""
    dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    return [dialogue.say(f"RCPT TO:<r{i}@example.net>").code
            for i in range(count)]


def finish(dialogue):
    dialogue.expect(354, "DATA")
    dialogue.send(b"Subject: a\r\n\r\nHello.\r\n.\r\n")
    assert dialogue.reply().code == 250


def test_what_is_used_held_and_left_is_told(site, live):
    assert live.limits("bob") == "bob: nothing is counted under this key\n"
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 3) == [250] * 3
        held = live.limit()
        assert (held["used"], held["held"], held["left"], held["max"]) \
            == (0, 3, 1, 4)
        assert "empty_in_ms" not in held
        finish(dialogue)
        wait_for(lambda: live.limit()["held"] == 0, "an end")
    used = live.limit("BOB")
    # One drains in six seconds.
    assert 0 < used["used"] <= 3 and used["left"] == 4 - used["used"]
    assert 0 < used["empty_in_ms"] <= 18000
    assert (used["amount"], used["period_ms"]) == (600, 3600000)
    rules = live.rules("bob")
    assert list(rules) == ["networks of a login", "recipients an hour",
                           "by a list"]
    assert (rules["networks of a login"]["used"],
            rules["networks of a login"]["max"]) == (1, 3)
    assert (rules["by a list"]["max"], rules["by a list"]["mode"],
            rules["by a list"]["limit"]) \
        == (50, "shadow", "{auth.user|map:quota}")


def test_columns_stand_under_one_another(site, live):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        recipients(dialogue, 2)
        lines = live.limits("bob").splitlines()
    head = lines[0]
    assert head.split() == ["rule", "stage", "unit", "used", "held", "left",
                            "max", "rate", "empty", "in"]
    [line] = [line for line in lines if line.startswith("recipients an hour")]
    assert line.split()[3:] == ["rcpt", "recipients", "0", "2", "2", "4",
                                "600/h"]
    assert line.index("rcpt") == head.index("stage")
    assert line.index("/h") + 2 == head.index("rate") + 4


def test_without_a_key_the_rules_are_listed(site, live):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        recipients(dialogue, 1)
        finish(dialogue)
    lines = live.limits().splitlines()
    assert [line.split("  ")[0] for line in lines[1:-1]] \
        == ["guesses", "mails of all", "networks of a login",
            "recipients an hour", "by a list (shadow)"]
    assert lines[4].split() == ["recipients", "an", "hour", "rcpt", "600/h",
                                "recipients", "{auth.user}"]
    assert "all together" in lines[2] and lines[2].split()[-2:] == ["999",
                                                                    "1000"]
    assert "of keys only hashes are kept" in lines[-1]
    answer = json.loads(live.limits("--json"))
    assert 1 <= answer["in_use"] <= 5 and answer["room"] == 1000000


def test_a_reset_begins_anew(site, live):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 5) == [250] * 4 + [450]
        finish(dialogue)
        wait_for(lambda: live.limit()["held"] == 0, "an end")
        said = live.limits("bob", "--reset")
        assert said.startswith("bob: reset\n")
        assert recipients(dialogue, 5) == [250] * 4 + [450]
    events = [event for event in live.server.log.wait_events("limit", 3)
              if event.get("did")]
    assert sorted((event["rule"], event["used"]) for event in events)[1:] \
        == [("networks of a login", 1), ("recipients an hour", 4)]
    assert {event["by"] for event in events} == {"control"}
    assert {event["key"] for event in events} == {"bob"}
    assert live.limits("eve", "--reset") \
        == "eve: there is nothing to change\n"


def test_a_boost_lets_more_through_and_is_kept(site, live):
    live.limits("bob", "--boost", "2.5x", "--for", "1h")
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 11) == [250] * 10 + [450]
        reply = dialogue.say("RCPT TO:<more@example.net>")
        assert "10 of 600, 0 left" in reply.text
        dialogue.expect(250, "RSET")
    with logged_in(site, "eve", PASSWORDS["eve"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<eve@example.com>")
        codes = [dialogue.say(f"RCPT TO:<r{i}@example.net>").code
                 for i in range(5)]
        assert codes == [250] * 4 + [450]
    assert "  boosted 2.5x, for another " in live.limits("bob")
    limit = live.limit()
    assert all(line == line.rstrip() for line in live.limits().splitlines())
    assert (limit["max"], limit["amount"], limit["boost_percent"]) \
        == (10, 1500, 250)
    assert 3500000 < limit["boost_left_ms"] <= 3600000
    [event] = [event for event in live.server.log.wait_events("limit", 4)
               if event["rule"] == "recipients an hour"
               and event.get("did") == "boost"]
    assert (event["key"], event["boost_percent"], event["for_ms"]) \
        == ("bob", 250, 3600000)
    assert event["until"] > event["time"]
    shown = run_once("tail", site.log)
    assert "did=boost" in shown.stdout
    live.again()
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 11) == [250] * 10 + [450]
    said = live.limits("bob", "--boost", "1x")
    assert said.startswith("bob: the boost has ended\n")
    assert live.limits("bob", "--boost", "1x") \
        == "bob: there is nothing to change\n"
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 5) == [250] * 4 + [450]


def test_a_reset_outlives_a_restart(site, live):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert recipients(dialogue, 4) == [250] * 4
        finish(dialogue)
        wait_for(lambda: live.limit()["held"] == 0, "an end")
    live.limits("bob", "--reset")
    live.again()
    assert live.limits("bob") == "bob: nothing is counted under this key\n"


WRONG = [
    (["--reset"], 2, "whose? name a key"),
    (["bob", "eve"], 2, "one key at a time"),
    (["bob", "--boost"], 2, "a word is missing behind --boost"),
    (["bob", "--boost", "2x"], 2, "how long? --boost needs --for"),
    (["bob", "--boost", "2", "--for", "1h"], 2, "2x or 1.5x, not 2"),
    (["bob", "--boost", "x", "--for", "1h"], 2, "2x or 1.5x, not x"),
    (["bob", "--boost", "1.234x", "--for", "1h"], 2, "not 1.234x"),
    (["bob", "--boost", "2x", "--for", "soon"], 2, "30m or 12h, not soon"),
    (["bob", "--boost", "1x", "--for", "1h"], 2, "ends a boost, at once"),
    (["bob", "--boost", "2x", "--reset"], 2, "one at a time"),
    (["bob", "--for", "1h"], 2, "--for goes with --boost"),
    (["bob", "--rest"], 2, "there is no option --rest"),
    (["bob", "--boost", "1001x", "--for", "1h"], 1, "from 0.01x to 1000x"),
    (["bob", "--boost", "0x", "--for", "1h"], 1, "from 0.01x to 1000x"),
    (["bob", "--boost", "2x", "--for", "32d"], 1, "for up to 31 days"),
    ([""], 1, "a key has 1 to 1024 octets"),
    (["x" * 2000], 1, "a key has 1 to 1024 octets"),
]


def test_what_can_not_be_is_said(live):
    for words, code, said in WRONG:
        assert said in live.limits(*words, code=code)
