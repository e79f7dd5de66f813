#!/usr/bin/env python3
"""Holds the units that ship against systemd's own tools, and against what they
promise.

usage: service.py ROOT PROGRAM

systemd-analyze finds nothing wrong with them, and rates the service's exposure
at 2.5 at most; MemoryDenyWriteExecute=, which would take the patterns of a
policy their machine code, is nowhere set; the sockets' names and ports are
those of the example's listeners.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

# In tenths.
MOST_EXPOSED = 25

# Key and value, as the program and its supervisor count on them.
PROMISED = [
    ("Type", "notify"),
    ("NotifyAccess", "main"),
    ("ExecStart", "/usr/bin/postern run -c /etc/postern/postern.yaml"),
    ("ExecReload", "/usr/bin/postern reload -c /etc/postern/postern.yaml"),
    ("KillMode", "mixed"),
    ("Restart", "on-failure"),
    ("RestartPreventExitStatus", "2 78"),
    ("LimitCORE", "1"),
    ("NoNewPrivileges", "yes"),
    ("RuntimeDirectory", "postern"),
    ("ReadWritePaths", "-/var/lib/postern -/var/log/postern"),
]
SOCKETS = {
    "postern.socket": ("submission", "587"),
    "postern-submissions.socket": ("submissions", "465"),
}


def settings_of(path):
    """What a unit sets, in order; a comment sets nothing."""
    return re.findall(r"^([A-Za-z]+)=(.*)$", path.read_text(encoding="utf-8"),
                      re.M)


def seconds(text):
    units = {"": 1, "s": 1, "m": 60, "min": 60}
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", text).groups()
    return int(number) * units[unit]


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], text=True,
                          capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def check_settings(root, unit):
    settings = settings_of(unit)
    for name, _ in settings:
        if name == "MemoryDenyWriteExecute":
            yield f"{unit.name}: {name}= takes the patterns their machine code"
        if name in ("StateDirectory", "LogsDirectory"):
            yield f"{unit.name}: {name}= gives the worker's folder to root"
    for name, value in PROMISED:
        if [said for key, said in settings if key == name] != [value]:
            yield f"{unit.name}: {name}={value} is promised"
    caps = (root / "config/read_caps.c").read_text(encoding="utf-8")
    shutdown = re.search(r'"shutdown",.*?\.fallback = "(\w+)"', caps, re.S)
    if seconds(dict(settings).get("TimeoutStopSec", "0")) <= \
            seconds(shutdown.group(1)):
        yield f"{unit.name}: TimeoutStopSec= is not above timeouts.shutdown"


def check_sockets(folder):
    for name, (listener, port) in SOCKETS.items():
        settings = dict(settings_of(folder / name))
        if settings.get("FileDescriptorName") != listener:
            yield f"{name}: FileDescriptorName= is not {listener}"
        if not settings.get("ListenStream", "").endswith(f":{port}"):
            yield f"{name}: ListenStream= is not port {port}"
        if settings.get("Service") != "postern.service":
            yield f"{name}: it is not for postern.service"


def check_exposure(unit):
    code, said = analyze("security", "--offline=true",
                         f"--threshold={MOST_EXPOSED}", str(unit))
    print(re.search("Overall .*|$", said).group())
    if code != 0:
        yield f"{unit.name}: exposed above {MOST_EXPOSED / 10}"
    # As systemd reads it, whatever is written where.
    if not re.search("^✗ MemoryDenyWriteExecute=", said, re.M):
        yield f"{unit.name}: memory may not be written and executed"


def verify(folder, program):
    """As systemd would read them, with the program where it is now."""
    with tempfile.TemporaryDirectory() as place:
        for unit in folder.iterdir():
            text = unit.read_text(encoding="utf-8")
            pathlib.Path(place, unit.name).write_text(
                text.replace("=/usr/bin/postern ", f"={program} "),
                encoding="utf-8")
        units = sorted(str(path) for path in pathlib.Path(place).iterdir()
                       if path.suffix in (".service", ".socket"))
        code, said = analyze("verify", "--man=no", *units)
    if code != 0 or said:
        yield f"systemd-analyze verify: {said}"


def main(root, program):
    folder = root / "contrib/systemd"
    unit = folder / "postern.service"
    errors = [*check_settings(root, unit), *check_sockets(folder),
              *check_exposure(unit), *verify(folder, program)]
    for error in errors:
        print(error)
    print(f"service: {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
