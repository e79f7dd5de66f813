"""An upstream of a soak: sound as a rule, and faulty by chance."""

import random
import threading

from peer_faulty import Faulty

CUTS = ("hang", "reset", "close")
REFUSALS = ("421", "4xx", "5xx", "setup", "garbage")
ODD = ("split", "slow")

# What may go wrong where. A reply too many is left out where it would be
# taken for that to a later command: nobody could tell.
CHANCES = {
    "TLS": (*CUTS, "refuse", "garbage", "split", "slow"),
    "banner": (*CUTS, *REFUSALS, *ODD, "early"),
    "EHLO": (*CUTS, *REFUSALS, *ODD, "early"),
    "EHLO_in_TLS": (*CUTS, *REFUSALS, *ODD, "early"),
    "STARTTLS": (*CUTS, *REFUSALS, *ODD, "early"),
    "MAIL": (*CUTS, *REFUSALS, *ODD),
    "RCPT": (*CUTS, *REFUSALS, *ODD),
    "DATA": (*CUTS, *REFUSALS, *ODD),
    "body": (*CUTS, *REFUSALS, "slow"),
    "final_dot": (*CUTS, *REFUSALS, *ODD, "early"),
    "idle": (*CUTS, "421"),
}


class SoakUpstream(Faulty):
    """Fails with that probability at each place it comes to."""

    def __init__(self, seed, probability, context=None, offers=()):
        super().__init__(context=context, offers=offers)
        self.chance = random.Random(seed)
        self.chance_lock = threading.Lock()
        self.probability = probability
        self.faults = {}  # (place, kind): how often

    def fault_at(self, place):
        if not self.is_armed or place not in CHANCES:
            return None
        with self.chance_lock:
            if self.chance.random() >= self.probability:
                return None
            kind = self.chance.choice(CHANCES[place])
            key = place, kind
            self.faults[key] = self.faults.get(key, 0) + 1
        return kind
