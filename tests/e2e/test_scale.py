"""contrib/scale: the simulation of one Redis, by hand where that can be, and
the page, whose tables must be what it prints."""

import importlib.machinery
import importlib.util
import re
import subprocess

import pytest

import places
from dialogue import logged_in
from messages import make_message
from peer_redis import Redis
from users import PASSWORDS
from waiting import wait_for

FOLDER = places.ROOT / "contrib" / "scale"
BENCH = places.ROOT / "tests" / "bench" / "scale"


@pytest.fixture(scope="module")
def simulation():
    loader = importlib.machinery.SourceFileLoader(
        "simulate", str(FOLDER / "simulate"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("simulate", loader))
    loader.exec_module(module)
    return module


def run(*arguments):
    done = subprocess.run([FOLDER / "simulate", *arguments], timeout=120,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


def test_turns_are_as_counted_by_hand(simulation):
    costs = {"wake": 100, "connection": 10, "hold": 30, "settle": 20,
             "list": 3}
    arrivals = [(10, 1, ("hold",)),              # wakes it: 140
                (50, 1, ("list",)),              # both in the next turn, one
                (60, 1, ("settle", "settle")),   # connection: 10 + 3 + 40
                (70, 2, ("hold",)),              # and another: 10 + 30
                (1000, 2, ("list",))]            # wakes it: 113
    answered, busy = simulation.serve(arrivals, costs, 0, 2000)
    assert answered == [150, 243, 243, 243, 1113]
    assert busy == pytest.approx((140 + 93 + 113) / 2000)


def test_one_kind_of_question_is_a_queue_that_is_known(simulation):
    """Without costs that are shared: at a rate of L a service of s keeps it
    busy for L s of the time, whatever the order; and what waits at the
    beginning of a turn waits for all of it, so that it is no less than in
    M/D/1 and no more than a turn longer."""
    options = simulation.read_options(
        ["--lists", "0", "--per-recipient", "0", "--rtt-us", "0"])
    message = simulation.Message(options)
    message.told = []
    costs = {"wake": 0, "connection": 0, "hold": 100, "settle": 0, "list": 0}
    for part in (0.3, 0.6, 0.8):
        rate = part * 1e6 / 100
        one = simulation.simulate(message, options, costs, rate, seconds=10)
        assert one.busy == pytest.approx(part, abs=0.02)
        mean_wait = part * 100 / (2 * (1 - part)) / 1000
        assert one.p50 >= 0.1
        assert one.p99 >= 0.1 + mean_wait
        assert one.p50 <= 0.1 + 4 * mean_wait


def test_beyond_its_most_a_queue_grows_without_end(simulation):
    options = simulation.read_options([])
    message = simulation.Message(options)
    most = simulation.most_messages(message, simulation.COSTS)
    waits = [simulation.simulate(message, options, simulation.COSTS,
                                 most * 1.2, seconds=seconds).p99
             for seconds in (1, 2, 4)]
    assert waits[0] * 1.5 < waits[1] and waits[1] * 1.5 < waits[2], waits


@pytest.mark.parametrize("rate, capacity, hot, want", [
    (100, 1000, 0.0, 1), (1000, 1000, 0.0, 1), (1001, 1000, 0.0, 2),
    (5000, 1000, 0.0, 5), (5000, 1000, 0.1, 9), (10000, 1000, 0.1, None)])
def test_shards_hold_the_busiest_one_below_its_most(simulation, rate, capacity,
                                                    hot, want):
    shards = simulation.shards_for(rate, capacity, hot)
    assert shards == want
    if want is not None:
        share = simulation.busiest_share(shards, hot)
        assert rate * share <= capacity * 1.0001
        if want > 1:
            fewer = simulation.busiest_share(shards - 1, hot)
            assert rate * fewer > capacity


def test_connections_to_the_upstream(simulation):
    options = simulation.read_options(
        ["--proxies", "10", "--threads", "2", "--pool-max", "5",
         "--upstream-hold-ms", "100"])
    mean, likely, most = simulation.upstream_connections(options, 200)
    assert (mean, most) == (20, 100)
    assert mean < likely < most
    assert simulation.upstream_connections(options, 1e5)[1] == most
    assert simulation.poisson_quantile(0.0001, 0.99) == 0
    assert simulation.poisson_quantile(1.0, 0.99) == 4


@pytest.mark.parametrize("wrong", [
    ["--proxies", "0"], ["--hot", "1"], ["--messages", "-1"],
    ["--threads", "0"], ["--nothing"]])
def test_nonsense_is_refused(wrong):
    done = subprocess.run([FOLDER / "simulate", *wrong], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error:" in done.stderr


def test_a_policy_that_asks_nothing():
    said = run("--lists", "0", "--per-message", "0", "--per-recipient", "0")
    assert "asks nothing" in said


# --- the model and the program ---

POLICY = """\
lists: {contained: {dynamic: true}}
policy:
  mail:
    - rule: contained logins
      when: {auth.user: "@contained"}
      reject: "550 5.7.1 No"
    - rule: messages an hour
      limit: {messages: 10000/h, by: "{auth.user}"}
      defer: "450 4.7.1 Later"
  rcpt:
    - rule: recipients an hour
      limit: {recipients: 10000/h, by: "{auth.user}"}
      defer: "450 4.7.1 Later"
"""


def asked(redis):
    """Commands of sessions, so far."""
    found = re.search(r"^cmdstat_evalsha:calls=(\d+)",
                      redis.say("INFO", "commandstats"), re.M)
    return int(found.group(1)) if found else 0


def test_a_message_asks_what_the_model_says(site, start, tmp_path, simulation):
    mails, threads = 20, 2
    message = simulation.Message(simulation.read_options([]))
    with Redis(tmp_path) as redis:
        head = site.head(site.to_maildir())
        own = f'limits: {{state: "{site.state}"}}\n'
        assert own in head
        start(head.replace(own, f"limits: {{store: {redis.url}}}\n")
              + f"workers: {threads}\n" + POLICY)
        clients = int(re.search(r"^connected_clients:(\d+)",
                                redis.say("INFO", "clients"), re.M).group(1))
        with logged_in(site, "bob", PASSWORDS["bob"]) as client:
            client.expect(250, "NOOP")
            before = asked(redis)
            for i in range(mails):
                client.expect(250, "MAIL FROM:<bob@example.com>")
                client.expect(250, "RCPT TO:<a@example.net>")
                client.expect(250, "RCPT TO:<b@example.net>")
                reply = client.message(make_message(
                    "bob@example.com", "a@example.net", f"asked-{i}"))
                assert reply.code == 250, reply
            wait_for(lambda: asked(redis) >= before + mails * message.commands,
                     f"{message.commands} commands a message")
        assert asked(redis) == before + mails * message.commands
        assert clients == threads + 1  # and who asks here


# --- the page ---

def rows(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_page_holds_what_the_simulation_prints():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    said = run()
    assert len(rows(said)) > 20
    missing = [row for row in rows(said) if row not in page]
    assert not missing, missing
    for line in said.splitlines()[:2]:
        assert f"> {line}\n" in page


def test_the_page_tells_of_policies_as_they_come_out():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    policies = re.findall(r"^\| [^|]*`(--[^`]+)` \|(.*)\|$", page, re.M)
    assert len(policies) == 3
    for options, cells in policies:
        said = run("--proxies", "100", *options.split())
        [row] = [row.split("|") for row in rows(said)
                 if row.startswith("| 100 ")]
        want = [re.search(r"waits for (\d+)", said).group(1), row[3].strip(),
                re.search(r"answers (\S+) messages", said).group(1),
                row[8].strip()]
        assert [cell.strip() for cell in cells.split("|")] == want


def test_the_bench_says_what_is_missing(tmp_path):
    done = subprocess.run([BENCH / "redis_cost", "--scripts", tmp_path],
                          timeout=60, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "no hold.lua" in done.stderr
