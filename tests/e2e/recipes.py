"""What a recipe of contrib/recipes says to write, by file."""

import re

import places

# A fenced block, and the paragraph above it, which says where it belongs.
BLOCK = re.compile(r"((?:^[^\n]+\n)+)\n```\w*\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"`(/etc/[^`]+)`")


def read(name):
    """Its blocks, by the files that the paragraph above each names: it may
    offer two places for one text."""
    text = (places.ROOT / "contrib" / "recipes" / name).read_text(
        encoding="utf-8")
    blocks = {}
    for above, block in BLOCK.findall(text):
        for path in dict.fromkeys(FILE.findall(above)):
            assert path not in blocks, f"{name}: {path} twice"
            blocks[path] = block
    assert blocks, name
    return blocks


def put(text, **changes):
    """The text with what only this machine has: each must be in it."""
    for old, new in changes.values():
        assert old in text, f"{old!r} is not in:\n{text}"
        text = text.replace(old, str(new))
    return text


def at_port(text, port):
    return put(text, door=("10025", port))


def configuration(site, block):
    """The site's configuration with the recipe's upstream for its own."""
    head = site.head("{recipe: }")
    own = "upstreams:\n  main: {recipe: }\nupstream: main\n"
    assert own in head, head
    return head.replace(own, block)
