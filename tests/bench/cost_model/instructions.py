"""The profile of a load, by callgrind."""

import subprocess

from cost_model.callgrind import Profile
from cost_model.warm import STOP_SECONDS, VALGRIND, ToolFault, written

# callgrind takes a string instruction for as many as it moves octets; with
# these the C library does without, and goes by vectors.
BY_VECTORS = ("GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824:"
              "glibc.cpu.x86_rep_stosb_threshold=1073741824")


def profile_of(warm):
    """Switched on for the load alone."""
    path = warm.folder / "callgrind"
    prefix = f"--vgdb-prefix={warm.folder}/vgdb"
    with warm.running("env", BY_VECTORS, *VALGRIND, "--tool=callgrind",
                      prefix, "--instr-atstart=no", "--compress-strings=no",
                      "--compress-pos=no",
                      f"--callgrind-out-file={path}.%p") as (sink, postern):
        switch(prefix, postern, "on")
        warm.send(sink, postern, warm.load.messages)
        switch(prefix, postern, "off")
    profile = Profile(written(path, postern))
    if not profile.named("_int_malloc"):
        raise ToolFault("the C library's functions have no names: libc6-dbg "
                        "is not installed")
    return profile


def switch(prefix, postern, way):
    done = subprocess.run(
        ["callgrind_control", prefix, "-i", way, str(postern.worker_pid())],
        capture_output=True, text=True, check=False, timeout=STOP_SECONDS)
    if done.returncode != 0 or "OK" not in done.stdout:
        raise ToolFault(f"callgrind can't be switched {way}: "
                        f"{done.stdout}{done.stderr}".strip())
