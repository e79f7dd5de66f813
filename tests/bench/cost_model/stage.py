"""What benches that look into Postern have in common: their build, the tools,
a site of their own, and an end that leaves nothing behind."""

import contextlib
import pathlib
import signal
import subprocess
import sys
import tempfile

import certificates
import optimised_build
import ports
from cost_model.warm import ToolFault, require_tools
from peers.site import Site

BUILD = optimised_build.ROOT / "build/cost"
PROGRAMS = ["postern", "smtpload", "smtpsink", "smtpproc"]
DESCRIPTORS = 20000


def some_of(known):
    def read(name):
        if name not in known:
            raise ValueError
        return known[name]
    read.__name__ = "load"
    return read


@contextlib.contextmanager
def site(build, *more_programs):
    """With the programs of that folder, or else built into one of its own."""
    # Whatever ends it, what it started is ended by it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    require_tools()
    if build is None:
        build = BUILD
        optimised_build.build(*PROGRAMS, *more_programs, folder=BUILD,
                              settings=["-DCMAKE_C_FLAGS=-g"])
    with tempfile.TemporaryDirectory(prefix="cost-") as folder:
        folder = pathlib.Path(folder)
        yield Site(folder, build,
                   certificates.make_certificate(folder / "tls", "mail.test"),
                   ports.free_port(), ports.free_port(), DESCRIPTORS)


def run(bench, options):
    """The bench's exit code."""
    try:
        bench(options)
    except (ToolFault, subprocess.CalledProcessError) as fault:
        print(f"{pathlib.Path(sys.argv[0]).name}: {fault}", file=sys.stderr)
        return 1
    return 0
