#!/usr/bin/env python3
"""Shows that there is one evaluation of rules: a live session, explain,
check, replay and shadow all come to their verdicts through evaluate() in
rules/, and nothing outside of rules/ looks into its steps.

usage: one_evaluate.py ROOT
"""

import pathlib
import re
import sys

from banned import code_of

# Who may call it, and who must: a function of rules/, the sources outside of
# it that reach rules through it.
CALLERS = {
    "evaluate": {"rules/dry_run.c", "proxy/session/policy.c",
                 "proxy/session/shadow.c"},
    "dry_run_stage": {"config/test_run.c", "proxy/explain/rehearsal.c",
                      "proxy/explain/retelling.c", "proxy/replay/"},
}
# The steps within: for rules/ alone.
STEPS = {"rule_act", "condition_holds", "matcher_matches", "rewrite_apply",
         "limit_resolve", "limit_measured", "evaluate_act",
         "evaluate_step_rule", "evaluate_step_limit"}
INSIDES = {"rules/ruleset_internal.h", "rules/evaluate_internal.h",
           "rules/act.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def sources(root):
    for layer in ("rules", "config", "proxy"):
        for path in sorted((root / layer).rglob("*.c")):
            yield (path.relative_to(root).as_posix(),
                   path.read_text(encoding="utf-8"))


def uses(code, name):
    """The lines that define a function, and those that call it: what stands
    at the start of a line begins with a type, so it is a definition."""
    defined, called = [], []
    for found in re.finditer(rf"^(.*)\b{name}\s*\(", code, re.M):
        line = code.count("\n", 0, found.start()) + 1
        is_definition = re.match(r"[a-z]", found.group(1)) and \
            not found.group(1).startswith("return")
        (defined if is_definition else called).append(line)
    return defined, called


def is_one_of(path, places):
    return any(path == place or
               (place.endswith("/") and path.startswith(place))
               for place in places)


def check_callers(files, name, places):
    seen, defined_in = set(), []
    for path, text in files:
        defined, called = uses(code_of(text), name)
        defined_in += [path] * len(defined)
        for line in called:
            if not is_one_of(path, places):
                yield f"{path}:{line}: {name}() is not called from here"
            seen |= {place for place in places if is_one_of(path, [place])}
    for place in sorted(places - seen):
        yield f"{place} does not come to its verdicts through {name}()"
    if len(defined_in) != 1 or not defined_in[0].startswith("rules/"):
        yield f"{name}() has {len(defined_in)} definitions: " \
              f"{', '.join(defined_in)}"


def check_steps(path, text):
    if path.startswith("rules/"):
        return
    code = code_of(text)
    for name in sorted(STEPS):
        for line in sum(uses(code, name), []):
            yield f"{path}:{line}: {name}() is a step of the evaluation"
    for found in INCLUDE.finditer(text):
        if found.group(1) in INSIDES:
            line = text.count("\n", 0, found.start(1)) + 1
            yield f"{path}:{line}: {found.group(1)} is the inside of rules/"


def main():
    files = list(sources(pathlib.Path(sys.argv[1])))
    errors = [error for name, places in CALLERS.items()
              for error in check_callers(files, name, places)]
    errors += [error for path, text in files
               for error in check_steps(path, text)]
    for error in errors:
        print(error)
    print(f"one evaluation: {len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
