"""The example policies: each checks clean anywhere, and its tests pass."""

import json

import pytest

import places
from server import run_once

FOLDER = places.ROOT / "config" / "examples"
# What another example names, and is no configuration by itself.
PARTS = {"shadow-candidate"}
EXAMPLES = [path for path in sorted(FOLDER.glob("*.yaml"))
            if path.stem not in PARTS]


def test_there_are_eleven():
    assert len(EXAMPLES) == 11


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_checks_clean_anywhere(path):
    done = run_once("check", "--no-files", "--json", path)
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert told["diagnostics"] == []
    assert told["tests"]["failed"] == 0
    assert 5 <= told["tests"]["passed"] <= 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_is_for(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")


def test_the_figures_of_a_rate_are_told():
    path = FOLDER / "paid-relay.yaml"
    told = json.loads(run_once("check", "--no-files", "--json", path).stdout)
    limits = {limit["rule"]: limit for limit in told["limits"]}
    alone = limits["nobody uses it up alone"]
    assert (alone["at_once"], alone["in_any_period"]) == (100, 400)
    assert alone["period_ms"] == 3600000
    assert alone["by"] == ["{auth.user}"]
    text = run_once("check", "--no-files", path).stdout
    assert ("  nobody uses it up alone (rcpt): at most 100 recipients at once, "
            "at most 400 in any hour, by {auth.user}\n") in text
    assert "by all together, logged from 90% on\n" in text


def test_files_are_opened_unless_told_not_to():
    path = FOLDER / "paid-relay.yaml"
    done = run_once("check", path)
    assert done.returncode == 78
    assert "/etc/postern/cert.pem" in done.stderr
    assert run_once("check", "--no-files", path).returncode == 0
