#!/usr/bin/env python3
"""Holds the tree against its plan: the top level, and what no file may say.

usage: tree.py ROOT
"""

import os
import pathlib
import re
import sys

TOP_LEVEL = {
    "rules", "config", "proxy", "tests", "contrib",
    "CMakeLists.txt", "README.md", "LICENSE",
    ".ci", ".clang-format", ".gitignore",
}
# What tools leave behind is not part of the tree.
NOT_OURS = {".git", "build", ".pytest_cache", "__pycache__"}

FORBIDDEN = [
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b"),
     "work left to do belongs into an issue"),
    (re.compile(r"(?<![\w.])/(work|root|home/\w+)/"),
     "a path of one machine"),
]
# Where files of a moment are made, tests may say so.
TEMPORARY = re.compile(r"(?<![\w.])/t" r"mp/")
TEXTS = {".c", ".h", ".py", ".md", ".txt", ".cmake", ".yaml", ".yml", ".smtp",
         ".dict", ".conf", ".service", ""}


def tree_files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_OURS)
        for name in sorted(names):
            yield pathlib.Path(folder, name)


def is_read(path):
    """Corpora of fuzzers hold anything; other files are text."""
    return path.suffix in TEXTS and "corpus" not in path.parts


def check_top_level(root):
    there = set(os.listdir(root)) - NOT_OURS
    for name in sorted(there - TOP_LEVEL):
        yield f"{name}: not in the plan of the top level"
    for name in sorted(TOP_LEVEL - there):
        yield f"{name}: missing"


def check_file(root, path):
    shown = path.relative_to(root)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        yield f"{shown}: not UTF-8"
        return
    for number, line in enumerate(lines, 1):
        for pattern, why in FORBIDDEN:
            if pattern.search(line):
                yield f"{shown}:{number}: {why}"
        if shown.parts[0] != "tests" and TEMPORARY.search(line):
            yield f"{shown}:{number}: a path of a moment"


def main():
    root = pathlib.Path(sys.argv[1])
    errors = list(check_top_level(root))
    files = [path for path in tree_files(root) if is_read(path)]
    for path in files:
        errors += check_file(root, path)
    for error in errors:
        print(error)
    print(f"tree: {len(files)} files, {len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
