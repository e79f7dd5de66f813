"""The real Prometheus and its promtool, from build/peers."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

import places
from peer_program import PeerProgram
from waiting import wait_for


def promtool(*words, stdin=None):
    done = subprocess.run(
        [places.peer("prometheus") / "usr/bin/promtool", *map(str, words)],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Prometheus(PeerProgram):
    """Collects once a second from that port, by the configuration that is
    shipped. Use it with `with`."""

    PACKAGE = "prometheus"

    def __init__(self, folder, port):
        super().__init__(folder)
        shipped = places.ROOT / "contrib" / "prometheus"
        config = yaml.safe_load((shipped / "prometheus.yml").read_text())
        [job] = config["scrape_configs"]
        job["scrape_interval"] = "1s"
        job["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
        config["rule_files"] = [str(shipped / "alerts.yml")]
        config["global"] = {"evaluation_interval": "1s"}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def __enter__(self):
        program = self.root / "usr/bin/prometheus"
        self.run([program, f"--config.file={self.folder}/prometheus.yml",
                  f"--storage.tsdb.path={self.folder}/tsdb",
                  f"--web.listen-address=127.0.0.1:{self.port}"],
                 {"PATH": "/usr/bin"})
        wait_for(self.is_ready, "a Prometheus that is ready", 60)
        return self

    def __exit__(self, *_):
        self.stop()

    def is_ready(self):
        """It listens before it can answer."""
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/-/ready", timeout=20):
                return True
        except urllib.error.HTTPError:
            return False

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        with urllib.request.urlopen(
                url + "?" + urllib.parse.urlencode(query), timeout=20) as page:
            answer = json.load(page)
        assert answer["status"] == "success", answer
        return answer["data"]

    def ask(self, expression):
        """What it finds now; an expression that is wrong is an error."""
        return self.get("query", query=expression)["result"]
