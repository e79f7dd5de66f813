"""The completions of contrib/completions in the shells they are for, held
against what the program's own help says."""

import re

import pytest

from server import run_once
from shells import SHELLS


@pytest.fixture(params=SHELLS)
def offers(request, tmp_path):
    """offers(line): what that shell offers, sorted."""
    for name in ("one.yaml", "two.jsonl"):
        (tmp_path / name).write_text("")
    return lambda line: sorted(set(SHELLS[request.param](tmp_path, line)))


def commands():
    return re.findall(r"^  ([a-z]+) ", run_once("help").stdout, re.M)


def options(command):
    text = run_once("help", command).stdout
    return sorted(set(re.findall(r"(?:^|[\s|[])(--?[a-z][a-z-]*)", text)))


def begins(words, start):
    return sorted(word for word in words if word.startswith(start))


def test_commands(offers):
    assert len(commands()) > 9, "help has changed its shape"
    # Some shells offer an option before a dash is typed.
    assert set(offers("postern ")) - {"--version"} == set(commands())
    assert offers("postern re") == begins(commands(), "re")
    assert offers("postern --") == ["--version"]


@pytest.mark.parametrize("command", commands())
def test_options_of(command, offers):
    assert offers(f"postern {command} -") == options(command)
    for option in options(command)[:1]:
        assert offers(f"postern {command} {option}") == \
            begins(options(command), option)


@pytest.mark.parametrize("line", [
    "postern check ", "postern run -c ", "postern replay ",
    "postern explain --log ", "postern explain --message ",
    "postern tail -c ", "postern status -c "])
def test_files(line, offers):
    assert {"one.yaml", "two.jsonl"} <= set(offers(line))
    assert offers(line + "two") == ["two.jsonl"]


@pytest.mark.parametrize("line", [
    "postern explain --user ", "postern list --add ", "postern schema ",
    "postern list contained --for "])
def test_what_is_no_file(line, offers):
    assert offers(line) == []


def test_commands_of_help(offers):
    assert offers("postern help ") == sorted(commands())


def test_filters_and_logs_of_tail(offers):
    text = run_once("help", "tail").stdout
    filters = sorted(set(re.findall(r"(?:^|\s)([a-z]+=)", text)))
    assert len(filters) > 9, "the help of tail has changed its shape"
    offered = offers("postern tail ")
    assert set(filters) | {"one.yaml", "two.jsonl"} <= set(offered), offered
    assert offers("postern tail verd") == ["verdict="]
