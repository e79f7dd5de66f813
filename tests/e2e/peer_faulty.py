"""An SMTP server that fails in one way at one place, once it is armed, and
keeps a ledger of what it accepted.

Until it is armed it is sound, so that whoever asks beforehand what it can do
finds nothing wrong. From then on each of its connections fails; at the place
`idle` one does, behind the first message."""

import socket
import struct
import threading

from peer_raw import RawUpstream

BANNER = "220 faulty.example ESMTP"
# How much of a message is read before its body is struck.
BODY_READ = 32 * 1024
# Long enough to be a pause, and far from every deadline.
SLOW_SECONDS = 0.3
LONGEST_WAIT = 20

REPLIES = {"421": "421 4.3.2 Going down", "4xx": "450 4.2.1 Busy",
           "5xx": "550 5.7.1 No", "setup": "530 5.7.0 Log in first"}
# RFC 4954 4.9: what a login itself is refused with.
WRONG_LOGIN = "535 5.7.8 Wrong password"
NO_EHLO = "502 5.5.1 No such command"  # RFC 5321 3.2: HELO is left
# The reply is said, if in an odd way.
SOUND = ("early", "split", "slow")
GARBAGE = "%$& no reply at all"
UNASKED = "250 2.0.0 Nobody asked for this"
# handshake_failure, fatal.
TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


class Struck(OSError):
    """The connection has had its fault and is over."""


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
    connection.close()


def wake(connection):
    """Ends the connection for the thread that reads from it."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        pass


def forward(source, sink, size):
    try:
        while octets := source.recv(size):
            sink.sendall(octets)
    except OSError:
        pass
    wake(sink)


def trickled(connection):
    """The same connection; what is written to it leaves octet by octet."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours, theirs = socket.socketpair()
    for source, sink, size in ((connection, theirs, 65536),
                               (theirs, connection, 1)):
        threading.Thread(target=forward, args=[source, sink, size],
                         daemon=True).start()
    return ours


class Faulty(RawUpstream):
    """`place` and `kind` None: never faulty. Its EHLO offers STARTTLS where
    there is a `context`, and what is in `offers`."""

    def __init__(self, place=None, kind=None, context=None, offers=()):
        # One that stops reading has taken little by then.
        is_stuck = (place, kind) == ("body", "hang")
        super().__init__(self.take, receive_buffer=4096 if is_stuck else None)
        self.place, self.kind = place, kind
        self.context, self.offers = context, offers
        self.lock = threading.Lock()
        self.accepted = []    # reverse paths answered 250 at the end of data
        self.strikes = 0
        self.is_armed = False
        self.is_over = threading.Event()
        self.is_known = threading.Event()    # somebody has heard its EHLO
        self.is_noticed = threading.Event()  # the other side let go of it
        self.blocked = []

    def __exit__(self, *error):
        self.is_over.set()
        for connection in [*self.connections, *self.blocked]:
            wake(connection)
        super().__exit__(*error)

    def arm(self, keeps_connections=False):
        self.is_armed = True
        if self.place == "connect":
            self.close_port()
            if self.kind == "hang":
                self.block_port()
        if not keeps_connections:
            for connection in self.connections:
                wake(connection)

    def block_port(self):
        """Nobody accepts, and the queue of the kernel is full: whoever
        connects gets no answer."""
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(0)
        while True:
            self.blocked.append(socket.socket())
            self.blocked[-1].settimeout(0.2)
            try:
                self.blocked[-1].connect(("127.0.0.1", self.port))
            except TimeoutError:
                return

    def fault_at(self, place):
        """How to fail there now; None: not at all."""
        is_past = place == "idle" and self.strikes > 0
        is_due = self.is_armed and place == self.place and not is_past
        return self.kind if is_due else None

    def accept_message(self, reverse_path):
        with self.lock:
            self.accepted.append(reverse_path)

    def take(self, wire):
        try:
            Conversation(self, wire).run()
        finally:
            wire.connection.close()
            if self.strikes:
                self.is_noticed.set()


class Conversation:
    """One connection to a Faulty."""

    def __init__(self, server, wire):
        self.server, self.wire = server, wire
        self.reverse_path = None
        self.chunks = 0
        self.is_secure = False

    # What goes wrong.

    def say(self, place, reply):
        """Returns whether that is what was said, and not a refusal."""
        kind = self.server.fault_at(place)
        if kind:
            self.strike(place, kind, reply)
        else:
            self.wire.write(reply)
        return kind is None or kind in SOUND

    def strike(self, place, kind, reply=""):
        with self.server.lock:
            self.server.strikes += 1
        if kind == "5xx" and place.startswith("EHLO"):
            self.wire.write(NO_EHLO)
        elif kind == "setup" and place == "AUTH":
            self.wire.write(WRONG_LOGIN)
        elif kind in REPLIES:
            self.wire.write(REPLIES[kind])
        elif kind == "garbage":
            self.wire.write(GARBAGE)
        elif kind == "early":
            self.wire.write("\r\n".join(filter(None, [reply, UNASKED])))
        elif kind == "split":
            self.write_split(reply)
        elif kind == "hang" and place != "body":
            self.drain()
            raise Struck
        elif kind == "slow":
            self.server.is_over.wait(SLOW_SECONDS)
            if reply:
                self.wire.write(reply)
        else:
            self.cut(kind)
        if kind == "421":
            self.cut("close")

    def write_split(self, reply):
        connection = self.wire.connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in reply.encode() + b"\r\n":
            connection.sendall(bytes([octet]))

    def cut(self, kind):
        connection = self.wire.connection
        if kind == "hang":  # and nothing is read
            self.server.is_over.wait(LONGEST_WAIT)
        elif kind == "reset":
            reset(connection)
            self.server.is_noticed.set()
        else:  # closed, but not before the other side let go, else it is reset
            socket.socket.shutdown(connection, socket.SHUT_WR)
            self.drain()
        raise Struck

    def drain(self):
        """Until the other side has let go."""
        try:
            while self.wire.connection.recv(65536):
                pass
        except OSError:
            pass
        self.server.is_noticed.set()

    # What it says.

    def run(self):
        self.say("banner", BANNER)
        while self.answer(self.wire.line()):
            pass

    def answer(self, line):
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb == "QUIT":
            self.wire.write("221 2.0.0 Bye")
            return False
        answer = getattr(self, f"answer_{verb.lower()}", None)
        if answer:
            answer(line)
        else:
            self.wire.write("250 2.0.0 Ok")
        return True

    def answer_ehlo(self, _line):
        offers = [*self.server.offers]
        if self.server.context and not self.is_secure:
            offers.append("STARTTLS")
        lines = ["faulty.example", "PIPELINING", "8BITMIME",
                 "ENHANCEDSTATUSCODES", *offers]
        reply = "\r\n".join([*("250-" + line for line in lines[:-1]),
                             "250 " + lines[-1]])
        self.say("EHLO_in_TLS" if self.is_secure else "EHLO", reply)
        if self.is_secure or not self.server.context:
            self.server.is_known.set()

    def answer_starttls(self, _line):
        if not self.say("STARTTLS", "220 2.0.0 Go ahead"):
            return
        connection = self.wire.connection
        kind = self.server.fault_at("TLS")
        if kind:
            connection = self.strike_handshake(kind, connection)
        self.wire.connection = self.server.context.wrap_socket(
            connection, server_side=True)
        self.server.connections.append(self.wire.connection)
        self.is_secure = True

    def strike_handshake(self, kind, connection):
        connection.recv(1, socket.MSG_PEEK)  # the ClientHello is there
        if kind == "split":
            self.server.strikes += 1
            return trickled(connection)
        if kind == "refuse":
            self.server.strikes += 1
            connection.sendall(TLS_ALERT)
            self.cut("close")
        self.strike("TLS", kind)
        return connection

    def answer_xclient(self, _line):
        self.say("XCLIENT", BANNER)

    def answer_auth(self, line):
        if len(line.split(" ")) < 3:  # without an initial response
            self.wire.write("334 ")
            self.wire.line()
        self.say("AUTH", "235 2.7.0 Authenticated")

    def answer_rset(self, _line):
        if self.server.strikes:
            self.server.is_noticed.set()
        self.wire.write("250 2.0.0 Ok")

    def answer_mail(self, line):
        self.reverse_path = line.partition("<")[2].partition(">")[0]
        self.chunks = 0
        self.say("MAIL", "250 2.1.0 Ok")

    def answer_rcpt(self, _line):
        self.say("RCPT", "250 2.1.5 Ok")

    def answer_data(self, _line):
        if not self.say("DATA", "354 Go on"):
            return
        is_whole = self.read_some()
        kind = None if is_whole else self.server.fault_at("body")
        if kind:
            self.strike("body", kind)
        self.wire.content()
        if kind is None or kind in SOUND:
            self.end_message()

    def read_some(self):
        """Of a message; returns whether that was the whole."""
        while len(self.wire.buffer) < BODY_READ:
            if (b"\r\n" + self.wire.buffer).endswith(b"\r\n.\r\n"):
                return True
            self.wire.fill()
        return False

    def answer_bdat(self, line):
        _, size, *last = line.split(" ")
        while len(self.wire.buffer) < int(size):
            self.wire.fill()
        self.wire.buffer = self.wire.buffer[int(size):]
        self.chunks += 1
        if last:
            self.end_message()
        else:
            self.say(("DATA", "body")[min(self.chunks, 2) - 1], "250 2.0.0 Ok")

    def end_message(self):
        kind = self.server.fault_at("final_dot")
        if kind is None or kind in SOUND:
            self.server.accept_message(self.reverse_path)
        self.finish(kind, "250 2.0.0 Ok: queued as F1")
        self.rest()

    def finish(self, kind, reply):
        if kind:
            self.strike("final_dot", kind, reply)
        else:
            self.wire.write(reply)

    def rest(self):
        """Between two mails."""
        kind = self.server.fault_at("idle")
        if not kind:
            return
        if kind == "refuse":
            self.server.close_port()
            self.server.strikes += 1
            self.cut("close")
        self.strike("idle", kind)
        self.drain()
        raise Struck
