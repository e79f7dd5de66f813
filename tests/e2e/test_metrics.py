"""Real traffic: what is counted is what the decision log says, over a crash, a
reload and an upgrade."""

import collections
import shutil
import socket

import pytest

import places
import ports
from dialogue import Closed, Dialogue, logged_in
from overviews import Numbers, overview
from peer_raw import RawUpstream, Script
from server import run_once
from users import PASSWORDS
from waiting import wait_for

POLICY = """
policy:
  auth:
    - rule: guesses
      when: {auth.result: failed}
      limit: {failures: 4/10m, by: "{client.net}"}
      close: "421 4.7.0 Too many failed logins"
  mail:
    - rule: 'names with "quotes" and \\\\'
      when: {mail.from.local: forger}
      reject: "553 5.7.1 {auth.user} may not send as {mail.from}"
    - rule: slammed
      when: {mail.from.local: slam}
      close: "421 4.7.0 Go away"
  rcpt:
    - rule: watched
      mode: shadow
      when: {rcpt.to.local: nobody}
      reject: "550 5.1.1 No"
    - rule: recipients an hour
      when: {auth.user: {exists: true}}
      limit: {recipients: 500/h, burst: 12, by: "{auth.user}", warn: 50%}
      defer: "450 4.7.1 try again in {limit.retry_after}"
  header:
    - rule: no spam
      when: {header.subject: spam}
      reject: "550 5.7.1 No spam"
"""


# Of those with limits.
STAGES = {"recipients an hour": "rcpt", "guesses": "auth"}


def text_of(site, port, more=""):
    return (site.head(site.to_port(port))
            + f'control: "{site.folder}/control"\nworkers: 2\n'
            + POLICY + more)


def mail(dialogue, sender="bob", recipients=("a",), subject="hello"):
    """One message, as far as it goes; the last reply."""
    reply = dialogue.say(f"MAIL FROM:<{sender}@example.com>")
    if reply.code != 250:
        return reply
    replies = [dialogue.say(f"RCPT TO:<{name}@example.net>")
               for name in recipients]
    if all(reply.code != 250 for reply in replies):
        dialogue.expect(250, "RSET")
        return replies[-1]
    dialogue.expect(354, "DATA")
    dialogue.send(f"From: <bob@example.com>\r\nSubject: {subject}\r\n\r\n"
                  "Hello\r\n.\r\n".encode())
    return dialogue.reply()


def login(site, user="bob"):
    return logged_in(site, user, PASSWORDS[user])


def round_of_mail(site):
    """Some of everything; how many transactions those were."""
    with login(site) as bob:
        assert mail(bob).code == 250
        assert mail(bob, recipients=("a", "b")).code == 250
        assert mail(bob, sender="forger").code == 553
        assert mail(bob, subject="spam").code == 550
        bob.expect(250, "MAIL FROM:<bob@example.com>")
        bob.expect(250, "RCPT TO:<a@example.net>")
        bob.expect(250, "RSET")
        bob.expect(221, "QUIT")
    with login(site) as bob:
        with pytest.raises(AssertionError, match="421"):
            bob.expect(250, "MAIL FROM:<slam@example.com>")
    with Dialogue(site.implicit, tls=True) as client:
        client.expect(220)
        client.expect(250, "EHLO client")
        client.expect(535, "AUTH PLAIN AGJvYgB3cm9uZw==")
        client.expect(221, "QUIT")
    with Dialogue(site.starttls) as client:
        client.expect(220)
        for _ in range(4):
            client.expect(500, "NONSENSE")
        client.expect(421, "NONSENSE")
    with socket.create_connection(("127.0.0.1", site.implicit), 20) as client:
        client.sendall(b"EHLO this is no TLS\r\n")
        while client.recv(4096):
            pass
    return 6


def counted(lines, *path):
    """How often each value stands there."""
    counts = collections.Counter()
    for line in lines:
        key = tuple(line.get(name, "") for name in path)
        counts[key] += 1
    return dict(counts)


def refusals(log):
    """Of rules, as the log tells them: (stage, did, rule)."""
    counts = collections.Counter()

    def note(stage, reply, rule):
        did = "close" if reply.startswith("421") else \
            "reject" if reply.startswith("5") else "defer"
        counts[stage, did, rule] += 1

    for line in log.events("transaction"):
        if line.get("by") == "rule" and line["stage"] != "rcpt":
            note(line["stage"], line["reply"], line["rule"])
        for one in line["rcpt"]:
            if one.get("by") == "rule" and one["verdict"] != "abort":
                note("rcpt", one["reply"], one["rule"])
    for line in log.events("auth"):
        if line.get("by") == "rule":
            note("auth", line["reply"], line["rule"])
    for line in log.events("limit"):
        assert not line["exceeded"]
        counts[line["stage"], "warn", line["rule"]] += 1
    for line in log.events("session") + log.events("transaction"):
        for use in line["limits"]:
            if "retry_after_ms" in use:
                counts[STAGES[use["rule"]], "exceed", use["rule"]] += 1
    return dict(counts)


def recipients(log):
    counts = collections.Counter()
    for line in log.events("transaction"):
        for one in line["rcpt"]:
            counts[one["verdict"]] += 1
    counts.pop("abort", None)
    return dict(counts)


def agree(server, log, cut_off=0):
    """What is counted, against the whole log. `cut_off`: sessions that their
    worker took along."""
    transactions = log.events("transaction")
    sessions = log.events("session")
    seen = Numbers(server)
    assert seen.by("postern_transactions_total",
                   "verdict", "stage", "by", "rule") \
        == counted(transactions, "verdict", "stage", "by", "rule")
    assert seen.by("postern_sessions_ended_total", "end") \
        == counted(sessions, "end")
    logins = [{"result": line["auth"]["result"],
               "mechanism": line["auth"].get("mechanism", "")}
              for line in log.events("auth")]
    assert seen.by("postern_logins_total", "result", "mechanism") \
        == counted(logins, "result", "mechanism")
    assert {key[0]: count for key, count in
            seen.by("postern_recipients_total", "verdict").items()} \
        == recipients(log)
    assert seen.by("postern_rule_actions_total", "stage", "did", "rule") \
        == refusals(log)
    assert seen.get("postern_message_bytes_total") \
        == sum(line["message"]["bytes"] for line in transactions
               if line["verdict"] == "accept")
    assert seen.get("postern_policy_seconds_count") == len(transactions)
    tls = [line for line in sessions if "tls" in line]
    failed = sum(line["end"] == "tls" and "tls" not in line
                 for line in sessions)
    assert seen.get("postern_tls_handshakes_total", result="failed") == failed
    assert seen.sum("postern_tls_handshakes_total") \
        == len(tls) + failed + cut_off
    assert seen.by("postern_caps_crossed_total", "cap") == dict(
        collections.Counter((cap,) for line in sessions
                            for cap in line.get("caps", [])))
    assert seen.get("postern_decision_log_lost_total") == 0
    return seen


def settle(log, transactions, sessions):
    """All is written that was counted."""
    log.wait_transactions(transactions)
    log.wait_events("session", sessions)


@pytest.fixture
def upstream():
    with RawUpstream(Script()) as peer:
        yield peer


def test_counters_are_what_the_log_says(site, start, upstream):
    server = start(text_of(site, upstream.port))
    done = round_of_mail(site)
    settle(server.log, done, 5)
    seen = agree(server, server.log)
    assert seen.get("postern_sessions_total") == 5
    main = {"upstream": "main", "server": f"127.0.0.1:{upstream.port}"}
    assert seen.get("postern_upstream_up", **main) == 1
    assert seen.get("postern_upstream_connections_opened_total", **main) >= 1
    assert seen.get("postern_upstream_seconds_count", phase="end_of_data",
                    **main) == 2
    assert seen.get("postern_upstream_seconds_count", phase="envelope",
                    **main) >= 6
    assert seen.get("postern_upstream_seconds_count", phase="connect",
                    **main) >= 1
    assert seen.get("postern_decision_log_lines_total") \
        == len(server.log.lines())
    assert seen.by("postern_top_user_messages", "user") == {("bob",): 2}
    assert seen.by("postern_top_user_recipients", "user") == {("bob",): 3}
    assert seen.by("postern_top_user_refused", "user") == {("bob",): 3}


def test_the_overview_says_the_same(site, start, upstream):
    server = start(text_of(site, upstream.port))
    done = round_of_mail(site)
    with login(site) as bob:
        for _ in range(6):
            mail(bob, recipients=("a", "b"))
        mail(bob, recipients=("c",))
        settle(server.log, done + 7, 5)
        seen = overview(server)
        assert seen["sessions"]["open"] == 1
        assert seen["sessions"]["total"] == 6
    server.log.wait_events("session", 6)
    transactions = server.log.events("transaction")
    verdicts = collections.Counter(line["verdict"] for line in transactions)
    assert seen["transactions"] == {"total": len(transactions), **{
        verdict: verdicts[verdict]
        for verdict in ("accept", "reject", "defer", "abort")}}
    for verdict in ("accept", "reject", "defer"):
        assert sum(seen["minutes"][verdict]) == verdicts[verdict]
    rules = {(rule["stage"], rule["did"], rule["rule"]): rule
             for rule in seen["rules"]}
    assert {key: rule["total"] for key, rule in rules.items()} == {
        key: count for key, count in refusals(server.log).items()
        if key[1] != "exceed"}
    for rule in seen["rules"]:
        assert rule["hour"] == rule["total"] == sum(rule["minutes"])
    [user] = seen["users"]
    assert user["user"] == "bob"
    [budget] = user["budgets"]
    assert budget["rule"] == "recipients an hour"
    assert budget["used"] + budget["left"] == budget["max"] == 12
    assert budget["unit"] == "recipients" and budget["limit"] == "500/h"
    [server_seen] = seen["upstreams"]
    assert server_seen["up"] is True
    assert server_seen["latency_ms"]["p99"] >= server_seen["latency_ms"]["p50"]
    assert server_seen["latency_ms"]["p50"] > 0
    full = Numbers(server)
    assert full.get("postern_budgets", used="80_to_100") \
        + full.get("postern_budgets", used="full") == 1
    agree(server, server.log)


def test_a_worker_that_is_killed_takes_nothing_along(site, start, upstream):
    server = start(text_of(site, upstream.port))
    done = round_of_mail(site)
    settle(server.log, done, 5)
    agree(server, server.log)
    with login(site) as bob:
        assert mail(bob).code == 250
        settle(server.log, done + 1, 5)
        before = Numbers(server)
        server.kill_worker()
        with pytest.raises((Closed, OSError)):
            bob.expect(250, "NOOP")
    server.wait_ready()
    with login(site) as bob:
        assert mail(bob).code == 250
        bob.expect(221, "QUIT")
    # The one whose worker was killed has no line of its own.
    settle(server.log, done + 2, 6)
    seen = agree(server, server.log, cut_off=1)
    assert seen.get("postern_worker_crashes_total") == 1
    assert seen.get("postern_worker_starts_total") == 2
    assert seen.get("postern_sessions_total") == 7
    assert seen.get("postern_sessions_open") == 0
    assert seen.get("postern_decision_log_lines_total") \
        >= before.get("postern_decision_log_lines_total") + 2
    # The supervisor, which knows of crashes, is another program by then.
    assert run_once("upgrade", "-c", server.config,
                    seconds=120).returncode == 0
    seen = agree(server, server.log, cut_off=1)
    assert seen.get("postern_worker_crashes_total") == 1
    assert seen.get("postern_worker_starts_total") == 3


def test_a_reload_and_an_upgrade_lose_nothing(site, start, upstream):
    program = site.folder / "postern"
    shutil.copy(places.program(), program)
    server = start(text_of(site, upstream.port), binary=program)
    with login(site) as early:
        assert mail(early).code == 250
        server.config.write_text(text_of(
            site, upstream.port, "caps: {recipients: 50}\n"))
        assert run_once("reload", "-c", server.config).returncode == 0
        assert mail(early).code == 250   # in the old process
        with login(site) as late:
            assert mail(late).code == 250
            assert run_once("upgrade", "-c", server.config,
                            seconds=120).returncode == 0
            assert mail(early).code == 250
            assert mail(late).code == 250
            late.expect(221, "QUIT")
        early.expect(221, "QUIT")
    with login(site) as third:
        assert mail(third).code == 250
        third.expect(221, "QUIT")
    settle(server.log, 6, 3)
    seen = agree(server, server.log)
    assert seen.get("postern_transactions_total", verdict="accept",
                    stage="reply", by="upstream", rule="") == 6
    assert seen.get("postern_reloads_total", verdict="accept") == 1
    assert seen.get("postern_worker_starts_total") == 3
    assert seen.get("postern_worker_crashes_total") == 0
    wait_for(lambda: Numbers(server).get("postern_sessions_open") == 0,
             "no open session")
    assert "metrics begin anew" not in server.stderr()


def test_an_upstream_that_is_down(site, start):
    port = ports.free_port()
    server = start(text_of(site, port))
    with login(site) as bob:
        bob.expect(250, "MAIL FROM:<bob@example.com>")
        bob.expect(451, "RCPT TO:<a@example.net>")
        bob.expect(250, "RSET")
        bob.expect(221, "QUIT")
    settle(server.log, 1, 1)
    seen = agree(server, server.log)
    main = {"upstream": "main", "server": f"127.0.0.1:{port}"}
    assert seen.get("postern_upstream_up", **main) == 0
    opened = seen.get("postern_upstream_connections_opened_total", **main)
    failed = seen.get("postern_upstream_connections_failed_total", **main)
    assert opened == failed >= 1
    [told] = overview(server)["upstreams"]
    assert told["up"] is False and "refused" in told["error"]
    assert told["since"].endswith("Z") and told["failed"] == failed


def test_connections_of_the_pool(site, start, upstream):
    server = start(text_of(site, upstream.port))
    main = {"upstream": "main", "server": f"127.0.0.1:{upstream.port}"}

    def pool(state):
        return Numbers(server).get("postern_upstream_connections",
                                   state=state, **main)
    with login(site) as bob:
        bob.expect(250, "MAIL FROM:<bob@example.com>")
        bob.expect(250, "RCPT TO:<a@example.net>")
        wait_for(lambda: pool("in_use") == 1, "a connection in use")
        bob.expect(250, "RSET")
        wait_for(lambda: pool("in_use") == 0 and pool("idle") >= 1,
                 "an idle connection")
        bob.expect(250, "MAIL FROM:<bob@example.com>")
        bob.expect(250, "RCPT TO:<a@example.net>")
        wait_for(lambda: pool("in_use") == 1, "a connection in use")
        server.kill_worker()
    with login(site):  # another one serves
        assert pool("in_use") == 0, "what the dead one had"


def test_a_refused_reload_is_counted(site, start, upstream):
    server = start(text_of(site, upstream.port))
    server.config.write_text(text_of(site, upstream.port, "nonsense: 1\n"))
    assert run_once("reload", "-c", server.config).returncode == 1
    wait_for(lambda: Numbers(server).get("postern_reloads_total",
                                         verdict="reject") == 1,
             "a refused reload in the metrics")
