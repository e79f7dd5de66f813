"""A real ClickHouse from build/peers, with a folder and ports of its own."""

import subprocess
import urllib.error
import urllib.request

import places
import ports
from waiting import wait_for

CONFIG = """\
<yandex>
  <logger><level>warning</level><log>{folder}/log</log>
    <errorlog>{folder}/errors</errorlog></logger>
  <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>
  <listen_host>127.0.0.1</listen_host>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <timezone>{timezone}</timezone>
</yandex>
"""
USERS = """\
<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users><default><password></password>
    <networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota></default></users>
</yandex>
"""


class ClickHouse:
    """Use it with `with`."""

    def __init__(self, folder, timezone="UTC"):
        self.folder = folder
        self.tree = places.peer("clickhouse-server")
        self.http, self.tcp = ports.free_port(), ports.free_port()
        (folder / "config.xml").write_text(CONFIG.format(
            folder=folder, http=self.http, tcp=self.tcp, timezone=timezone))
        (folder / "users.xml").write_text(USERS)
        libraries = [*self.tree.glob("usr/lib/*-linux-gnu"),
                     *self.tree.glob("lib/*-linux-gnu")]
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        self.process = None

    def __enter__(self):
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                [self.tree / "usr/sbin/clickhouse-server",
                 f"--config-file={self.folder}/config.xml"],
                cwd=self.folder, env=self.environment, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL)
        try:
            wait_for(self.answers, "ClickHouse", seconds=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(30)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "out").read_text()
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.http}/", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def client(self, *arguments, stdin):
        """What clickhouse-client prints."""
        done = subprocess.run(
            [self.tree / "usr/bin/clickhouse-client", "--host", "127.0.0.1",
             "--port", str(self.tcp), *arguments], input=stdin,
            env=self.environment, capture_output=True, text=True, timeout=60,
            check=False)
        assert done.returncode == 0, done
        return done.stdout
