"""What Prometheus and Grafana are given: the text of a server with mail behind
it, the alerts and the dashboard, held against promtool and each other."""

import collections
import json
import re

import pytest
import yaml

import places
import ports
from overviews import LABEL, metrics_text
from peer_prometheus import Prometheus, promtool
from peer_raw import RawUpstream, Script
from peer_redis import Redis
from test_metrics import login, mail, round_of_mail, settle, text_of
from waiting import wait_for

ALERTS = places.ROOT / "contrib" / "prometheus" / "alerts.yml"
CONFIG = places.ROOT / "contrib" / "prometheus" / "prometheus.yml"
DASHBOARD = places.ROOT / "contrib" / "grafana" / "postern.json"
TESTS = places.ROOT / "tests" / "e2e" / "alerts_test.yml"
NAME = re.compile(r"\b(postern_[a-z_]+)\b(?:\{([^}]*)\})?")
# What Prometheus adds, and what buckets have.
COMMON_LABELS = {"instance", "job", "le"}


@pytest.fixture
def redis(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    with Redis(folder) as server:
        yield server


def shared(text, redis):
    """The budgets are there, so that it is counted too."""
    return text.replace("limits: {", f'limits: {{store: "{redis.url}", ')


@pytest.fixture
def text(site, start, redis):
    """Of a server that has seen some of everything."""
    with RawUpstream(Script()) as upstream:
        server = start(shared(text_of(site, upstream.port,
                                      "caps: {recipients: 2}\n"), redis))
        done = round_of_mail(site)
        with login(site) as bob:
            for _ in range(5):
                mail(bob, recipients=("a", "b", "c"))
            bob.expect(221, "QUIT")
        settle(server.log, done + 5, 6)
        yield metrics_text(server)


def families(text):
    """Name: (type, labels)."""
    found, types = collections.defaultdict(set), {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types, f"{name} is told twice"
            types[name] = kind
            if kind == "histogram":
                types.update(dict.fromkeys(
                    (name + end for end in ("_bucket", "_sum", "_count")),
                    kind))
        elif not line.startswith("#"):
            name = re.match("[a-z_]+", line)[0]
            assert name in types, f"{line}: no family was begun"
            found[name].update(label for label, _ in LABEL.findall(line))
    return {name: (kind, found[name]) for name, kind in types.items()}


def expressions():
    """Of the dashboard, as Prometheus is asked."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [target["expr"] for panel in dashboard["panels"]
             for target in panel.get("targets", [])]
    found += [one["expr"] for one in dashboard["annotations"]["list"]]
    assert len(found) > 30
    for variable, value in (("$instance", ".*"), ("$__rate_interval", "5m"),
                            ("$__range", "1h")):
        found = [one.replace(variable, value) for one in found]
    return found


def alerts():
    [group] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return group["rules"]


def check_names(expression, told):
    named = NAME.findall(expression)
    assert named or "up{" in expression, expression
    for name, matchers in named:
        assert name in told, f"{expression}: there is no {name}"
        labels = set(re.findall(r"([a-z_]+)[!=~]=?", matchers or ""))
        assert labels <= told[name][1] | COMMON_LABELS, \
            f"{expression}: {name} has no {labels - told[name][1]}"
        if re.search(rf"(rate|increase)\({name}\b", expression):
            assert told[name][0] in ("counter", "histogram"), expression


def test_the_text_is_what_prometheus_reads(text):
    said = promtool("check", "metrics", stdin=text)
    assert not said.strip(), said
    told = families(text)
    assert len(told) > 40
    empty = [name for name, (kind, _) in told.items() if name not in text
             .replace(f"# HELP {name}", "").replace(f"# TYPE {name}", "")]
    assert not empty


def test_labels_are_escaped(text):
    assert r'rule="names with \"quotes\" and \\\\"' in text


def test_alerts_and_their_tests():
    assert f"SUCCESS: {len(alerts())} rules found" in \
        promtool("check", "rules", ALERTS)
    promtool("check", "config", "--syntax-only", CONFIG)
    promtool("test", "rules", TESTS)
    tests = yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
    tested = {one["alertname"] for test in tests
              for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert tested == {alert["alert"] for alert in alerts()}


def test_alerts_name_what_there_is(text):
    told = families(text)
    for alert in alerts():
        check_names(alert["expr"], told)


def test_the_dashboard_asks_for_what_there_is(text, tmp_path):
    told = families(text)
    for expression in expressions():
        check_names(expression, told)
    rules = tmp_path / "expressions.yml"
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"postern:expression:{number}", "expr": expression}
        for number, expression in enumerate(expressions())]}]}),
        encoding="utf-8")
    promtool("check", "rules", rules)


def test_a_real_prometheus(site, start, tmp_path, redis):
    """Collects, evaluates the alerts, and finds what the dashboard asks."""
    port = ports.free_port()
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with RawUpstream(Script()) as upstream:
        start(shared(text_of(site, upstream.port,
                             f'http: {{address: "127.0.0.1:{port}"}}\n'),
                     redis))
        with Prometheus(folder, port) as prometheus:
            wait_for(lambda: prometheus.ask("postern_build_info"),
                     "the first collection")
            round_of_mail(site)
            accepted = 'postern_transactions_total{verdict="accept"}'
            wait_for(lambda: [one["value"][1] for one in
                              prometheus.ask(accepted)] == ["2"],
                     "two messages in Prometheus")
            with login(site) as bob:
                for _ in range(5):
                    mail(bob, recipients=("a", "b", "c"))
            wait_for(lambda: prometheus.ask(
                'count_over_time(postern_rule_actions_total{did="exceed"}[1m])'
                " >= 3"), "three collections")
            unanswered = [one for one in expressions()
                          if not prometheus.ask(one)]
            [group] = prometheus.get("rules")["groups"]
            # Nothing was reloaded.
            assert {re.search("postern_[a-z_]+", one)[0]
                    for one in unanswered} <= {"postern_reloads_total"}
            assert {rule["health"] for rule in group["rules"]} == {"ok"}
            firing = {rule["name"] for rule in group["rules"] if rule["alerts"]}
            assert firing <= {"PosternCertificateEnds",
                              "PosternCertificateEndsSoon"}, firing
            [target] = prometheus.get("targets")["activeTargets"]
            assert target["health"] == "up" and not target["lastError"]


def test_every_number_is_on_the_dashboard():
    """Whatever is counted somebody can see, or it need not be counted."""
    shown = " ".join(expressions())
    folder = places.ROOT / "proxy" / "metrics"
    source = "".join(path.read_text(encoding="utf-8")
                     for path in folder.glob("metrics_text*.c"))
    names = set(re.findall(r'"(postern_[a-z_]+)"', source))
    assert len(names) > 30
    unseen = {name for name in names if not re.search(rf"\b{name}", shown)}
    assert unseen == {"postern_start_time_seconds", "postern_sessions_total",
                      "postern_loop_lag_seconds"}


def test_places_of_the_dashboard_do_not_overlap():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        here = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not here & taken, panel["title"]
        taken |= here
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
