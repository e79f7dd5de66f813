"""What real shells offer at the TAB key for a command line that ends in it."""

import os
import pty
import re
import select
import subprocess
import time

import places

COMPLETIONS = places.ROOT / "contrib" / "completions"

# The words of the line are those that bash would split it into.
BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { :; }
_postern
printf '%s\\n' "${COMPREPLY[@]}"
"""


def environment(folder):
    """The program under test is the `postern` of the path."""
    programs = folder / "bin"
    if not programs.exists():
        programs.mkdir()
        (programs / "postern").symlink_to(places.program())
    return {"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder), "XDG_DATA_HOME": str(folder / "share"),
            "XDG_CONFIG_HOME": str(folder / "config"), "LANG": "C.UTF-8",
            "TERM": "dumb", "ASAN_OPTIONS": "detect_leaks=0"}


def run(folder, command):
    done = subprocess.run(command, env=environment(folder), cwd=folder,
                          capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0 and not done.stderr, done
    return [line for line in done.stdout.splitlines() if line]


def bash(folder, line):
    return run(folder, ["bash", "--norc", "-c", BASH, "bash",
                        COMPLETIONS / "postern.bash", *line.split(" ")])


def fish(folder, line):
    """Each with what fish shows beside it cut off."""
    offered = run(folder, [
        "fish", "--no-config", "-c",
        f'source {COMPLETIONS / "postern.fish"}; complete -C "{line}"'])
    return [text.partition("\t")[0] for text in offered]


# Completion runs in its line editor only. What it would show is taken where it
# is handed over, and printed between marks.
ZSH = """
PS1= PS2= RPS1=
unsetopt zle_bracketed_paste 2>/dev/null
fpath=({completions} $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {{
    local -a offered
    builtin compadd -O offered "$@"
    local word
    for word in "${{offered[@]}}"; do
        print -r -- "<$word>"
    done >>{answer}
    builtin compadd "$@"
}}
tell() {{
    zle list-choices
    print done >>{answer}
}}
zle -N tell
bindkey '^I' tell
print ready >>{answer}
"""


def zsh(folder, line):
    answer = folder / "answer"
    answer.write_text("")
    setup = folder / "setup.zsh"
    setup.write_text(ZSH.format(completions=COMPLETIONS, answer=answer))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["zsh", "-f", "-i"], env=environment(folder), cwd=folder, stdin=slave,
        stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        os.write(master, f"source {setup}\n".encode())
        drain_until(master, lambda: "ready" in answer.read_text())
        os.write(master, f"{line}\t".encode())
        drain_until(master, lambda: "done" in answer.read_text())
    finally:
        process.kill()
        process.wait(10)
        os.close(master)
    return re.findall(r"^<(.*)>$", answer.read_text(), re.M)


def drain_until(master, is_there, seconds=60):
    end = time.monotonic() + seconds
    said = b""
    while not is_there():
        assert time.monotonic() < end, said.decode("utf-8", "replace")
        readable, _, _ = select.select([master], [], [], 0.02)
        if readable:
            said += os.read(master, 65536)


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
