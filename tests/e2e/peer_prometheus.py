"""The real promtool, from build/peers."""

import subprocess

import places


def promtool(*words, stdin=None):
    done = subprocess.run(
        [places.peer("prometheus") / "usr/bin/promtool", *map(str, words)],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
