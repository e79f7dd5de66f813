"""The runs: each scenario over each endpoint in turn, round after round, so
that a bad minute of the machine hits all of them alike."""

import contextlib
import os
import subprocess
import sys

from comparison import idle, meter
from comparison.scenarios import SCENARIOS

MOST_MESSAGES = 60000  # of a run

LOOP = """
import os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
print(flush=True)
while os.getppid() == {parent}:
    for _ in range(1000000):
        pass
"""


@contextlib.contextmanager
def awake():
    """Keeps the cores from halting, by loops that run when nothing else does:
    on a virtual machine the waking of a halted core is most of a latency."""
    with contextlib.ExitStack() as loops:
        for _ in range(os.cpu_count()):
            loop = loops.enter_context(subprocess.Popen(
                [sys.executable, "-c", LOOP.format(parent=os.getpid())],
                stdout=subprocess.PIPE))
            loops.callback(loop.kill)
            loop.stdout.readline()
        yield


class Rounds:
    def __init__(self, stand, options, runs):
        self.stand = stand
        self.options = options
        self.runs = runs
        self.totals = {}
        self.ack_options = ["--quickack"] if options.acks == "quick" else []

    def run_all(self):
        for number in range(1, self.options.rounds + 1):
            for name in self.options.scenarios:
                scenario = SCENARIOS[name]
                if number == 1 or not scenario.is_once:
                    self.run_scenario(number, name, scenario)

    def run_scenario(self, number, name, scenario):
        print(f"round {number} of {self.options.rounds}: {name}",
              file=sys.stderr)
        with awake() if scenario.is_awake else contextlib.nullcontext():
            for peer in self.options.peers:
                if not scenario.only or peer in scenario.only:
                    endpoint = scenario.stand_ins.get(peer, peer)
                    self.runs.add(number, name, peer,
                                  self.measure(name, scenario, endpoint))

    def measure(self, name, scenario, endpoint):
        if name == "idle":
            return idle.hold(self.stand, endpoint, self.options.idle,
                             self.ack_options)
        return self.run(endpoint, scenario.options
                        + self.amount(name, scenario, endpoint))

    def run(self, endpoint, options):
        return meter.run(self.stand.site, self.stand.sink,
                         self.stand.endpoints[endpoint],
                         options + self.ack_options)

    def amount(self, name, scenario, endpoint):
        """As much as takes about the wanted time."""
        if scenario.is_timed:
            return ["--duration", str(self.options.seconds)]
        if not scenario.step:
            return []
        key = name, endpoint
        if key not in self.totals:
            pilot = self.run(endpoint, [*scenario.options, "--total",
                                        str(scenario.pilot)])
            rate = pilot.figures.get("msgs_per_s", 0)
            steps = round(rate * self.options.seconds / scenario.step)
            self.totals[key] = min(max(steps, 1) * scenario.step,
                                   MOST_MESSAGES)
        return ["--total", str(self.totals[key])]
