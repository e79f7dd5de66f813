"""What the control socket tells of the whole server at a glance: `overview`,
and `metrics`."""

import json
import socket

from server import run_once


def ask(server, verb):
    """One order on the control socket, as the commands give it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(server.site.folder / "control"))
        client.sendall(json.dumps({"do": verb}).encode() + b"\n")
        client.shutdown(socket.SHUT_WR)
        return json.loads(b"".join(iter(lambda: client.recv(65536), b"")))


def numbers(server):
    """What Prometheus would collect: by name and labels as they are written."""
    answer = ask(server, "metrics")
    assert answer["ok"] is True, answer
    return {series: float(value) for series, value in
            (line.rsplit(" ", 1) for line in answer["text"].splitlines()
             if not line.startswith("#"))}


def configured(site, upstream, more=""):
    return (site.head(upstream)
            + f'control: "{site.folder}/control"\nworkers: 2\n' + more)


def test_it_has_all_members(site, start):
    server = start(configured(site, site.to_maildir()))
    seen = ask(server, "overview")
    assert seen["ok"] is True
    for member in ("time", "hostname", "version", "policy", "uptime_s",
                   "sessions", "transactions", "minutes", "rules", "users",
                   "upstreams", "shadow", "log", "memory_bytes",
                   "loop_lag_ms", "store"):
        assert member in seen, seen
    assert seen["hostname"] == "mail.example.com"
    assert seen["sessions"]["max"] == 20000
    assert [len(counts) for counts in seen["minutes"].values()] == [60] * 3
    status = json.loads(run_once("status", "-c", server.config,
                                 "--json").stdout)
    assert seen["policy"] == status["policy"]


def test_text_for_prometheus(site, start):
    server = start(configured(site, site.to_maildir()))
    seen = numbers(server)
    assert seen["postern_sessions_open"] == 0
    assert seen["postern_sessions_max"] == 20000
    assert seen["postern_uptime_seconds"] > 0
