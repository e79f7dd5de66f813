"""Real MTAs that deliver all they accept onward, to one port."""

from peer_exim import Exim
from peer_opensmtpd import Opensmtpd
from peer_postfix import Postfix

MTAS = {
    "postfix": lambda folder, certificate, onward: Postfix(
        folder, certificate, onward=onward),
    "exim": lambda folder, _certificate, onward: Exim(folder, onward),
    "opensmtpd": lambda folder, _certificate, onward: Opensmtpd(
        folder, onward),
}
