"""What is measured: the rows of the table, and what Postern is to reach."""

import dataclasses

MESSAGE = ["--size", "4096"]
STEADY = ["--conns", "20", "--per-conn", "100", *MESSAGE]
CHURN = ["--conns", "20", "--per-conn", "1", *MESSAGE]


@dataclasses.dataclass
class Scenario:
    title: str
    figure: str  # of a run, that the table shows
    options: list  # of the client
    digits: int = 3

    # How much is sent: either this many messages and a multiple, as many as
    # the rate of a pilot run says; or for a time; or what the options say.
    step: int = 0
    pilot: int = 0
    is_timed: bool = False

    is_once: bool = False  # not in every round
    is_awake: bool = False  # cores may not halt
    is_added: bool = False  # what is over the direct way counts

    # The goal: to nginx in the same round, or by itself.
    most_ratio: float = None
    most_value: float = None

    only: tuple = ()  # these peers; empty: all
    stand_ins: dict = dataclasses.field(default_factory=dict)


SCENARIOS = {
    "steady": Scenario(
        "steady: 20 TLS sessions × 100 messages of 4 KiB, CPU ms a message",
        "cpu_ms", STEADY, step=2000, pilot=400, most_ratio=0.85),
    "pipelined": Scenario(
        "the same, client pipelining, CPU ms a message",
        "cpu_ms", [*STEADY, "--pipelining"], step=2000, pilot=400,
        most_ratio=0.95),
    "churn": Scenario(
        "churn: full TLS 1.3 handshake, AUTH PLAIN, one message of 4 KiB, "
        "login cache warm, CPU ms a session",
        "cpu_ms", CHURN, step=100, pilot=200, most_ratio=0.60),
    "churn-cold": Scenario(
        "the same, each login's password hashed, CPU ms a session",
        "cpu_ms", CHURN, step=100, pilot=100,
        only=("postern",), stand_ins={"postern": "postern-cold"}),
    "large": Scenario(
        "25 MiB: 10 messages over 4 sessions, CPU ms a message",
        "cpu_ms", ["--conns", "4", "--total", "10", "--size", str(25 << 20)],
        digits=1, most_ratio=0.70),
    "idle": Scenario(
        "idle, authenticated, TLS, KiB (PSS) a session",
        "pss_per_session", [], digits=1, is_once=True, most_value=9),
    "latency": Scenario(
        "one client, 4 KiB: p50 added over the direct way, ms",
        "p50_ms", ["--conns", "1", *MESSAGE], is_timed=True, is_awake=True,
        is_added=True, most_ratio=0.80),
}
