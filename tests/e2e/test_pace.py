"""An upstream's quota: mail that exceeds it is held back until it fits."""

import datetime
import json
import time

import clients
from messages import make_message
from server import run_once
from users import PASSWORDS

POLICY = """\
policy:
  rcpt:
    - rule: quota
      limit: {messages: 15/m, burst: 1, by: "{upstream.name}"}
      defer: "450 4.7.1 {upstream.name} takes {limit.rate}"
"""


def send(site, mark):
    return clients.python_smtplib(site, site.implicit, clients.Mail(
        "bob", PASSWORDS["bob"], "bob@example.com", "a@example.net",
        make_message("bob@example.com", "a@example.net", mark)))


def configured(site, pace):
    return site.head(f'{{maildir: "{site.maildir}", pace: {pace}}}') + POLICY


def test_what_exceeds_the_quota_waits_and_a_replay_agrees(site, start):
    server = start(configured(site, "4m"))
    assert send(site, "first").sent
    began = time.monotonic()
    second = send(site, "second")
    took = time.monotonic() - began
    assert second.sent, second.said
    [first, line] = server.log.wait_transactions(2)
    # A machine that is slow enough gives the budget time by itself.
    assert line["limits"][0].get("paced_ms", 0) > 0 or took > 4, line
    done = run_once("replay", site.log, "-c", server.config)
    assert done.returncode == 0, done.stdout
    assert replay_of(server, first, line, 3999) == 0
    assert replay_of(server, first, line, 3900) == 1


def at_us(text):
    return datetime.datetime.fromisoformat(text).timestamp() * 1000000


def replay_of(server, first, second, ms):
    """The exit code of a replay in which the second asks so long behind the
    first's end: the log's milliseconds begin elsewhere than the server's."""
    asked = at_us(first["time"]) + first["ms"]["total"] * 1000 + ms * 1000
    second["rcpt"][0]["at"] = round((asked - at_us(second["time"])) / 1000, 3)
    log = server.site.folder / "moved.jsonl"
    log.write_text(json.dumps(first) + "\n" + json.dumps(second) + "\n",
                   encoding="utf-8")
    return run_once("replay", log, "-c", server.config).returncode


def test_without_pace_the_rule_refuses_at_once(site, start):
    server = start(configured(site, "0s").replace("15/m", "1/h"))
    assert send(site, "first").sent
    second = send(site, "second")
    assert not second.sent and "450" in second.said, second.said
    [_, line] = server.log.wait_transactions(2)
    assert "paced_ms" not in line["limits"][0]
