"""Files that change under a running server: taken up by themselves, all of
them or none, and nobody's session is cut."""

import os
import shutil
import socket
import ssl

import pytest

import certificates
from dialogue import logged_in, unverified_context
from server import run_once
from users import PASSWORDS
from waiting import wait_for


@pytest.fixture(scope="module")
def next_pair(tmp_path_factory):
    return certificates.make_certificate(tmp_path_factory.mktemp("next"))


@pytest.fixture
def own(site, certificate):
    """The site's certificate and key, as files that a test may replace."""
    site.certificate = certificates.Certificate(site.folder / "cert.pem",
                                                site.folder / "key.pem")
    put_file(certificate.chain, site.certificate.chain)
    put_file(certificate.key, site.certificate.key)
    return site.certificate


def put_file(source, target):
    """Another file in the place of the old one."""
    fresh = target.with_suffix(".new")
    shutil.copy(source, fresh)
    fresh.chmod(0o600)
    os.replace(fresh, target)


def put_text(text, target):
    fresh = target.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    os.replace(fresh, target)


def put_pair(pair, own):
    put_file(pair.chain, own.chain)
    put_file(pair.key, own.key)


def shown(site):
    """The certificate that a new handshake gets."""
    with socket.create_connection((site.host, site.implicit), 10) as plain, \
            unverified_context().wrap_socket(plain) as secured:
        return secured.getpeercert(binary_form=True)


def der(pair):
    return ssl.PEM_cert_to_DER_cert(pair.chain.read_text(encoding="ascii"))


def with_control(site, more=""):
    return (site.head(site.to_maildir())
            + f'control: "{site.folder}/control"\n' + more)


def wait_shown(site, pair):
    wait_for(lambda: shown(site) == der(pair), "the new certificate")


def wait_said(server, words, times=1):
    wait_for(lambda: server.stderr().count(words) >= times,
             f"{words!r} in the log: {server.stderr()}")


def test_a_certificate_is_renewed_and_no_session_is_cut(site, start, own,
                                                        certificate,
                                                        next_pair):
    server = start(with_control(site))
    assert shown(site) == der(certificate)
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        put_pair(next_pair, own)
        wait_shown(site, next_pair)
        dialogue.expect(250, "RCPT TO:<ann@example.net>")
        dialogue.expect(250, "RSET")
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
    [event] = server.log.wait_events("config", 1)
    assert (event["by"], event["verdict"]) == ("file", "accept")
    assert event["file"] == str(own.chain)
    assert str(own.key) in event["renewed"]
    assert event["policy"] == event["before"]
    assert (f"certificate {own.chain} has changed, and 1 more files; renewed: "
            in server.stderr())


def test_a_renewal_by_a_link_is_seen(site, start, own, certificate,
                                     next_pair):
    """As certbot does: live/NAME/*.pem point into archive/."""
    for pair, number in ((certificate, 1), (next_pair, 2)):
        shutil.copy(pair.chain, site.folder / f"cert{number}.pem")
        shutil.copy(pair.key, site.folder / f"key{number}.pem")
        (site.folder / f"key{number}.pem").chmod(0o600)
    for name in ("cert", "key"):
        (site.folder / f"{name}.pem").unlink()
        (site.folder / f"{name}.pem").symlink_to(f"{name}1.pem")
    start(with_control(site))
    assert shown(site) == der(certificate)
    for name in ("cert", "key"):
        (site.folder / "link").symlink_to(f"{name}2.pem")
        os.replace(site.folder / "link", site.folder / f"{name}.pem")
    wait_for(lambda: shown(site) == der(next_pair), "the new certificate")


def test_a_pair_that_does_not_fit_is_refused_and_healed(site, start, own,
                                                        certificate,
                                                        next_pair):
    server = start(with_control(site))
    put_file(next_pair.chain, own.chain)
    wait_said(server, "the certificates that were there before are kept")
    said = server.stderr()
    assert f"certificate {own.chain} has changed and can't be used: " in said
    assert (f"private key {own.key} does not belong to certificate "
            f"{own.chain}" in said)
    assert f"{server.config}:" in said
    assert shown(site) == der(certificate)
    done = run_once("reload", "-c", server.config)
    assert done.returncode == 1
    assert "does not belong to certificate" in done.stderr
    assert f"{server.config}:8:" in done.stderr
    put_file(next_pair.key, own.key)
    wait_shown(site, next_pair)
    assert server.stderr().count("are kept") == 1
    assert run_once("reload", "-c", server.config).returncode == 0


def test_a_reload_takes_a_certificate_up_before_it_is_done(site, start, own,
                                                           next_pair):
    server = start(with_control(site))
    put_pair(next_pair, own)
    done = run_once("reload", "-c", server.config)
    assert done.returncode == 0, done.stderr
    assert shown(site) == der(next_pair)


def resumed(site, context, session):
    with socket.create_connection((site.host, site.implicit), 10) as plain, \
            context.wrap_socket(plain, session=session) as secured:
        secured.recv(100)
        return secured.session_reused, secured.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_tickets_go_on_over_a_renewal(site, start, own, next_pair, version):
    start(with_control(site))
    context = unverified_context()
    context.maximum_version = version
    is_reused, session = resumed(site, context, None)
    assert not is_reused
    put_pair(next_pair, own)
    wait_shown(site, next_pair)
    is_reused, session = resumed(site, context, session)
    assert is_reused


def test_a_file_that_is_gone_is_waited_for(site, start, own, certificate,
                                           next_pair):
    server = start(with_control(site))
    own.chain.unlink()
    wait_said(server, f"certificate {own.chain} is gone")
    assert shown(site) == der(certificate)
    put_file(next_pair.key, own.key)
    put_file(next_pair.chain, own.chain)
    wait_shown(site, next_pair)
    assert server.stderr().count("is gone") == 1


LISTED = """\
lists: {{away: {{file: "{path}"}}}}
policy:
  mail:
    - rule: away
      when: {{mail.from: "@away"}}
      reject: "550 5.7.1 You are away"
"""


@pytest.fixture
def away(site):
    path = site.folder / "away.txt"
    put_text("# nobody\n", path)
    return path


def refuses(site):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        return dialogue.say("MAIL FROM:<bob@example.com>").code == 550


def test_a_list_is_taken_up_without_a_word(site, start, away):
    server = start(with_control(site, LISTED.format(path=away)))
    assert not refuses(site)
    put_text("bob@example.com\n", away)
    wait_for(lambda: refuses(site), "the new list")
    [event] = server.log.wait_events("config", 1)
    assert (event["by"], event["file"]) == ("file", str(away))
    assert event["policy"] != event["before"]
    assert f"list {away} has changed; renewed: list {away}; policy sha256:" \
        in server.stderr()


def test_a_list_goes_live_under_the_yaml_that_was_taken_up(site, start, away):
    """An editor is half through with the configuration."""
    server = start(with_control(site, LISTED.format(path=away)))
    whole = server.config.read_text(encoding="utf-8")
    server.config.write_text(whole.replace("You are", "He is") + "tests: [\n",
                             encoding="utf-8")
    put_text("bob@example.com\n", away)
    wait_for(lambda: refuses(site), "the new list")
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert "You are away" in dialogue.expect(
            550, "MAIL FROM:<bob@example.com>").text
    assert run_once("reload", "-c", server.config).returncode == 1
    server.config.write_text(whole.replace("You are", "He is"),
                             encoding="utf-8")
    assert run_once("reload", "-c", server.config).returncode == 0
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        assert "He is away" in dialogue.expect(
            550, "MAIL FROM:<bob@example.com>").text


def test_a_list_that_fails_the_policys_tests_does_not_go_live(site, start,
                                                              away):
    server = start(with_control(site, LISTED.format(path=away) + """\
tests:
  - name: bob writes
    given: {mail.from: bob@example.com}
    expect: {reply: 250}
"""))
    put_text("bob@example.com\n", away)
    wait_said(server, "the entries that were there before are kept")
    assert "bob writes" in server.stderr()
    assert not refuses(site)
    [event] = server.log.wait_events("config", 1)
    assert (event["by"], event["verdict"]) == ("file", "reject")
    put_text("eve@example.com\n", away)
    wait_said(server, f"list {away} has changed; renewed")


def test_a_file_that_is_only_touched_is_no_news(site, start, away, own):
    server = start(with_control(site, LISTED.format(path=away)))
    put_text("# nobody\n", away)
    put_file(own.chain, own.chain.with_suffix(".copy"))
    os.replace(own.chain.with_suffix(".copy"), own.chain)
    put_text("bob@example.com\n", away)
    wait_for(lambda: refuses(site), "the new list")
    [event] = server.log.wait_events("config", 1)
    assert event["renewed"] == f"list {away}"
