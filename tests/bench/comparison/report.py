"""The table of goals, from the runs."""

from statistics import median

from comparison.runs import OURS
from comparison.scenarios import SCENARIOS
from comparison.stand import PEERS


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def head(first, peers, *more):
    yield row(first, *(PEERS[peer].TITLE for peer in peers), *more)
    yield "|---" * (1 + len(peers) + len(more)) + "|"


def median_text(values, digits):
    return f"{median(values):.{digits}f}" if values else "–"


def cell(runs, name, peer, most_sessions):
    scenario = SCENARIOS[name]
    text = median_text(runs.by_round(name, peer).values(), scenario.digits)
    if scenario.is_added and peer == "direct":
        return f"({text})"
    sessions = runs.all_of(name, peer, "sessions") if name == "idle" else []
    if sessions and sessions[0] < most_sessions:
        text += f" at {sessions[0]:.0f}"
    return text


def goal_text(scenario):
    if scenario.most_ratio:
        return f"≤ {scenario.most_ratio:.2f} × nginx"
    return f"≤ {scenario.most_value:g}" if scenario.most_value else "–"


def ratio_text(runs, name):
    ratio, ratios = runs.ratio(name), runs.ratios(name)
    if ratio is None:
        return "–"
    if len(ratios) < 2:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def verdict(runs, name):
    scenario = SCENARIOS[name]
    if scenario.most_ratio:
        reached, most = runs.ratio(name), scenario.most_ratio
    elif scenario.most_value:
        values = runs.by_round(name, OURS).values()
        reached, most = median(values) if values else None, scenario.most_value
    else:
        return "–"
    if reached is None:
        return "not measured"
    return "met" if reached <= most else "missed"


def goals(runs, options):
    yield from head("medians", options.peers, "goal",
                    "Postern/nginx (of a round)", "")
    for name in options.scenarios:
        scenario = SCENARIOS[name]
        title = scenario.title
        if name == "idle":
            title += f" at {options.idle:,}"
        yield row(title,
                  *(cell(runs, name, peer, options.idle)
                    for peer in options.peers),
                  goal_text(scenario), ratio_text(runs, name),
                  verdict(runs, name))


def rates(runs, options):
    """Client and sink take from the same cores: these are of all three."""
    yield from head("messages a second", options.peers)
    for name in options.scenarios:
        if name != "idle":
            yield row(name, *(median_text(
                runs.all_of(name, peer, "msgs_per_s"), 0)
                for peer in options.peers))


def facts(named):
    yield from ("| | |", "|---|---|")
    for name, text in named:
        yield row(name, text)


def wrong(runs):
    for number, scenario, peer, why in runs.wrong:
        yield f"Not counted: round {number}, {scenario}, {peer}: {why}"
