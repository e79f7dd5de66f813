"""A real Postfix as the upstream, from build/peers, as the tester.

It needs neither root nor a namespace nor users of its own: every path is a
parameter, and a preloaded library (tests/support/single_user.c) lets its
programs believe that they start as root and change identity. The owner of
its queue must be somebody other than root with a name of its own, so the
tester's or, when root tests, `daemon`; nobody ever becomes that user.
Everything it accepts lands in one Maildir, or goes onward to a port.
"""

import os
import pathlib
import pwd
import signal

from peer_program import PeerProgram

QUEUE_FOLDERS = {
    "active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700,
    "deferred": 0o700, "flush": 0o700, "hold": 0o700, "incoming": 0o700,
    "private": 0o700, "saved": 0o700, "trace": 0o700, "public": 0o710,
    "maildrop": 0o730, "pid": 0o755,
}

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
meta_directory = {root}/usr/share/postfix
shlib_directory = {root}/usr/lib/postfix
mail_owner = {owner}
setgid_group = {group}
default_privs = {nobody}
import_environment = MAIL_CONFIG LD_PRELOAD LD_LIBRARY_PATH TZ LANG=C
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{
    refused@example.net=REJECT }}
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {chain}
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
smtpd_authorized_xclient_hosts = {xclient_hosts}
smtpd_discard_ehlo_keywords = {hidden}
smtpd_upstream_proxy_protocol = {proxy_protocol}
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


# Instead of the Maildir, everything goes to one port, its lines uncut and its
# header as it is.
ONWARD_CF = """\
virtual_mailbox_domains =
default_transport = smtp:[127.0.0.1]:{port}
smtp_line_length_limit = 0
smtp_destination_recipient_limit = 1000
local_header_rewrite_clients =
message_drop_headers =
"""


class Postfix(PeerProgram):
    PACKAGE = "postfix"
    LOGS = ["stderr", "log"]

    def __init__(self, folder, certificate, xclient_hosts="", hidden="",
                 onward=None, proxy_protocol="", more="", services=""):
        super().__init__(folder)
        self.xclient_hosts = xclient_hosts
        self.hidden = hidden  # keywords that EHLO leaves out
        self.proxy_protocol = proxy_protocol  # "haproxy": headers come
        self.onward = onward  # a port that all it accepts goes to
        self.more = more  # lines of main.cf
        self.services = services  # lines of master.cf
        self.maildir = folder / "mail" / "all"
        self.certificate = certificate

    def identities(self):
        user = "daemon" if os.getuid() == 0 else \
            pwd.getpwuid(os.getuid()).pw_name
        owner = pwd.getpwnam(user)
        nobody = "bin" if user == "nobody" else "nobody"
        taken = (0, owner.pw_gid, pwd.getpwnam(nobody).pw_gid)
        group = next(name.pw_name for name in pwd.getpwall()
                     if name.pw_name in ("mail", "news", "uucp")
                     and name.pw_gid not in taken)
        return {"owner": user, "uid": owner.pw_uid, "group": group,
                "nobody": nobody}

    def write(self):
        spool = self.folder / "spool"
        for folder in (self.folder / "etc", self.folder / "data",
                       self.folder / "mail", spool):
            folder.mkdir(parents=True)
        for name, mode in QUEUE_FOLDERS.items():
            (spool / name).mkdir()
            (spool / name).chmod(mode)
        main_cf = MAIN_CF.format(
            folder=self.folder, root=self.root, chain=self.certificate.chain,
            key=self.certificate.key, xclient_hosts=self.xclient_hosts,
            hidden=self.hidden, proxy_protocol=self.proxy_protocol,
            **self.identities())
        if self.onward:
            main_cf += ONWARD_CF.format(port=self.onward)
        main_cf += self.more
        (self.folder / "etc" / "main.cf").write_text(main_cf,
                                                     encoding="utf-8")
        (self.folder / "etc" / "master.cf").write_text(
            MASTER_CF.format(port=self.port) + self.services,
            encoding="utf-8")

    def start(self):
        self.write()
        self.launch()

    def launch(self):
        environment = self.environment()
        environment["LD_LIBRARY_PATH"] += f":{self.root}/usr/lib/postfix"
        environment["MAIL_CONFIG"] = str(self.folder / "etc")
        self.run([self.root / "usr/lib/postfix/sbin/master",
                  "-c", self.folder / "etc", "-d"], environment)

    def kill(self):
        """All its processes at once, as when the machine dies."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_some(self, name):
        """Those of its processes that run that program."""
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = status.read_text().split(" (", 1)
                program, rest = rest.rsplit(") ", 1)
                is_ours = rest.split()[2] == str(self.process.pid)
                if is_ours and program == name:
                    os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended meanwhile

    def held(self):
        """The queue files that are whole: those may be executed."""
        return [path for path in (self.folder / "spool" / "hold").rglob("*")
                if path.is_file() and path.stat().st_mode & 0o100]

    def is_idle(self):
        """Nothing waits for delivery."""
        return not self.holds_files("spool/incoming", "spool/active",
                                    "spool/deferred")
