"""A policy server of Postfix's policy delegation protocol, in its own
process: what it answers is told by the recipient's or the sender's words."""

import contextlib
import multiprocessing
import os
import socket
import socketserver
import time

import ports
from waiting import wait_for


def decide(question):
    """The action for one question, a dict of its lines."""
    who = question["recipient"] or question["sender"]
    word = who.partition("@")[0]
    actions = {"reject": "REJECT not wanted by the policy server",
               "defer": "DEFER_IF_PERMIT Greylisted for a minute",
               "prepend": "PREPEND X-Judged: yes",
               "discard": "DISCARD"}
    if word == "slow":
        time.sleep(0.3)
    return actions.get(word, "DUNNO")


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        question = {}
        for line in self.rfile:
            name, _, value = line.decode("utf-8").rstrip("\n").partition("=")
            if name:
                question[name] = value
                continue
            if question["recipient"].startswith("vanish@"):
                return
            self.server.questions.append(question)
            self.wfile.write(f"action={decide(question)}\n\n".encode())
            question = {}


class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def serve(kind, address, questions):
    with kind(address, Handler) as server:
        server.questions = questions
        server.serve_forever(poll_interval=0.1)


class PolicyServer:
    def __init__(self, address, kind):
        self.manager = multiprocessing.Manager()
        self.questions = self.manager.list()
        self.address = address
        self.kind = kind
        self.process = None

    def start(self):
        self.process = multiprocessing.Process(
            target=serve, args=(self.kind, self.address, self.questions),
            daemon=True)
        self.process.start()
        wait_for(self.answers, "the policy server")

    def answers(self):
        family = socket.AF_UNIX if self.kind is Unix else socket.AF_INET
        with socket.socket(family) as probe:
            return probe.connect_ex(self.address) == 0

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.join(10)
            self.process = None
        if self.kind is Unix:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.address)

    def close(self):
        self.stop()
        self.manager.shutdown()


def on_tcp():
    return PolicyServer(("127.0.0.1", ports.free_port()), Tcp)


def on_unix(path):
    return PolicyServer(str(path), Unix)
