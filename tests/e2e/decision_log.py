"""Reading the decision log as an operator's program would."""

import json
import re

from waiting import wait_for

# The id at the end of a refusal of Postern's own: ten base32 characters for
# a session, two more for a transaction.
ID = re.compile(r"\(([0-9A-Z]{10}|[0-9A-Z]{12})\)$")


def refusal_id(reply):
    """The id that a refusal ends with; it must have one."""
    found = ID.search(reply.text)
    assert found, f"no id in {reply.text!r}"
    return found.group(1)


class DecisionLog:
    def __init__(self, path):
        self.path = path

    def lines(self):
        """Every complete line; each must be one JSON object."""
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        lines = text.split("\n")[:-1]
        objects = [json.loads(line) for line in lines]
        assert all(isinstance(item, dict) for item in objects)
        return objects

    def events(self, event):
        return [line for line in self.lines() if line["event"] == event]

    def wait_events(self, event, count):
        """Exactly `count` events, once there are as many."""
        wait_for(lambda: len(self.events(event)) >= count,
                 f"{count} {event} lines in the decision log")
        found = self.events(event)
        assert len(found) == count, found
        return found

    def wait_transactions(self, count):
        return self.wait_events("transaction", count)

    def wait_transaction(self, identifier):
        """The one line whose id is the one in a refusal."""
        def find():
            return [line for line in self.events("transaction")
                    if line["id"] == identifier]
        found = wait_for(find, f"transaction {identifier} in the log")
        assert len(found) == 1
        return found[0]

    def wait_mention(self, identifier):
        """Any line that carries the id of a refusal: of the transaction, or
        of a session that got no further."""
        def find():
            return [line for line in self.lines()
                    if identifier in (line.get("id"), line.get("session"))]
        return wait_for(find, f"the id {identifier} in the log")[0]
