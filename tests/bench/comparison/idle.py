"""What idle authenticated sessions cost in memory."""

import contextlib
import signal
import subprocess
import time

from comparison import meter

# The memory that the first sessions make an endpoint take is not theirs.
WARM = ["--conns", "10", "--per-conn", "2", "--total", "20"]
# A source address has about 28,000 ports.
SESSIONS_AN_ADDRESS = 20000
READY_SECONDS = 300


@contextlib.contextmanager
def held_sessions(site, endpoint, count, options):
    """While it lasts, they are held; afterwards the mapping that it gives has
    what the client says of them."""
    said = {"idle_ok": 0, "idle_still": 0}
    ready = site.make("idle") / "ready"
    client = subprocess.Popen(
        meter.client_command(site, endpoint, [
            "--idle", str(count), "--conns", "20", "--hold", "600",
            "--sources", str(1 + count // SESSIONS_AN_ADDRESS),
            "--ready-file", ready, *options]),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        end = time.monotonic() + READY_SECONDS
        while (not ready.exists() and client.poll() is None
               and time.monotonic() < end):
            time.sleep(0.1)
        yield said
        client.send_signal(signal.SIGINT)
        said.update(meter.values(client.communicate(timeout=120)[0]))
    finally:
        client.kill()
        client.wait()


def hold(stand, name, wanted, options):
    """From a fresh start, so that nothing of earlier runs is counted."""
    site = stand.site
    stand.restart(name)
    endpoint = stand.endpoints[name]
    count = min(wanted, endpoint.most_sessions(site))
    warm = meter.run(site, stand.sink, endpoint, WARM + options)
    before = meter.processes(site, endpoint)
    with held_sessions(site, endpoint, count, options) as held:
        time.sleep(1)
        after = meter.processes(site, endpoint)
    figures = {**held, "sessions": count, "processes": after["procs"]}
    for key in ("pss", "rss", "private"):
        figures[key + "_per_session"] = \
            (after[key + "_kb"] - before[key + "_kb"]) / count
    wrong = warm.wrong
    if held["idle_still"] != count:
        wrong += f" of {count} sessions {held['idle_still']:.0f} were held"
    return meter.Result(figures, wrong.strip())
