"""What was measured. A run in which anything went wrong is kept apart."""

from statistics import median

from comparison.scenarios import SCENARIOS

OURS = "postern"
BAR = "nginx"


class Runs:
    def __init__(self, file):
        """Every run becomes a line of the file."""
        self.file = file
        self.good = {}  # by scenario and peer, then by round
        self.wrong = []

    def add(self, number, scenario, peer, result):
        figures = " ".join(f"{key}={value:.6g}"
                           for key, value in result.figures.items())
        print(number, scenario, peer, result.wrong or "fine", figures,
              sep="\t", file=self.file, flush=True)
        if result.wrong:
            self.wrong.append((number, scenario, peer, result.wrong))
        else:
            self.good.setdefault((scenario, peer), {})[number] = \
                result.figures

    def all_of(self, scenario, peer, figure):
        return [figures[figure] for figures
                in self.good.get((scenario, peer), {}).values()]

    def by_round(self, name, peer):
        """The figure that the scenario is about."""
        scenario = SCENARIOS[name]
        found = {number: figures[scenario.figure] for number, figures
                 in self.good.get((name, peer), {}).items()}
        if not scenario.is_added or peer == "direct":
            return found
        direct = self.by_round(name, "direct")
        return {number: value - direct[number]
                for number, value in found.items() if number in direct}

    def ratio(self, name):
        """Of the medians, to nginx; None where there is none."""
        ours, bar = self.by_round(name, OURS), self.by_round(name, BAR)
        if not ours or not bar or median(bar.values()) <= 0:
            return None
        return median(ours.values()) / median(bar.values())

    def ratios(self, name):
        """Those of the rounds."""
        ours, bar = self.by_round(name, OURS), self.by_round(name, BAR)
        return [value / bar[number] for number, value in ours.items()
                if bar.get(number, 0) > 0]
