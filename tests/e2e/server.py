"""A running Postern: its configuration, its process, its end."""

import os
import re
import signal
import subprocess
import textwrap

import places
import ports
import processes
from decision_log import DecisionLog
from waiting import wait_for

# What a sanitizer, or an assertion of ours, prints.
FAULT = re.compile(
    r"(Sanitizer|runtime error:|Assertion .* failed|SUMMARY: )")

ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:"
                    "strict_string_checks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=99:suppressions="
                    f"{places.ROOT}/tests/support/thread_sanitizer.supp",
}


class Site:
    """A folder with all that one Postern needs, and its two ports."""

    def __init__(self, folder, certificate, users):
        self.folder = folder
        self.certificate = certificate
        self.users = users
        self.starttls = ports.free_port()
        self.implicit = ports.free_port()
        self.host = "127.0.0.1"
        self.log = folder / "decisions.jsonl"
        self.maildir = folder / "mail"
        self.state = folder / "limits"

    def head(self, upstream, host="127.0.0.1"):
        """Everything but a policy. `upstream` is the YAML of one."""
        return textwrap.dedent(f"""\
            hostname: mail.example.com
            listeners:
              submission: {{address: "{host}:{self.starttls}", tls: starttls}}
              submissions: {{address: "{host}:{self.implicit}", tls: implicit}}
            tls:
              certificates:
                - {{chain: "{self.certificate.chain}",
                    key: "{self.certificate.key}"}}
            auth:
              mechanisms: [PLAIN, LOGIN]
              backends:
                - {{users: "{self.users}"}}
            upstreams:
              main: {upstream}
            upstream: main
            log: {{decisions: "{self.log}"}}
            limits: {{state: "{self.state}"}}
            """)

    def to_port(self, port):
        return f'{{servers: ["127.0.0.1:{port}"], tls: {{mode: none}}}}'

    def to_maildir(self):
        return f'{{maildir: "{self.maildir}"}}'


class Postern:
    """One process of `postern run`. Made by the fixture `start`, which holds
    its end against the promises: exit 0 on SIGTERM, no sanitizer's word."""

    def __init__(self, site, text, binary=None, environment=None,
                 wanted_ports=None, descriptors=None, stdout=None, stderr=None,
                 closes_stdout=False):
        """`descriptors`: how many it may open; "SOFT:HARD", or both.
        `stdout`, `stderr`: others than the file of what it says."""
        self.site = site
        self.config = site.folder / "postern.yaml"
        self.config.write_text(text, encoding="utf-8")
        self.stderr_path = site.folder / "stderr"
        self.binary = binary or places.program()
        self.wanted_ports = wanted_ports or [site.starttls, site.implicit]
        self.log = DecisionLog(site.log)
        limit = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        shell = ["sh", "-c", 'exec "$@" >&-', "sh"] if closes_stdout else []
        with open(self.stderr_path, "ab") as said:
            self.process = subprocess.Popen(
                [*shell, *limit, self.binary, "run", "-c", self.config],
                stdin=subprocess.DEVNULL,
                stdout=said if stdout is None else stdout,
                stderr=said if stderr is None else stderr,
                env={**os.environ, **ENVIRONMENT, **(environment or {})})

    def is_alive(self):
        return self.process.poll() is None

    @property
    def worker_pid(self):
        """Of the worker process, while there is one."""
        [pid] = processes.workers_of(self.process.pid)
        return pid

    def wait_ready(self):
        ready = ports.wait_listening(self.wanted_ports, self.is_alive)
        assert ready, f"not listening: {self.stderr()}"

    def stderr(self):
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def terminate(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)

    def wait_serving(self):
        """Until the supervisor knows that its worker process serves: one that
        dies before ends it. Without a control socket it can't be asked."""
        wait_for(lambda: " ready: " in self.stderr(), "a server that is ready")
        if "control: " in self.config.read_text(encoding="utf-8"):
            wait_for(lambda: run_once("status", "-c", self.config).returncode
                     == 0, "a server that serves")

    def kill_worker(self, how=signal.SIGKILL):
        """The worker process alone; until it is gone. Its pid."""
        self.wait_serving()
        worker = self.worker_pid
        os.kill(worker, how)
        wait_for(lambda: not processes.is_worker(worker),
                 "the end of the worker process")
        return worker

    def kill(self):
        """As when the machine fails: all of it at once. A worker process that
        saw its supervisor go would bring things in order."""
        workers = processes.workers_of(self.process.pid)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        self.process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: all(map(processes.has_ended, workers)),
                 "the end of the worker processes")

    def wait_end(self, seconds=40):
        """The exit code, whatever it takes."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            return "killed: it did not end by itself"

    def check_end(self):
        code = self.wait_end()
        said = self.stderr()
        assert not FAULT.search(said), said
        assert code == 0, f"exit {code}: {said}"


def run_once(*arguments, stdin=None, seconds=30, environment=None,
             folder=None):
    """A subcommand that ends by itself; sanitizers must be silent."""
    done = subprocess.run(
        [places.program(), *map(str, arguments)], input=stdin, cwd=folder,
        capture_output=True, text=True, timeout=seconds, check=False,
        env={**os.environ, **ENVIRONMENT, **(environment or {})})
    assert not FAULT.search(done.stderr), done.stderr
    return done
