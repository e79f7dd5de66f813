"""Wrong configurations and what is said about each: tests/diagnostics holds
NAME.yaml, and beside it NAME.want with every line that `postern check` prints.
`shape` holds what the JSON Schema refuses too, `meaning` what only the loader
can know, `yaml` what YAML makes of an unquoted text."""

import pytest

import places
from server import run_once

FOLDER = places.ROOT / "tests" / "diagnostics"
CASES = sorted(FOLDER.glob("*/*.yaml"))
ENOUGH = 60


def test_there_are_many():
    assert len(CASES) >= ENOUGH


def test_each_has_its_words():
    named = {case.with_suffix(".want") for case in CASES}
    assert named == set(FOLDER.glob("*/*.want"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_is_wrong_has_its_place_and_words(case):
    done = run_once("check", "--no-files", case.name, folder=case.parent)
    assert done.stderr == case.with_suffix(".want").read_text(encoding="utf-8")
    has_error = ": error: " in done.stderr
    assert (done.returncode != 0) == has_error, done
