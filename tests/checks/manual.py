#!/usr/bin/env python3
"""Holds postern.yaml(5) against the tables of keys that the loader reads by:
each key has its item, with its default. The same of what may stand in a rule.

usage: manual.py ROOT
"""

import pathlib
import re
import sys

TABLE = re.compile(
    r"static const struct key (\w+)\[\] = \{\n(.*?)\n\};", re.S)
SCHEMA = re.compile(r"const struct schema (\w+)\s*=\s*\{\s*\"[^\"]*\",\s*(\w+)")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Sections whose keys have names of the user's own above them.
NAMED = {"listeners", "upstreams", "policy_servers", "lists"}


def field(row, name):
    found = re.search(rf"\.{name} =\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+|[\w&]+)",
                      row)
    if not found:
        return None
    strings = STRING.findall(found.group(1))
    return "".join(strings) if strings else found.group(1).lstrip("&")


def read_tables(root):
    tables, schemas = {}, {}
    for path in sorted((root / "config").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for name, body in TABLE.findall(text):
            rows = re.split(r"(?=\{\s*\.name = )", body)[1:]
            tables[name] = [
                {"name": field(row, "name"), "help": field(row, "help"),
                 "fallback": field(row, "fallback"),
                 "section": field(row, "section")} for row in rows]
        schemas.update(SCHEMA.findall(text))
    return {schema: tables[keys] for schema, keys in schemas.items()
            if keys in tables}


# What may stand in a rule: the table, its file, and the part of the page that
# has an item for each row.
RULE_TABLES = {
    "rule_keys": ("rules/rule_table.c", "Keys of a rule"),
    "limit_keys": ("rules/rule_table.c", "Keys of a limit"),
    "header_keys": ("rules/rule_table.c", "Keys of headers"),
    "test_words": ("rules/rule_table.c", "Long forms of a test"),
    "UNITS": ("rules/limit.c", "Units"),
    "ROWS": ("rules/fact.c", "Facts"),
}
ROW = re.compile(r'\{\s*"([a-z0-9_.]*)",((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')
ITEM = re.compile(r"^\.It Cm (\S+)\n(.*?)(?=^\.It |^\.El)", re.M | re.S)


def read_rule_tables(root):
    """By table: the name of each row and the texts in it."""
    tables = {}
    for table, (path, _) in RULE_TABLES.items():
        text = (root / path).read_text(encoding="utf-8")
        for word in re.findall(r"^#define (\w+) +\\?\n?((?:.*\\\n)*.*)$",
                               text, re.M):
            text = re.sub(rf"(?<=[ ,]){word[0]}(?=,)", word[1].replace(
                "\\\n", " "), text)
        body = re.search(rf"\b{table}\[\w*\] = \{{\n(.*?)\n\}};", text, re.S)
        tables[table] = {name: STRING.findall(rest) for name, rest in
                         ROW.findall(body.group(1))}
    return tables


def find_rule_faults(root, text):
    for table, rows in read_rule_tables(root).items():
        title = RULE_TABLES[table][1]
        part = re.search(rf"^\.Ss {title}\n(.*?)(?=^\.S[sh] )", text,
                         re.M | re.S)
        items = dict(ITEM.findall(part.group(1))) if part else {}
        for name, texts in rows.items():
            where = texts[0] if len(texts) > 1 else ""
            name = "header.NAME" if name == "header" else name
            if name and name not in items:
                yield f"{title}: {name} is missing"
            elif name and table in ("rule_keys", "UNITS") and \
                    f"At: {where}." not in items[name]:
                yield f"{title}: {name} is used at {where}"
        for name in items:
            if name not in rows and name != "header.NAME":
                yield f"{title}: {name} is no row"


def walk(schemas, schema="root_schema", above="", seen=None):
    """Every key by its whole name; a section that stands in two places is
    written out in the first."""
    seen = set() if seen is None else seen
    for row in schemas[schema]:
        path = above + row["name"]
        if row["section"] is None or row["section"] in seen:
            yield path, row
        else:
            seen.add(row["section"])
            inner = path + (".NAME." if row["name"] in NAMED else ".")
            yield from walk(schemas, row["section"], inner, seen)


def items_of(text):
    """The name of each item and what is written under it."""
    parts = re.split(r"^\.It Ic (\S+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], (part.split("\n.El")[0]
                                  for part in parts[2::2])))


def find_faults(root):
    page = root / "contrib" / "man" / "postern.yaml.5"
    text = page.read_text(encoding="utf-8")
    wanted = dict(walk(read_tables(root)))
    described = items_of(text)
    for path, row in wanted.items():
        if path not in described:
            yield f"{path} is missing"
        elif row["fallback"] is not None and \
                f"Default: {row['fallback']}." not in described[path]:
            yield f"{path}: the default is {row['fallback']}"
    yield from find_rule_faults(root, text)
    for path in described:
        if path not in wanted and \
                not any(name.startswith(path + ".") for name in wanted):
            yield f"{path} is no key"


def main():
    faults = list(find_faults(pathlib.Path(sys.argv[1])))
    for fault in faults:
        print(fault)
    print(f"manual: {len(faults)} errors")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
