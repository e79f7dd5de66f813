"""Looks for a secret in the memory of a process, as who may trace it could.

What is looked for is not the secret alone, but each piece of it and of its
base64 text: memory that was given back is written over in part, and what is
left of a secret is one still. Memory of sanitizers, which holds no contents
but what is known of them, is passed over, and so are pages that were never
there."""

import array
import base64
import mmap
import re
import secrets

PAGE = mmap.PAGESIZE
PIECE = 12          # octets of a secret that can't be there by chance
SHADOW = 1 << 32    # no mapping of contents is as large
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (rw\S+) \S+ \S+ \S+ *(.*)")


def new_secret(pieces=3):
    """Of letters and digits, fit for a password and for a token."""
    return secrets.token_hex(PIECE * pieces // 2)


def cut(octets, size):
    return [octets[at:at + size]
            for at in range(0, len(octets) - size + 1, size)]


def needles(secret):
    """The pieces; and those of its base64 text, in which the secret may begin
    at three places of a group. A text's ends depend on what is beside it."""
    octets = secret.encode("utf-8")
    found = cut(octets, PIECE)
    for before in range(3):
        text = base64.b64encode(b"\0" * before + octets + b"\0\0")
        found += cut(text[4:-4], PIECE * 4 // 3)
    return found


def mappings(pid):
    """Those that can be written to."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as lines:
        for line in lines:
            match = MAPPING.match(line)
            if match is None:
                continue
            begin, end = int(match[1], 16), int(match[2], 16)
            if end - begin < SHADOW:
                yield begin, end, match[4].strip() or "anonymous"


def pages_there(pagemap, begin, end):
    """The runs of pages that are in memory or swapped out (proc(5))."""
    pagemap.seek(begin // PAGE * 8)
    entries = array.array("Q", pagemap.read((end - begin) // PAGE * 8))
    first = None
    for number, entry in enumerate(entries):
        is_there = entry >> 62 != 0
        if is_there and first is None:
            first = number
        elif not is_there and first is not None:
            yield begin + first * PAGE, begin + number * PAGE
            first = None
    if first is not None:
        yield begin + first * PAGE, end


def pieces_in(octets, wanted):
    """Where each piece stands."""
    for needle in wanted:
        at = octets.find(needle)
        while at >= 0:
            yield at
            at = octets.find(needle, at + 1)


def find(pid, secret):
    """A line about each place that still holds some of it."""
    return find_octets(pid, needles(secret))


def find_octets(pid, wanted):
    """The same for any of these octets."""
    places = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, \
            open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for begin, end, name in mappings(pid):
            for first, last in pages_there(pagemap, begin, end):
                memory.seek(first)
                octets = memory.read(last - first)
                for at in pieces_in(octets, wanted):
                    around = octets[max(0, at - 40):at + 40]
                    places.append(f"{name} {first + at:#x}: {around!r}")
    return places
