"""A changed policy goes live while mail flows, or not at all."""

import json
import os
import signal
import socket
import threading

import pytest

import ports
import processes
from dialogue import Closed, Dialogue, logged_in
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for

REFUSE_ALICE = """\
policy:
  rcpt:
    - rule: nobody writes to alice
      when: {rcpt.to: alice@example.net}
      reject: "550 5.7.1 Alice is away"
"""

REFUSE_BOB = """\
policy:
  mail:
    - rule: bob is away
      when: {mail.from: bob@example.com}
      reject: "550 5.7.1 Bob is away"
"""


@pytest.fixture
def live(site, start):
    """A server with a control socket of its own, and how to change it."""

    class Live:
        head = (site.head(site.to_maildir())
                + f'control: "{site.folder}/control"\n')

        def __init__(self):
            self.server = start(self.head)

        def write(self, policy):
            self.server.config.write_text(self.head + policy,
                                          encoding="utf-8")

        def reload(self, policy=None):
            if policy is not None:
                self.write(policy)
            return run_once("reload", "-c", self.server.config)

        def order(self, order):
            """Without the command, which has to start first."""
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(60)
                client.connect(f"{site.folder}/control")
                if isinstance(order, dict):
                    order = json.dumps(order).encode() + b"\n"
                client.sendall(order)
                return json.loads(client.makefile().readline())

        def config_events(self, count):
            return self.server.log.wait_events("config", count)

    return Live()


def session(site):
    return logged_in(site, "bob", PASSWORDS["bob"])


def mail(dialogue, code=250):
    return dialogue.expect(code, "MAIL FROM:<bob@example.com>")


def test_the_next_mail_of_an_open_session_sees_the_new_rules(site, live):
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(250, "RSET")
        done = live.reload(REFUSE_BOB)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("reloaded: policy sha256:")
        reply = mail(dialogue, 550)
        assert "Bob is away" in reply.text
    [event] = live.config_events(1)
    assert (event["by"], event["verdict"]) == ("control", "accept")
    assert event["before"] != event["policy"]
    line = live.server.log.wait_transactions(2)[1]
    assert line["policy"] == event["policy"]


def test_a_transaction_keeps_the_rules_it_began_with(site, live):
    with session(site) as dialogue:
        mail(dialogue)
        assert live.reload(REFUSE_ALICE).returncode == 0
        dialogue.expect(250, "RCPT TO:<alice@example.net>")
        assert dialogue.message(make_message(
            "bob@example.com", "alice@example.net", "old")).code == 250
        mail(dialogue)
        dialogue.expect(550, "RCPT TO:<alice@example.net>")
    accepted = live.server.log.wait_transactions(2)[0]
    assert accepted["verdict"] == "accept"
    assert accepted["policy"] == live.config_events(1)[0]["before"]


def test_a_broken_policy_is_refused_and_changes_nothing(site, live):
    assert live.reload(REFUSE_ALICE).returncode == 0
    done = live.reload(REFUSE_BOB + "    - rull: oops\n")
    line = len((live.head + REFUSE_BOB).splitlines()) + 1
    assert done.returncode == 1
    assert f"{live.server.config}:{line}:7: error:" in done.stderr
    assert "refused" in done.stderr
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(550, "RCPT TO:<alice@example.net>")
    refused = live.config_events(2)[1]
    assert refused["verdict"] == "reject"
    assert f":{line}:7: " in refused["reason"]
    assert refused["policy"] == refused["before"]


def test_yaml_that_can_not_be_read_is_refused_too(live):
    done = live.reload("policy: [\n")
    assert done.returncode == 1
    assert ": error: " in done.stderr
    assert "stays as it was" in done.stderr


def test_a_failing_policy_test_is_a_refusal(site, live):
    done = live.reload(REFUSE_BOB + """\
tests:
  - name: bob writes
    given: {mail.from: bob@example.com}
    expect: {reply: 250}
""")
    assert done.returncode == 1
    assert "bob writes" in done.stderr
    with session(site) as dialogue:
        mail(dialogue)


def test_a_change_of_the_server_brings_another_process(site, live):
    before = live.server.worker_pid
    with session(site) as old:
        head = live.head
        live.head = head.replace("mail.example.com", "other.example.com") \
            + "caps: {recipients: 5}\n"
        done = live.reload(REFUSE_BOB)
        assert done.returncode == 0, done.stderr
        assert "as caps, hostname changed" in done.stdout
        with Dialogue(site.starttls) as dialogue:
            assert "other.example.com" in dialogue.expect(220).text
        with session(site) as dialogue:
            mail(dialogue, 550)
        mail(old)  # goes on by what it began with
    wait_for(lambda: before not in processes.workers_of(
        live.server.process.pid), "the end of the old process")
    assert "a new worker process serves, for other caps, hostname" \
        in live.server.stderr()


def test_the_server_log_goes_on_where_it_is_told_to(site, live):
    """Of both processes."""
    log = site.folder / "server.log"
    live.head = live.head.replace("log: {", f'log: {{server: "{log}", ')
    assert live.reload("").returncode == 0
    assert live.reload(REFUSE_BOB).returncode == 0
    said = log.read_text(encoding="utf-8")
    assert " ready: " in said
    assert " reloaded, asked by control" in said


def test_a_control_socket_that_stays_is_told_of(site, live):
    live.head = live.head.replace("/control", "/elsewhere")
    live.write(REFUSE_BOB)
    os.kill(live.server.process.pid, signal.SIGHUP)
    wait_for(lambda: "warning the control socket stays" in live.server.stderr()
             .replace(f"{live.server.config}:{live.head.count(chr(10))}:10: ",
                      ""), "a line in the server log")
    assert live.order({"do": "status"})["ok"]
    with session(site) as dialogue:
        mail(dialogue, 550)


def test_an_address_that_is_taken_refuses_the_reload(site, live):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        head = live.head
        live.head = head.replace(f":{site.implicit}",
                                 f":{taken.getsockname()[1]}")
        done = live.reload(REFUSE_BOB)
    assert done.returncode == 1
    assert "already in use" in done.stderr
    with session(site) as dialogue:
        mail(dialogue)
    assert ports.wait_listening([site.implicit], live.server.is_alive)


def test_listeners_come_and_go(site, live):
    other = ports.free_port()
    live.head = live.head.replace(f":{site.implicit}", f":{other}")
    assert live.reload("").returncode == 0
    assert ports.wait_listening([other], live.server.is_alive)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", site.implicit), 2)
    with session(site) as dialogue:
        mail(dialogue)


def test_sighup_reloads_and_says_so_in_the_logs(site, live):
    live.write(REFUSE_BOB)
    os.kill(live.server.process.pid, signal.SIGHUP)
    [event] = live.config_events(1)
    assert (event["by"], event["verdict"]) == ("signal", "accept")
    wait_for(lambda: "reloaded, asked by signal" in live.server.stderr(),
             "a line in the server log")
    with session(site) as dialogue:
        mail(dialogue, 550)


def test_a_limit_keeps_its_budget_over_a_reload(site, live):
    policy = """\
policy:
  rcpt:
    - rule: two an hour
      limit: {recipients: 2/h, by: "{auth.user}"}
      defer: "450 4.7.1 Later"
"""
    assert live.reload(policy).returncode == 0
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(250, "RCPT TO:<b@example.net>")
        assert dialogue.message(make_message(
            "bob@example.com", "a@example.net", "two")).code == 250
        assert live.reload(policy.replace("Later", "Not now")).returncode == 0
        mail(dialogue)
        assert "Not now" in dialogue.expect(
            450, "RCPT TO:<c@example.net>").text


def test_connections_are_not_counted_twice_over_a_reload(site, live):
    policy = """\
policy:
  auth:
    - rule: one session a login
      when: {auth.user: {exists: true}}
      limit: {connections: 1, by: "{auth.user}"}
      reject: "525 5.7.13 One session at a time"
"""
    assert live.reload(policy).returncode == 0
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(250, "RSET")
        assert live.reload(policy + "  # changed\n").returncode == 0
        mail(dialogue)
        dialogue.expect(250, "RSET")
        mail(dialogue)
        with pytest.raises(AssertionError):
            session(site)
        dialogue.expect(221, "QUIT")
    live.server.log.wait_events("session", 2)
    with session(site) as dialogue:
        mail(dialogue)


def test_reloads_under_load_lose_nothing(site, live):
    """Two sessions mail without a pause while the policy changes 50 times,
    between one that tags and one that does not."""
    sent, failed = {}, []
    stop = threading.Event()

    def load(number):
        sent[number] = 0
        try:
            while not stop.is_set():
                with session(site) as dialogue:
                    for _ in range(5):
                        mail(dialogue)
                        dialogue.expect(250, "RCPT TO:<a@example.net>")
                        message = make_message(
                            "bob@example.com", "a@example.net",
                            f"{number}-{sent[number]}")
                        assert dialogue.message(message).code == 250
                        sent[number] += 1
                    dialogue.expect(221, "QUIT")
        except (AssertionError, Closed, OSError) as error:
            failed.append(error)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50):
        live.write(f"""\
lists: {{many: [{", ".join(f"d{i}.example" for i in range(number))}]}}
policy:
  connect:
    - rule: seen
      tag: ["reload-{number}"]
  rcpt:
    - rule: many
      when: {{rcpt.to.domain: "@many"}}
      reject: "550 5.7.1 No"
""" if number % 2 else "")
        answer = live.order({"do": "reload"})
        assert answer["ok"], answer
        if number % 5 == 0:
            before = sum(sent.values())
            wait_for(lambda: failed or sum(sent.values()) > before,
                     "one more mail")
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    total = sum(sent.values())
    live.config_events(50)
    lines = live.server.log.wait_transactions(total)
    assert {line["verdict"] for line in lines} == {"accept"}
    assert len({line["policy"] for line in lines}) > 1
    assert len(list((site.maildir / "new").iterdir())) == total


def test_a_second_server_does_not_take_the_socket(site, live):
    other = site.folder / "other.yaml"
    text = live.server.config.read_text(encoding="utf-8")
    other.write_text(text.replace(str(site.starttls), str(ports.free_port()))
                     .replace(str(site.implicit), str(ports.free_port()))
                     .replace(str(site.state), f"{site.folder}/other"),
                     encoding="utf-8")
    done = run_once("run", "-c", other)
    assert done.returncode == 1, done.stderr
    assert "already running" in done.stderr
    assert live.reload(REFUSE_BOB).returncode == 0


def test_a_socket_that_a_dead_server_left_is_replaced(site, start):
    text = (site.head(site.to_maildir())
            + f'control: "{site.folder}/control"\n')
    server = start(text)
    server.kill()
    assert server.wait_end() == -signal.SIGKILL
    assert (site.folder / "control").exists()
    server.check_end = lambda: None
    second = start(text)
    assert run_once("reload", "-c", second.config).returncode == 0
    assert (site.folder / "control").stat().st_mode & 0o777 == 0o600


def test_without_a_server_the_command_says_where_it_looked(site, tmp_path):
    config = tmp_path / "postern.yaml"
    config.write_text(f'control: "{tmp_path}/nobody"\n', encoding="utf-8")
    done = run_once("reload", "-c", config)
    assert done.returncode == 1
    assert f"{tmp_path}/nobody" in done.stderr
    assert "Is it running" in done.stderr


def test_a_control_path_that_can_not_be_bound_is_an_error(site, tmp_path):
    config = tmp_path / "postern.yaml"
    text = site.head(site.to_maildir())
    config.write_text(text + f'control: "{tmp_path}/no/where"\n',
                      encoding="utf-8")
    done = run_once("run", "-c", config)
    line = len(text.splitlines()) + 1
    assert done.returncode == 78
    assert f"{config}:{line}:10: error: " in done.stderr


def test_orders_that_are_none_are_answered_in_a_sentence(site, live):
    for order in (b"hello\n", b"[]\n", b'{"do":"dance"}\n',
                  b'{"do":"list"}\n', b"x" * 65536):
        answer = live.order(order)
        assert answer["ok"] is False
        assert answer["error"]
    assert Dialogue(site.starttls).expect(220)


def gated(policy, log, above):
    return f"reload: {{replay: {log}, refuse_above: {above}}}\n{policy}"


def test_the_gate_refuses_what_would_have_refused_too_much(site, live):
    with session(site) as dialogue:
        for number in range(10):
            name = "alice" if number == 0 else "carol"
            mail(dialogue)
            dialogue.expect(250, f"RCPT TO:<{name}@example.net>")
            assert dialogue.message(make_message(
                "bob@example.com", f"{name}@example.net", "day")).code == 250
    live.server.log.wait_transactions(10)
    day = site.folder / "yesterday.jsonl"
    day.write_bytes(site.log.read_bytes())

    done = live.reload(gated(REFUSE_ALICE, day, "1%"))
    assert done.returncode == 1
    assert "1 of 10 transactions" in done.stderr
    assert "10.00 % (refuse_above: 1.00 %)" in done.stderr
    assert '"nobody writes to alice"' in done.stderr
    line = len(live.head.splitlines()) + 1
    assert f"{live.server.config}:{line}:" in done.stderr
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(250, "RCPT TO:<alice@example.net>")

    assert live.reload(gated(REFUSE_ALICE, day, "10%")).returncode == 0
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(550, "RCPT TO:<alice@example.net>")


def test_the_gate_reads_the_clock_of_the_servers_timezone(site, live):
    """Hours that are seven from those of UTC, whatever the machine's are."""
    live.head += 'timezone: "<+07>-7"\n'
    assert live.reload("").returncode == 0
    with session(site) as dialogue:
        mail(dialogue)
        dialogue.expect(250, "RCPT TO:<alice@example.net>")
        assert dialogue.message(make_message(
            "bob@example.com", "alice@example.net", "day")).code == 250
    [line] = live.server.log.wait_transactions(1)
    day = site.folder / "yesterday.jsonl"
    day.write_bytes(site.log.read_bytes())
    hour = int(line["time"][11:13])

    def at(hour):
        policy = REFUSE_ALICE.replace(
            "when: {", f"when: {{time.hour: {hour % 24}, ")
        return live.reload(gated(policy, day, "1%"))

    refused = at(hour + 7)
    assert refused.returncode == 1
    assert "1 of 1 transactions" in refused.stderr
    assert at(hour).returncode == 0


def test_a_gate_without_its_log_refuses(site, live):
    done = live.reload(gated("", site.folder / "nothing.jsonl", "1%"))
    assert done.returncode == 1
    assert "nothing.jsonl" in done.stderr
    assert "tried on a recorded day" in done.stderr
