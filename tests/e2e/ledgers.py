"""Three accounts of the same mails, held against each other: what a client
was told, what Postern's decision log says, what the upstream took.

A mail is known by its token, the local part of its reverse path; it may be
sent more than once. An account is a list of dicts, in a file one JSON object
a line:

    client    {"token": T, "code": 250}: an attempt and the last code that the
              client heard of it; null: it left before it heard any
    upstream  {"token": T, "server": "127.0.0.1:10025"}: taken, for good
    log       as Postern writes it; only lines of transactions matter
"""

import collections
import json

VERDICTS = {2: "accept", 4: "defer", 5: "reject"}


def read(path):
    """Raises ValueError, with the place, where a line is not whole."""
    found = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                if not line.endswith("\n"):
                    raise ValueError("the line is cut off")
                found.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from error
    return found


def write(path, account):
    with open(path, "w", encoding="utf-8") as file:
        for item in account:
            file.write(json.dumps(item) + "\n")


def token_of(address):
    return address.rpartition("@")[0]


class Mail:
    """All that the three say of one token."""

    def __init__(self):
        self.attempts, self.lines, self.taken = [], [], []

    def told(self):
        return collections.Counter(
            attempt["code"] for attempt in self.attempts
            if attempt["code"] is not None)

    def logged(self):
        return collections.Counter(
            code_of(line) for line in self.lines if code_of(line))

    def servers(self, is_wanted):
        return collections.Counter(
            line.get("upstream", {}).get("server") for line in self.lines
            if is_wanted(line))


def code_of(line):
    """The code of the reply that decided it; None: the client gave it up."""
    return int(line["reply"][:3]) if "reply" in line else None


def is_accepted(line):
    return line["verdict"] == "accept"


def is_uncertain(line):
    return line.get("uncertain", False)


def items(counter):
    return sorted(counter.elements(), key=str)


def check_lines(mail):
    for line in mail.lines:
        code = code_of(line)
        verdict = VERDICTS[code // 100] if code else "abort"
        if line["verdict"] != verdict:
            yield f"{line['id']} says {line['verdict']}, and replied {code}"
        if is_accepted(line) and is_uncertain(line):
            yield f"{line['id']} is accepted and uncertain"


def check_client(mail):
    """Each answer is in the log; what else is there, nobody waited for."""
    told, logged = mail.told(), mail.logged()
    unheard = len(mail.attempts) - told.total()
    for code in items(told - logged):
        yield f"the client heard {code}, which is not in the log"
    if (logged - told).total() > unheard:
        yield (f"the log holds {items(logged - told)} that the client never "
               f"heard, and it left {unheard} times before an answer")
    if len(mail.lines) > len(mail.attempts):
        yield (f"{len(mail.lines)} lines in the log for "
               f"{len(mail.attempts)} attempts")


def check_upstream(mail):
    taken = collections.Counter(item["server"] for item in mail.taken)
    accepted = mail.servers(is_accepted)
    for server in items(accepted - taken):
        yield f"lost: accepted by {server}, which does not have it"
    for server in items(taken - accepted - mail.servers(is_uncertain)):
        yield (f"{server} has it, and no line says that it is accepted or "
               f"uncertain")


def gather(client, log, upstream):
    mails = collections.defaultdict(Mail)
    for attempt in client:
        mails[attempt["token"]].attempts.append(attempt)
    for line in log:
        if line["event"] == "transaction":
            mails[token_of(line["mail"]["from"])].lines.append(line)
    for item in upstream:
        mails[item["token"]].taken.append(item)
    return mails


def compare(client, log, upstream):
    """Every disagreement, as text."""
    return [f"{token}: {text}"
            for token, mail in gather(client, log, upstream).items()
            for check in (check_lines, check_client, check_upstream)
            for text in check(mail)]
