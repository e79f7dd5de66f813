#!/usr/bin/env python3
"""Finds calls of functions that this project does not use.

usage: banned.py ROOT
"""

import pathlib
import re
import sys

BANNED = {
    "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "strcpy": "memcpy and a length", "stpcpy": "memcpy and a length",
    "strcat": "memcpy and a length", "strncat": "memcpy and a length",
    "strncpy": "memcpy and a length",
    "strtok": "a parser over struct str", "strtok_r": "a parser",
    "atoi": "a checked parser", "atol": "a checked parser",
    "atoll": "a checked parser", "atof": "a checked parser",
    "gets": "fgets", "alloca": "an arena",
    "setjmp": "an error value", "longjmp": "an error value",
    "sigsetjmp": "an error value", "siglongjmp": "an error value",
    # These ask the locale.
    **dict.fromkeys(["isalpha", "isdigit", "isalnum", "isspace", "isupper",
                     "islower", "isprint", "ispunct", "isxdigit", "iscntrl",
                     "isgraph", "isblank", "tolower", "toupper"],
                    "a table of ASCII"),
}
CALL = re.compile(r"\b(" + "|".join(BANNED) + r")\s*\(")

# A comment, a string or a character constant.
NOT_CODE = re.compile(
    r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.S)


def code_of(text):
    """The text with comments and literals blanked, lines kept."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_file(root, path):
    text = code_of((root / path).read_text(encoding="utf-8"))
    for match in CALL.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = match.group(1)
        yield f"{path}:{line}: {name} is banned: use {BANNED[name]}"
    for match in re.finditer(r"//", text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: comments are /* ... */"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [path for layer in ("rules", "config", "proxy")
             for path in sorted((root / layer).rglob("*.[ch]"))]
    # In tests cmocka needs setjmp.h and asks for no more.
    errors = [error for path in files
              for error in check_file(root, path.relative_to(root))]
    for error in errors:
        print(error)
    if not files:
        sys.exit("banned: no source found")
    print(f"banned: {len(files)} files, {len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
