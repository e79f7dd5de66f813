"""What must become of a mail when the upstream fails: one rule for each place
and each way to fail, by what the design promises (its sections 1 and 5)."""

import dataclasses

# A dash is a combination without a meaning:
# - at `connect` no reply is said, and it is the kernel that accepts, so that
#   nothing is split or slow; to accept and then close is the row `banner`;
# - in a handshake (TLS) there are no replies, and octets of clear text behind
#   the 220 are the row STARTTLS;
# - to `refuse` is a port that is closed, or an alert in a handshake; in the
#   pool (idle) the server closes, and its port too;
# - `setup` is a code that only a wrong set-up explains: before there is a
#   login, a client or a mail to be told it is a refusal like others;
# - in the pool no reply is under way that could be split or slow.
TABLE = """
place       refuse hang reset close 421  4xx  5xx  setup garbage early split slow
connect     next   next -     -     -    -    -    -     -       -     -     -
TLS         next   next next  next  -    -    -    -     next    -     fine  fine
banner      -      next next  next  next next next -     next    next  fine  fine
EHLO        -      next next  next  next next helo -     next    next  fine  fine
EHLO_in_TLS -      next next  next  next next helo -     next    next  fine  fine
STARTTLS    -      next next  next  next next next -     next    next  fine  fine
AUTH        -      next next  next  next next deny deny  next    next  fine  fine
XCLIENT     -      next next  next  next next mine mine  next    next  fine  fine
MAIL        -      next next  next  told told told mine  next    late  fine  fine
RCPT        -      lost lost  lost  told told told mine  lost    late  fine  fine
DATA        -      lost lost  lost  told told told mine  lost    lost  fine  fine
body        -      lost lost  lost  told told told mine  lost    lost  fine  fine
final_dot   -      open open  open  told told told mine  open    fine  fine  fine
idle        next   fine fine  fine  fine fine fine -     fine    fine  -     -
"""

TLS_PLACES = ("TLS", "STARTTLS", "EHLO_in_TLS")
# Of the places behind these, chunks change nothing.
MESSAGE_PLACES = ("DATA", "body", "final_dot", "idle")
# Those of a mail, which may go over a connection that was made before.
MAIL_PLACES = ("XCLIENT", "MAIL", "RCPT", "DATA", "body", "final_dot")

TOLD = {"421": (451, "4.3.2"), "4xx": (450, "4.2.1"), "5xx": (550, "5.7.1")}


@dataclasses.dataclass(frozen=True)
class Cell:
    place: str
    kind: str
    rule: str
    servers: int
    is_tls: bool
    is_chunked: bool
    is_used: bool  # over a connection out of the pool

    def __str__(self):
        return (f"{self.place}-{self.kind}-{self.servers}"
                f"-{'starttls' if self.is_tls else 'plain'}"
                f"{'-chunks' if self.is_chunked else ''}"
                f"{'-used' if self.is_used else ''}")

    def has_meaning(self):
        if self.place in TLS_PLACES and not self.is_tls:
            return False
        if self.is_chunked and self.place not in MESSAGE_PLACES:
            return False
        # What is asked of a pool is the same with TLS or chunks.
        if self.is_used and (self.is_tls or self.is_chunked
                             or self.place not in MAIL_PLACES):
            return False
        # Behind DATA nothing is said before the end.
        if (self.place, self.kind) == ("body", "split"):
            return self.is_chunked
        return self.place != "AUTH" or self.is_tls


@dataclasses.dataclass(frozen=True)
class Expected:
    rcpt: tuple   # of the answer to RCPT: code, pattern of the enhanced code
    end: tuple    # the same of the message; None: it does not come so far
    keeper: str   # who keeps the message: "faulty", "healthy", None
    is_ours: bool = False       # a refusal in Postern's own words
    is_uncertain: bool = False
    is_error: bool = False      # told to the administrator


def our_refusal(cell):
    """RFC 3463: 4.4.1 where the server could not be talked to at all, or not
    in TLS; 4.4.2 where it fell silent or was cut; 4.3.5 for a wrong
    set-up."""
    if cell.rule in ("mine", "deny"):
        return (451, "4.3.5")
    if (cell.place, cell.kind) == ("banner", "reset"):
        return (451, "4.4.[12]")  # perhaps before it was connected
    is_refused = cell.kind in ("refuse", "421", "4xx", "5xx")
    is_no_tls = cell.place == "TLS" and cell.kind in ("garbage", "close")
    is_injected = cell.place == "STARTTLS" and cell.kind == "early"
    is_unreached = cell.place == "connect"
    if is_refused or is_no_tls or is_injected or is_unreached:
        return (451, "4.4.1")
    return (451, "4.4.2")


RCPT_FINE, END_FINE = (250, "2.1.5"), (250, "2.0.0")


def refused(cell, answer, **more):
    if cell.place in MESSAGE_PLACES and cell.place != "idle":
        return Expected(RCPT_FINE, answer, None, **more)
    return Expected(answer, None, None, **more)


def fine(_cell, keeper="faulty"):
    return Expected(RCPT_FINE, END_FINE, keeper)


def next_server(cell):
    """While nothing of the transaction was answered."""
    if cell.servers > 1:
        return fine(cell, "healthy")
    return refused(cell, our_refusal(cell), is_ours=True)


def helo(cell):
    """RFC 5321 3.2 leaves HELO, but behind it there is no STARTTLS."""
    if cell.is_tls and cell.place == "EHLO":
        return next_server(cell)
    return fine(cell)


def mine(cell):
    return refused(cell, our_refusal(cell), is_ours=True, is_error=True)


def denied(cell):
    """A login that is refused: of two servers another may know it."""
    if cell.servers > 1:
        return fine(cell, "healthy")
    return mine(cell)


def told(cell):
    return refused(cell, TOLD[cell.kind])


def lost(cell):
    return refused(cell, our_refusal(cell), is_ours=True)


def late(cell):
    """The answer too many, if it was to MAIL, is read as that to RCPT; that
    there is one shows when the message goes on."""
    rcpt = (250, "2.0.0") if cell.place == "MAIL" else RCPT_FINE
    return Expected(rcpt, our_refusal(cell), None, is_ours=True)


def uncertain(cell):
    return Expected(RCPT_FINE, our_refusal(cell), None, is_ours=True,
                    is_uncertain=True)


RULES = {"fine": fine, "next": next_server, "helo": helo, "mine": mine,
         "deny": denied, "told": told, "lost": lost, "late": late,
         "open": uncertain}


def expected(cell):
    return RULES[cell.rule](cell)


def cells():
    """Every combination with a meaning."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    every = [Cell(place, kind, rule, servers, is_tls, is_chunked, is_used)
             for place, *rules in rows
             for kind, rule in zip(head[1:], rules, strict=True)
             for servers in (1, 2)
             for is_tls in (False, True)
             for is_chunked in (False, True)
             for is_used in (False, True) if rule != "-"]
    return [cell for cell in every if cell.has_meaning()]
