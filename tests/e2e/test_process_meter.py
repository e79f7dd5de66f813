"""What smtpproc says of processes is what they have used."""

import subprocess

import pytest

from load_tools import end_of, figures, start_tool

BURNT = 0.2
# Two clocks of the kernel, and what the script still does when it has told;
# of children the kernel tells in ticks of 10 ms.
NEAR, NEAR_END = 0.002, 0.04

BURN = f"""
import os, threading, time
def burn():
    while time.process_time() < {BURNT}:
        sum(range(10000))
"""
TELL = """
print(time.process_time(), sum(os.times()[2:4]), flush=True)
input()
"""
WAYS = {
    "itself": "burn()",
    "a_thread_that_has_ended":
        "t = threading.Thread(target=burn); t.start(); t.join()",
    "a_child_that_has_ended": "os.fork() or os._exit(burn() or 0); os.wait()",
}


class Python:
    """A process that runs a script. Use it with `with`."""

    def __init__(self, script):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", script], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate("\n", timeout=60)

    def numbers(self):
        return list(map(float, self.process.stdout.readline().split()))

    def measured(self):
        meter = start_tool("smtpproc", self.process.pid)
        out, errors = end_of(meter)
        assert meter.returncode == 0, errors
        return figures(out)


@pytest.mark.parametrize("way", WAYS)
def test_processor_time_is_all_that_was_used(way):
    with Python(BURN + WAYS[way] + TELL) as python:
        used = sum(python.numbers())
        assert used >= BURNT - NEAR
        assert python.measured()["cpu_s"] == pytest.approx(used, abs=NEAR_END)


def test_memory_and_files_are_those_of_the_whole_tree():
    memory_kb, files = 30 << 10, 30
    script = """
import os
r, w = os.pipe()
if {wanted} and os.fork() == 0:
    if os.fork() == 0:
        held = bytearray(b"x") * ({memory_kb} << 10)
        more = [os.dup(0) for _ in range({files})]
        os.write(w, b"x")
        os.read(0, 1)
        os._exit(0)
    os.wait()
    os._exit(0)
if {wanted}:
    os.read(r, 1)
print(0, flush=True)
os.read(0, 1)
"""
    uses = []
    for wanted in (False, True):
        with Python(script.format(wanted=wanted, memory_kb=memory_kb,
                                  files=files)) as python:
            python.numbers()
            uses.append(python.measured())
    alone, tree = uses
    assert (alone["procs"], tree["procs"]) == (1, 3)
    assert tree["fds"] == 3 * alone["fds"] + files
    for kind in ("rss_kb", "pss_kb", "private_kb"):
        assert tree[kind] > memory_kb > alone[kind]
    assert tree["private_kb"] <= tree["pss_kb"] <= tree["rss_kb"]


def test_a_process_that_is_not_there_is_told():
    ended = subprocess.Popen(["true"])
    ended.wait()
    meter = start_tool("smtpproc", ended.pid)
    out, errors = end_of(meter)
    assert meter.returncode == 1
    assert figures(out)["procs"] == 0
    assert f"there is no process {ended.pid}" in errors
