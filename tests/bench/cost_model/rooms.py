"""Which part of Postern an instruction serves. Each file of the tree belongs
to a room. What serves all of them (the C library, rules/base, BoringSSL beyond
TLS) is charged to who called it: its own cost goes up to its callers, in the
proportion of what callgrind saw below each call, until a room is reached.
Memory's own cost stays with memory."""

import collections
import re

TLS = "TLS and its cryptography"
LOGIN = "login"
CLIENT = "SMTP of the client's side"
CONTENT = "reading of the content"
UPSTREAM = "SMTP of the upstream's side"
POLICY = "policy"
BUDGETS = "budgets"
LOG = "decision log"
METRICS = "metrics"
STREAMS = "streams and timers"
LOOP = "libuv"
MEMORY = "malloc and free"
REST = "the rest"
ROOMS = [TLS, LOGIN, CLIENT, CONTENT, UPSTREAM, POLICY, BUDGETS, LOG, METRICS,
         STREAMS, LOOP, MEMORY, REST]

# The first that matches a file, from the root of the tree.
FILES = [(re.compile(pattern), room) for pattern, room in (
    (r"rules/(base/|expiring_table)", None),
    (r"proxy/tls/", TLS),
    (r"proxy/(login|sasl)/|proxy/session/(cmd_auth|auth_|onward_login)",
     LOGIN),
    (r"proxy/metrics/|proxy/session/session_metrics", METRICS),
    (r"proxy/log/|proxy/session/(session_log|transaction_log|log_)", LOG),
    (r"proxy/budgets/|rules/(budget_table|distinct_set|gcra|ledger)", BUDGETS),
    (r"rules/|config/|proxy/ask/|proxy/session/(policy|shadow)", POLICY),
    (r"proxy/smtp/(line_scan|content_reader|header_reader)|"
     r"proxy/session/(body_|header_stage|data_stage|received)", CONTENT),
    (r"proxy/upstream/|proxy/session/upstream_answers|proxy/smtp/"
     r"(capability|chunk_writer|dot_writer|plain_run|reply_reader)",
     UPSTREAM),
    (r"proxy/(session|smtp)/", CLIENT),
    (r"proxy/(net/|worker|listener)", STREAMS),
    (r"proxy/", REST),
)]
OBJECTS = {"libuv": LOOP, "libpcre2": POLICY, "libssl": TLS, "libidn": REST}


def room_of_file(file, root):
    """None: no room's own."""
    if not file.startswith(root):
        return MEMORY if file.startswith("./malloc/") else None
    inside = file[len(root):].lstrip("/")
    return next((room for pattern, room in FILES if pattern.match(inside)),
                None)


class Rooms:
    def __init__(self, profile, root):
        self.profile = profile
        self.root = str(root)
        self.homes = self.find_homes()
        self.callers = self.find_callers()

    def find_homes(self):
        """By function; None: it serves whoever called it. Where the compiler
        took a function's first line from a header, its name tells."""
        homes, by_name = {}, {}
        for key, function in self.profile.functions.items():
            homes[key] = self.home(function)
            if homes[key] is not None:
                by_name[function.object, function.name] = homes[key]
        for key, function in self.profile.functions.items():
            if homes[key] is None:
                homes[key] = by_name.get((function.object, function.name))
        return homes

    def home(self, function):
        library = function.object.rpartition("/")[2]
        for start, room in OBJECTS.items():
            if library.startswith(start):
                return room
        return room_of_file(function.file, self.root)

    def room(self, key, file):
        """Of a line of that file in that function."""
        if key not in self.homes or self.homes[key] == MEMORY:
            return self.homes.get(key)
        return room_of_file(file, self.root) or self.homes[key]

    def find_callers(self):
        """By callee: what was below each call, by the caller and its room."""
        callers = collections.defaultdict(collections.Counter)
        for key, function in self.profile.functions.items():
            for (callee, file), cost in function.calls.items():
                if callee != key:
                    callers[callee][key, self.room(key, file)] += cost
        return callers

    def costs(self):
        """Instructions by room; their sum is the profile's."""
        costs, pending = collections.Counter(), collections.Counter()
        for key, function in self.profile.functions.items():
            for file, cost in function.own.items():
                room = self.room(key, file)
                if room is None:
                    pending[key] += cost
                else:
                    costs[room] += cost
        while sum(pending.values()) >= 1:
            pending = self.go_up(pending, costs)
        costs[REST] += sum(pending.values())
        return costs

    def go_up(self, pending, costs):
        """One call up; returns what has reached no room yet."""
        above = collections.Counter()
        for key, cost in pending.items():
            callers = self.callers.get(key, {})
            total = sum(callers.values())
            if total == 0:
                costs[REST] += cost
            for (caller, room), below in callers.items():
                share = cost * below / total if total else 0
                if room is None:
                    above[caller] += share
                else:
                    costs[room] += share
        return above
