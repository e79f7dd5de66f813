"""`postern explain`: a dry run and the story of a past mail, which tell what
the running server decides."""

import json
import os
import pty
import subprocess

import pytest

import places
from decision_log import refusal_id
from dialogue import logged_in
from server import ENVIRONMENT
from users import PASSWORDS
from waiting import wait_for

POLICY = r"""
lists:
  partners: [example.org, example.net]
policy:
  mail:
    - rule: the company we bought
      when: {mail.from: '/^(.+)@old\.example$/i'}
      rewrite: {mail.from: "{1}@example.com"}
    - rule: senders own their address
      when: {mail.from: {not_in: "{auth.addresses}"}}
      reject: "553 5.7.1 {auth.user} may not send as {mail.from}"
  rcpt:
    - rule: partners alone
      when: {auth.groups: students, rcpt.to.domain: {not_in: "@partners"}}
      reject: "550 5.7.1 {rcpt.to} is no partner"
    - rule: recipients an hour
      limit: {recipients: 500/h, burst: 100, by: "{auth.user}"}
      defer: "450 4.7.1 Try again in {limit.retry_after}"
  header:
    - rule: no offers
      when: {header.subject: /free/}
      reject: "550 5.7.1 No offers"
    - rule: hide what the client runs
      headers: {remove: [X-Mailer]}
"""


def explain(*arguments, stdin=""):
    return subprocess.run(
        [places.program(), "explain", *map(str, arguments)], input=stdin,
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **ENVIRONMENT, "TZ": "UTC"})


@pytest.fixture
def config(site):
    path = site.folder / "postern.yaml"
    path.write_text(text_of(site), encoding="utf-8")
    return path


def text_of(site):
    return site.head(site.to_maildir()) + POLICY


def told(*arguments):
    """The JSON of it, and the exit code."""
    done = explain(*arguments, "--json")
    assert done.stderr == "", done.stderr
    return json.loads(done.stdout), done.returncode


def rules_of(story, stage):
    [found] = [item for item in story["stages"] if item["stage"] == stage]
    return {rule["rule"]: rule for rule in found["rules"]}


MESSAGE = (b"From: Bob <bob@example.com>\r\nTo: a@example.net\r\n"
           b"Subject: Hello\r\nX-Mailer: A Mailer\r\n\r\nHello\r\n")


# --- the dry run ---

def test_a_refusal_is_told_with_its_rules_and_what_would_pass(site, config):
    done = explain("-c", config, "--user", "bob", "--from", "ceo@example.com",
                   "--to", "a@example.net")
    assert done.returncode == 1, done.stderr
    line = [i for i, text in enumerate(
        config.read_text().splitlines(), 1)
        if "rule: senders own" in text][0]
    assert done.stdout == f"""\
budgets: empty, since {site.folder}/limits can't be read: \
No such file or directory

connect: no rules
helo: no rules
auth bob: no rules
mail ceo@example.com
  the company we bought: does not hold
      no   mail.from: /^(.+)@old\\.example$/i   (ceo@example.com)
  senders own their address: refuses
      yes  mail.from not_in {{auth.addresses}}   (ceo@example.com)
      says   553 5.7.1 bob may not send as ceo@example.com
      to pass: mail.from would have to be one of auth.addresses: \
bob@example.com, *@sales.example.com

refused at mail by the rule "senders own their address" \
({config}:{line}:7): 553 5.7.1 bob may not send as ceo@example.com
"""


def test_an_accepted_mail_is_told_with_what_would_go_upstream(site, config):
    message = site.folder / "m.eml"
    message.write_bytes(MESSAGE)
    done = explain("-c", config, "--user", "bob", "--from", "bob@old.example",
                   "--to", "a@example.net", "--message", message)
    assert done.returncode == 0, done.stdout
    told_lines = done.stdout.split("mail bob@old.example\n", 1)[1]
    assert told_lines == r"""  the company we bought: acts
      yes  mail.from: /^(.+)@old\.example$/i   (bob@old.example)
      does   mail.from: bob@old.example → bob@example.com
  senders own their address: does not hold
      no   mail.from not_in {auth.addresses}   (bob@example.com)
rcpt a@example.net
  partners alone: does not hold
      no   auth.groups: students   (staff)
  recipients an hour: within its limit
      limit  recipients 0 → 1 of 100 for bob, 500/h
data: no rules
header
  no offers: does not hold
      no   header.subject: /free/   (Hello)
  hide what the client runs: acts
      does   - X-Mailer: A Mailer
message: no rules

accepted

to the upstream main:
  MAIL FROM:<bob@example.com>
  RCPT TO:<a@example.net>

  Received: (Postern's own)
  From: Bob <bob@example.com>
  To: a@example.net
  Subject: Hello
"""


def test_json_holds_what_the_text_tells(config):
    story, code = told("-c", config, "--user", "eve", "--from",
                       "eve@example.com", "--to", "a@example.net", "--to",
                       "b@far.example")
    assert code == 1  # one of the recipients is refused
    assert story["verdict"] == "accept"
    assert [to["sent"] for to in story["upstream"]["rcpt"]] == [
        "a@example.net"]
    refused = [stage for stage in story["stages"]
               if stage.get("subject") == "b@far.example"][0]
    [rule] = [rule for rule in refused["rules"]
              if rule["rule"] == "partners alone"]
    assert refused["reply"] == "550 5.7.1 b@far.example is no partner"
    assert rule["fate"] == "acted"
    assert [test["holds"] for test in rule["tests"]] == [True, True]
    assert rule["to_pass"] == [
        "no value of auth.groups may be students",
        "rcpt.to.domain would have to be in the list partners"]
    assert refused["rules"][1]["fate"] == "not-reached"


def test_what_is_not_given_is_not_asked(config):
    story, code = told("-c", config, "--user", "bob", "--from",
                       "bob@example.com", "--to", "a@example.net")
    rules = rules_of(story, "header")
    assert code == 0
    assert rules["no offers"]["fate"] == "not-asked"
    assert rules["no offers"]["absent"] == "header.subject"
    text = explain("-c", config, "--user", "bob", "--from", "bob@example.com",
                   "--to", "a@example.net").stdout
    assert "header.subject is not known (give --message)" in text


def test_a_client_is_known_only_after_a_login_from_its_net(config):
    config.write_text(config.read_text().replace(
        "policy:\n", "policy:\n  auth:\n    - {rule: a new place, when: "
        "{client.known: \"false\"}, tag: new}\n"), encoding="utf-8")

    def fate(*more):
        story, _ = told("-c", config, "--user", "bob", *more)
        return rules_of(story, "auth")["a new place"]["fate"]
    assert fate() == "not-asked"
    assert fate("--client", "192.0.2.1") == "acted"
    assert fate("--client", "192.0.2.1", "--fact", "client.known=true") == \
        "not-held"


def test_a_message_may_come_from_standard_input(config):
    done = explain("-c", config, "--user", "bob", "--from", "bob@example.com",
                   "--to", "a@example.net", "--message", "-",
                   stdin="Subject: free beer\n\nx\n")
    assert done.returncode == 1
    assert "550 5.7.1 No offers" in done.stdout


def test_an_unknown_login_is_said_and_goes_on(config):
    done = explain("-c", config, "--user", "nobody", "--from", "a@b.example")
    assert "no users file has the login nobody" in done.stdout
    assert "nobody may not send as a@b.example" in done.stdout
    done = explain("-c", config, "--user", "nobody", "--addresses",
                   "*@b.example", "--from", "a@b.example", "--to",
                   "a@example.net")
    assert done.returncode == 0, done.stdout


def test_a_failed_login_ends_it(config):
    story, code = told("-c", config, "--user", "bob", "--auth", "failed",
                       "--from", "bob@example.com")
    assert (code, story["stage"]) == (1, "auth")
    assert story["reply"].startswith("535 5.7.8 ")


def shown_on_a_terminal(environment, *arguments):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [places.program(), "explain", *map(str, arguments)], stdout=terminal,
        stdin=subprocess.DEVNULL, stderr=terminal,
        env={**os.environ, **ENVIRONMENT, "TERM": "xterm", **environment})
    os.close(terminal)
    shown = b""
    try:
        while octets := os.read(controller, 4096):
            shown += octets
    except OSError:  # its end
        pass
    os.close(controller)
    process.wait(30)
    return shown


def test_colour_is_for_terminals(config):
    arguments = ["-c", config, "--user", "bob", "--from", "x@b.example"]
    assert "\x1b" not in explain(*arguments).stdout
    assert b"\x1b[31mrefuse" in shown_on_a_terminal({}, *arguments)
    assert b"\x1b" not in shown_on_a_terminal({"NO_COLOR": "1"}, *arguments)
    assert b"\x1b" not in shown_on_a_terminal({}, *arguments, "--json")


def test_what_a_message_holds_does_not_drive_the_terminal(config):
    done = explain("-c", config, "--user", "bob", "--from", "bob@example.com",
                   "--to", "a@example.net", "--message", "-",
                   stdin="X-Mailer: \x1b[31mred\nX-Other: \x1b[m\n\nx\n")
    assert "\x1b" not in done.stdout
    assert "- X-Mailer: \\x1b[31mred" in done.stdout
    assert "  X-Other: \\x1b[m" in done.stdout


@pytest.mark.parametrize("arguments, said", [
    ([], "give the id in a reply, or --user"),
    (["--frm", "a@b.example"], "did you mean --from?"),
    (["--from"], "a value is missing behind --from"),
    (["--from", "a@b.example", "--from", "c@d.example"], "given twice"),
    (["--from", "no address"], "--from takes an address"),
    (["--to", "nobody"], "--to takes an address"),
    (["--from", "<>", "--client", "here"], "--client takes an address"),
    (["--from", "<>", "--size", "big"], "--size takes a size"),
    (["--from", "<>", "--at", "noon"], "--at takes a time"),
    (["--from", "<>", "--reply", "no"], "--reply takes"),
    (["--from", "<>", "--listener", "submision"],
     "did you mean submission?"),
    (["--from", "<>", "--fact", "tls.versoin=1.3"],
     "did you mean tls.version?"),
    (["--from", "<>", "--auth", "failed"], "go with --user"),
    (["7QK3M9T2XA", "--from", "<>"], "an id tells of a past mail"),
    (["7QK3"], "an id is the ten or twelve letters"),
    (["7QK3M9T2XA", "7QK3M9T2XB"], "one id at a time"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_usage_is_said(config, arguments, said):
    done = explain("-c", config, *arguments)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert done.stdout == ""


def test_a_wrong_configuration_is_78(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("hostnam: x\n", encoding="utf-8")
    done = explain("-c", wrong, "--from", "<>")
    assert done.returncode == 78
    assert "did you mean hostname?" in done.stderr


# --- against the running server ---

def refused_mail(site, sender):
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        return client.say(f"MAIL FROM:<{sender}>")


def test_the_id_of_a_refusal_tells_the_same_rule(site, start):
    server = start(text_of(site))
    reply = refused_mail(site, "ceo@example.com")
    identifier = refusal_id(reply)
    server.log.wait_transaction(identifier)
    server.log.wait_events("session", 1)
    for word in (identifier, identifier.lower()):
        past, code = told(word, "-c", server.config)
        assert code == 0
        assert past["record"]["id"] == identifier
        assert past["policy"]["same"]
        assert past["story"]["rule"] == "senders own their address"
        assert past["story"]["stage"] == "mail"
    dry, code = told("-c", server.config, "--user", "bob", "--from",
                     "ceo@example.com", "--to", "a@example.net")
    assert code == 1
    assert dry["reply"] == past["story"]["reply"]
    assert f"{reply.code} {reply.text}" == f"{dry['reply']} ({identifier})"
    text = explain(identifier, "-c", server.config).stdout
    assert "the policy of then" in text
    assert "senders own their address: refuses" in text
    assert "to pass: mail.from would have to be one of" in text


def test_an_accepted_mail_is_told_with_its_limits(site, start):
    server = start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@old.example>")
        client.expect(250, "RCPT TO:<a@example.net>")
        client.expect(250, "RCPT TO:<b@example.net>")
        client.message(MESSAGE)
    [line] = server.log.wait_transactions(1)
    past, _ = told(line["id"], "-c", server.config)
    story = past["story"]
    assert story["verdict"] == "accept" and past["policy"]["same"]
    limits = [rule["limits"][0] for stage in story["stages"]
              if stage["stage"] == "rcpt" for rule in stage["rules"]
              if rule["limits"]]
    assert [(limit["before"], limit["after"], limit["max"])
            for limit in limits] == [(0, 1, 100), (1, 2, 100)]
    mail = rules_of(story, "mail")["the company we bought"]
    assert mail["edits"] == [{"did": "rewrite", "name": "mail.from",
                              "before": "bob@old.example",
                              "value": "bob@example.com"}]
    # Of the header the log holds what the rules name.
    assert rules_of(story, "header")["no offers"]["fate"] == "not-held"


def test_an_exceeded_limit_is_told_as_it_was_then(site, start):
    server = start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        for i in range(100):
            client.expect(250, f"RCPT TO:<r{i}@example.net>")
        identifier = refusal_id(client.expect(450, "RCPT TO:<x@example.net>"))
        client.expect(250, "RSET")
    server.log.wait_transaction(identifier)
    story = told(identifier, "-c", server.config)[0]["story"]
    [stage] = [stage for stage in story["stages"]
               if stage.get("subject") == "x@example.net"]
    assert stage["reply"].startswith("450 4.7.1 ")
    [limit] = stage["rules"][1]["limits"]
    assert not limit["within"]
    assert (limit["before"], limit["after"], limit["max"]) == (100, 100, 100)
    # All of the burst is held: nothing drains before it is settled.
    assert stage["reply"].startswith("450 4.7.1 Try again in 1h")
    # What was refused by then was given back: nobody pays for it now.
    dry, code = told("-c", server.config, "--user", "bob", "--from",
                     "bob@example.com", "--to", "x@example.net")
    assert code == 0, dry


def test_a_session_is_told_with_its_transactions(site, start):
    server = start(text_of(site))
    identifier = refusal_id(refused_mail(site, "ceo@example.com"))
    server.log.wait_events("session", 1)
    past, code = told(identifier[:10], "-c", server.config)
    assert code == 0
    assert {line["event"] for line in past["lines"]} >= {
        "session", "auth", "transaction"}
    text = explain(identifier[:10], "-c", server.config).stdout
    assert identifier in text


def test_a_cap_that_was_crossed_is_told(site, start):
    server = start(text_of(site) + "caps: {message: 1K}\n")
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(354, "DATA")
        dialogue.send(b"From: bob@example.com\r\n\r\n"
                      + b"x" * 1000 + b"\r\n.\r\n")
        identifier = refusal_id(dialogue.expect(552))
        dialogue.expect(221, "QUIT")
    server.log.wait_transaction(identifier)
    server.log.wait_events("session", 1)
    for word in (identifier, identifier[:10]):
        text = explain(word, "-c", server.config).stdout
        assert "crossed   caps.message\n" in text


def test_another_policy_is_said_first(site, start):
    server = start(text_of(site))
    identifier = refusal_id(refused_mail(site, "ceo@example.com"))
    server.log.wait_transaction(identifier)
    other = site.folder / "other.yaml"
    other.write_text(text_of(site).replace(
        "553 5.7.1 {auth.user}", "550 5.7.1 {auth.user}"), encoding="utf-8")
    done = explain(identifier, "-c", other)
    assert done.stdout.startswith(f"the policy of {other} is not the one of "
                                  "then")
    assert "the policy has changed since" in done.stdout
    assert not told(identifier, "-c", other)[0]["policy"]["same"]


def test_a_log_needs_no_configuration_and_its_older_half_is_read(site, start):
    server = start(text_of(site))
    identifier = refusal_id(refused_mail(site, "ceo@example.com"))
    server.log.wait_transaction(identifier)
    older = site.folder / "old.jsonl.1"
    older.write_bytes(site.log.read_bytes())
    done = explain(identifier, "--log", site.folder / "old.jsonl")
    assert done.returncode == 0, done.stderr
    assert "rule      mail: senders own their address: reject" in done.stdout


def test_no_such_id(config, site):
    site.log.write_text("", encoding="utf-8")
    done = explain("7QK3M9T2XA01", "-c", config)
    assert done.returncode == 1
    assert f"there is no 7QK3M9T2XA01 in {site.log}" in done.stderr
    site.log.unlink()
    done = explain("7QK3M9T2XA01", "-c", config)
    assert done.returncode == 1
    assert "No such file" in done.stderr


def test_budgets_are_those_of_the_server(site, start):
    server = start(text_of(site))
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        for i in range(5):
            client.expect(250, f"RCPT TO:<r{i}@example.net>")
        client.message(MESSAGE)
    server.log.wait_transactions(1)

    def before():
        story, _ = told("-c", server.config, "--user", "bob", "--from",
                        "bob@example.com", "--to", "a@example.net")
        if not any("as they are in" in note for note in story["notes"]):
            return None
        [limit] = rules_of(story, "rcpt")["recipients an hour"]["limits"]
        return limit["before"] or None
    assert wait_for(before, "the journal to hold what was used") in (4, 5)


def test_the_shadow_policy_is_told_where_it_differs(site, config):
    candidate = site.folder / "candidate.yaml"
    candidate.write_text("""\
policy:
  rcpt:
    - rule: nobody outside
      when: {rcpt.to.domain: {not_in: [example.com]}}
      reject: "550 5.7.1 Not to {rcpt.to}"
""", encoding="utf-8")
    config.write_text(config.read_text() + f"shadow: {candidate}\n",
                      encoding="utf-8")
    arguments = ["-c", config, "--user", "bob", "--from", "bob@example.com",
                 "--to"]
    done = explain(*arguments, "a@example.net")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        f"the shadow policy {candidate} would differ: refused at rcpt by the "
        'rule "nobody outside": 550 5.7.1 Not to a@example.net')
    assert explain(*arguments, "a@example.com").stdout.splitlines()[-1] == (
        f"the shadow policy {candidate} would do the same")
    assert told(*arguments, "a@example.net")[0]["shadow"]["differs"]
