"""Plays cells of the fault matrix: one Postern, a faulty server and a route
for each cell, one sound server for all, and clients side by side."""

import concurrent.futures
import contextlib
import dataclasses
import ssl

import ledgers
from dialogue import Dialogue, Reply
from messages import make_large_message, make_message
from peer_faulty import Faulty
from server import Postern
from waiting import wait_for

# Longer than a healthy server is ever silent, on however busy a machine.
PATIENCE = "4s"
CLIENTS = 32
RECIPIENT = "a@example.net"

OFFERS = ("XCLIENT NAME ADDR PORT PROTO HELO LOGIN", "AUTH PLAIN")
PASSWORD = "open sesame"

HEAD = """\
hostname: mail.example.com
listeners:
  inside:
    address: "127.0.0.1:{port}"
    tls: none
    auth: none
    trusted: [127.0.0.0/8]
workers: 1
log: {{decisions: "{log}"}}
limits: {{state: "{state}"}}
caps: {{connections_per_net: 20000, drain: 64M}}
timeouts:
  upstream_connect: {patience}
  upstream_banner: {patience}
  upstream_mail: {patience}
  upstream_data: {patience}
  upstream_end_of_data: {patience}
  upstream_other: {patience}
  tls_handshake: {patience}
"""


@dataclasses.dataclass
class Played:
    """What the client was told, and who took what."""
    rcpt: Reply
    end: Reply            # None: it did not come so far
    by_faulty: int        # how often each server answered it 250
    by_healthy: int
    strikes: int
    faulty: str           # the server's address
    healthy: str
    line: dict = None     # of the decision log


def name_of(index):
    return f"cell{index}.example"


def sender_of(index, part="mail"):
    return f"{part}-{index}@example.com"


def upstream_of(cell, servers, folder, certificate):
    tls = (f'{{mode: starttls, name: localhost, ca: "{certificate.chain}"}}'
           if cell.is_tls else "{mode: none}")
    keys = [f'servers: [{", ".join(map(repr, servers))}]', f"tls: {tls}"]
    if cell.place == "XCLIENT":
        keys.append("identity: xclient")
    if cell.place == "AUTH":
        keys.append(f'login: {{mechanism: PLAIN, user: postern, '
                    f'password_file: "{folder}/password"}}')
    return "{" + ", ".join(keys) + "}"


def message_of(cell, sender):
    """Large enough that the place is reached: a chunk is 64 KiB, and a server
    that stops reading is noticed when all buffers are full."""
    size = 0
    if cell.place == "body":
        size = 150_000
        if cell.kind == "hang" and not cell.is_chunked:
            size = 8_000_000
    elif cell.place == "DATA" and cell.is_chunked:
        size = 100_000
    if size:
        return make_large_message(sender, RECIPIENT, sender, size)
    return make_message(sender, RECIPIENT, sender)


class Matrix:
    """Cells of one kind (all with TLS or none, all with chunks or none).
    Use it with `with`."""

    def __init__(self, cells, site):
        self.cells, self.site = cells, site
        self.stack = contextlib.ExitStack()
        self.client = []  # the ledger of what clients heard
        context = None
        if cells[0].is_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(site.certificate.chain,
                                    site.certificate.key)
        offers = OFFERS + (("CHUNKING",) if cells[0].is_chunked else ())
        self.healthy = Faulty(context=context, offers=offers)
        self.faulty = [Faulty(cell.place, cell.kind, context, offers)
                       for cell in cells]

    def __enter__(self):
        for server in [self.healthy, *self.faulty]:
            self.stack.enter_context(server)
        (self.site.folder / "password").write_text(PASSWORD + "\n",
                                                   encoding="utf-8")
        (self.site.folder / "password").chmod(0o600)
        self.postern = Postern(self.site, self.configuration(),
                               wanted_ports=[self.site.starttls])
        self.stack.callback(self.end)
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def end(self):
        self.postern.terminate()
        self.code = self.postern.wait_end()

    def addresses(self, index):
        return [f"127.0.0.1:{server.port}"
                for server in (self.faulty[index], self.healthy)]

    def configuration(self):
        site = self.site
        lines = [HEAD.format(port=site.starttls, log=site.log,
                             state=site.state, patience=PATIENCE),
                 "upstream: u0", "upstreams:"]
        for index, cell in enumerate(self.cells):
            servers = self.addresses(index)[:cell.servers]
            lines.append(f"  u{index}: " + upstream_of(
                cell, servers, site.folder, site.certificate))
        lines += ["policy:", "  helo:"]
        for index, _ in enumerate(self.cells):
            lines += [f"    - rule: cell {index}",
                      f"      when: {{helo.name: {name_of(index)}}}",
                      f"      route: u{index}"]
        return "\n".join(lines) + "\n"

    def play(self):
        """A Played for each cell. Those that wait go first."""
        self.postern.wait_ready()
        order = sorted(range(len(self.cells)),
                       key=lambda i: self.cells[i].kind != "hang")
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            played = dict(zip(order, clients.map(self.play_cell, order)))
        for index, result in played.items():
            if isinstance(result, Played):
                result.line = wait_for(lambda: self.find_line(index),
                                       "the line of a transaction")
        return {self.cells[index]: result for index, result in played.items()}

    def find_line(self, index):
        found = [line for line in self.postern.log.events("transaction")
                 if line["mail"]["from"] == sender_of(index)]
        assert len(found) < 2, found
        return found[0] if found else None

    def play_cell(self, index):
        """A failure is told where that cell is looked at."""
        try:
            return self.play_mails(index)
        except (AssertionError, OSError) as error:
            return error

    def play_mails(self, index):
        cell, server = self.cells[index], self.faulty[index]
        assert server.is_known.wait(30), f"{cell}: nobody asked for its EHLO"
        server.arm(keeps_connections=cell.is_used or cell.place == "idle")
        with Dialogue(self.site.starttls, seconds=60) as client:
            client.expect(220)
            client.hello(name_of(index))
            if cell.place == "idle":
                first = self.mail(client, cell, server,
                                  sender_of(index, "first"))
                assert [reply.code for reply in first] == [250, 250], first
                if cell.kind != "hang":
                    assert server.is_noticed.wait(30), f"{cell}: not noticed"
            rcpt, end = self.mail(client, cell, server, sender_of(index))
            client.expect(221, "QUIT")
        sender = sender_of(index)
        faulty, healthy = self.addresses(index)
        return Played(rcpt, end, server.accepted.count(sender),
                      self.healthy.accepted.count(sender), server.strikes,
                      faulty, healthy)

    def mail(self, client, cell, server, sender):
        """The answers to RCPT and to the message."""
        answers = self.send_mail(client, cell, server, sender)
        self.client.append({"token": ledgers.token_of(sender),
                            "code": (answers[1] or answers[0]).code})
        return answers

    def pass_by(self):
        """A reset can't be seen to arrive, but one loop serves all, in the
        order of what happens: what is answered now comes behind it."""
        with Dialogue(self.site.starttls, seconds=60) as client:
            client.expect(220)
            client.hello("cell0.example")

    def upstream_ledger(self):
        return [{"token": ledgers.token_of(sender),
                 "server": f"127.0.0.1:{server.port}"}
                for server in [self.healthy, *self.faulty]
                for sender in server.accepted]

    def send_mail(self, client, cell, server, sender):
        client.expect(250, f"MAIL FROM:<{sender}>")
        rcpt = client.say(f"RCPT TO:<{RECIPIENT}>")
        if rcpt.code != 250:
            client.expect(250, "RSET")
            return rcpt, None
        go_on = client.say("DATA")
        if go_on.code != 354:
            client.expect(250, "RSET")
            return rcpt, go_on
        message = message_of(cell, sender).replace(b"\r\n.", b"\r\n..")
        held = b""
        if cell.place == "body" and cell.kind not in ("hang", "slow", "split"):
            # The end comes when the failure was seen: before the final dot.
            message, held = message[:-100], message[-100:]
        client.send(message)
        if held:
            assert server.is_noticed.wait(30), f"{cell}: not noticed"
            self.pass_by()
        client.send(held + b".\r\n")
        return rcpt, client.reply()
