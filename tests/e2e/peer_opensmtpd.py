"""A real OpenSMTPD as the upstream, from build/peers, as the tester. What it
accepts it delivers onward, to the port it is given.

Its paths and its users are compiled in, and it changes its root; a preloaded
library (tests/support/private_root.c) has all that happen in its folder.
"""

from peer_program import PeerProgram

# Without the pauses between connections: there is one destination.
CONFIG = """\
smtp max-message-size 100M
mta limit conn-delay-route 0
mta limit conn-delay-relay 0
mta limit reconn-delay-route 0
listen on 127.0.0.1 port {port} hostname opensmtpd.example
action "onward" relay host "smtp://127.0.0.1:{onward}" helo opensmtpd.example
match from any for rcpt-to "refused@example.net" reject
match from any for any action "onward"
"""


class Opensmtpd(PeerProgram):
    PACKAGE = "opensmtpd"
    PRELOADED = ["single_user", "private_root"]

    def __init__(self, folder, onward, config=None):
        """`config`: instead of the one above."""
        super().__init__(folder)
        self.onward = onward
        self.config = config or CONFIG.format(port=self.port, onward=onward)

    def start(self):
        for name in ("spool", "run", "lib/opensmtpd/empty"):
            (self.folder / "root/var" / name).mkdir(parents=True)
        # It asks for its own name and its client's; no test waits for a name
        # server.
        etc = self.folder / "root/etc"
        etc.mkdir()
        (etc / "mailname").write_text("opensmtpd.example\n")
        (etc / "resolv.conf").write_text("lookup file\n")
        config = self.folder / "smtpd.conf"
        config.write_text(self.config, encoding="utf-8")
        config.chmod(0o600)
        self.run([self.root / "usr/sbin/smtpd", "-d", "-f", config],
                 self.environment())

    def is_idle(self):
        """Nothing waits for delivery."""
        return not self.holds_files("root/var/spool/smtpd/queue")
