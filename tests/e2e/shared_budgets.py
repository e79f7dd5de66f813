"""Several Posterns whose budgets are in one Redis."""

import textwrap

from dialogue import logged_in
from messages import make_message
from server import Site
from users import PASSWORDS

RECIPIENTS = 6

POLICY = """\
control: "{site.folder}/control"
lists:
  contained: {{dynamic: true}}
policy:
  auth:
    - rule: contained logins
      when: {{auth.user: "@contained"}}
      reject: "525 5.7.13 Sending is suspended for {{auth.user}}"
  rcpt:
    - rule: recipients a day
      limit: {{recipients: {recipients}/d, by: "{{auth.user}}"}}
      defer: "450 4.7.1 {{auth.user}} has had {{limit.max}}"
  reply:
    - rule: contain a login that bounces
      limit: {{rejects: 2/d, by: "{{auth.user}}"}}
      list: {{add: {{contained: "{{auth.user}}"}}, for: 12h}}
"""


def neighbour(site, name):
    """Another machine's Postern, with the same users."""
    folder = site.folder / name
    folder.mkdir()
    return Site(folder, site.certificate, site.users)


def text_of(site, redis, upstream, on_failure=None, recipients=RECIPIENTS,
            more=""):
    head = site.head(upstream)
    store = f'limits: {{state: "{site.state}", store: "{redis.url}"'
    if on_failure:
        store += f", on_store_failure: {on_failure}"
    plain = f'limits: {{state: "{site.state}"}}'
    assert plain in head
    return (head.replace(plain, store + "}")
            + POLICY.format(site=site, recipients=recipients)
            + textwrap.dedent(more))


def send(site, token, user="bob", count=1):
    """A mail to so many recipients; the codes of the RCPTs, and of the
    message, if there was one."""
    sender = f"{user}@example.com"
    with logged_in(site, user, PASSWORDS[user]) as client:
        client.expect(250, f"MAIL FROM:<{sender}>")
        codes = [client.say(f"RCPT TO:<{token}-{n}@example.net>").code
                 for n in range(count)]
        code = None
        if 250 in codes:
            code = client.message(
                make_message(sender, f"{token}@example.net", token)).code
        client.expect(221, "QUIT")
    return codes, code
