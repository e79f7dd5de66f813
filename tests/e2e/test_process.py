"""What is in the process: BoringSSL, and nothing of OpenSSL."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

import pytest

import clients
import places
import ports
import processes
from messages import make_message
from server import ENVIRONMENT, run_once
from users import PASSWORDS
from waiting import wait_for

sys.path.insert(0, str(places.ROOT / "tests" / "checks"))
from linkage import uses_openssl  # noqa: E402


def mapped_files(pid):
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return {name for name in re.findall(r" (/\S+)$", maps, re.M)
            if os.path.isfile(name)}


def test_no_openssl_enters_after_a_login_and_a_delivery(
        site, start, postfix):
    server = start(site.head(
        f'{{servers: ["localhost:{postfix.port}"], tls: {{mode: starttls, '
        f'ca: "{postfix.certificate.chain}"}}}}'))
    outcome = clients.swaks(site, site.implicit, clients.Mail(
        "bob", PASSWORDS["bob"], "bob@example.com", "a@example.net",
        make_message("bob@example.com", "a@example.net", "maps")))
    assert outcome.sent, outcome.said
    files = mapped_files(server.worker_pid)
    assert any(re.search(r"/lib(crypto|ssl)\.", name) for name in files) \
        or "BORINGSSL_ROOT" in os.environ
    assert not [name for name in files if uses_openssl(name)]


# A sanitizer would see to crashes, and to core dumps, itself.
CRASHING = {"ASAN_OPTIONS": ENVIRONMENT["ASAN_OPTIONS"] +
            ":handle_segv=0:disable_coredump=0"}


def crash(site, more):
    """Starts a Postern in a folder of its own, and kills its worker process by
    SIGSEGV: its limits of core dumps, soft and hard, and the dumps that it left."""
    folder = site.folder / "crash"
    folder.mkdir()
    config = site.folder / "postern.yaml"
    config.write_text(site.head(site.to_maildir())
                      + f'control: "{site.folder}/control"\n' + more,
                      encoding="utf-8")
    with open(site.folder / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            [places.program(), "run", "-c", config], cwd=folder,
            env={**os.environ, **CRASHING}, stdin=subprocess.DEVNULL,
            stdout=stderr, stderr=stderr)
    try:
        assert ports.wait_listening([site.implicit],
                                    lambda: process.poll() is None), \
            (site.folder / "stderr").read_text(encoding="utf-8")
        # One that dies before it is known to serve ends the supervisor too.
        wait_for(lambda: run_once("status", "-c", config).returncode == 0,
                 "a server that serves")
        [worker] = processes.workers_of(process.pid)
        limits = pathlib.Path(f"/proc/{worker}/limits").read_text(
            encoding="utf-8")
        os.kill(worker, signal.SIGSEGV)
        wait_for(lambda: "ended by signal 11" in
                 (site.folder / "stderr").read_text(encoding="utf-8"),
                 "the end of the worker process")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(10)
    [both] = re.findall(r"^Max core file size +(\S+) +(\S+)", limits, re.M)
    return both, list(folder.glob("core*"))


def hard_limit():
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def dumps_are_files():
    """In the folder where the program runs; not a handler's, or elsewhere."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(
        encoding="utf-8").strip()
    return pattern.startswith("core") and "/" not in pattern


def test_a_crash_leaves_no_core_dump(site):
    """1, and not 0: that the kernel takes for none even where core dumps are
    piped to a handler."""
    (soft, _), dumps = crash(site, "")
    assert soft == "1"
    assert not dumps


def test_core_dumps_can_be_asked_for(site):
    if hard_limit() != "unlimited":
        pytest.skip("this machine has a hard limit of core dumps")
    (soft, hard), dumps = crash(site, "core_dumps: true\n")
    assert (soft, hard) == ("unlimited", "unlimited")
    assert "core_dumps" in (site.folder / "stderr").read_text(encoding="utf-8")
    if dumps_are_files():
        [dump] = dumps
        dump.unlink()
