"""The snippet of contrib/logrotate with the real logrotate, while mail flows: no
line of the decision log is lost, torn or written twice."""

import grp
import gzip
import json
import os
import pwd
import subprocess
import threading

import pytest

import places
import recipes
from dialogue import logged_in
from messages import make_message
from users import PASSWORDS
from waiting import wait_for

# There is no systemd where tests run: what it would be asked is checked, and
# done.
SYSTEMCTL = """\
#!/bin/sh
[ "$*" = "kill --kill-who=main --signal=HUP postern.service" ] || exit 1
kill -HUP {pid} && echo asked >>{asked}
"""


class Logrotate:
    def __init__(self, folder, logs, pid):
        self.folder = folder
        self.asked = folder / "asked"
        systemctl = folder / "bin" / "systemctl"
        systemctl.parent.mkdir()
        systemctl.write_text(SYSTEMCTL.format(pid=pid, asked=self.asked))
        systemctl.chmod(0o755)
        snippet = (places.ROOT / "contrib/logrotate/postern").read_text()
        user = pwd.getpwuid(os.getuid()).pw_name
        group = grp.getgrgid(os.getgid()).gr_name
        self.config = folder / "logrotate.conf"
        self.config.write_text(recipes.put(
            snippet, folder=("/var/log/postern", logs),
            user=("su postern adm", f"su {user} {group}")))
        self.config.chmod(0o644)

    def run(self):
        tree = places.peer("logrotate")
        libraries = [*tree.glob("usr/lib/*-linux-gnu"),
                     *tree.glob("lib/*-linux-gnu")]
        done = subprocess.run(
            [tree / "usr/sbin/logrotate", "--force", "--verbose", "--state",
             self.folder / "state", self.config],
            env={"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "LANG": "C",
                 "LD_LIBRARY_PATH": ":".join(map(str, libraries))},
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and "error:" not in done.stderr, done

    def times_asked(self):
        return len(self.asked.read_text().splitlines())


class Sender(threading.Thread):
    """Sends mails over one session until it is told to stop."""

    def __init__(self, site):
        super().__init__()
        self.client = logged_in(site, "bob", PASSWORDS["bob"])
        self.replies = []
        self.is_over = threading.Event()

    def run(self):
        with self.client as client:
            while not self.is_over.is_set():
                client.say("MAIL FROM:<bob@example.com>")
                client.say("RCPT TO:<a@example.net>")
                self.replies.append(client.message(make_message(
                    "bob@example.com", "a@example.net", "rotated")).code)

    def wait_more(self, count):
        wanted = len(self.replies) + count
        wait_for(lambda: len(self.replies) >= wanted, f"{wanted} mails")


@pytest.fixture
def logs(site):
    folder = site.folder / "logs"
    folder.mkdir(mode=0o750)
    site.log = folder / "decisions.jsonl"
    return folder


def read_all(folder):
    """The lines of every file of the log, the oldest first, by name."""
    lines = {}
    for path in sorted(folder.iterdir(), reverse=True):
        read = gzip.open if path.suffix == ".gz" else open
        with read(path, "rt", encoding="utf-8") as file:
            text = file.read()
        assert text == "" or text.endswith("\n"), f"{path.name} ends torn"
        lines[path.name] = [json.loads(line) for line in text.splitlines()]
    return lines


def test_no_line_is_lost(site, start, logs, tmp_path):
    server = start(site.head(site.to_maildir()))
    logrotate = Logrotate(tmp_path, logs, server.process.pid)
    senders = [Sender(site) for _ in range(4)]
    for sender in senders:
        sender.start()
    try:
        for turn in range(1, 4):
            senders[0].wait_more(5)
            logrotate.run()
            assert logrotate.times_asked() == turn
            wait_for(site.log.exists, "a new log")
        senders[0].wait_more(5)
    finally:
        for sender in senders:
            sender.is_over.set()
        for sender in senders:
            sender.join(30)
    server.terminate()
    server.check_end()
    sent = sum(len(sender.replies) for sender in senders)
    assert all(code == 250 for sender in senders for code in sender.replies)
    files = read_all(logs)
    assert sorted(files) == ["decisions.jsonl", "decisions.jsonl.1",
                             "decisions.jsonl.2.gz", "decisions.jsonl.3.gz"]
    transactions = [line["id"] for lines in files.values() for line in lines
                    if line["event"] == "transaction"]
    assert len(transactions) == len(set(transactions)) == sent
    # Each of them has its part: the server did go over each time.
    assert all(any(line["event"] == "transaction" for line in lines)
               for lines in files.values()), files.keys()
