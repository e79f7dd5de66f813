"""Budgets and lists that several Posterns share, in a real Redis: that they
are one, and what happens when it is away."""

import json

import pytest

from dialogue import logged_in
from overviews import Numbers, overview
from peer_redis import Redis
from server import run_once
from shared_budgets import RECIPIENTS, neighbour, send, text_of
from users import PASSWORDS
from waiting import wait_for


@pytest.fixture(params=[False, True], ids=["tcp", "unix"])
def redis(request, tmp_path):
    with Redis(tmp_path, is_local=request.param) as server:
        yield server


@pytest.fixture
def one_redis(tmp_path):
    with Redis(tmp_path) as server:
        yield server


def start_two(site, start, redis, **options):
    there = neighbour(site, "there")
    here = start(text_of(site, redis, site.to_maildir(), **options))
    other = start(text_of(there, redis, there.to_maildir(), **options),
                  at=there)
    return there, here, other


def is_up(server):
    return Numbers(server).get("postern_store_up", kind="redis") == 1


def counted(server, what, key="bob"):
    done = run_once("limits", key, "--json", "-c", server.config)
    assert done.returncode == 0, done.stderr
    return {limit["rule"]: limit.get(what, 0)
            for limit in json.loads(done.stdout)["limits"]}


def used(server, key="bob"):
    return counted(server, "used", key)


def held(server):
    return counted(server, "held")


def test_one_budget_for_two_servers(site, start, redis):
    there, here, other = start_two(site, start, redis)
    assert send(site, "one", count=4) == ([250] * 4, 250)
    assert send(there, "two", count=3) == ([250, 250, 450], 250)
    assert send(site, "three") == ([450], None)
    for server in (here, other):
        assert used(server)["recipients a day"] == RECIPIENTS
    line = here.log.wait_transactions(2)[1]
    [limit] = [use for use in line["limits"]
               if use["rule"] == "recipients a day"]
    assert (limit["before"], limit["max"]) == (RECIPIENTS, RECIPIENTS)
    assert "store_away" not in line


def test_what_the_upstream_refuses_is_given_back(site, start, one_redis,
                                                 aiosmtpd):
    aiosmtpd.keeper.refuse = lambda address: (
        "550 5.1.1 unknown" if address.startswith("x") else None)
    server = start(text_of(site, one_redis, site.to_port(aiosmtpd.port)))
    for number in range(2):
        assert send(site, f"x{number}")[0] == [550]
    assert used(server).get("recipients a day", 0) == 0
    assert send(site, "ok", count=2) == ([250] * 2, 250)
    assert used(server)["recipients a day"] == 2


def test_what_one_contains_the_other_refuses(site, start, one_redis, aiosmtpd):
    aiosmtpd.keeper.refuse = lambda address: (
        "550 5.1.1 unknown" if address.startswith("x") else None)
    there = neighbour(site, "there")
    here = start(text_of(site, one_redis, site.to_port(aiosmtpd.port)))
    start(text_of(there, one_redis, there.to_port(aiosmtpd.port)), at=there)
    assert send(site, "x1", count=2)[0] == [550] * 2
    assert send(there, "x2")[0] == [550]
    here_lists = wait_for(
        lambda: run_once("list", "contained", "-c", here.config).stdout,
        "a contained login")
    assert "bob" in here_lists
    with pytest.raises(AssertionError, match="525"):
        logged_in(site, "bob", PASSWORDS["bob"])
    run_once("list", "contained", "--remove", "bob", "-c", here.config)
    assert send(there, "ok") == ([250], 250)


def test_orders_act_on_what_is_shared(site, start, one_redis):
    there, here, other = start_two(site, start, one_redis)
    assert send(site, "one", count=RECIPIENTS)[1] == 250
    assert send(there, "two")[0] == [450]
    done = run_once("limits", "bob", "--reset", "-c", other.config)
    assert done.returncode == 0, done.stderr
    assert used(here).get("recipients a day", 0) == 0
    done = run_once("limits", "bob", "--boost", "2x", "--for", "1h", "-c",
                    here.config)
    assert done.returncode == 0, done.stderr
    assert send(there, "three", count=2 * RECIPIENTS + 1) == (
        [250] * 2 * RECIPIENTS + [450], 250)
    done = run_once("list", "contained", "--add", "eve", "--for", "1h", "-c",
                    here.config)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AssertionError, match="525"):
        logged_in(there, "eve", PASSWORDS["eve"])


def test_a_login_is_known_everywhere(site, start, one_redis):
    there, _, other = start_two(site, start, one_redis)
    assert send(site, "one") == ([250], 250)
    assert send(there, "two") == ([250], 250)
    [line] = other.log.wait_events("auth", 1)
    assert line["auth"]["known"] is True


@pytest.mark.parametrize("how, codes", [
    ("local", [250] * RECIPIENTS + [450]),
    ("allow", [250] * (RECIPIENTS + 1)),
    ("defer", [451] * (RECIPIENTS + 1)),
])
def test_without_the_store(site, start, one_redis, how, codes):
    server = start(text_of(site, one_redis, site.to_maildir(),
                           on_failure=how))
    client = logged_in(site, "bob", PASSWORDS["bob"])
    assert send(site, "before", count=2)[1] == 250
    wait_for(lambda: used(server)["recipients a day"] == 2, "a commit")
    one_redis.stop()
    if how == "defer":
        reply = client.say("MAIL FROM:<bob@example.com>")
        assert (reply.code, reply.text[:30]) == (
            421, "4.7.0 Limits can't be checked ")
    else:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        assert [client.say(f"RCPT TO:<r{n}@example.net>").code
                for n in range(len(codes))] == codes
        client.expect(221, "QUIT")
    line = server.log.wait_transactions(2)[1]
    assert line["store_away"] == how
    assert "redis" in server.stderr().lower()
    one_redis.start()
    wait_for(lambda: "is back" in server.stderr(), "the store's return")
    codes, code = send(site, "after", count=RECIPIENTS + 1)
    assert (codes, code) == ([250] * RECIPIENTS + [450], 250)


def test_a_store_that_says_nothing(site, start, one_redis):
    """Nobody waits for longer than limits.store_timeout, and then no more."""
    server = start(text_of(site, one_redis, site.to_maildir()))
    assert send(site, "before")[1] == 250
    one_redis.pause()
    try:
        assert send(site, "within", count=3) == ([250] * 3, 250)
        line = server.log.wait_transactions(2)[1]
        assert line["store_away"] == "local"
    finally:
        one_redis.resume()
    codes, _ = send(site, "after", count=RECIPIENTS)
    assert codes == [250] * (RECIPIENTS - 1) + [450]
    assert "store_away" not in server.log.wait_transactions(3)[2]


def test_a_store_that_was_emptied(site, start, one_redis):
    server = start(text_of(site, one_redis, site.to_maildir()))
    assert send(site, "before", count=RECIPIENTS)[1] == 250
    assert send(site, "full")[0] == [450]
    one_redis.say("FLUSHALL")
    one_redis.say("SCRIPT", "FLUSH")
    assert send(site, "after", count=RECIPIENTS)[1] == 250
    assert used(server)["recipients a day"] == RECIPIENTS


def test_what_is_held_comes_back_to_a_store_that_was_emptied(
        site, start, one_redis):
    server = start(text_of(site, one_redis, site.to_maildir()))
    client = logged_in(site, "bob", PASSWORDS["bob"])
    client.expect(250, "MAIL FROM:<bob@example.com>")
    for number in range(RECIPIENTS):
        client.expect(250, f"RCPT TO:<r{number}@example.net>")
    one_redis.say("FLUSHALL")
    wait_for(lambda: held(server).get("recipients a day") == RECIPIENTS,
             "what is held")
    assert send(site, "too-much")[0] == [450]
    client.expect(250, "RSET")
    wait_for(lambda: send(site, "room")[0] == [250], "what was given back")
    client.expect(221, "QUIT")


def test_what_was_accepted_is_told_before_the_end(site, start, one_redis):
    server = start(text_of(site, one_redis, site.to_maildir()))
    assert send(site, "last", count=3)[1] == 250
    server.terminate()
    server.check_end()
    again = start(text_of(site, one_redis, site.to_maildir()))
    assert used(again)["recipients a day"] == 3


def test_a_password(site, start, tmp_path):
    word = tmp_path / "word"
    word.write_text("hard to guess\n", encoding="utf-8")
    word.chmod(0o600)
    with Redis(tmp_path, password="hard to guess") as redis:
        text = text_of(site, redis, site.to_maildir())
        with_word = text.replace(
            "store: ", f'store_password_file: "{word}", store: ')
        server = start(with_word)
        assert send(site, "one", count=2)[1] == 250
        assert used(server)["recipients a day"] == 2
        assert int(redis.say("DBSIZE")) > 0


def test_the_store_in_the_numbers(site, start, one_redis):
    server = start(text_of(site, one_redis, site.to_maildir()))
    assert send(site, "one", count=RECIPIENTS + 1)[1] == 250
    wait_for(lambda: is_up(server),
             "a store that is up")
    numbers = Numbers(server)
    name = "postern_store_questions_total"
    assert numbers.get(name, result="within") == RECIPIENTS
    assert numbers.get(name, result="exceeded") == 1
    assert overview(server)["store"]["up"] is True
    one_redis.stop()
    assert send(site, "two")[1] == 250
    wait_for(lambda: not is_up(server),
             "a store that is away")
    assert overview(server)["store"]["unanswered"] > 0


def test_an_overview_does_not_wait_for_the_store(site, start, one_redis):
    """Each login's budgets would be asked for in vain, for seconds."""
    server = start(text_of(site, one_redis, site.to_maildir()))
    for user in ("bob", "eve", "alice"):
        assert send(site, "one", user)[1] == 250
    wait_for(lambda: is_up(server), "a store that is up")
    users = {user["user"]: user["budgets"]
             for user in overview(server)["users"]}
    assert all(users[user][0]["used"] == 1 for user in ("bob", "eve", "alice"))
    one_redis.pause()
    try:
        wait_for(lambda: not is_up(server), "a store that is away")
        users = overview(server)["users"]
        assert [user["budgets"] for user in users] == [[]] * 3
    finally:
        one_redis.resume()


def test_a_start_without_the_store(site, start, tmp_path):
    """It is found when it is there."""
    redis = Redis(tmp_path)
    server = start(text_of(site, redis, site.to_maildir()))
    assert send(site, "one", count=RECIPIENTS + 1)[0] \
        == [250] * RECIPIENTS + [450]
    assert server.log.wait_transactions(1)[0]["store_away"] == "local"
    assert "limits.store" in server.stderr()
    with redis:
        wait_for(lambda: is_up(server), "a store that is up", 40)
        assert send(site, "two", count=RECIPIENTS + 1)[0] \
            == [250] * RECIPIENTS + [450]


def test_a_reload_moves_budgets_to_a_store(site, start, one_redis):
    """From then on what the store says holds; what was used before does not
    count there."""
    shared = text_of(site, one_redis, site.to_maildir())
    alone = shared.replace(f', store: "{one_redis.url}"', "")
    server = start(alone)
    assert send(site, "one", count=RECIPIENTS)[1] == 250
    server.config.write_text(shared, encoding="utf-8")
    done = run_once("reload", "-c", server.config)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: is_up(server), "a store that is up")
    assert send(site, "two", count=2)[1] == 250
    assert used(server)["recipients a day"] == 2
