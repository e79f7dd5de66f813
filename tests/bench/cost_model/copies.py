"""What valgrind's dhat saw copied in its mode for copies: the octets that went
through memcpy and its kin, by the file that wanted them. Copies that the
compiler wrote out, which are small, are not seen; a cipher that reads here and
writes there is none."""

import collections
import json
import re

FRAME = re.compile(r"0x[0-9A-F]+: (.+?) \((.+?)(?::\d+)?\)$")
ELSEWHERE = "libraries by themselves"


class Copies:
    def __init__(self, path, sources):
        """sources: the tree's files by their last names."""
        told = json.loads(path.read_text(encoding="utf-8"))
        self.sources = sources
        self.frames = told["ftbl"]
        self.octets = collections.Counter()
        for point in told["pps"]:
            self.octets[self.wanted_by(point["fs"])] += point["tb"]

    def wanted_by(self, frames):
        """The innermost file that is no mere tool of others, and what of TLS
        it called to have it copied."""
        called = ""
        for number in frames:
            found = FRAME.match(self.frames[number])
            if not found:
                continue
            name, file = found.groups()
            if file in self.sources:
                return self.sources[file] + called
            if name.startswith(("SSL_", "BIO_")):
                called = f", {name}"
        return ELSEWHERE
