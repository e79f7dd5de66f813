"""`postern limits` and `postern list` where a Redis has the budgets."""

import json

import pytest

from peer_redis import Redis
from server import run_once
from waiting import wait_for

POLICY = """\
lists:
  contained: {dynamic: true}
policy:
  auth:
    - rule: contained logins
      when: {auth.user: "@contained"}
      reject: "525 5.7.13 Suspended"
  rcpt:
    - rule: recipients an hour
      limit: {recipients: 600/h, burst: 4, by: "{auth.user}"}
      defer: "450 4.7.1 Too many"
"""
BUDGET = "postern:{recipients an hour|recipients|bob}"


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path, password="a secret", is_local=True) as peer:
        yield peer


@pytest.fixture
def live(site, start, redis):
    secret = site.folder / "redis-password"
    secret.write_text("a secret\n", encoding="utf-8")
    secret.chmod(0o640)

    class Live:
        def __init__(self):
            self.secret = secret
            limits = (f'limits: {{store: "{redis.url}?db=3", '
                      f'store_password_file: "{secret}"}}')
            self.server = start(
                site.head(site.to_maildir()).replace(
                    f'limits: {{state: "{site.state}"}}', limits)
                + f'control: "{site.folder}/control"\n' + POLICY)

        def run(self, *words, code=0):
            done = run_once(words[0], "-c", self.server.config, *words[1:])
            assert done.returncode == code, (done.stdout, done.stderr)
            return done.stderr if code else done.stdout

    return Live()


def test_budgets_are_shown_and_changed(live, redis):
    assert live.run("limits", "bob") \
        == "bob: nothing is counted under this key\n"
    redis.say("-n", "3", "SET", BUDGET,
              "3 0 3600000 99999999999999 600 1 0 0 0")
    [limit] = json.loads(live.run("limits", "BOB", "--json"))["limits"]
    assert (limit["used"], limit["held"], limit["max"]) == (3, 1, 4)
    # The other says whose memory it is.
    assert "2 keys are in redis+unix://" in live.run("limits")
    live.run("limits", "bob", "--boost", "2x", "--for", "1h")
    [limit] = json.loads(live.run("limits", "bob", "--json"))["limits"]
    assert (limit["max"], limit["boost_percent"]) == (8, 200)
    live.run("limits", "bob", "--reset")
    [limit] = json.loads(live.run("limits", "bob", "--json"))["limits"]
    assert (limit["used"], limit["held"]) == (0, 1)
    live.run("limits", "bob", "--boost", "1x")
    redis.say("-n", "3", "DEL", BUDGET)
    assert live.run("limits", "bob") \
        == "bob: nothing is counted under this key\n"


def test_lists_are_shown_and_changed(live, redis):
    live.run("list", "contained", "--add", "Bob", "--for", "1h")
    live.run("list", "contained", "--add", "eve")
    assert redis.say("-n", "3", "ZCARD", "postern:list:{contained}") == "2"
    shown = live.run("list", "contained")
    assert "bob" in shown and "eve" in shown
    live.run("list", "contained", "--remove", "bob")
    assert redis.say("-n", "3", "ZRANGE", "postern:list:{contained}", "0",
                     "-1") == "eve"


def test_what_is_wrong_with_the_store_is_said(live, redis):
    redis.say("CONFIG", "SET", "requirepass", "another")
    redis.password = "another"
    redis.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    for words in (["limits"], ["limits", "bob"], ["limits", "bob", "--reset"],
                  ["list", "contained"],
                  ["list", "contained", "--add", "bob"]):
        said = live.run(*words, code=1)
        assert "can't be asked: it refuses the user or the password" in said
    # A reload reads it anew.
    live.secret.write_text("another\n", encoding="utf-8")
    live.run("reload")
    live.run("limits", "bob")
    wait_for(lambda: "is back" in live.server.stderr(), "the store")
    redis.stop()
    said = live.run("limits", "bob", code=1)
    assert "can't be asked: Connection refused" in said
    redis.start()
    redis.pause()
    try:
        said = live.run("limits", "bob", code=1)
        assert "can't be asked: no answer within 3 s" in said
    finally:
        redis.resume()
    assert "nothing is counted" in live.run("limits", "bob")
