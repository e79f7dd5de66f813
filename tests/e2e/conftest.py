"""Fixtures: every test has a folder, free ports and servers of its own; each
Postern that a test started must end well."""

import signal

import pytest

import certificates
import places
import users
from load_tools import LoadSink
from peer_aiosmtpd import Aiosmtpd
from peer_postfix import Postfix
from server import Postern, Site

SECONDS_A_TEST = 240


@pytest.fixture(autouse=True)
def bounded_time():
    def on_alarm(_signal, _frame):
        raise TimeoutError(f"the test took over {SECONDS_A_TEST} s")
    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(SECONDS_A_TEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return certificates.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def users_file(tmp_path_factory):
    return users.write_users(tmp_path_factory.mktemp("users") / "users")


@pytest.fixture
def site(tmp_path, certificate, users_file):
    return Site(tmp_path, certificate, users_file)


@pytest.fixture
def start(site):
    """start(text) runs a Postern with that configuration and waits until it
    listens; of another site where `at` says so. At the end it is stopped by
    SIGTERM and must exit 0, with no word from a sanitizer."""
    started = []

    def start_one(text, at=None, **options):
        server = Postern(at or site, text, **options)
        started.append(server)
        server.wait_ready()
        return server

    yield start_one
    for server in started:
        server.terminate()
    for server in started:
        server.check_end()


@pytest.fixture
def load_sink(certificate):
    """smtpsink, that verifies what comes."""
    with LoadSink(certificate) as server:
        yield server


@pytest.fixture
def aiosmtpd():
    server = Aiosmtpd()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postfix(tmp_path_factory, certificate):
    server = Postfix(tmp_path_factory.mktemp("postfix"), certificate)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def malloc_meter(tmp_path_factory):
    return places.preload_library("malloc_meter",
                                  tmp_path_factory.mktemp("meter"))


@pytest.fixture(scope="session")
def days_pass(tmp_path_factory):
    return places.preload_library("days_pass", tmp_path_factory.mktemp("days"))
