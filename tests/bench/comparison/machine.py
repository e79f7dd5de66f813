"""The machine that the figures are of."""

import os
import pathlib
import platform
import re
import subprocess

from comparison.stand import PEERS


def processor():
    found = re.search(r"^model name\s*: (.*)$",
                      pathlib.Path("/proc/cpuinfo").read_text(
                          encoding="utf-8"), re.M)
    return found[1] if found else platform.machine()


def memory_gib():
    text = pathlib.Path("/proc/meminfo").read_text(encoding="ascii")
    return int(re.search(r"MemTotal: +(\d+)", text)[1]) / (1 << 20)


def system():
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    return re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.M)[1]


def ticks():
    """Of all cores: those that the host kept, and all."""
    fields = pathlib.Path("/proc/stat").read_text(
        encoding="ascii").split("\n", 1)[0].split()[1:9]
    return int(fields[7]), sum(map(int, fields))


class Steal:
    """The share of its time that the machine did not get, since it was made.
    """

    def __init__(self):
        self.before = ticks()

    def percent(self):
        stolen, total = (now - before for now, before
                         in zip(ticks(), self.before))
        return 100 * stolen / max(total, 1)


def boringssl(build):
    """What the programs in that build folder use."""
    found = re.search(r"^BORINGSSL_ROOT:PATH=(.+)$",
                      (build / "CMakeCache.txt").read_text(encoding="utf-8"),
                      re.M)
    if found:
        return f"BoringSSL in {found[1]}"
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}",
                           "android-libboringssl-dev"],
                          capture_output=True, text=True, check=False)
    return f"BoringSSL, Debian's {said.stdout}"


def facts(stand, steal, options):
    """Pairs of a name and a text."""
    yield "machine", (f"{processor()}, {os.cpu_count()} cores, "
                      f"{memory_gib():.0f} GiB")
    yield "system", f"{system()}, Linux {platform.release()}"
    yield "steal", f"{steal.percent():.1f} % of the time that it took"
    yield "load before and after", (f"{options.load_before:.1f}, "
                                    f"{os.getloadavg()[0]:.1f}")
    yield "client, sink, Postern", boringssl(options.build)
    for name, endpoint in stand.endpoints.items():
        if name in PEERS and name != "direct":
            yield name, endpoint.version()
    yield "TLS", "1.3, X25519, one ECDSA P-256 certificate for all"
    yield "ACKs", ("client and sink never delay them"
                   if options.acks == "quick" else "as the kernel sends them")
    yield "rounds", f"{options.rounds}, about {options.seconds:g} s a run"
