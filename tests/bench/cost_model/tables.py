"""The model as tables, a column for each load."""

from cost_model.rooms import ROOMS, Rooms
from cost_model.system_calls import CLIENT, LOG, OTHER, UPSTREAM

# What is less, in every column, goes into the last row.
LEAST_CALLS = 0.5
LEAST_COPIED_SHARE = 0.02
SIDES = [CLIENT, UPSTREAM, LOG, OTHER]
ALLOCATING = ["malloc", "calloc", "realloc"]

OCTETS = {
    (CLIENT, "read"): "from the client, TLS records",
    (CLIENT, "written"): "to the client, TLS records",
    (UPSTREAM, "written"): "to the upstream",
    (UPSTREAM, "read"): "from the upstream",
    (LOG, "written"): "to the decision log",
}


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def figure(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def table(title, columns, rows):
    """rows: pairs of a name and a value for each column."""
    yield row(title, *columns)
    yield "|---" + "|---:" * len(columns) + "|"
    for name, values in rows:
        yield row(name, *map(figure, values))


def table_of_loads(title, loads, rows):
    return table(title, [load.title for load in loads], rows)


def show(*tables):
    for lines in tables:
        print(*lines, sep="\n", end="\n\n")


def with_others(counters, is_shown, title, order=lambda name: 0):
    """The rows that are shown, in that order and the largest first, then what
    is left."""
    names = sorted(set().union(*counters), key=lambda name: (
        order(name), -max(counter[name] for counter in counters), name))
    shown = [name for name in names
             if is_shown([counter[name] for counter in counters])]
    for name in shown:
        yield name, [counter[name] for counter in counters]
    yield title, [sum(counter.values()) - sum(counter[name] for name in shown)
                  for counter in counters]


def a_message(counter, load):
    return type(counter)({name: value / load.messages
                          for name, value in counter.items()})


def processor(loads, measured):
    microseconds = [[1e6 * seconds / load.native for seconds in measured]
                    for load, measured in zip(loads, measured)]
    yield from table_of_loads("µs of processor a message", loads, [
        ("in user space", [each[0] for each in microseconds]),
        ("in the kernel", [each[1] for each in microseconds])])


def system_calls(loads, measured):
    counters = [a_message(calls.counts, load)
                for load, calls in zip(loads, measured)]
    rows = [("all", [sum(counter.values()) for counter in counters])]
    rows += [(": ".join(name), values) for name, values in with_others(
        counters, lambda values: max(values) >= LEAST_CALLS,
        ["what is rarer"], order=lambda name: SIDES.index(name[0]))]
    rows.append(("of all: in vain (EAGAIN)",
                 [sum(calls.nothing.values()) / load.messages
                  for load, calls in zip(loads, measured)]))
    yield from table_of_loads("system calls a message", loads, rows)


def octets(loads, measured):
    yield from table_of_loads("octets a message", loads, [
        (title, [calls.octets[key] / load.messages
                 for load, calls in zip(loads, measured)])
        for key, title in OCTETS.items()])


def instructions(loads, profiles, root):
    costs = [Rooms(profile, root).costs() for profile in profiles]
    rows = [("all", [profile.total() for profile in profiles])]
    rows += [(room, [cost[room] for cost in costs]) for room in ROOMS]
    yield from table_of_loads("thousands of instructions a message", loads, [
        (name, [value / load.messages / 1000
                for load, value in zip(loads, values)])
        for name, values in rows])


def memory(loads, profiles, copies):
    copied = [a_message(counter, load)
              for load, counter in zip(loads, copies)]
    sums = [sum(counter.values()) for counter in copied]

    def is_large(values):
        return any(value >= LEAST_COPIED_SHARE * total
                   for value, total in zip(values, sums))

    yield from table_of_loads("memory, a message", loads, [
        ("allocations", [
            sum(sum(profile.calls_of(name).values())
                for name in ALLOCATING) / load.messages
            for load, profile in zip(loads, profiles)]),
        ("octets copied", sums),
        *(("– " + name, values) for name, values
          in with_others(copied, is_large, "what is less"))])
