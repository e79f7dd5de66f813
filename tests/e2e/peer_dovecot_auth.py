"""A real Dovecot, from build/peers, of which only the authentication service
runs: users out of a file, OAuth 2 tokens, and a socket to ask it by. Who holds
the socket may ask for any user."""

import base64
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from peer_dovecot import KEY, OAUTH2
from peer_program import PeerProgram

CONFIG = """\
protocols =
base_dir = {folder}/base
state_dir = {folder}/state
libexec_dir = {root}/usr/lib/dovecot
import_environment = LD_LIBRARY_PATH LD_PRELOAD PEER_TREE
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
log_path = {folder}/log
auth_mechanisms = {mechanisms}
auth_failure_delay = {delay}
auth_verbose = yes
ssl = no
first_valid_uid = 0
# Who can't be asked about.
passdb {{
  driver = checkpassword
  mechanisms = plain
  username_filter = temporary*
  args = {folder}/fails
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid=daemon gid=daemon home={folder}
}}
service auth {{
  unix_listener {socket} {{
    mode = 0600
  }}
  # Told by that it is ready.
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class DovecotAuth(PeerProgram):
    PACKAGE = "dovecot-submissiond"
    PRELOADED = ["single_user", "dovecot_tester"]
    LOGS = ["stderr", "log"]

    def __init__(self, folder, mechanisms="plain xoauth2 oauthbearer",
                 delay="0"):
        super().__init__(folder)
        self.mechanisms = mechanisms
        self.delay = delay
        # A socket's path is short.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.socket = self.place / "auth"
        self.users = folder / "users"
        for name in ("base", "state"):
            (folder / name).mkdir()
        keys = folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(KEY))
        (folder / "oauth2.conf").write_text(OAUTH2.format(folder=folder),
                                            encoding="utf-8")
        self.users.write_text("", encoding="utf-8")
        fails = folder / "fails"
        fails.write_text("#!/bin/sh\nexit 111\n", encoding="utf-8")
        fails.chmod(0o700)

    def environment(self):
        environment = super().environment()
        environment["PEER_TREE"] = str(self.root)
        for name in ("dovecot", "dovecot/modules", "dovecot/modules/old-stats"):
            environment["LD_LIBRARY_PATH"] += f":{self.root}/usr/lib/{name}"
        return environment

    def write(self):
        (self.folder / "dovecot.conf").write_text(
            CONFIG.format(folder=self.folder, root=self.root, port=self.port,
                          socket=self.socket, mechanisms=self.mechanisms,
                          delay=self.delay),
            encoding="utf-8")

    def hashed(self, scheme, password):
        """{SCHEME}hash, by Dovecot's own program."""
        done = subprocess.run(
            [self.root / "usr/bin/doveadm", "-O", "pw", "-s", scheme, "-p",
             password], env=self.environment(), capture_output=True,
            text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def add_user(self, name, password, scheme="PLAIN", extra=""):
        """`extra`: fields of its answers, such as "addresses=a@b.example"."""
        with open(self.users, "a", encoding="utf-8") as users:
            users.write(f"{name}:{self.hashed(scheme, password)}::::::{extra}"
                        "\n")

    def start(self):
        self.write()
        config = self.folder / "dovecot.conf"
        self.run([self.root / "usr/bin/doveconf", "-f", "service=master",
                  "-c", config, "-m", "master", "-p",
                  "-e", self.root / "usr/sbin/dovecot", "-F", "-c", config],
                 self.environment())

    def freeze(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def discard(self):
        """Once it has been stopped."""
        shutil.rmtree(self.place, ignore_errors=True)
