"""tests/bench/compare, in small: that it measures and tells what went wrong.
What the figures are is no test."""

import io
import pathlib
import re
import signal
import subprocess
import sys

import pytest

import places
import ports

BENCH = places.ROOT / "tests" / "bench"
sys.path.append(str(BENCH))
from comparison import meter, report  # noqa: E402 (found by the line above)
from comparison.runs import Runs  # noqa: E402
from comparison.sink import Sink  # noqa: E402
from peers.direct import Direct  # noqa: E402
from peers.site import Site  # noqa: E402

BUILD = places.program().parent


def compare(raw, *options):
    """The table of goals, its lines cut into cells, and the raw lines."""
    done = subprocess.run(
        [BENCH / "compare", "--build", BUILD, "--raw", raw, "--seconds", "0.1",
         *options], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.split("\n\n", maxsplit=1)[0].splitlines()
    return ([line.strip("| ").split(" | ") for line in table],
            [line.split("\t") for line
             in raw.read_text(encoding="utf-8").splitlines()])


def measured(cells):
    """How many of them are figures. So few idle sessions may seem to cost
    less than nothing."""
    return sum(1 for cell in cells if re.fullmatch(r"-?\d+\.\d+", cell))


def test_each_is_measured_in_each_round(tmp_path):
    peers = ["direct", "haproxy", "nginx", "postern"]
    table, lines = compare(
        tmp_path / "raw", "--rounds", "2", "--idle", "20", "--peers",
        ",".join(peers), "--scenarios", "churn,churn-cold,idle")
    churn = [["churn", peer] for peer in peers] + [["churn-cold", "postern"]]
    assert [line[1:3] for line in lines] == [
        *churn, *(["idle", peer] for peer in peers), *churn]
    assert {line[3] for line in lines} == {"fine"}
    assert [measured(row[1:5]) for row in table[2:]] == [4, 1, 4]
    assert [row[-1] in ("met", "missed") for row in table[2:]] == [
        True, False, True]


def test_those_with_many_processes_are_measured(tmp_path):
    table, lines = compare(
        tmp_path / "raw", "--rounds", "1", "--peers", "dovecot,postfix",
        "--scenarios", "churn")
    assert [line[:4] for line in lines] == [
        ["1", "churn", peer, "fine"] for peer in ("dovecot", "postfix")]
    assert [measured(row[1:3]) for row in table[2:]] == [2]


def commands_with(text):
    """Of the processes that run."""
    commands = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_text(encoding="utf-8",
                                           errors="replace"))
        except OSError:
            pass  # it ended meanwhile
    return [command for command in commands if text in command]


def test_an_interrupt_ends_all(tmp_path):
    with subprocess.Popen(
            [BENCH / "compare", "--build", BUILD, "--raw", tmp_path / "raw",
             "--no-check", "--rounds", "1000", "--scenarios", "latency",
             "--peers", "direct,haproxy,postern", "--seconds", "0.1"],
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) as running:
        while "round 2" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    assert not commands_with(str(tmp_path))


def test_what_fails_is_told(tmp_path, certificate):
    site = Site(tmp_path, BUILD, certificate, ports.free_port(),
                ports.free_port(), descriptors=1000)
    sink = Sink(site, [])
    sink.start()
    try:
        endpoint = Direct(site, sink)
        few = ["--total", "3"]
        assert meter.run(site, sink, endpoint, few).wrong == ""
        endpoint.port = ports.free_port()
        wrong = meter.run(site, sink, endpoint, few).wrong
        assert "the client reports" in wrong and "refused" in wrong
    finally:
        sink.stop()


def test_a_lost_message_is_told():
    client = subprocess.CompletedProcess([], 0, "", "")
    assert not list(meter.faults(client, 7, 7))
    assert list(meter.faults(client, 7, 6)) == [
        "the client sent 7 messages, the sink got 6"]


def runs_of(**values):
    """values: the cost by round; None: the run went wrong."""
    runs = Runs(io.StringIO())
    for peer, costs in values.items():
        for number, cost in enumerate(costs, 1):
            runs.add(number, "steady", peer, meter.Result(
                {"cpu_ms": cost or 1000}, "" if cost else "lost"))
    return runs


@pytest.mark.parametrize("ours, ratio, verdict", [
    ([1.7, 1.6, 9.0], "0.85 (0.80–4.50)", "met"),
    ([1.8, 1.6, 9.0], "0.90 (0.80–4.50)", "missed"),
    ([1.7, None, 1.7], "0.85 (0.85–0.85)", "met"),
    ([None, None, None], "–", "not measured"),
])
def test_medians_are_held_against_the_goal(ours, ratio, verdict):
    runs = runs_of(nginx=[2.0, 2.0, 2.0], postern=ours)
    assert report.ratio_text(runs, "steady") == ratio
    assert report.verdict(runs, "steady") == verdict
    assert len(list(report.wrong(runs))) == ours.count(None)
