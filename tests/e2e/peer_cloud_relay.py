"""A relay as the cloud sells it, on aiosmtpd: a login over TLS, verified senders,
a rate, and few recipients a message, refused in the words of Amazon's SES. It
has a clock of its own, which a test moves."""

from email.utils import parseaddr

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import ports


class Account:
    """One customer's. It counts what it refuses, and why."""

    MOST_RECIPIENTS = 50

    def __init__(self, user, password, domains, rate):
        self.login = (user.encode(), password.encode())
        self.domains = domains
        self.rate = rate  # messages a second
        self.second = 0
        self.used = 0
        self.delivered = []
        self.refused = []

    def let_a_second_pass(self):
        self.second += 1
        self.used = 0

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        is_right = (data.login, data.password) == self.login
        if not is_right:
            self.refused.append("login")
        return AuthResult(success=is_right, handled=False)

    def is_verified(self, address):
        return address.rpartition("@")[2] in self.domains

    def refuse(self, why, reply):
        self.refused.append(why)
        return reply

    async def handle_RCPT(self, _server, _session, envelope, address,
                          _options):
        if len(envelope.rcpt_tos) >= self.MOST_RECIPIENTS:
            return self.refuse("recipients", "452 Too many recipients")
        envelope.rcpt_tos.append(address)
        return "250 Ok"

    async def handle_DATA(self, _server, _session, envelope):
        fields = envelope.content.partition(b"\r\n\r\n")[0].decode()
        author = next(line for line in fields.split("\r\n")
                      if line.lower().startswith("from:"))
        author = parseaddr(author.partition(":")[2])[1]
        for address in (envelope.mail_from, author):
            if not self.is_verified(address):
                return self.refuse(
                    "sender", "554 Message rejected: Email address is not "
                    "verified. The following identities failed the check in "
                    f"region EU-WEST-1: {address}")
        self.used += 1
        if self.used > self.rate:
            return self.refuse("rate", "454 Throttling failure: Maximum "
                                       "sending rate exceeded.")
        self.delivered.append(envelope)
        return f"250 Ok 0102{len(self.delivered):012x}-000000"


class CloudRelay(Controller):
    def __init__(self, account, context):
        self.account = account
        self.context = context
        super().__init__(account, hostname="127.0.0.1", port=ports.free_port())

    def factory(self):
        return SMTP(self.account, hostname="email-smtp.example",
                    data_size_limit=40 << 20, loop=self.loop,
                    tls_context=self.context, require_starttls=True,
                    auth_required=True, auth_require_tls=True,
                    authenticator=self.account.authenticate)
