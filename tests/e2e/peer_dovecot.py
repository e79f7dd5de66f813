"""A real Dovecot submission server as the upstream, from build/peers, as the
tester. It takes mail from those who log in alone, by each of its mechanisms,
and hands it on to a port.

Its paths are parameters, but for the folder of its modules
(tests/support/dovecot_tester.c).
"""

import base64
import hashlib
import hmac
import json
import time

from peer_program import PeerProgram

CONFIG = """\
protocols = submission
base_dir = {folder}/base
state_dir = {folder}/state
libexec_dir = {root}/usr/lib/dovecot
import_environment = LD_LIBRARY_PATH LD_PRELOAD PEER_TREE
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
default_process_limit = 30
log_path = {folder}/log
hostname = dovecot.example
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
first_valid_uid = 0
mail_location = maildir:{folder}/mail
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
  args = uid=daemon gid=daemon home={folder}/mail
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {onward}
service submission-login {{
  chroot =
  inet_listener submission {{
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

OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""

KEY = b"a key of thirty-two octets, or so"


def part(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def token(user, seconds=600):
    """A JSON Web Token that Dovecot takes, for so long."""
    now = int(time.time())
    signed = b".".join([
        part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()),
        part(json.dumps({"sub": user, "iat": now - 5,
                         "exp": now + seconds}).encode())])
    signature = hmac.new(KEY, signed, hashlib.sha256).digest()
    return (signed + b"." + part(signature)).decode()


class Dovecot(PeerProgram):
    PACKAGE = "dovecot-submissiond"
    PRELOADED = ["single_user", "dovecot_tester"]
    LOGS = ["stderr", "log"]

    def __init__(self, folder, certificate, onward, users,
                 mechanisms="plain login scram-sha-256 xoauth2 oauthbearer"):
        super().__init__(folder)
        self.certificate = certificate
        self.onward = onward
        self.users = users  # of names to passwords
        self.mechanisms = mechanisms

    def write(self):
        for name in ("base", "state", "mail"):
            (self.folder / name).mkdir()
        keys = self.folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(KEY))
        (self.folder / "users").write_text(
            "".join(f"{name}:{{PLAIN}}{password}\n"
                    for name, password in self.users.items()),
            encoding="utf-8")
        (self.folder / "oauth2.conf").write_text(
            OAUTH2.format(folder=self.folder), encoding="utf-8")
        (self.folder / "dovecot.conf").write_text(
            CONFIG.format(folder=self.folder, root=self.root, port=self.port,
                          onward=self.onward, mechanisms=self.mechanisms,
                          chain=self.certificate.chain,
                          key=self.certificate.key), encoding="utf-8")

    def start(self):
        self.write()
        config = self.folder / "dovecot.conf"
        environment = self.environment()
        environment["PEER_TREE"] = str(self.root)
        for name in ("dovecot", "dovecot/modules", "dovecot/modules/old-stats"):
            environment["LD_LIBRARY_PATH"] += f":{self.root}/usr/lib/{name}"
        self.run([self.root / "usr/bin/doveconf", "-f", "service=master",
                  "-c", config, "-m", "master", "-p",
                  "-e", self.root / "usr/sbin/dovecot", "-F", "-c", config],
                 environment)
