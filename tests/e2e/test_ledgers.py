"""The comparison of ledgers finds what it is there to find."""

import copy
import json
import subprocess

import pytest

import ledgers
import places

SERVER, OTHER = "192.0.2.1:25", "192.0.2.2:25"


def line(token, reply, server=SERVER, **more):
    verdict = ledgers.VERDICTS[int(reply[0])] if reply else "abort"
    found = {"event": "transaction", "id": f"ID{token}", "verdict": verdict,
             "mail": {"from": f"{token}@example.com"},
             "upstream": {"name": "mta", "server": server}, **more}
    return {**found, "reply": reply} if reply else found


@pytest.fixture
def accounts():
    """They agree: one mail of each kind."""
    return {
        "client": [
            {"token": "fine", "code": 250},
            {"token": "refused", "code": 550},
            {"token": "again", "code": 451}, {"token": "again", "code": 250},
            {"token": "unsure", "code": 451}, {"token": "unsure", "code": 250},
            {"token": "unsure-and-lost", "code": 451},
            {"token": "left-early", "code": None},
            {"token": "left-within", "code": None},
            {"token": "left-late", "code": None},
        ],
        "log": [
            {"event": "session", "id": "S"},
            line("fine", "250 2.0.0 Ok"),
            line("refused", "550 5.7.1 No"),
            line("again", "451 4.4.2 Lost"),
            line("again", "250 2.0.0 Ok", OTHER),
            line("unsure", "451 4.4.2 Lost", uncertain=True),
            line("unsure", "250 2.0.0 Ok", OTHER),
            line("unsure-and-lost", "451 4.4.2 Lost", uncertain=True),
            line("left-within", None),
            line("left-late", "250 2.0.0 Ok"),
        ],
        "upstream": [
            {"token": "fine", "server": SERVER},
            {"token": "again", "server": OTHER},
            {"token": "unsure", "server": SERVER},
            {"token": "unsure", "server": OTHER},
            {"token": "left-late", "server": SERVER},
        ],
    }


def of_token(account, token):
    return next(item for item in account
                if token in (item.get("token"),
                             ledgers.token_of(
                                 item.get("mail", {}).get("from", ""))))


def compared(accounts):
    return ledgers.compare(**accounts)


def test_they_agree(accounts):
    assert not compared(accounts)


def lose(accounts):
    accounts["upstream"].remove(of_token(accounts["upstream"], "fine"))


def lose_behind_a_client_that_left(accounts):
    accounts["upstream"].remove(of_token(accounts["upstream"], "left-late"))


def deliver_to_another(accounts):
    of_token(accounts["upstream"], "fine")["server"] = OTHER


def deliver_twice(accounts):
    accounts["upstream"] += [of_token(accounts["upstream"], "fine")]


def deliver_what_was_refused(accounts):
    accounts["upstream"].append({"token": "refused", "server": SERVER})


def deliver_what_was_cut_off(accounts):
    accounts["upstream"].append({"token": "left-within", "server": SERVER})


def deliver_what_nobody_sent(accounts):
    accounts["upstream"].append({"token": "ghost", "server": SERVER})


def be_too_sure(accounts):
    del of_token(accounts["log"], "unsure")["uncertain"]


def hear_what_is_not_logged(accounts):
    of_token(accounts["client"], "refused")["code"] = 250


def hear_nothing_of_it(accounts):
    accounts["client"].remove(of_token(accounts["client"], "fine"))


def leave_out_a_line(accounts):
    accounts["log"].remove(of_token(accounts["log"], "refused"))


def log_twice(accounts):
    accounts["log"].append(
        copy.deepcopy(of_token(accounts["log"], "left-within")))


def log_another_verdict(accounts):
    of_token(accounts["log"], "refused")["verdict"] = "accept"


TAMPERED = [lose, lose_behind_a_client_that_left, deliver_to_another,
            deliver_twice, deliver_what_was_refused, deliver_what_was_cut_off,
            deliver_what_nobody_sent, be_too_sure, hear_what_is_not_logged,
            hear_nothing_of_it, leave_out_a_line, log_twice,
            log_another_verdict]


@pytest.mark.parametrize("tamper", TAMPERED)
def test_tampered(accounts, tamper):
    tamper(accounts)
    assert compared(accounts)


def run(folder, accounts):
    arguments = []
    for name, account in accounts.items():
        ledgers.write(folder / name, account)
        arguments += [f"--{name}", folder / name]
    return subprocess.run(
        [places.SUPPORT / "compare_ledgers", *arguments],
        capture_output=True, text=True, timeout=60, check=False)


def test_the_command(tmp_path, accounts):
    done = run(tmp_path, accounts)
    assert (done.returncode, done.stdout) == (0, "")
    lose(accounts)
    done = run(tmp_path, accounts)
    assert done.returncode == 1
    assert done.stdout.startswith("fine: lost: accepted by 192.0.2.1:25")


def test_a_line_that_is_cut_off(tmp_path, accounts):
    run(tmp_path, accounts)
    with open(tmp_path / "log", "a", encoding="utf-8") as log:
        log.write(json.dumps(accounts["log"][-1])[:-5])
    with pytest.raises(ValueError, match=":11: the line is cut off"):
        ledgers.read(tmp_path / "log")
