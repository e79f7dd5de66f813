"""What is in the process: BoringSSL, and nothing of OpenSSL."""

import os
import pathlib
import re
import sys

import clients
import places
from messages import make_message
from users import PASSWORDS

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
    files = mapped_files(server.process.pid)
    assert any(re.search(r"/lib(crypto|ssl)\.", name) for name in files) \
        or "BORINGSSL_ROOT" in os.environ
    assert not [name for name in files if uses_openssl(name)]
