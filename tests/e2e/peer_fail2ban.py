"""The real fail2ban-regex, from build/peers, with the filter that is shipped."""

import ast
import os
import subprocess
import sys

import places

FILTER = places.ROOT / "contrib/fail2ban/filter.d/postern.conf"
JAIL = places.ROOT / "contrib/fail2ban/jail.d/postern.conf"


def run(*arguments):
    tree = places.peer("fail2ban")
    done = subprocess.run(
        [sys.executable, tree / "usr/bin/fail2ban-regex",
         "-c", tree / "etc/fail2ban", *arguments],
        env={**os.environ, "TZ": "Pacific/Auckland",
             "PYTHONPATH": str(tree / "usr/lib/python3/dist-packages")},
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 255), done.stderr
    return done.stdout


def failures(log):
    """The address and the time, in whole seconds, of each line that would
    count towards a ban."""
    rows = [ast.literal_eval(line.rstrip(","))
            for line in run("-o", "row", log, FILTER).splitlines()
            if line.startswith("[")]
    return [(address, when) for address, when, _ in rows]
