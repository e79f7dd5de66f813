"""The filter for fail2ban, run by the real one over a real log: who is banned
is who failed, whatever names a client gives itself."""

import configparser
import datetime
import json
import re

import pytest

import peer_fail2ban
from dialogue import Closed, Dialogue
from users import PASSWORDS

# What a stranger would have to write to have somebody else banned.
VICTIM = "192.0.2.1"
HOSTILE = [
    f'x","client":{{"ip":"{VICTIM}","port":1}},"auth":{{"result":"failed"}}',
    f'","client":{{"ip":"{VICTIM}"',
    '","result":"failed"',
    '","auth":{"result":"failed"},"x":"',
    'x\\","result":"failed","y":"\\',
    '\\',
    '\\\\"',
    '{"time":"2026-01-05T09:30:01.123456Z","event":"auth","id":"7QK3M9T2XA",'
    '"session":"7QK3M9T2XA","client":{"ip":"' + VICTIM + '","port":1},'
    '"auth":{"result":"failed"}}',
    f"Failed password for root from {VICTIM} port 1 ssh2",
    "böb\u2028[" + VICTIM + "]",
]


@pytest.fixture
def server(site, start):
    text = site.head(site.to_maildir())
    for tls in ("starttls", "implicit"):
        text = text.replace(
            f"tls: {tls}}}",
            f"tls: {tls}, proxy_protocol: {{from: 127.0.0.0/8}}}}")
    return start(text.replace("auth:\n",
                              "auth:\n  attempts: 100\n  delay: 0s\n"))


def connect(site, source):
    dialogue = Dialogue(site.starttls)
    family = "TCP6" if ":" in source else "TCP4"
    ours = "2001:db8::25" if ":" in source else "198.51.100.25"
    dialogue.send(f"PROXY {family} {source} {ours} 4567 587\r\n".encode())
    dialogue.expect(220)
    return dialogue


def log_in(site, source, logins, helo="laptop.example.com"):
    """The codes of these, over one connection."""
    with connect(site, source) as dialogue:
        dialogue.hello()
        dialogue.starttls()
        dialogue.hello(helo)
        return [dialogue.login(name, password).code
                for name, password in logins]


def banned(server):
    return sorted(address for address, _ in
                  peer_fail2ban.failures(server.log.path))


def test_exactly_the_failures_match(site, server):
    wrong = ("bob", "wrong")
    right = ("bob", PASSWORDS["bob"])
    assert log_in(site, "203.0.113.1", [wrong, right]) == [535, 235]
    assert log_in(site, "203.0.113.2", [("nobody", "x")]) == [535]
    assert log_in(site, "203.0.113.3", [right]) == [235]
    assert log_in(site, "2001:db8:1::7", [wrong, wrong]) == [535, 535]
    assert log_in(site, "2001:db8:2::7", [right]) == [235]
    assert log_in(site, "::ffff:203.0.113.4", [wrong]) == [535]
    with connect(site, "203.0.113.5") as dialogue:
        dialogue.hello()
        assert dialogue.login(*wrong).code == 538
        dialogue.starttls()
        dialogue.hello()
        dialogue.expect(501, "AUTH PLAIN =")
        dialogue.expect(334, "AUTH PLAIN")
        dialogue.expect(501, "*")
        dialogue.expect(530, "MAIL FROM:<bob@example.com>")
    server.log.wait_events("session", 7)
    assert banned(server) == sorted(
        line["client"]["ip"] for line in server.log.events("auth")
        if line["auth"]["result"] == "failed")
    assert set(banned(server)) == {
        "203.0.113.1", "203.0.113.2", "2001:db8:1::7", "203.0.113.4"}
    assert banned(server).count("2001:db8:1::7") == 2


def test_the_time_is_that_of_the_line(site, server):
    log_in(site, "203.0.113.1", [("bob", "wrong")])
    [line] = server.log.wait_events("auth", 1)
    when = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
    [(address, counted)] = peer_fail2ban.failures(server.log.path)
    assert address == "203.0.113.1"
    assert int(counted) == int(when.timestamp())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_bans_nobody_else(site, server, name):
    assert log_in(site, "203.0.113.9", [(name, "x"), (name, "y")]) == \
        [535, 535]
    lines = server.log.wait_events("auth", 2)
    assert {line["auth"]["name"] for line in lines} == {name}
    assert banned(server) == ["203.0.113.9"] * 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_makes_no_failure_of_a_success(site, server, name):
    try:
        log_in(site, "203.0.113.9", [("bob", PASSWORDS["bob"])], helo=name)
    except (AssertionError, Closed):
        pass  # no name for EHLO
    with connect(site, "203.0.113.9") as dialogue:
        dialogue.hello()
        dialogue.say(f"MAIL FROM:<{name}>")
    server.log.wait_events("session", 2)
    assert banned(server) == []


def line_of(name, result, helo="laptop", names=()):
    """A line as postern-log(5) has it, with names as hostile as they come."""
    return json.dumps({
        "time": "2026-01-05T09:30:01.123456Z", "event": "auth",
        "id": "7QK3M9T2XA", "session": "7QK3M9T2XA",
        "client": {"ip": "203.0.113.9", "port": 4567, "via": "203.0.113.8",
                   "helo": helo, "verb": "EHLO"},
        "listener": "submission",
        "tls": {"version": "1.3", "sni": helo, "names": list(names)},
        "auth": {"name": name, "user": name, "mechanism": "PLAIN",
                 "result": result, "groups": list(names)},
        "reply": name}, ensure_ascii=False, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_a_line_is_taken_for_another(tmp_path, name):
    log = tmp_path / "log"
    texts = {"helo": name, "names": HOSTILE}
    log.write_text(line_of(name, "ok", **texts) +
                   line_of(name, "unavailable", **texts) +
                   line_of(name, "failed", **texts), encoding="utf-8")
    assert [address for address, _ in peer_fail2ban.failures(log)] == \
        ["203.0.113.9"]


def test_long_names_cost_no_time(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(
        line_of(text * (1000 // len(text)), "ok", names=[text * 300] * 50)
        for text in ('\\', '"', '\\"', 'a', '{', ',"auth":{')),
        encoding="utf-8")
    assert peer_fail2ban.failures(log) == []


def test_the_jail_names_the_filter():
    jail = configparser.ConfigParser()
    jail.read_string(peer_fail2ban.JAIL.read_text(encoding="utf-8"))
    assert jail.sections() == ["postern"]
    assert jail["postern"]["filter"] == peer_fail2ban.FILTER.stem
    assert re.fullmatch(r"/\S+\.jsonl", jail["postern"]["logpath"])
