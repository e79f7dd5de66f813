"""What reads the network holds little: no privilege, no key, few files. That it
is stopped when it wants more is tested by tests/unit/proxy/confine."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest

import certificates
import memory_search
import places
from dialogue import Dialogue, logged_in
from maildir import maildir_messages
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for

is_root = pytest.mark.skipif(os.geteuid() != 0,
                             reason="only root can become another user")
NOBODY = pwd.getpwnam("nobody")


def send(site, name):
    with logged_in(site, "bob", PASSWORDS["bob"]) as dialogue:
        dialogue.expect(250, "MAIL FROM:<bob@example.com>")
        dialogue.expect(250, "RCPT TO:<a@example.net>")
        dialogue.expect(354, "DATA")
        dialogue.send(make_message("bob@example.com", "a@example.net", name)
                      .replace(b"\r\n.", b"\r\n..") + b".\r\n")
        dialogue.expect(250)


def text_of(site, more=""):
    return (site.head(site.to_maildir())
            + f'control: "{site.folder}/control"\nworkers: 2\n' + more)


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return dict(re.findall(r"^(\w+):\s*(.*)$", lines, re.M))


def test_the_worker_process_is_confined(site, start):
    server = start(text_of(site))
    send(site, "confined")
    status = status_of(server.worker_pid)
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
        assert int(status[kind], 16) == 0, kind
    threads = [status_of(task.name) for task in pathlib.Path(
        f"/proc/{server.worker_pid}/task").iterdir()]
    assert len(threads) > 3
    assert {thread["Seccomp"] for thread in threads} == {"2"}
    said = server.stderr()
    assert re.search(r"confined: .*seccomp, Landlock ABI \d+; "
                     r"patterns are compiled \(JIT on\)", said), said


def test_it_may_be_switched_off_with_a_word(site, start):
    server = start(text_of(site, "confine: false\n"))
    assert status_of(server.worker_pid)["Seccomp"] == "0"
    assert re.search(r"warning .*confine", server.stderr())


@pytest.fixture
def open_folder():
    """Its parents may be entered by anybody, unlike those of tmp_path."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@is_root
def test_it_is_another_user_from_the_start(site, start, open_folder):
    """Whose files are the mail, the logs and the budgets; while what is secret
    stays root's alone."""
    shared = open_folder / "shared"
    shared.mkdir()
    os.chown(shared, NOBODY.pw_uid, NOBODY.pw_gid)
    site.log = shared / "decisions.jsonl"
    site.state = shared / "state" / "limits"
    site.maildir = shared / "mail"
    key = pathlib.Path(site.certificate.key)
    assert stat.S_IMODE(key.stat().st_mode) & 0o077 == 0
    text = text_of(site, "user: nobody\n").replace(
        "log: {", f'log: {{server: "{shared}/server.log", ')
    server = start(text)
    status = status_of(server.worker_pid)
    assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert status_of(server.process.pid)["Uid"].split()[0] == "0"
    send(site, "as nobody")
    for path in (site.log, site.state, shared / "server.log",
                 *(site.maildir / "new").iterdir()):
        assert path.stat().st_uid == NOBODY.pw_uid, path
    # Over a rotation, a reload and an upgrade.
    (shared / "server.log").rename(shared / "server.log.1")
    site.log.rename(shared / "decisions.jsonl.1")
    server.process.send_signal(signal.SIGHUP)
    wait_for((shared / "server.log").exists, "the new log")
    assert run_once("upgrade", "-c", server.config, seconds=60).returncode == 0
    send(site, "as nobody again")
    wait_for(site.log.exists, "the new decision log")
    assert (shared / "server.log").stat().st_uid == NOBODY.pw_uid
    assert len(maildir_messages(site.maildir)) == 2


@is_root
def test_a_folder_that_the_user_may_not_write_to_is_told(site, open_folder):
    config = site.folder / "postern.yaml"
    site.maildir = open_folder / "mail"
    site.maildir.mkdir(mode=0o700)
    config.write_text(text_of(site, "user: nobody\n"), encoding="utf-8")
    done = run_once("run", "-c", config)
    assert done.returncode == 78
    assert re.search(r"user nobody may not write there: `chown -R nobody ",
                     done.stderr), done.stderr


def test_a_user_that_does_not_exist_is_told(site):
    config = site.folder / "postern.yaml"
    config.write_text(text_of(site, "user: nobody-at-all\n"),
                      encoding="utf-8")
    done = run_once("run", "-c", config)
    if os.geteuid() == 0:
        assert done.returncode == 78
        assert "nobody-at-all" in done.stderr


# --- keys ---

def isolated(site, more=""):
    return text_of(site, more).replace(
        "tls:\n  certificates:", "tls:\n  key_isolation: true\n  certificates:")


def forms_of(certificate):
    """The private key as text lies in its file; and its number, as libraries
    keep it in either order of octets."""
    lines = pathlib.Path(certificate.key).read_text("ascii").splitlines()
    said = subprocess.run(
        ["openssl", "pkey", "-in", certificate.key, "-noout", "-text"],
        capture_output=True, check=True, text=True).stdout
    digits = re.search(r"priv:\s+([0-9a-f:\s]+?)\s*pub", said)[1]
    number = bytes.fromhex(re.sub(r"[:\s]", "", digits))[-32:]
    return ["".join(lines[1:-1])[20:80].encode(), number, number[::-1]]


def shown(site):
    with Dialogue(site.implicit, tls=True) as dialogue:
        dialogue.expect(220)
        return dialogue.socket.getpeercert(binary_form=True)


def test_what_reads_the_network_has_no_key(site, start):
    server = start(isolated(site))
    send(site, "signed elsewhere")
    wanted = forms_of(site.certificate)
    assert not memory_search.find_octets(server.worker_pid, wanted)
    assert memory_search.find_octets(server.process.pid, wanted)


def test_without_isolation_it_would_be_found(site, start):
    """Without this, finding nothing is nothing."""
    server = start(text_of(site))
    send(site, "signed here")
    assert memory_search.find_octets(server.worker_pid,
                                     forms_of(site.certificate))


def test_isolated_keys_go_on_over_reload_and_upgrade(
        site, start, tmp_path_factory):
    server = start(isolated(site))
    before = shown(site)
    with Dialogue(site.implicit) as half_open:  # no handshake yet
        assert run_once("upgrade", "-c", server.config,
                        seconds=60).returncode == 0
        half_open.wrap()  # in the old process, signed by the new supervisor
        half_open.expect(220)
    assert shown(site) == before
    other = certificates.make_certificate(tmp_path_factory.mktemp("other"))
    for name in ("key", "chain"):
        pathlib.Path(getattr(site.certificate, name)).write_bytes(
            pathlib.Path(getattr(other, name)).read_bytes())
    done = run_once("reload", "-c", server.config)
    assert done.returncode == 0, done.stderr
    assert shown(site) != before
    send(site, "by the new key")
    server.kill_worker()
    send(site, "in a new process")


# --- crashes ---

def test_a_crash_says_where_it_was(site, start):
    server = start(text_of(site), binary=places.release_program())
    server.kill_worker(signal.SIGSEGV)
    send(site, "after")
    said = server.stderr()
    assert re.search(r"worker \d+ .*SIGSEGV", said), said
    assert re.search(r"^.*postern\(\+0x[0-9a-f]+\)", said, re.M), said
