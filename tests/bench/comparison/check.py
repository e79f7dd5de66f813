"""Whether an endpoint does what is measured of it: each message comes once and
whole, and a wrong password opens nothing."""

import subprocess

from comparison import meter

SHAPES = [
    ["--conns", "5", "--per-conn", "20", "--size", "4096"],
    ["--conns", "5", "--per-conn", "20", "--size", "20000", "--rcpts", "5",
     "--pipelining"],
    ["--conns", "3", "--per-conn", "2", "--size", "3000000"],
    ["--conns", "5", "--per-conn", "1", "--total", "20", "--size", "600"],
]


def faults(stand, name):
    """What is wrong with it, as text; the sink was started to verify."""
    endpoint = stand.endpoints[name]
    before = stand.sink.counts()
    sent = 0
    for shape in SHAPES:
        result = meter.run(stand.site, stand.sink, endpoint, shape)
        sent += int(result.figures.get("msgs", 0))
        if result.wrong:
            yield result.wrong
    after = stand.sink.counts()
    got = {key: after[key] - before[key] for key in after}
    if got["ok"] != sent or got["dup"]:
        yield (f"of {sent} messages {got['ok']} came whole, {got['bad']} "
               f"changed, {got['dup']} twice")
    if endpoint.CHECKS_PASSWORDS and not refuses_wrong_password(stand,
                                                                endpoint):
        yield "a wrong password was not refused"


def refuses_wrong_password(stand, endpoint):
    client = subprocess.run(
        meter.client_command(stand.site, endpoint, [
            "--pass", "wrong", "--per-conn", "1", "--total", "1"]),
        capture_output=True, text=True, check=False)
    return client.returncode != 0 and " 535" in client.stderr
