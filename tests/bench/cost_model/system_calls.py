"""What strace saw: each system call by its name and by what it was about, and
the octets that went each way."""

import collections
import re

CALL = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$")
RESULT = re.compile(r"\) += (-?\d+)(.*)$")
INPUT = {"read", "readv", "recv", "recvfrom", "recvmsg"}
OUTPUT = {"write", "writev", "send", "sendto", "sendmsg"}

CLIENT, UPSTREAM, LOG = "client", "upstream", "decision log"
OTHER = "the rest"


class SystemCalls:
    def __init__(self, path, port, upstream_port):
        """The ports that Postern listens on and connects to."""
        self.counts = collections.Counter()  # by side and name
        self.nothing = collections.Counter()  # of those, that had to wait
        self.octets = collections.Counter()  # by side and direction
        self.sides = [(re.compile(rf"TCP:\[[^\]]*:{port}->"), CLIENT),
                      (re.compile(rf"->[^\]]*:{upstream_port}\]"), UPSTREAM),
                      (re.compile(r"/decisions\.jsonl>"), LOG)]
        self.unfinished = {}  # by thread: what it was called with
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.read(line)

    def read(self, line):
        found = CALL.match(line)
        if not found:
            return  # a signal, or a thread's end
        thread, resumed, name, rest = found.groups()
        if rest.endswith("<unfinished ...>"):
            self.unfinished[thread] = rest
            return
        if resumed:
            rest = self.unfinished.pop(thread, "") + rest
        self.count(resumed or name, rest)

    def count(self, name, rest):
        side = self.side(name, rest)
        self.counts[side, name] += 1
        result = RESULT.search(rest)
        value = int(result[1]) if result else 0
        if value < 0 and "EAGAIN" in result[2]:
            self.nothing[side, name] += 1
        if name in INPUT | OUTPUT and value > 0:
            way = "read" if name in INPUT else "written"
            self.octets[side, way] += value

    def side(self, name, rest):
        """Of a descriptor: the call's first, or that which it gives."""
        about = rest.partition(",")[0]
        if name in ("accept", "accept4"):
            about = rest.rpartition("=")[2]
        if name == "connect" and "sin" in rest:
            return UPSTREAM
        return next((side for pattern, side in self.sides
                     if pattern.search(about)), OTHER)
