"""A real Exim as the upstream, from build/peers, as the tester. What it
accepts it delivers onward, to the port it is given.

Its paths are parameters; the user that it wants to run as exists in a
preloaded library alone (tests/support/private_root.c).
"""

from peer_program import PeerProgram

# Delivered at once, without a fresh program for it; the fields and lines that
# Exim would take out or refuse stay.
CONFIG = """\
exim_path = {root}/usr/sbin/exim4
keep_environment = LD_PRELOAD : LD_LIBRARY_PATH : PEER_ROOT
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
notifier_socket =
deliver_drop_privilege
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
primary_hostname = exim.example
host_lookup =
tls_advertise_hosts =
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
allow_domain_literals
no_return_path_remove
no_delivery_date_remove
no_envelope_to_remove
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
dsn_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  deny recipients = refused@example.net
  accept

begin routers
onward:
  driver = manualroute
  domains = *
  route_list = * 127.0.0.1 byname
  self = send
  transport = onward

begin transports
onward:
  driver = smtp
  port = {onward}
  max_rcpt = 0
  message_linelength_limit = 1000000
"""


class Exim(PeerProgram):
    PACKAGE = "exim4-daemon-light"
    PRELOADED = ["single_user", "private_root"]
    LOGS = ["stderr", "log/mainlog", "log/rejectlog", "log/paniclog"]

    def __init__(self, folder, onward):
        super().__init__(folder)
        self.onward = onward

    def start(self):
        for name in ("log", "spool"):
            (self.folder / name).mkdir()
        config = self.folder / "exim.conf"
        config.write_text(CONFIG.format(
            root=self.root, folder=self.folder, port=self.port,
            onward=self.onward), encoding="utf-8")
        config.chmod(0o644)
        self.run([self.root / "usr/sbin/exim4", "-C", config, "-bdf"],
                 self.environment())

    def is_idle(self):
        """Nothing waits for delivery."""
        return not self.holds_files("spool/input")
