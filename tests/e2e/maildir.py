"""Messages that lie in a Maildir."""

from messages import crlf
from waiting import wait_for


def maildir_messages(folder):
    return [crlf(path.read_bytes()) for path in sorted(folder.glob("new/*"))]


def wait_message(folder, token):
    """The one message that holds the token."""
    def find():
        return [message for message in maildir_messages(folder)
                if token.encode() in message]
    found = wait_for(find, f"a message with {token} in {folder}")
    assert len(found) == 1
    return found[0]
