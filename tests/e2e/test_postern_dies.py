"""Postern is killed while mail flows, and started again: what a client was
told is true, and each line of the log is whole."""

import collections
import concurrent.futures
import random

import ledgers
from peer_faulty import Faulty
from server import Postern
from soak_client import SoakClient
from waiting import wait_for

CLIENTS = 6
DEATHS = 6
MAILS_BETWEEN = 30
SEED = 20260105

CONFIGURATION = """\
hostname: mail.example.com
listeners:
  inside:
    address: "127.0.0.1:{site.starttls}"
    tls: none
    auth: none
    trusted: [127.0.0.0/8]
workers: 2
upstreams:
  chunks: {{servers: ["127.0.0.1:{port}"], tls: {{mode: none}}}}
  data:
    servers: ["127.0.0.1:{port}"]
    tls: {{mode: none}}
    disable: [CHUNKING]
upstream: chunks
policy:
  helo:
    - {{rule: data, when: {{helo.name: data.example}}, route: data}}
log: {{decisions: "{site.log}"}}
limits: {{state: "{site.state}"}}
"""


def told(clients):
    return [item for client in clients for item in client.ledger]


def live(postern, clients):
    postern.wait_ready()
    wanted = len(told(clients)) + MAILS_BETWEEN
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(client.run_until_closed)
                   for client in clients]
        try:
            wait_for(lambda: len(told(clients)) >= wanted, "mail that flows",
                     180)
        finally:
            postern.kill()
    for one in running:
        one.result()


def live_and_die(site, text, clients):
    postern = Postern(site, text, wanted_ports=[site.starttls])
    try:
        live(postern, clients)
    finally:
        if postern.is_alive():
            postern.kill()
        postern.process.wait(10)


def test_postern_dies_while_mail_flows(site):
    chance = random.Random(SEED)
    with Faulty(offers=["CHUNKING"]) as upstream:
        text = CONFIGURATION.format(site=site, port=upstream.port)
        clients = [SoakClient(number, chance.random(), [(site.starttls, False)],
                              ["chunks.example", "data.example"])
                   for number in range(CLIENTS)]
        for _ in range(DEATHS):
            live_and_die(site, text, clients)
    assert [client.surprises for client in clients] == [[]] * CLIENTS
    taken = collections.Counter(map(ledgers.token_of, upstream.accepted))
    heard = collections.Counter(item["token"] for item in told(clients)
                                if item["code"] == 250)
    unheard = collections.Counter(item["token"] for item in told(clients)
                                  if item["code"] is None)
    assert not heard - taken, "lost"
    assert not taken - heard - unheard, "taken, and the client heard a refusal"
    accepted = collections.Counter(
        ledgers.token_of(line["mail"]["from"])
        for line in ledgers.read(site.log)
        if line["event"] == "transaction" and line["verdict"] == "accept")
    assert not accepted - taken, "the log says more than is true"
