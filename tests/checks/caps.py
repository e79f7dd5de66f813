#!/usr/bin/env python3
"""Holds the tests against the caps and deadlines of postern.yaml.

usage: caps.py ROOT

Each key of the tables of caps and timeouts must be crossed by a test that
reads its name in a log: in a line `L:` or `W:` of a dialogue, or in a test of
tests/e2e. So a new one is noticed, and so is one whose crossing nobody is
told of.
"""

import pathlib
import re
import sys

TABLES = {"caps": "caps_keys", "timeouts": "timeouts_keys"}
# Keys that say when another one holds, and are never crossed themselves.
CONDITIONS = {"caps.crowded": "timeouts.until_auth_crowded"}


def keys_of(root):
    text = (root / "config/read_caps.c").read_text(encoding="utf-8")
    for section, table in TABLES.items():
        body = re.search(rf"\b{table}\[\] = \{{\n(.*?)\n\}};", text, re.S)
        for name in re.findall(r'\.name = "(\w+)"', body.group(1)):
            yield f"{section}.{name}"


def texts_about_logs(root):
    for path in sorted((root / "tests/dialogue").glob("*.smtp")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("L: ", "W: ")):
                yield line
    for path in sorted((root / "tests/e2e").glob("test_*.py")):
        yield path.read_text(encoding="utf-8")


def main(root):
    errors = []
    seen = "\n".join(texts_about_logs(root))
    keys = list(keys_of(root))
    for key in keys:
        wanted = CONDITIONS.get(key, key)
        if not re.search(rf"\b{re.escape(wanted)}\b", seen):
            errors.append(f"{key}: no test reads it in a log")
    if not keys:
        errors.append("no keys were found")
    for error in errors:
        print(f"error: {error}")
    print(f"{len(keys)} caps and deadlines, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
