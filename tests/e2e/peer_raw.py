"""An upstream by hand: slow, silent, refusing, as a test wants it."""

import socket
import threading

READ_SIZE = 65536


class Wire:
    """One connection, from the server's side."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def write(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def fill(self):
        octets = self.connection.recv(READ_SIZE)
        if not octets:
            raise ConnectionError("closed")
        self.buffer += octets

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8", "replace")

    def content(self):
        """Up to the final dot, dots removed."""
        while b"\r\n.\r\n" not in b"\r\n" + self.buffer:
            self.fill()
        content, _, self.buffer = \
            (b"\r\n" + self.buffer).partition(b"\r\n.\r\n")
        return (content + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]


class RawUpstream:
    """Calls serve(wire) in a thread for each connection. What the test
    compares it keeps itself. Use it with `with`."""

    def __init__(self, serve, receive_buffer=None, port=0):
        self.serve = serve
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     receive_buffer)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.errors = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def close_port(self):
        try:  # wakes the thread that waits for a connection
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def __exit__(self, *_):
        self.close_port()
        for connection in self.connections:
            connection.close()
        assert not self.errors, self.errors

    def accept(self):
        listener = self.listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(60)
            self.connections.append(connection)
            threading.Thread(target=self.run, args=[connection],
                             daemon=True).start()

    def run(self, connection):
        try:
            self.serve(Wire(connection))
        except OSError:
            pass
        except Exception as error:  # told to the test at the end
            self.errors.append(error)
        finally:
            connection.close()


class Script:
    """A plain SMTP server; `answers` maps the beginning of a command to a
    reply, or to a function that takes the line and the wire."""

    DEFAULTS = {
        "EHLO": "250-raw.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                "250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600",
        "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "RSET": "250 2.0.0 Ok",
        "NOOP": "250 2.0.0 Ok", "DATA": "354 Go on", "QUIT": "221 2.0.0 Bye",
        ".": "250 2.0.0 Ok: queued as R1",
    }

    def __init__(self, answers=None):
        self.answers = {**self.DEFAULTS, **(answers or {})}
        self.commands = []
        self.contents = []

    def __call__(self, wire):
        wire.write("220 raw.example ESMTP")
        while True:
            line = wire.line()
            self.commands.append(line)
            reply = self.answer(line, wire)
            if line.upper() == "DATA" and reply.startswith("354"):
                wire.write(reply)
                self.contents.append(wire.content())
                reply = self.answer(".", wire)
            wire.write(reply)
            if line.upper() == "QUIT":
                return

    def answer(self, line, wire):
        # The longest beginning that fits is the one meant.
        for start in sorted(self.answers, key=len, reverse=True):
            if line.upper().startswith(start.upper()):
                answer = self.answers[start]
                return answer(line, wire) if callable(answer) else answer
        return "500 5.5.2 What?"
