"""What a server counts: its overview, and its text for Prometheus."""

import collections
import json
import re
import socket

LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def ask(server, verb):
    """One order on the control socket, as the commands give it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(server.site.folder / "control"))
        client.sendall(json.dumps({"do": verb}).encode() + b"\n")
        client.shutdown(socket.SHUT_WR)
        answer = json.loads(b"".join(iter(lambda: client.recv(65536), b"")))
    assert answer["ok"] is True, answer
    return answer


def overview(server):
    return ask(server, "overview")


def metrics_text(server):
    return ask(server, "metrics")["text"]


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


class Numbers:
    """One collection, by name and labels."""

    def __init__(self, server):
        self.samples = collections.defaultdict(dict)
        for line in metrics_text(server).splitlines():
            if line.startswith("#"):
                continue
            name, _, value = line.rpartition(" ")
            name, _, labels = name.partition("{")
            key = frozenset((label, unescape(text))
                            for label, text in LABEL.findall(labels))
            assert key not in self.samples[name], line
            self.samples[name][key] = float(value)

    def get(self, name, **labels):
        """0 where it was never counted."""
        return self.samples[name].get(frozenset(labels.items()), 0)

    def sum(self, name, **labels):
        """Over all that have at least these labels."""
        return sum(value for key, value in self.samples[name].items()
                   if labels.items() <= dict(key).items())

    def by(self, name, *labels):
        """Sums by those labels; zeros are left out."""
        sums = collections.Counter()
        for key, value in self.samples[name].items():
            sums[tuple(dict(key)[label] for label in labels)] += value
        return {key: value for key, value in sums.items() if value}
