"""Dovecot's submission server. Logins in its high-performance form, two
processes for all; the submission service as it comes, a process for each
session."""

import peer_dovecot

from .endpoint import Endpoint
from .site import PASSWORD

CONFIG = """\
protocols = submission
base_dir = {folder}/base
state_dir = {folder}/state
libexec_dir = {root}/usr/lib/dovecot
import_environment = LD_LIBRARY_PATH LD_PRELOAD PEER_TREE
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
default_process_limit = 8000
default_client_limit = {clients}
log_path = {folder}/log
hostname = mail.test
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
first_valid_uid = 0
mail_location = maildir:{folder}/mail
mail_max_userip_connections = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=daemon gid=daemon home={folder}/mail
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {onward}
submission_relay_trusted = no
submission_max_mail_size = 0
service submission-login {{
  chroot =
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  inet_listener submission {{
    port = 0
  }}
  inet_listener submissions {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
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


class Dovecot(Endpoint, peer_dovecot.Dovecot):
    TITLE = "Dovecot submission"
    PACKAGES = [["dovecot-submissiond"]]
    MOST_SESSIONS = 500  # a process each

    def __init__(self, site, _sink):
        super().__init__(site.make("dovecot"), site.certificate,
                         site.sink_port, users={})
        self.clients = site.descriptors // 2

    def write(self):
        for name in ("base", "state", "mail"):
            (self.folder / name).mkdir()
        (self.folder / "dovecot.conf").write_text(CONFIG.format(
            folder=self.folder, root=self.root, port=self.port,
            onward=self.onward, clients=self.clients, password=PASSWORD,
            chain=self.certificate.chain, key=self.certificate.key),
            encoding="utf-8")

    def version(self):
        said = self.asked(self.root / "usr/sbin/dovecot", "--version",
                          libraries=self.root / "usr/lib/dovecot")
        return said.split()[0] + ", " + self.tls()
