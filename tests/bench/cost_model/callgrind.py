"""What callgrind counted: the instructions of each function, by the file that
they were written in, and who called whom. Inlined code keeps its own file, so
that an optimised program is told apart as well as any."""

import collections
import re

PLAIN_NAME = re.compile(r"[^.@']*")


class Function:
    """Of an object (the program or a library), a file and a name."""

    def __init__(self, key):
        self.object, self.file, self.name = key
        self.own = collections.Counter()  # by file: instructions
        # By callee's key and the file of the call: instructions below it.
        self.calls = collections.Counter()
        self.call_counts = collections.Counter()  # by the same


class Profile:
    """Read from a file that was written with --compress-strings=no and
    --compress-pos=no. Functions are found by their keys."""

    def __init__(self, path):
        self.functions = {}
        self.reader = Reader(self.functions)
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.reader.read(line.rstrip("\n"))

    def total(self):
        return sum(sum(function.own.values())
                   for function in self.functions.values())

    def named(self, name):
        """Those that a compiler made of the function of that name, in any of
        its versions."""
        return [function for function in self.functions.values()
                if PLAIN_NAME.match(function.name)[0] == name]

    def calls_of(self, name):
        """How many there were, by the file of the call and its object."""
        wanted = {(function.object, function.file, function.name)
                  for function in self.named(name)}
        calls = collections.Counter()
        for function in self.functions.values():
            for (callee, file), count in function.call_counts.items():
                if callee in wanted:
                    calls[file, function.object] += count
        return calls


class Reader:
    """A line after the other."""

    def __init__(self, functions):
        self.functions = functions
        self.object = self.first_file = self.file = ""
        self.function = None
        self.callee_object = self.callee_file = None
        self.callee = self.called = None

    def find(self, key):
        if key not in self.functions:
            self.functions[key] = Function(key)
        return self.functions[key]

    def read(self, line):
        key, is_named, value = line.partition("=")
        if is_named and key in NAMED:
            NAMED[key](self, value)
        elif line[:1].isdigit() and self.function is not None:
            self.read_cost(int(line.split()[1]))

    def read_cost(self, cost):
        if self.called is None:
            self.function.own[self.file] += cost
            return
        self.function.calls[self.callee, self.file] += cost
        self.function.call_counts[self.callee, self.file] += self.called
        self.called = self.callee_object = self.callee_file = None

    def on_object(self, name):
        self.object = name

    def on_file(self, name):
        self.first_file = self.file = name

    def on_inlined_file(self, name):
        self.file = name

    def on_function(self, name):
        self.function = self.find((self.object, self.first_file, name))

    def on_callee_object(self, name):
        self.callee_object = name

    def on_callee_file(self, name):
        self.callee_file = name

    def on_callee(self, name):
        self.callee = (self.callee_object or self.object,
                       self.callee_file or self.file, name)
        self.find(self.callee)

    def on_calls(self, text):
        self.called = int(text.split()[0])


NAMED = {
    "ob": Reader.on_object,
    "fl": Reader.on_file,
    "fi": Reader.on_inlined_file,
    "fe": Reader.on_inlined_file,
    "fn": Reader.on_function,
    "cob": Reader.on_callee_object,
    "cfi": Reader.on_callee_file,
    "cfl": Reader.on_callee_file,
    "cfn": Reader.on_callee,
    "calls": Reader.on_calls,
}
