"""HTTP: health, numbers and what the dashboard reads, and what it refuses."""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

import places
import ports
from dialogue import Dialogue, logged_in
from messages import make_message
from peer_raw import RawUpstream, Script
from server import run_once
from users import PASSWORDS
from waiting import wait_for
from web import OWNED, Web, read_answer, send, wait_entries


@pytest.fixture
def web(site):
    return Web(site)


@pytest.fixture
def serve(web, start):
    def begin(**options):
        server = start(web.text_of(**options))
        web.wait(server)
        return server
    return begin


# What is there

def test_health_and_numbers(web, serve):
    serve(dashboard="false")
    assert web.get("/healthz").text == "ok\n"
    assert web.get("/readyz").text == "ready\n"
    metrics = web.get("/metrics")
    assert metrics.fields["content-type"].startswith(
        "text/plain; version=0.0.4")
    assert "postern_build_info" in metrics.text
    assert web.get("/api/overview").json["ok"] is True


def test_without_http_no_port_is_opened(site, start):
    server = start(site.head(site.to_maildir()))
    assert "http" not in server.stderr()


def test_without_the_dashboard_nothing_of_it_is_there(web, serve):
    serve(dashboard="false")
    for path in ("/", "/page/postern.js", "/api/log", "/api/mail", "/api/mail/x",
                 "/api/explain/7QK3M9T2XA"):
        answer = web.get(path)
        assert answer.status == 404, path
    assert "dashboard: true" in web.get("/").text


TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript",
         ".svg": "image/svg+xml"}


def test_the_page_and_its_files(web, serve):
    """Each under its own name, as it lies in the folder."""
    serve()
    files = sorted((places.ROOT / "proxy" / "http" / "page").iterdir())
    assert files
    for file in [*files, None]:
        path = "/" if file is None else f"/page/{file.name}"
        kind = TYPES[".html" if file is None else file.suffix]
        answer = web.get(path)
        assert answer.status == 200
        assert answer.fields["content-type"].startswith(kind)
        assert answer.fields["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.fields["content-security-policy"]
        assert "unsafe" not in answer.fields["content-security-policy"]
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert answer.fields["x-frame-options"] == "DENY"
        assert answer.fields["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.fields
        assert file is None or answer.body == file.read_bytes()
        head = web.get(path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.fields["content-length"] == str(len(answer.body))
    for path in ("/page/none.js", "/page/", "/page", "/postern.js"):
        assert web.get(path).status == 404


def test_data_is_not_kept(web, serve):
    serve()
    for path in ("/api/overview", "/metrics", "/api/log", "/api/mail"):
        assert web.get(path).fields["cache-control"] == "no-store", path


# What is refused

@pytest.mark.parametrize("method", [
    "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get",
    "PROPFIND"])
def test_only_reading_is_allowed(web, serve, method):
    serve()
    answer = web.get("/api/log", method=method)
    if method == "CONNECT" and answer is None:
        return
    assert answer.status in (400, 405), answer
    if answer.status == 405:
        assert answer.fields["allow"] == "GET, HEAD"


def test_a_body_is_not_read(web, serve):
    serve()
    answer = web.say(b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 100000000\r\n\r\n" + b"x" * 100000)
    assert answer.status == 405
    answer = web.say(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                     b"Connection: close\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert answer.status in (200, 400)


def test_a_host_of_others_is_refused(web, serve):
    serve(more="")
    for host, status in (("evil.example", 421), ("localhost.evil.example", 421),
                         ("evil.example:80", 421), ("", 421),
                         ("localhost", 200), ("mail.example.com", 200),
                         ("[::1]:80", 200), ("10.1.2.3", 200)):
        for path in ("/", "/metrics", "/api/log", "/api/mail"):
            answer = web.get(path, fields=[("Host", host)])
            assert answer.status in (status, 400 if host == "" else status), \
                (host, path, answer)
    # Who asks for health may call it what it likes.
    assert web.get("/healthz", fields=[("Host", "pod.cluster")]).status == 200


def test_a_name_can_be_added(site, web, start):
    text = web.text_of().replace("dashboard: true",
                                 "dashboard: true, names: [dash.example.org]")
    web.wait(start(text))
    assert web.get("/", fields=[("Host", "dash.example.org")]).status == 200
    assert web.get("/", fields=[("Host", "x.example.org")]).status == 421


@pytest.mark.parametrize("target", [
    "/../../etc/passwd", "/api/mail/../../../../etc/passwd",
    "/api/mail/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/mail/..%2ftmp",
    "/api/mail/%2e%2e", "/api/mail/.", "/api/mail/x%00y", "/%00",
    "/api/mail/%2fetc%2fpasswd", "//etc/passwd", "/api/explain/..%2f..",
    "http://evil.example/api/log", "*", "/api/mail/new/link"])
def test_no_path_leads_out(site, web, serve, target):
    serve()
    (site.maildir / "new" / "link").symlink_to("/etc/passwd")
    answer = web.get(target)
    assert answer.status in (400, 404), answer
    assert b"root:" not in answer.body


def test_a_link_in_the_maildir_is_not_followed(site, web, serve):
    serve()
    (site.maildir / "new" / "1.link").symlink_to("/etc/passwd")
    os.mkfifo(site.maildir / "new" / "2.pipe")
    assert web.get("/api/mail").json["messages"] == []
    for name in ("1.link", "2.pipe"):
        answer = web.get(f"/api/mail/{name}")
        assert answer.status == 404
        assert b"root:" not in answer.body


def test_what_is_too_long_is_refused(web, serve):
    serve()
    assert web.get("/" + "x" * 6000).status == 414
    assert web.get("/" + "x" * 100000).status in (414, 431)
    assert web.get("/healthz", fields=[("X", "y" * 60000)]).status in (413, 431)
    many = [(f"X-{i}", "y") for i in range(5000)]
    assert web.get("/healthz", fields=many).status in (413, 431)
    assert web.get("/api/log?" + "&".join("a=b" for _ in range(30))
                   ).status == 400


@pytest.mark.parametrize("octets", [
    b"\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 512,
    b"EHLO x\r\nMAIL FROM:<>\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n"
    b"Connection: close\r\n\r\n"])
def test_nonsense_harms_nothing(web, serve, octets):
    server = serve()
    with web.connect() as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert web.get("/healthz").status == 200
    assert server.is_alive()


@pytest.mark.parametrize("query", [
    "lines=0", "lines=501", "lines=-1", "lines=x", "lines=99999999999999999999",
    "after=x", "after=1-", "filter=usr%3Dbob", "filter=user",
    "filter=verdict%3Drefuse", "filter=since%3Dsoon", "filter="])
def test_parameters_of_the_log_are_checked(web, serve, query):
    serve()
    answer = web.get("/api/log?" + query)
    assert answer.status == 400
    assert answer.json["error"]


@pytest.mark.parametrize("query", ["start=-1", "start=x", "count=0",
                                   "count=1000"])
def test_parameters_of_the_mail_are_checked(web, serve, query):
    serve()
    assert web.get("/api/mail?" + query).status == 400
    assert web.get("/api/mail?box=none").status == 404


# Slow and many

def test_a_hundred_at_once(web, serve):
    serve()
    statuses = []

    def ask():
        statuses.append(web.get("/api/overview").status)
    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 100 or set(statuses) == {200, 503}
    assert statuses.count(200) >= 64
    assert web.get("/healthz").status == 200


def assert_healthy_beside(web, slow, seconds, act):
    """Health is told once one of these is gone that keep all connections, and
    act each so many seconds."""
    is_over = threading.Event()

    def run():
        while not is_over.wait(seconds):
            for connection in slow:
                with contextlib.suppress(OSError):
                    act(connection)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        with web.connect(seconds=60) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n")
            assert read_answer(connection).status == 200
    finally:
        is_over.set()
        thread.join()
        for connection in slow:
            connection.close()


def test_slow_clients_do_not_keep_the_others_out(web, serve):
    """More than there are seats, each of them an octet a second."""
    serve()
    slow = [web.connect(seconds=60) for _ in range(70)]
    begun = time.monotonic()
    for connection in slow:
        connection.send(b"GET /")
    assert_healthy_beside(web, slow, 1, lambda one: one.send(b"G"))
    assert time.monotonic() - begun < 50


def test_health_is_told_while_pages_wait(web, serve):
    """Long polls are more than there are threads."""
    serve()
    place = web.get("/api/log").json["place"]
    waiting = []
    for _ in range(20):
        connection = web.connect(seconds=60)
        connection.sendall(f"GET /api/log?after={place} HTTP/1.1\r\n"
                           "Host: localhost\r\n\r\n".encode())
        waiting.append(connection)
    assert web.get("/healthz").status == 200
    assert web.get("/api/overview").status == 200
    for connection in waiting:
        connection.close()


def test_a_connection_is_for_one_request(web, serve):
    """So nobody has one of the few who has nothing to ask."""
    serve()
    for target in ("/healthz", "/", "/api/overview", "/none", "/api/log"):
        octets = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with web.connect() as connection:
            connection.sendall(octets.encode() * 2)
            assert read_answer(connection).fields["connection"] == "close"
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""


def test_slow_readers_do_not_keep_the_others_out(site, web, serve):
    """More than there are seats, each with an answer that it takes little by
    little."""
    serve()
    line = json.dumps({"event": "transaction", "rcpt": ["x" * 2000]}) + "\n"
    site.log.write_text(line * 200, encoding="utf-8")
    slow = []
    for _ in range(70):
        connection = socket.socket()
        # So that the kernel does not keep all of it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", web.port))
        connection.sendall(b"GET /api/log HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n")
        connection.setblocking(False)
        slow.append(connection)
    begun = time.monotonic()
    assert_healthy_beside(web, slow, 0.25, lambda one: one.recv(1200))
    assert time.monotonic() - begun < 50


def test_searches_do_not_keep_numbers_waiting(site, web, serve):
    """More than there are threads, each through much of a log."""
    serve()
    with site.log.open("w", encoding="utf-8") as log:
        log.writelines("{" + "x" * 1000 + "}\n" for _ in range(60000))
    answered = []

    def ask(target):
        assert web.get(target).status in (200, 404)
        answered.append(target)
    threads = [threading.Thread(target=ask, args=("/api/explain/AAAAAAAAAA",))
               for _ in range(12)]
    for thread in threads:
        thread.start()
    wait_for(lambda: answered, "the first search")
    ask("/metrics")
    for thread in threads:
        thread.join()
    # In the order in which they came it would be the last, or the last but one.
    assert answered.index("/metrics") < 10, answered


# The log

def test_the_log_comes_live(site, web, serve):
    serve(more=OWNED)
    place = web.get("/api/log").json["place"]
    with web.connect(seconds=60) as connection:
        connection.sendall(f"GET /api/log?after={place} HTTP/1.1\r\n"
                           "Host: localhost\r\n\r\n".encode())
        assert send(site).code == 250
        lines = read_answer(connection).json["lines"]
    assert [line["event"] for line in lines] == ["transaction"]
    assert lines[0]["auth"]["user"] == "bob"


def test_filters_are_those_of_tail(site, web, serve):
    server = serve(more=OWNED)
    assert send(site, "bob").code == 250
    assert send(site, "eve").code == 250
    assert send(site, "eve", sender="ceo@example.com").code == 553
    wait_entries(web, "", 3)
    for words in (["user=eve"], ["verdict=reject"], ["user=bob", "user=eve"],
                  ["user=eve", "verdict=accept"], ["rule=senders*"],
                  ["event=all"], ["client=127.0.0.0/8"], ["to=*.net"]):
        query = urllib.parse.urlencode([("filter", word) for word in words])
        given = web.get(f"/api/log?{query}").json["lines"]
        told = run_once("tail", "-c", server.config, *words).stdout
        assert len(given) == len(told.splitlines()), (words, told)
    [refused] = web.get("/api/log?filter=verdict%3Dreject").json["lines"]
    assert refused["rule"] == "senders own their address"


def test_the_log_goes_on_over_a_rotation_and_another_process(site, web, serve):
    server = serve()
    assert send(site).code == 250
    answer = wait_for(lambda: next(
        (a for a in [web.get("/api/log").json] if a["lines"]), None), "a line")
    site.log.rename(f"{site.log}.1")
    assert send(site).code == 250  # into the old file
    run_once("reload", "-c", server.config, seconds=60)
    server.kill_worker()
    wait_for(lambda: len(server.stderr().split("listening on")) > 6,
             "another process")
    assert send(site).code == 250
    got, place = [], answer["place"]

    def all_there():
        nonlocal place
        more = web.get(f"/api/log?after={place}").json
        assert not more["gap"]
        place = more["place"]
        got.extend(more["lines"])
        return len(got) >= 2
    wait_for(all_there, "both mails", seconds=40)
    assert len({line["id"] for line in got}) == 2


def test_without_a_decision_log_it_says_so(site, web, start):
    text = re.sub(r"log: .*\n", "", web.text_of())
    web.wait(start(text))
    answer = web.get("/api/log")
    assert answer.status == 404
    assert "log.decisions" in answer.json["error"]
    assert web.get("/api/explain/7QK3M9T2XA").status == 404


def test_a_log_that_is_no_file_is_not_read(site, web, start):
    text = web.text_of().replace(str(site.log), "/dev/null")
    web.wait(start(text))
    answer = web.get("/api/log")
    assert answer.status == 404
    assert "no file" in answer.json["error"]


def test_a_decision_is_explained(site, web, serve):
    server = serve(more=OWNED)
    reply = send(site, "eve", sender="ceo@example.com")
    [identity] = re.findall(r"\((\w{12})\)", reply.text)
    wait_entries(web, "filter=verdict%3Dreject", 1)
    given = web.get(f"/api/explain/{identity}")
    told = run_once("explain", identity, "-c", server.config).stdout
    assert given.status == 200
    assert given.text == told
    assert "senders own their address" in given.text
    session = web.get(f"/api/explain/{identity[:10]}")
    assert session.status in (200, 404)  # its line comes with its end
    assert web.get("/api/explain/AAAAAAAAAAAA").status == 404
    assert web.get("/api/explain/short").status == 404


# Mail

def test_mail_of_a_maildir_is_read(site, web, serve):
    serve()
    content = make_message("bob@example.com", "r0@example.net", "ärger")
    assert send(site, content=content).code == 250
    assert send(site).code == 250
    listed = web.get("/api/mail?count=1").json
    assert (listed["total"], listed["boxes"], listed["box"]) == (
        2, ["main"], "main")
    assert len(listed["messages"]) == 1
    [older] = web.get("/api/mail?start=1").json["messages"]
    assert "Subject: test ".encode().decode("latin-1") in older["head"]
    assert "ärger" in older["head"].encode("latin-1").decode("utf-8")
    raw = web.get(f"/api/mail/{older['name']}?box=main")
    [path] = site.maildir.glob(f"new/{older['name']}")
    assert raw.body == path.read_bytes()
    assert len(raw.body) == older["octets"]
    assert raw.fields["content-type"] == "message/rfc822"
    assert raw.fields["content-disposition"].startswith("attachment; ")
    assert web.get(f"/api/mail/{older['name']}?octets=10").body == \
        raw.body[:10]
    assert web.get(f"/api/mail/{older['name']}?octets=-1").status == 400
    assert web.get("/api/mail/absent").status == 404


def test_names_of_other_programs(site, web, serve):
    serve()
    for name in ('a"b; x=y', "a b", "a%41", "ümlaut", "x:2,S"):
        (site.maildir / "cur" / name).write_bytes(b"Subject: x\n\n.\n")
    (site.maildir / "cur" / "empty").write_bytes(b"")
    for message in web.get("/api/mail").json["messages"]:
        path = "/api/mail/" + urllib.parse.quote(message["name"], safe="")
        answer = web.get(path)
        assert answer.status == 200, message
        assert re.fullmatch(r'attachment; filename="[\w.-]+"',
                            answer.fields["content-disposition"])
        assert len(answer.body) == message["octets"]


def test_a_large_mail_is_not_held_in_memory(site, web, serve):
    serve()
    path = site.maildir / "new" / "9.large"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    answer = web.get("/api/mail/9.large")
    assert len(answer.body) == 200 * 1024 * 1024


# Health

def test_ready_no_more_when_the_upstream_is_dead(site, web, start):
    dead = ports.free_port()
    web.wait(start(web.text_of(upstream=site.to_port(dead))))
    answer = web.get("/readyz")
    assert answer.status == 503
    assert "upstream" in answer.text
    assert web.get("/healthz").status == 200


def test_ready_with_one_upstream_of_two(site, web, start):
    with RawUpstream(Script()) as upstream:
        text = web.text_of(upstream=f'{{servers: ["127.0.0.1:'
                           f'{ports.free_port()}", "127.0.0.1:{upstream.port}"'
                           "], tls: {mode: none}}")
        web.wait(start(text))
        assert web.get("/readyz").status == 200


def test_ready_no_more_while_it_drains(site, web, serve):
    server = serve()
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        order = subprocess.Popen([places.program(), "drain", "-c",
                                  server.config])
        answer = wait_for(lambda: next(
            (a for a in [web.get("/readyz")] if a.status == 503), None),
            "a 503 of /readyz")
        assert "draining" in answer.text
        assert web.get("/healthz").status == 200
        client.expect(221, "QUIT")
    assert order.wait(60) == 0
    assert server.wait_end() == 0


def test_ready_no_more_while_it_stops(site, web, serve):
    server = serve()
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.expect(250, "MAIL FROM:<bob@example.com>")
        client.expect(250, "RCPT TO:<a@example.net>")
        client.expect(354, "DATA")
        server.terminate()
        answer = wait_for(lambda: next(
            (a for a in [web.get("/readyz")] if a.status == 503), None),
            "a 503 of /readyz")
        assert "draining" in answer.text
        client.expect(250, "Subject: x\r\n\r\nx\r\n.")


def test_an_upgrade_refuses_nobody(site, web, serve):
    """Requests one after the other, over upgrades, a reload that needs another
    process, and a stop of the worker process."""
    server = serve(more=OWNED)
    is_over = threading.Event()
    answers, faults = [], []

    def ask():
        while not is_over.is_set():
            try:
                for path in ("/readyz", "/api/overview", "/api/log?lines=1"):
                    answers.append(web.get(path).status)
            except (OSError, AttributeError) as error:
                faults.append(error)
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            assert run_once("upgrade", "-c", server.config,
                            seconds=120).returncode == 0
        server.config.write_text(web.text_of(dashboard="true", more=OWNED)
                                 .replace("workers: 2", "workers: 1"),
                                 encoding="utf-8")
        assert run_once("reload", "-c", server.config,
                        seconds=120).returncode == 0
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert set(answers) == {200}, {s: answers.count(s) for s in set(answers)}


def test_the_dashboard_comes_and_goes_with_a_reload(site, web, serve):
    server = serve(dashboard="false")
    assert web.get("/").status == 404
    for dashboard, status in (("true", 200), ("false", 404)):
        server.config.write_text(web.text_of(dashboard=dashboard),
                                 encoding="utf-8")
        assert run_once("reload", "-c", server.config,
                        seconds=120).returncode == 0
        assert web.get("/").status == status
    server.config.write_text(
        re.sub(r"http: .*\n", "", web.text_of()), encoding="utf-8")
    assert run_once("reload", "-c", server.config, seconds=120).returncode == 0
    wait_for(lambda: web.port not in ports.listening_ports(),
             "the end of the listener")


def test_a_port_that_is_taken_is_told(site, web, start):
    with socket.create_server(("127.0.0.1", web.port)):
        config = site.folder / "taken.yaml"
        config.write_text(web.text_of(), encoding="utf-8")
        done = run_once("run", "-c", config, seconds=60)
    assert done.returncode == 1
    assert f"127.0.0.1:{web.port}: address already in use" in done.stderr
    assert re.search(r"taken\.yaml:\d+:\d+: ", done.stderr)


def test_a_worker_that_dies_is_followed(site, web, serve):
    server = serve()
    server.kill_worker()
    answer = wait_for(lambda: web.get("/readyz"), "an answer", seconds=40)
    assert answer.status == 200


def test_check_warns_of_a_dashboard_for_all(site, web):
    config = site.folder / "open.yaml"
    config.write_text(web.text_of().replace(
        f"127.0.0.1:{web.port}", f"0.0.0.0:{web.port}"), encoding="utf-8")
    done = run_once("check", config)
    assert "warning: the dashboard has no login" in done.stdout + done.stderr


def test_what_it_answers_is_json(site, web, serve):
    """Also of a log whose lines hold what they like."""
    serve()
    with Dialogue(site.starttls) as client:
        client.expect(220)
        client.say('EHLO "><script>alert(1)</script>')
        client.expect(221, "QUIT")
    entries = wait_entries(web, "filter=event%3Dall", 1)
    assert all(isinstance(entry, dict) for entry in entries)
    json.dumps(entries)
