"""Odd messages, and what becomes of each wherever Postern sends it: the
replies its client gets, the envelope and the octets that arrive. Rows of
attacks are named as in the dialogues: S01, D06 and so on."""

import dataclasses
import re

from messages import headers, make_large_message

SENDER = "bob@example.com"


@dataclasses.dataclass
class Odd:
    name: str
    content: bytes = b""      # lines with CRLF, dots as they are
    wire: bytes = None        # what the client says after 354 in their place
    slowly: bool = False      # each octet a TLS record
    chunks: list = None       # or the octets of each BDAT
    sender: str = SENDER
    parameters: str = ""      # of MAIL
    recipients: list = None   # by default one named as the message
    rcpt_parameters: str = ""
    codes: tuple = (250,)     # the replies to all but the envelope
    envelope_codes: tuple = None  # to MAIL and each RCPT; by default 250
    arrives: bytes = None     # by default the content, if there was a 250
    arrives_from: str = None
    arrives_at: list = None
    arrives_with: list = ()   # parameters of MAIL and RCPT
    also: list = ()           # further arrivals: sender, recipients,
                              # content, parameters
    repair: bool = False      # to the listener that repairs line ends
    differs: dict = None      # MTA: what of this is otherwise there

    def at(self, mta):
        """As it must go there."""
        return dataclasses.replace(self, **self.differs.get(mta, {}))

    def __post_init__(self):
        self.recipients = self.recipients or [f"{self.name}@example.net"]
        self.envelope_codes = self.envelope_codes or \
            (250,) * (1 + len(self.recipients))
        if self.arrives is None and self.codes[:1] == (250,):
            self.arrives = self.content
        if self.arrives_from is None:
            self.arrives_from = self.sender
        if self.arrives_at is None:
            self.arrives_at = self.recipients
        self.differs = self.differs or {}


def header(name):
    return headers(SENDER, f"{name}@example.net", name)


def with_body(name, body, **more):
    return Odd(name, header(name) + b"\r\n" + body, **more)


def stuffed(content):
    """As DATA wants it, with its end."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


# Behind what must be no end of data, and so is never a transaction.
SMUGGLED = (b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<evil@example.net>\r\n"
            b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n")

FALSE_ENDS = {
    "S01": b"\n.\n", "S02": b"\n.\r\n", "S03": b"\r.\r", "S04": b"\r.\r\n",
    "S05": b"\r\n.\n", "S06": b"\r\n.\r", "S07": b"\r.\n", "S07a": b"\n.\r",
    "S09": b"\r\n\0.\r\n", "S10": b"\r\0\n.\r\n", "S11": b"\r\n.\0\r\n",
    "S12": b"\r\n.\r\0\n", "S14": b"\r\n.\r\r\n", "S15": b"\r\r\n.\r\r\n",
    "S16": b"\n\r.\r\n", "S16a": b"\n\n.\r\n", "S16b": b"\r\r.\r\n",
    "S16c": b"\r\n\r.\r\n", "S16d": b"\r\n\n.\r\n", "S17": b"\r\n..\n",
    "S17a": b"\n..\r\n",
}

FALSE_SEPARATORS = {
    "S26": b"\n\n", "S26a": b"\r\n\n", "S26b": b"\n\r\n", "S26c": b"\r\r",
    "S26d": b"\r\n\0\r\n",
}

# Where a reader's buffer, or its idea of a line, may end.
EDGES = (998, 1000, 2048, 4096, 16384)


def refused_by_line_ends():
    for name, false_end in FALSE_ENDS.items():
        yield Odd(name, wire=header(name) + b"\r\ntext" + false_end + SMUGGLED,
                  codes=(550,))
        yield Odd(f"{name}-header", codes=(550,),
                  wire=header(name)[:-2] + false_end + SMUGGLED)
    for name, separator in FALSE_SEPARATORS.items():
        yield Odd(name, codes=(550,), wire=header(name)[:-2] + separator
                  + b"X-Evil: yes\r\n\r\ntext\r\n.\r\n")
    for edge in EDGES:
        for name in ("S02", "S05", "S11"):
            at_edge = header(name) + b"\r\n"
            at_edge += b"x" * (edge - len(at_edge) - 1)
            yield Odd(f"S23-{name}-{edge}", codes=(550,),
                      wire=at_edge + FALSE_ENDS[name] + SMUGGLED)
    for name, octets in {"lf": b"\n.\n", "cr": b"a\rb", "nul": b"\0"}.items():
        yield Odd(f"D06-{name}", codes=(550,),
                  chunks=[header(name) + b"\r\ntext" + octets + b"\r\n"])
    yield Odd("S22", slowly=True, codes=(550,),
              wire=header("S22") + b"\r\ntext" + FALSE_ENDS["S05"] + SMUGGLED)


def follower(name):
    """A transaction in one write, as RFC 3030 allows behind an end."""
    octets = header(name) + b"\r\nfollows\r\n"
    return (f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{name}-2@example.net>\r\n"
            f"BDAT {len(octets)} LAST\r\n").encode() + octets


def ends_with_more_behind():
    """A genuine end, and what follows is ordinary input."""
    def text(name):
        return header(name) + b"\r\ntext"

    def follows(name):
        return [(SENDER, [f"{name}-2@example.net"],
                 header(name) + b"\r\nfollows\r\n", ())]
    yield Odd("S08", wire=text("S08") + b"\0\r\n.\r\n" + follower("S08"),
              codes=(550, 250, 250, 250), also=follows("S08"))
    yield Odd("S13", wire=text("S13") + b"\r\n.\r\n\0NOOP\r\n",
              codes=(250, 500), arrives=text("S13") + b"\r\n")
    yield Odd("S18", wire=text("S18") + b"\r\n.\r\n.\r\n" + follower("S18"),
              codes=(250, 500, 250, 250, 250), also=follows("S18"),
              arrives=text("S18") + b"\r\n")
    yield Odd("S25", wire=b".\r\n.\r\n", codes=(250, 500), arrives=b"\r\n")


def never_ends():
    """What ends a message for a reader that drops a bit, trims a line or
    takes Unicode's line ends for ends of lines."""
    for name, line in {
            "S19": b". ", "S19a": b".\t", "S19b": b".\x0b", "S19c": b".\x0c",
            "S20": b"\xc2\x85.", "S20a": b"\xe2\x80\xa8.",
            "S21": b"\x8d\x8a.\x8d\x8a", "S21a": b"\xae"}.items():
        body = b"text\r\n" + line + b"\r\n" + SMUGGLED.removesuffix(b".\r\n")
        wire = header(name) + b"\r\n" + body + b".\r\n"
        arrives = wire.removesuffix(b".\r\n").replace(b"\r\n.", b"\r\n")
        yield Odd(name, wire=wire, arrives=arrives,
                  parameters=" BODY=8BITMIME")


BODIES = {
    "dots": b".\r\n..\r\n...x\r\n.x\r\nx.\r\n. .\r\n",
    "only-dots": b".\r\n" * 60,
    "rising-dots": b"".join(b"." * n + b"\r\n" for n in range(1, 60)),
    "dot-behind-empty-lines": b"\r\n\r\n\r\n.\r\n\r\n.\r\n",
    "commands": b".\r\n" + SMUGGLED + b"QUIT\r\n.\r\nBDAT 5 LAST\r\nQUIT\r\n",
    "from-lines": b"From bob@example.com Mon Jan  5 09:30:00 2026\r\n\r\n"
                  b"From here\r\n>From there\r\n>>From\r\nfrom\r\nFrom:\r\n",
    "white": b" \r\n\t\r\n  both  \r\ntab\t\r\n \t \t\r\n    \r\n",
    "empty-lines": b"\r\n" * 40,
    "no-body": b"",
    "eight-bit": bytes(range(0x80, 0x100)) + b"\r\n" + b"\xff\r\n" * 3,
    "utf8": "Grüße aus Köln, привет, 你好, 🙂\r\n".encode(),
    "controls": bytes(n for n in range(1, 0x80) if n not in b"\r\n") + b"\r\n",
    "like-a-header": b"Subject: in the body\r\nBcc: x@example.net\r\n\r\n",
    "mime": b"--b\r\nContent-Type: text/plain\r\n\r\n.\r\n\r\n--b--\r\n",
    "percent": b"%s%n%d %00 %0d%0a=0D=0A\\r\\n ${tod_full} $1 \\N\r\n",
}

LENGTHS = (997, 998, 999, 1000, 1001, 2046, 2047, 2048, 2049, 2050, 4094,
           4095, 4096, 4097, 4098, 8191, 8192, 8193, 16383, 16384, 16385,
           32768)


def long_lines():
    """Each length with a dot where a false split would bring it to the front
    of a line."""
    for name, of in {"dot-at-the-end": lambda n: b"x" * (n - 1) + b".",
                     "dot-behind": lambda n: b"x" * n + b".\r\n.",
                     "dots": lambda n: b"." * n}.items():
        lines = b"\r\n".join(of(length) for length in LENGTHS)
        yield with_body(f"long-{name}", lines + b"\r\n")
    # OpenSMTPD's buffer is full at 65,535 octets; its 500, said within the
    # message, counts as a fault of the set-up.
    yield with_body("long-65533", b"x" * 65532 + b".\r\n.\r\n")
    for length in (65535, 65536, 65537):
        yield with_body(f"long-{length}",
                        b"x" * (length - 1) + b".\r\n.\r\n",
                        differs={"opensmtpd": {"codes": (451,),
                                               "arrives": None}})


def buffer_edges():
    """Wherever a buffer ends, for one of three it does so within a CRLF that
    a dot follows."""
    for edge in EDGES:
        name = f"dots-at-{edge}"
        start = header(name) + b"\r\n"
        yield Odd(name, start + b"".join(
            b"x" * n + b"\r\n.\r\n" for n in
            (edge - len(start) - 2, edge - 5, edge - 4, edge - 3, edge - 2)))
    for shift in range(3):
        yield with_body(f"dots-everywhere-{shift}",
                        b"x" * shift + b"\r\n" + b".\r\n" * 40_000)
    name = "large"
    yield Odd(name, make_large_message(SENDER, f"{name}@example.net", name,
                                       300_000))
    yield with_body("slow-dots", BODIES["dots"], slowly=True)


def header_blocks():
    """Postern writes the empty line behind the block, in any case."""
    yield Odd("empty", arrives=b"\r\n")
    yield Odd("no-header", b"Only text, and no field.\r\n.\r\n",
              arrives=b"\r\nOnly text, and no field.\r\n.\r\n")
    yield Odd("body-alone", b"\r\ntext behind an empty line\r\n")
    yield Odd("separator-alone", b"\r\n")
    name = "no-separator"
    yield Odd(name, header(name), arrives=header(name) + b"\r\n")
    name = "blank-fold"  # S26: a line with a space is no empty line
    yield Odd(name, header(name) + b"X-A: b\r\n \r\nX-C: d\r\n\r\ntext\r\n",
              arrives=header(name) + b"X-A: b\r\nX-C: d\r\n\r\ntext\r\n")
    name = "line-without-colon"
    rest = b"no field\r\nX-A: b\r\n\r\ntext\r\n"
    yield Odd(name, header(name) + rest,
              arrives=header(name) + b"\r\n" + rest)
    name = "from-line-first"
    mbox = b"From bob@example.com Mon Jan  5 09:30:00 2026\r\n"
    yield Odd(name, mbox + header(name) + b"\r\ntext\r\n",
              arrives=b"\r\n" + mbox + header(name) + b"\r\ntext\r\n")
    name = "hops"
    yield Odd(name, b"Received: by x.example\r\n" * 51 + header(name)
              + b"\r\ntext\r\n", codes=(554,))
    name = "too-many-fields"
    yield Odd(name, b"X-A: b\r\n" * 1001 + header(name) + b"\r\ntext\r\n",
              codes=(552,))


FIELDS = {
    "folded": b"X-Folded: one\r\n two\r\n\t three\r\n   four\r\n",
    "at-998": b"X-Long: " + b"x" * 990 + b"\r\n",
    "over-998": b"X-Long: " + b"x" * 2000 + b"\r\n",
    "many-folds": b"X-Long:" + b"\r\n some words" * 400 + b"\r\n",
    "many-fields": b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(300)),
    "no-value": b"X-None:\r\nX-Space: \r\nX-Spaces:   x   \r\n",
    "dot-in-front": b".Dot: one\r\n..Dots: two\r\n",
    "eight-bit-header": b"X-Eight: \xe4\xf6\xfc \xff\r\n",
    "utf8-header": "X-Utf8: Grüße\r\n".encode(),
    "trace": b"Return-Path: <x@example.com>\r\n"
             b"Delivered-To: x@example.net\r\n"
             + b"Received: by x.example; Mon, 5 Jan 2026 09:30 +0000\r\n" * 9,
    "resent": b"Resent-From: <x@example.com>\r\n"
              b"Resent-To: <x@example.net>\r\n"
              b"Resent-Date: Mon, 5 Jan 2026 09:30:00 +0000\r\n"
              b"Resent-Message-ID: <resent@example.com>\r\n",
    "twice": b"Subject: again\r\nTo: <y@example.net>\r\n",
    "bcc": b"Bcc: x@example.net,\r\n y@example.net\r\n",
    "space-before-colon": b"X-A : b\r\n",
}

# OpenSMTPD takes the one out. The other is obsolete, and Postfix mends it.
FIELDS_DIFFER = {
    "bcc": {"opensmtpd": b""},
    "space-before-colon": {"postfix": b"X-A: b\r\n"},
}


def fields():
    for name, field in FIELDS.items():
        def holding(field, name=name):
            return header(name) + field + b"\r\ntext\r\n"
        yield Odd(name, holding(field), differs={
            mta: {"arrives": holding(other)}
            for mta, other in FIELDS_DIFFER.get(name, {}).items()})


def envelopes():
    def to(name, *recipients, **more):
        return Odd(name, header(name) + b"\r\ntext\r\n",
                   recipients=list(recipients) or None, **more)
    yield to("null", sender="")
    yield to("many", *(f"many-{n}@host{n % 7}.example.net"
                       for n in range(150)))
    # All three take it; OpenSMTPD delivers it as often as it was asked to.
    same = ["same@example.net"]
    yield to("twice-the-same", *same * 2, arrives_at=same,
             differs={"opensmtpd": {"arrives_at": same * 2}})
    yield to("one-refused", "one@example.net", "refused@example.net",
             "three@example.net", envelope_codes=(250, 250, 5, 250),
             arrives_at=["one@example.net", "three@example.net"])
    yield to("all-refused", "refused@example.net", envelope_codes=(250, 5),
             codes=())
    yield to("literal", "literal@[192.0.2.1]")
    yield to("literal6", "literal@[IPv6:2001:db8::1]")
    # OpenSMTPD knows no quoted local part.
    refused = {"envelope_codes": (250, 5), "codes": (), "arrives": None}
    yield to("quoted", '"a b"@example.net', differs={"opensmtpd": refused})
    yield to("quoted-at", '"a@b"@example.net', differs={"opensmtpd": refused})
    yield to("atext", "!#$&'*+-/=?^_`{|}~.x@example.net")
    yield to("long-local", "l" * 64 + "@example.net")
    yield to("long-domain", "x@" + ".".join(["d" * 60] * 3) + ".example.net")
    yield to("upper-case", "Upper.Case@EXAMPLE.NET")
    dsn = ["RET=HDRS", "ENVID=QQ314159", "NOTIFY=NEVER",
           "ORCPT=rfc822;dsn@example.net"]
    yield to("dsn", parameters=f" {dsn[0]} {dsn[1]}",
             rcpt_parameters=f" {dsn[2]} {dsn[3]}", arrives_with=dsn)
    yield to("size", parameters=" SIZE=100000 BODY=7BIT")
    # OpenSMTPD offers none, so Postern does not on its behalf.
    refused = {"envelope_codes": (555, 503), "codes": (), "arrives": None}
    yield to("smtputf8", "smtputf8-ä@example.net", sender="bøb@example.com",
             parameters=" SMTPUTF8 BODY=8BITMIME",
             differs={"opensmtpd": refused})
    yield to("source-route", "@a.example,@b.example:source@example.net",
             arrives_at=["source@example.net"])


def the_policy_edits():
    yield with_body("rewritten", b".\r\n", sender="bob@old.example",
                    arrives_from=SENDER)
    yield with_body("rerouted", b".\r\n", recipients=["x@old.example"],
                    arrives_at=["x@new.example"],
                    rcpt_parameters=" NOTIFY=FAILURE",  # or Exim drops it
                    arrives_with=["ORCPT=rfc822;x@old.example"])
    yield with_body("copied", b".\r\n", sender="copied@example.com",
                    arrives_at=["copied@example.net",
                                "archive-copied@example.net"])
    name = "field-removed"
    yield Odd(name, b"X-Mailer: m\r\n folded\r\n" + header(name)
              + b"x-mailer: n\r\n\r\n.\r\n", arrives=header(name)
              + b"\r\n.\r\n")
    name = "all-fields-removed"
    yield Odd(name, b"X-Mailer: m\r\n\r\n.\r\n", arrives=b"\r\n.\r\n")
    name = "field-added"
    yield with_body(name, b".\r\n", sender="tagged@example.com",
                    arrives=header(name) + b"X-Tag: bob\r\n\r\n.\r\n")
    name = "field-set"
    yield Odd(name, b"X-Set: a\r\n" + header(name) + b"X-Set: b\r\n\r\n.\r\n",
              sender="set@example.com", arrives=header(name)
              + b"X-Set: set@example.com\r\n\r\n.\r\n")
    name = "refused-header"
    yield Odd(name, b"X-Forbidden: yes\r\n" + header(name) + b"\r\n.\r\n",
              codes=(550,))


def without_a_last_line_end():
    for last in (b"text", b".", b"x\r\n.."):
        name = f"unended-{len(last)}"
        content = header(name) + b"\r\n" + last
        yield Odd(name, chunks=[content], arrives=content + b"\r\n")


def repaired():
    """To the listener that makes a line end of each bare CR or LF: a false
    end of data is a dot of the text."""
    for name, false_end in FALSE_ENDS.items():
        if b"\0" in false_end:
            continue
        became = b"\r\n\r\n.\r\n" if name.startswith("S16") else \
            b"\r\n.\r\n"
        start = header(name) + b"\r\ntext"
        yield Odd(f"repair-{name}", repair=True,
                  wire=start + false_end + SMUGGLED,
                  arrives=start + became + SMUGGLED.removesuffix(b".\r\n"))
    body = b"one\r\n.\r\n..two\r\n\r\n\r\nthree"
    for name, end in {"repair-lf": b"\n", "repair-cr": b"\r",
                      "repair-cr-cr-lf": b"\r\r\n"}.items():
        content = header(name) + b"\r\n" + body
        lines = content.replace(b"\r\n.", b"\r\n..").replace(b"\r\n", end)
        yield Odd(name, repair=True, wire=lines + b"\r\n.\r\n",
                  arrives=content + b"\r\n")
        yield Odd(f"{name}-chunks", repair=True, arrives=content + b"\r\n",
                  chunks=pieces(content.replace(b"\r\n", end) + end))
    yield Odd("repair-nul", repair=True, codes=(550,),
              wire=header("repair-nul") + b"\r\na\0b\n\r\n.\r\n")


CHUNKS = 150


def pieces(content):
    """Cut behind each CR, LF and dot, so everywhere in CRLF.CRLF; where that
    were very many pieces, anywhere."""
    apart = re.findall(rb"[^\r\n.]*[\r\n.]|[^\r\n.]+$", content)
    if len(apart) <= CHUNKS:
        return apart or [b""]
    return [content[at:at + 997] for at in range(0, len(content), 997)]


def by_chunks(odd):
    """The same message by BDAT, to another recipient."""
    name = f"{odd.name}-chunks"
    arrives_at = [recipient.replace(f"{odd.name}@", f"{name}@")
                  for recipient in odd.arrives_at]
    return dataclasses.replace(odd, name=name, chunks=pieces(odd.content),
                               recipients=None, arrives_at=arrives_at)


def by_data():
    for name, body in BODIES.items():
        yield with_body(name, body)
    yield from long_lines()
    yield from buffer_edges()
    yield from header_blocks()
    yield from fields()
    yield from the_policy_edits()


def corpus():
    """Every message, by its name."""
    odd_ones = [*refused_by_line_ends(), *ends_with_more_behind(),
                *never_ends(), *envelopes(), *without_a_last_line_end(),
                *repaired()]
    for odd in by_data():
        odd_ones.append(odd)
        if odd.recipients == [f"{odd.name}@example.net"] and \
                odd.codes == (250,):
            odd_ones.append(by_chunks(odd))
    named = {odd.name: odd for odd in odd_ones}
    assert len(named) == len(odd_ones)
    return named
