"""aiosmtpd as the upstream: keeps what it was given."""

import dataclasses

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

import ports
from waiting import wait_for


@dataclasses.dataclass
class Delivered:
    sender: str
    recipients: list
    content: bytes


class Keeper:
    def __init__(self):
        self.delivered = []
        self.refuse = lambda _recipient: None

    async def handle_RCPT(self, _server, _session, envelope, address,
                          _options):
        refusal = self.refuse(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server, _session, envelope):
        self.delivered.append(Delivered(
            envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return f"250 2.0.0 Ok: queued as A{len(self.delivered)}"


class Aiosmtpd(Controller):
    """Started by its fixture."""

    def __init__(self):
        self.keeper = Keeper()
        super().__init__(self.keeper, hostname="127.0.0.1",
                         port=ports.free_port())

    def factory(self):
        return SMTP(self.keeper, hostname="sink.example",
                    data_size_limit=100 << 20, loop=self.loop)

    @property
    def delivered(self):
        return self.keeper.delivered

    def wait_delivered(self, count):
        wait_for(lambda: len(self.delivered) >= count,
                 f"{count} messages at aiosmtpd")
        assert len(self.delivered) == count
        return self.delivered
