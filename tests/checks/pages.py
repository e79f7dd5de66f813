#!/usr/bin/env python3
"""Holds the manual against the program, in both directions.

usage: pages.py ROOT PROGRAM

The pages are written by hand, since a key needs more words than a table has;
what they list is the tables', and this finds any difference:

  postern(1)       the commands, their options, the filters of tail and the exit
                   codes, against `postern help`
  postern.yaml(5)  every key with its default and its choices, against
                   `postern schema`; the filters of templates, against their
                   table (rules, units and facts: manual.py, which reads tables
                   that no command prints)
  postern-log(5)   the members of a line, against the code that writes them

and mandoc and man have nothing to say about how they are set.
"""

import json
import pathlib
import re
import subprocess
import sys

# How a page writes an option: .Fl c, .Fl -json, and within .Op and .Oo.
FLAG = re.compile(r"\bFl (-?[a-z][a-z-]*)")
OPTION = re.compile(r"(?:^|[\s|[])-(-?[a-z][a-z-]*)")
# What writes a member of a line of the log, and with which name.
WRITES = re.compile(r"\bjson_(?:open_object|open_array|text|long_text|number|"
                    r"flag|ms|time)\(\s*[^\",()]*,\s*\"([a-z_]+)\"")
MEMBER_SOURCES = ("proxy/log", "proxy/session", "proxy/budgets",
                  "proxy/upstream", "proxy/control/reload_log.c",
                  "proxy/control/verb_list.c")
# Keys whose choices are told with another key, or are a table of their own.
TOLD_ELSEWHERE = {
    "listeners.NAME.mechanisms": "auth.mechanisms",
    "tests.expect.stage": "policy",
}
# A name of the user's own stands for it in the page.
NAMED = {"listeners", "upstreams", "policy_servers", "lists"}


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
                               "MANWIDTH": "80"})
    return done.returncode, done.stdout + done.stderr


def said_by(program, *words):
    code, text = output_of(program, *words)
    if code != 0:
        sys.exit(f"{program} {' '.join(words)}: {text}")
    return text


def differences(what, wanted, found, where):
    """What is wanted and not found, and the other way round."""
    for name in sorted(set(wanted) - set(found)):
        yield f"{where}: {what} {name} is missing"
    for name in sorted(set(found) - set(wanted)):
        yield f"{where}: there is no {what} {name}"


# postern(1)

def commands_of_help(program):
    return re.findall(r"^  ([a-z]+) +\S", said_by(program, "help"), re.M)


def items_of_first_list(text):
    """The words behind .It Cm in the outer list."""
    depth = 0
    for line in text.splitlines():
        depth += line.startswith(".Bl") - line.startswith(".El")
        word = re.match(r"\.It Cm ([a-z]+)(?: |$)", line)
        if word and depth == 1:
            yield word.group(1)


def parts_of_page(text, commands):
    """Of each command the synopsis and the items about it; and all that have
    an item or a synopsis."""
    synopsis = re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh", text, re.M | re.S)
    parts = {}
    for use in synopsis.group(1).split(".Nm\n"):
        name = re.match(r"\.Cm (\w+)", use)
        if name:
            parts.setdefault(name.group(1), []).append(use)
    described = text[synopsis.end():].partition(".Sh ")[0]
    items = re.split(rf"^\.It Cm ({'|'.join(commands)})\b(?!=)", described,
                     flags=re.M)
    seen = set(items_of_first_list(described))
    seen |= set(parts)
    for name, item in zip(items[1::2], items[2::2]):
        parts.setdefault(name, []).append(item)
    return parts, seen


def check_commands(root, program):
    page = "postern(1)"
    text = (root / "contrib/man/postern.1").read_text(encoding="utf-8")
    built = commands_of_help(program)
    parts, described = parts_of_page(text, built)
    yield from differences("command", built, described, page)
    for name in set(built) - set(items_of_first_list(text)):
        yield f"{page}: command {name} has no item"
    for name in built:
        wanted = OPTION.findall(said_by(program, "help", name))
        # Options of one command may be named where another is told of.
        found = FLAG.findall("\n".join(parts.get(name, [])))
        yield from differences("option", {"-" + name for name in wanted},
                               {"-" + name for name in found},
                               f"{page}, {name}")
    wanted = re.findall(r"(?:^|\s)([a-z]+)=", said_by(program, "help", "tail"))
    found = re.findall(r"\bCm ([a-z]+)=", "\n".join(parts.get("tail", [])))
    yield from differences("filter of tail", wanted, found, page)
    codes = "\n".join(re.sub(r"\s+", " ", said_by(program, "help", name))
                      for name in built)
    wanted = {"2"}  # wrong usage of any
    for said in re.findall(r"Exits (.*?\.)(?: |$)", codes):
        wanted |= set(re.findall(r"(?:^|[;,] )(\d+)\b", said))
    status = text.partition(".Sh EXIT STATUS")[2].partition(".Sh ")[0]
    yield from differences("exit code", wanted,
                           re.findall(r"^\.It (\d+)$", status, re.M), page)


# postern.yaml(5)

def keys_of_schema(schema, above=""):
    """Every key by its whole name, with its part of the schema."""
    for name, part in schema.get("properties", {}).items():
        yield from keys_below(above + name, part, name)


def shapes_of(part):
    """A key may take one shape or another, or a list of them."""
    yield part
    for other in part.get("anyOf", []) + part.get("oneOf", []):
        yield from shapes_of(other)
    if isinstance(part.get("items"), dict):
        yield from shapes_of(part["items"])


def keys_below(path, part, name):
    has_keys = False
    for shape in shapes_of(part):
        if name in NAMED and isinstance(shape.get("additionalProperties"),
                                        dict):
            for inner in shapes_of(shape["additionalProperties"]):
                for key in keys_of_schema(inner, path + ".NAME."):
                    has_keys = True
                    yield key
        else:
            for key in keys_of_schema(shape, path + "."):
                has_keys = True
                yield key
    if not has_keys:
        yield path, part


def choices_of(part):
    """Without those of a flag, which every reader knows."""
    return {str(word) for shape in shapes_of(part)
            for word in shape.get("enum", [])
            if str(word).lower() not in ("true", "false")}


def items_of(text):
    parts = re.split(r"^\.It Ic (\S+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], (part.split("\n.El")[0]
                                  for part in parts[2::2])))


def is_inside(path, known):
    """Sections that are told of as a whole, such as a rule's."""
    return any(path.startswith(name + ".") for name in known)


def check_keys(root, program):
    page = "postern.yaml(5)"
    text = (root / "contrib/man/postern.yaml.5").read_text(encoding="utf-8")
    items = items_of(text)
    keys = dict(keys_of_schema(json.loads(said_by(program, "schema"))))
    for path, part in keys.items():
        if path not in items:
            if not is_inside(path, items):
                yield f"{page}: {path} is missing"
            continue
        item = re.sub(r"\n\.[A-Z][a-z] ", " ", items[path])
        default = re.search(r"Default: (.*?)\.?$", part.get("description", ""))
        if default and f"Default: {default.group(1)}." not in item:
            yield f"{page}: {path}: the default is {default.group(1)}"
        item = items[TOLD_ELSEWHERE.get(path, path)]
        for word in sorted(choices_of(part)):
            if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", item):
                yield f"{page}: {path}: the choice {word} is not told"
    for path in items:
        if path not in keys and not is_inside(path, keys) and \
                not any(name.startswith(path + ".") for name in keys):
            yield f"{page}: there is no key {path}"
    source = (root / "rules/template_parse.c").read_text(encoding="utf-8")
    table = re.search(r"NAMES\[\] = \{(.*?)\};", source, re.S).group(1)
    told = re.findall(r"\|([a-z0-9]+)\b",
                      "\n".join(re.findall(r"^\.Li \|.*$", text, re.M)))
    yield from differences("filter of templates",
                           re.findall(r'"(\w+)', table), told, page)


# postern-log(5)

def sources_of_log(root):
    for name in MEMBER_SOURCES:
        place = root / name
        for path in [place] if place.is_file() else sorted(
                place.rglob("*.c")):
            yield path.read_text(encoding="utf-8")


def check_members(root):
    page = "postern-log(5)"
    text = (root / "contrib/man/postern-log.5").read_text(encoding="utf-8")
    text = text.partition(".Sh FAIL2BAN")[0]
    told = set()
    for line in re.findall(r"\bLi (.*)$", text, re.M):
        told |= set(re.findall(r"(?<![\w.])[a-z][a-z_0-9]*(?![\w.])",
                               line.partition(" No ")[0]))
    sources = "\n".join(sources_of_log(root))
    for name in sorted(set(WRITES.findall(sources)) - told):
        # A word of the text does: the port of a client.
        if not re.search(rf"\b{name}\b", text):
            yield f"{page}: {name} is written and not told of"
    literals = set(re.findall(r'"([a-z_]+)"', sources))
    for name in sorted(told - literals):
        if not re.search(rf'"[^"]*\b{name}\b', sources):
            yield f"{page}: {name} is written nowhere"


# How they are set.

def check_setting(root):
    for path in sorted((root / "contrib/man").glob("*.[1-9]")):
        _, said = output_of("mandoc", "-Tlint", str(path))
        for line in said.splitlines():
            # Pages of this manual are not installed where it is built.
            if "referenced manual not found" not in line and \
                    "outdated mandoc.db" not in line:
                yield line
        _, said = output_of("man", "--warnings", "-P", "cat", "-l", str(path))
        for line in said.splitlines():
            if re.search(r"(?:troff|mdoc).*(?:warning|error)", line):
                yield line


def main(root, program):
    faults = [*check_commands(root, program), *check_keys(root, program),
              *check_members(root), *check_setting(root)]
    for fault in faults:
        print(fault)
    print(f"pages: {len(faults)} errors")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
