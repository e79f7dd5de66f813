"""config/example.yaml as it ships, on ports and paths of this machine: what
it says of the site is replaced, its lists, policy and tests stay word for
word."""

import re

import places
import ports

SITE_SECTIONS = {"hostname", "listeners", "tls", "auth", "upstreams",
                 "upstream", "log"}


def sections():
    """The example's top-level keys and their text."""
    text = (places.ROOT / "config" / "example.yaml").read_text(
        encoding="utf-8")
    parts = re.split(r"^(?=[a-z_]+:)", text, flags=re.M)
    return {part.partition(":")[0]: part for part in parts[1:]}


class ExampleSite:
    """A site that has the listener `printers` as well."""

    def __init__(self, site):
        self.site = site
        self.printers = ports.free_port()

    def ports(self):
        return [self.site.starttls, self.site.implicit, self.printers]

    def text(self, upstream_port):
        site = self.site
        (site.folder / "disposable-domains.txt").write_text(
            "throwaway.example\n", encoding="utf-8")
        (site.folder / "quota.txt").write_text("bob 2000/h\n",
                                               encoding="utf-8")
        head = site.head(site.to_port(upstream_port))
        head = head.replace(
            "tls:\n", f'  printers: {{address: "127.0.0.1:{self.printers}", '
            "tls: none, auth: none, trusted: [127.0.0.0/8]}\ntls:\n", 1)
        # Who guesses wrong again and again waits; tests do not.
        head = head.replace("auth:\n", "auth:\n  delay: 0\n", 1)
        rest = "".join(text for key, text in sections().items()
                       if key not in SITE_SECTIONS)
        return head + re.sub(r"/etc/postern/", f"{site.folder}/", rest)
