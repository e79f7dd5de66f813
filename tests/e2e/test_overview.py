"""What the control socket tells of the whole server at a glance: `overview`,
and `metrics`."""

import json

from overviews import Numbers, overview
from server import run_once


def configured(site, upstream, more=""):
    return (site.head(upstream)
            + f'control: "{site.folder}/control"\nworkers: 2\n' + more)


def test_it_has_all_members(site, start):
    server = start(configured(site, site.to_maildir()))
    seen = overview(server)
    for member in ("time", "hostname", "version", "policy", "uptime_s",
                   "sessions", "transactions", "minutes", "rules", "users",
                   "upstreams", "shadow", "log", "memory_bytes",
                   "loop_lag_ms", "store"):
        assert member in seen, seen
    assert seen["hostname"] == "mail.example.com"
    assert seen["sessions"]["max"] == 20000
    assert {name: len(counts) for name, counts in seen["minutes"].items()} \
        == dict.fromkeys(("accept", "reject", "defer", "close"), 60)
    assert seen["memory_bytes"] > 1024 * 1024
    status = json.loads(run_once("status", "-c", server.config,
                                 "--json").stdout)
    assert seen["policy"] == status["policy"]


def test_text_for_prometheus(site, start):
    server = start(configured(site, site.to_maildir()))
    seen = Numbers(server)
    assert seen.get("postern_sessions_open") == 0
    assert seen.get("postern_sessions_max") == 20000
    assert seen.get("postern_uptime_seconds") > 0
    assert seen.get("postern_worker_starts_total") == 1
    assert seen.get("postern_worker_crashes_total") == 0
    assert seen.get("postern_certificate_not_after_seconds",
                    chain=str(site.certificate.chain)) \
        > seen.get("postern_start_time_seconds") + 3600
