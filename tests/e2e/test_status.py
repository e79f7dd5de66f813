"""`postern status`: how the running server is, and its upstreams."""

import json
import re

import pytest

import ports
from dialogue import logged_in
from peer_raw import RawUpstream, Script
from server import run_once
from users import PASSWORDS
from waiting import wait_for

TIME = r"(\d+[dhms] ?)+"


@pytest.fixture
def status(site):
    def ask(server, *words, code=0):
        done = run_once("status", "-c", server.config, *words)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout
    return ask


def configured(site, servers, more=""):
    return (site.head(f"{{servers: [{servers}], tls: {{mode: none}}}}")
            .replace("upstreams:\n",
                     f'upstreams:\n  kept: {{maildir: "{site.maildir}"}}\n')
            + f'control: "{site.folder}/control"\nworkers: 1\n' + more)


def state_of(status, server, number=0):
    [_, main] = json.loads(status(server, "--json"))["upstreams"]
    return main["servers"][number]


def accepted(site):
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        return client.say("RCPT TO:<a@example.net>").code == 250


def test_what_people_read(site, start, status):
    closed = ports.free_port()
    with RawUpstream(Script()) as upstream:
        server = start(configured(
            site, f'"127.0.0.1:{upstream.port}", "127.0.0.1:{closed}"'))
        said = status(server)
    assert re.fullmatch(
        rf"up for {TIME}, 1 worker, \d+ connections?, "
        rf"process {server.process.pid}\n"
        rf"configuration {re.escape(str(server.config))}\n"
        r"policy sha256:[0-9a-f]{64}\n"
        r"upstream kept\n"
        rf"  maildir {re.escape(str(site.maildir))}\n"
        r"upstream main\n"
        rf"  127\.0\.0\.1:{upstream.port}  up for {TIME}\n"
        rf"  127\.0\.0\.1:{closed}  down for {TIME}: .*refused.*\n", said), said


def test_a_server_that_comes_back(site, start, status):
    port = ports.free_port()
    server = start(configured(site, f'"127.0.0.1:{port}"'))
    down = state_of(status, server)
    assert down["state"] == "down" and "refused" in down["fault"], down
    assert down["workers"] == {"up": 0, "down": 1, "unknown": 0}
    with RawUpstream(Script(), port=port):
        wait_for(lambda: accepted(site), "an accepted recipient")
        up = state_of(status, server)
    assert up["state"] == "up" and "fault" not in up, up
    assert re.search(rf"127\.0\.0\.1:{port} is up again, was down for {TIME}\n",
                     server.stderr())
    _, event = server.log.wait_events("upstream", 2)
    assert event["upstream"]["state"] == "up"
    assert event["upstream"]["down_ms"] >= 0


def test_a_session_is_a_connection(site, start, status):
    with RawUpstream(Script()) as upstream:
        server = start(configured(site, f'"127.0.0.1:{upstream.port}"'))
        with logged_in(site, "bob", PASSWORDS["bob"]):
            answer = json.loads(status(server, "--json"))
            assert answer["connections"] >= 1
            assert answer["pid"] == server.process.pid


def test_no_server_answers(site, tmp_path):
    config = tmp_path / "postern.yaml"
    config.write_text(f'control: "{tmp_path}/nobody"\n', encoding="utf-8")
    done = run_once("status", "-c", config)
    assert done.returncode == 1
    assert "no server answers" in done.stderr


@pytest.mark.parametrize("words", [["now"], ["--now"], ["-c"]])
def test_wrong_usage(words):
    done = run_once("status", *words)
    assert done.returncode == 2
    assert "usage: postern status [--json] [-c FILE]" in done.stderr


def test_a_configuration_that_is_not_there(tmp_path):
    assert run_once("status", "-c", tmp_path / "none.yaml").returncode == 78
