"""The loads whose messages are taken apart, as tests/bench/compare sends
them."""

import dataclasses

from comparison.scenarios import SCENARIOS


@dataclasses.dataclass
class Load:
    name: str
    title: str
    messages: int  # under a tool
    warm_up: int  # messages before
    native: int  # messages with no tool

    def options(self, messages):
        """Of the client."""
        return [*SCENARIOS[self.name].options, "--total", str(messages),
                "--quickack"]


LOADS = {load.name: load for load in (
    Load("steady", "steady, 4 KiB", 2000, 200, 20000),
    Load("pipelined", "pipelined, 4 KiB", 2000, 200, 20000),
    Load("churn", "a session of one, 4 KiB", 300, 60, 3000),
    Load("large", "25 MiB", 8, 4, 40),
)}
