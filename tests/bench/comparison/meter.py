"""What processes cost, by the kernel's accounts of them and of all below them,
and what the client saw."""

import dataclasses
import re
import subprocess
import time

from peers.site import PASSWORD, SENDER, USER

# The client's bounds, in seconds.
LONGEST_RUN = 300
LONGEST_SILENCE = 60


@dataclasses.dataclass
class Result:
    """What one run gave."""

    figures: dict
    wrong: str  # what makes it useless; empty: nothing


def values(text):
    return {name: float(value)
            for name, value in re.findall(r"\b(\w+)=([\d.]+)", text)}


def processes(site, endpoint):
    """cpu_s, pss_kb, procs and so on."""
    said = subprocess.run(
        [site.load_program("smtpproc"), *map(str, endpoint.pids())],
        capture_output=True, text=True, check=True)
    return values(said.stdout)


def settled_cpu(site, endpoint):
    """Once nothing is done any more: what a closed connection leaves behind
    belongs to the run before."""
    before = processes(site, endpoint)["cpu_s"]
    for _ in range(40):
        time.sleep(0.05)
        now = processes(site, endpoint)["cpu_s"]
        if now - before < 0.001:
            break
        before = now
    return now


def client_command(site, endpoint, options):
    return [site.load_program("smtpload"), "--port", str(endpoint.port),
            "--mode", "tls", "--auth", endpoint.AUTH, "--user", USER,
            "--pass", PASSWORD, "--from", SENDER, "--groups", "X25519",
            "--quiet", "--max-time", str(LONGEST_RUN),
            "--stall", str(LONGEST_SILENCE), *options]


def faults(client, messages, counted):
    if client.returncode != 0:
        said = client.stderr.strip().splitlines()[:3]
        yield "the client reports " + " / ".join(said)
    if counted != messages:
        yield f"the client sent {messages} messages, the sink got {counted}"
    if messages == 0:
        yield "no message came through"


def run(site, sink, endpoint, options):
    """One run of the client; the messages are held against the sink's count.
    """
    counted = sink.counts()["msgs"]
    cpu = settled_cpu(site, endpoint)
    client = subprocess.run(client_command(site, endpoint, options),
                            capture_output=True, text=True, check=False)
    figures = values(client.stdout)
    figures["cpu_s"] = settled_cpu(site, endpoint) - cpu
    messages = int(figures.get("msgs", 0))
    figures["cpu_ms"] = figures["cpu_s"] * 1000 / max(messages, 1)
    counted = sink.counts()["msgs"] - counted
    return Result(figures, "; ".join(faults(client, messages, counted)))
