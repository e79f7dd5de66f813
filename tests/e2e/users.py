"""Logins: their passwords, and the users file as `postern passwd` makes it."""

import subprocess

import places

PASSWORDS = {
    "bob": "correct horse 1",
    "eve": "battery staple 2",
    "alice": "tr0ub4dor & 3",
}
FIELDS = {
    "bob": "addresses=bob@example.com,*@sales.example.com groups=staff",
    "eve": "addresses=eve@example.com groups=students",
    "alice": "addresses=alice@example.com groups=staff",
}


def hashed(user, password):
    """NAME:HASH, by the program under test."""
    done = subprocess.run(
        [places.program(), "passwd", user], input=password + "\n",
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines()
             if line.startswith(user + ":")]
    assert len(lines) == 1, done.stdout
    return ":".join(lines[0].split(":")[:2])


def hashed_cheaply(user, password):
    """The same by another program, with a hash that costs little: for tests
    with very many logins."""
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password + "\n",
        capture_output=True, text=True, timeout=60, check=True)
    return f"{user}:{done.stdout.strip()}"


def write_users(path, how=hashed):
    lines = [f"{how(user, PASSWORDS[user])}:{FIELDS[user]}\n"
             for user in PASSWORDS]
    path.write_text("".join(lines), encoding="utf-8")
    path.chmod(0o600)
    return path
