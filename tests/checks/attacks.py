#!/usr/bin/env python3
"""Holds the tests against the catalogue of what the wire may throw at us.

usage: attacks.py ROOT

Each row of the catalogue has an id; a test that plays it carries the id in its
name: a dialogue wire_S06_….smtp or upstream_U04_….smtp, or a function in
tests/unit or tests/e2e whose name holds the id as a word. A row without a test
is an error, and so are too few dialogues.
"""

import pathlib
import re
import sys

# Letter: what its rows are about, and how many there are.
ROWS = {
    "S": ("false ends of data", 26),
    "D": ("dot stuffing towards the upstream", 7),
    "K": ("BDAT", 8),
    "T": ("STARTTLS and TLS", 17),
    "X": ("other protocols", 5),
    "A": ("AUTH", 13),
    "G": ("command grammar and injection", 14),
    "O": ("exhaustion", 11),
    "Y": ("whom to trust: PROXY, XCLIENT, trace fields", 5),
    "H": ("header against envelope", 16),
    "L": ("injection into logs and replies", 2),
    "U": ("an upstream that fails or lies", 20),
}
SERVER_DIALOGUES = 200
UPSTREAM_DIALOGUES = 60


def names_of_tests(root):
    for path in sorted((root / "tests/dialogue").glob("*.smtp")):
        yield path.stem
    for path in sorted((root / "tests/unit").rglob("*_test.c")):
        yield from re.findall(r"^static void (\w+)\(void \*\*", path.read_text(),
                              re.MULTILINE)
    for path in sorted((root / "tests/e2e").rglob("test_*.py")):
        yield from re.findall(r"^\s*def (test_\w+)", path.read_text(),
                              re.MULTILINE)


def ids_in(name):
    return re.findall(r"(?:^|_)([A-Z]\d\d)(?=_|$)", name)


def main(root):
    errors = []
    rows = {f"{letter}{n:02}": about for letter, (about, count) in ROWS.items()
            for n in range(1, count + 1)}
    found = set()
    for name in names_of_tests(root):
        for row in ids_in(name):
            if row not in rows:
                errors.append(f"{name}: there is no row {row}")
            found.add(row)
    for row, about in rows.items():
        if row not in found:
            errors.append(f"{row} ({about}): no test carries its id")
    dialogues = [path.stem for path in (root / "tests/dialogue").glob("*.smtp")]
    upstream = [name for name in dialogues
                if name.startswith(("upstream_", "chunking_out_", "xclient_"))]
    server = len(dialogues) - len(upstream)
    if server < SERVER_DIALOGUES:
        errors.append(f"{server} dialogues about clients, {SERVER_DIALOGUES} "
                      "are wanted")
    if len(upstream) < UPSTREAM_DIALOGUES:
        errors.append(f"{len(upstream)} dialogues about upstreams, "
                      f"{UPSTREAM_DIALOGUES} are wanted")
    for error in errors:
        print(f"error: {error}")
    print(f"{len(found)} of {len(rows)} rows, {server} dialogues about clients, "
          f"{len(upstream)} about upstreams")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
