"""Postfix with smtpd_proxy_filter: its smtpd checks each command and passes
the mail on before the queue. Logins by a Dovecot that serves nothing else,
which is counted too."""

import peer_postfix
from peer_dovecot_auth import DovecotAuth

from .endpoint import Endpoint
from .site import PASSWORD, USER

MORE_CF = """\
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {socket}
smtpd_tls_auth_only = yes
smtpd_timeout = 1200s
smtpd_per_request_deadline = no
smtpd_client_event_limit_exceptions = 127.0.0.0/8
default_process_limit = 6000
queue_minfree = 0
in_flow_delay = 0
"""

SMTPD = """\
127.0.0.1:{port} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_proxy_filter=127.0.0.1:{onward}
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=
"""


class Postfix(Endpoint, peer_postfix.Postfix):
    TITLE = "Postfix proxy filter"
    PACKAGES = [["postfix"], ["dovecot-submissiond"]]
    MOST_SESSIONS = 500  # a process each

    def __init__(self, site, _sink):
        self.logins = DovecotAuth(site.make("postfix-logins"),
                                  mechanisms="plain login")
        super().__init__(site.make("postfix"), site.certificate,
                         more=MORE_CF.format(socket=self.logins.socket))
        self.sink_port = site.sink_port

    def write(self):
        super().write()
        master = self.folder / "etc" / "master.cf"
        services = master.read_text(encoding="utf-8").split("\n", 1)[1]
        master.write_text(SMTPD.format(port=self.port, onward=self.sink_port)
                          + services, encoding="utf-8")

    def start(self):
        self.logins.add_user(USER, PASSWORD)
        self.logins.start()
        super().start()

    def stop(self):
        super().stop()
        self.logins.stop()
        self.logins.discard()

    def pids(self):
        return [self.process.pid, self.logins.process.pid]

    def version(self):
        said = self.asked(self.root / "usr/sbin/postconf", "-c",
                          self.folder / "etc", "-h", "mail_version",
                          libraries=self.root / "usr/lib/postfix")
        return said + ", " + self.tls()
