"""The recipes of contrib/recipes, tried: the texts in them, as they stand there
but for the ports, configure a real MTA and Postern in front of it."""

import contextlib
import re
import smtplib
import ssl

import pytest

import ports
import recipes
from dialogue import Closed, Dialogue
from maildir import wait_message
from messages import body_hash, header_of, make_message
from peer_cloud_relay import Account, CloudRelay
from peer_exim import DebianExim
from peer_haproxy import Haproxy
from peer_opensmtpd import Opensmtpd
from peer_postfix import Postfix
from peer_redis import Redis
from peer_sink import Sink
from server import Postern, Site, run_once
from told_client import log_in, received_by
from users import PASSWORDS
from waiting import wait_for

POSTERN = "/etc/postern/postern.yaml"
# What Postern takes by default, which each recipe lets through.
LARGEST = 50 << 20
WIDE_HEADER = b"X-Wide: " + b"\r\n ".join([b"w" * 900] * 240) + b"\r\n"


@contextlib.contextmanager
def running(peer, *further_ports):
    try:
        peer.start()
        ready = ports.wait_listening(
            further_ports, lambda: peer.process.poll() is None)
        assert ready, peer.log()
        yield peer
    finally:
        peer.stop()


def submit(client, token, sender="bob@example.com", extra=b"",
           recipient="a@example.net"):
    """The last answer, and the message."""
    client.expect(250, f"MAIL FROM:<{sender}>")
    client.expect(250, f"RCPT TO:<{recipient}>")
    message = make_message(sender, recipient, token, extra)
    return client.message(message), message


def offered_size(client):
    [size] = [line.split()[1] for line in client.hello().lines
              if line.startswith("SIZE ")]
    return int(size)


def direct(port, source="127.0.0.1"):
    """A session with the MTA that does not come by Postern."""
    client = Dialogue(port, source=source, seconds=5)
    client.expect(220)
    return client


def refuses_to_relay(port, source="127.0.0.1"):
    with direct(port, source) as client:
        client.hello()
        codes = [client.say("MAIL FROM:<bob@example.com>").code,
                 client.say("RCPT TO:<a@example.net>").code]
    return 500 <= codes[-1] < 560


class TestPostfix:
    @pytest.fixture(scope="class")
    def recipe(self):
        return recipes.read("postfix.md")

    @pytest.fixture(scope="class")
    def door(self):
        return ports.free_port()

    @pytest.fixture(scope="class")
    def mta(self, tmp_path_factory, certificate, recipe, door):
        master_cf = recipes.at_port(recipe["/etc/postfix/master.cf"], door)
        peer = Postfix(tmp_path_factory.mktemp("postfix"), certificate,
                       more=recipe["/etc/postfix/main.cf"],
                       services=master_cf)
        with running(peer, door):
            yield peer

    @pytest.fixture
    def server(self, site, start, recipe, mta, door):
        return start(recipes.configuration(
            site, recipes.at_port(recipe[POSTERN], door)))

    def test_it_sees_the_client_and_the_login(self, site, server, mta):
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            assert offered_size(client) == LARGEST
            reply, message = submit(client, "recipe-postfix",
                                    extra=WIDE_HEADER)
            assert reply.code == 250, reply
        assert "from laptop.example.com (" in received_by(mta, "recipe-postfix")
        arrived = wait_message(mta.maildir, "recipe-postfix")
        assert body_hash(arrived) == body_hash(message)
        # Of a field as wide as this Postfix by itself throws a part away.
        [wide] = [field for field in header_of(arrived)
                  if field.startswith("X-Wide:")]
        assert wide.count("w") == WIDE_HEADER.count(b"w")
        seen = re.findall(r"client=\S*\[(\S+)\], sasl_method=\w+, "
                          r"sasl_username=(\w+)", mta.log())
        assert ("127.0.0.7", "bob") in seen, mta.log()

    @pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.9"])
    def test_without_postern_nothing_is_relayed(self, mta, door, source):
        assert refuses_to_relay(door, source), mta.log()

    def test_nobody_else_may_name_a_client(self, mta, door):
        with direct(door, "127.0.0.9") as client:
            assert not any(line.startswith("XCLIENT")
                           for line in client.hello().lines)
            reply = client.say("XCLIENT ADDR=192.0.2.1 LOGIN=bob")
        assert reply.code >= 500, reply


class TestExim:
    @pytest.fixture(scope="class")
    def recipe(self):
        return recipes.read("exim.md")

    @pytest.fixture(scope="class")
    def sink(self):
        with Sink() as last:
            yield last

    @pytest.fixture(scope="class")
    def mta(self, tmp_path_factory, recipe, sink):
        folder = tmp_path_factory.mktemp("exim")
        peer = DebianExim(folder, sink.port, "",
                          recipe["/etc/exim4/exim4.conf.localmacros"])
        peer.answers = recipes.at_port(
            recipe["/etc/exim4/update-exim4.conf.conf"], peer.port)
        with running(peer):
            yield peer

    @pytest.fixture
    def server(self, site, start, recipe, mta):
        return start(recipes.configuration(
            site, recipes.at_port(recipe[POSTERN], mta.port))
            + "workers: 1\n")

    def test_every_mail_of_a_session_goes_on_at_once(self, site, server, mta,
                                                     sink):
        """Exim by itself would leave all but ten to the next queue run."""
        before = len(sink.delivered)
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            assert offered_size(client) == LARGEST
            for i in range(15):
                reply, _ = submit(client, f"recipe-exim-{i}")
                assert reply.code == 250, reply
            wait_for(lambda: len(sink.delivered) == before + 15,
                     "fifteen mails")
        wait_for(mta.is_idle, "an empty queue")
        assert {mail.sender for mail in sink.delivered} == {"bob@example.com"}

    def test_the_client_is_in_posterns_own_field(self, site, server, mta,
                                                 sink):
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            reply, message = submit(client, "recipe-trace", extra=WIDE_HEADER)
        assert reply.code == 250, reply
        found = wait_for(lambda: [mail for mail in sink.delivered
                                  if b"recipe-trace" in mail.content],
                         "the mail")
        assert body_hash(found[0].content) == body_hash(message)
        fields = [field for field in header_of(found[0].content)
                  if field.startswith("Received:")]
        assert any("[127.0.0.7]" in field for field in fields), fields
        # The log of each names what the other calls it.
        [transaction] = server.log.wait_transactions(1)
        queue_id = re.search(r"id=(\S+)", reply.text).group(1)
        assert queue_id in transaction["upstream"]["reply"], transaction
        assert f"{queue_id} <= bob@example.com" in mta.log()

    def test_only_the_machine_itself_may_relay(self, mta):
        assert refuses_to_relay(mta.port, "127.0.0.9"), mta.log()

    def test_it_listens_to_nobody_else(self, mta):
        with pytest.raises(ConnectionRefusedError):
            Dialogue(mta.port, host="127.0.0.2")


class TestOpensmtpd:
    @pytest.fixture(scope="class")
    def recipe(self):
        return recipes.read("opensmtpd.md")

    @pytest.fixture(scope="class")
    def sink(self):
        with Sink() as last:
            yield last

    @pytest.fixture(scope="class")
    def mta(self, tmp_path_factory, recipe, sink):
        folder = tmp_path_factory.mktemp("opensmtpd")
        peer = Opensmtpd(folder, sink.port)
        # The recipe relays to wherever the recipients' domains say.
        peer.config = recipes.put(
            recipes.at_port(recipe["/etc/smtpd.conf"], peer.port),
            relay=(' relay\n', f' relay host "smtp://127.0.0.1:{sink.port}"\n'))
        peer.config += "mta limit conn-delay-route 0\n" \
                       "mta limit conn-delay-relay 0\n"
        with running(peer):
            yield peer

    @pytest.fixture
    def server(self, site, start, recipe, mta):
        return start(recipes.configuration(
            site, recipes.at_port(recipe[POSTERN], mta.port)))

    def test_it_sees_the_client(self, site, server, mta, sink):
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            assert offered_size(client) == LARGEST
            for i in range(3):
                reply, message = submit(client, f"recipe-opensmtpd-{i}",
                                        extra=WIDE_HEADER)
                assert reply.code == 250, reply
        found = wait_for(lambda: [mail for mail in sink.delivered
                                  if b"recipe-opensmtpd-2" in mail.content],
                         "the mail")
        assert body_hash(found[0].content) == body_hash(message)
        received = next(field for field in header_of(found[0].content)
                        if field.startswith("Received:"))
        assert "127.0.0.7" in received, received
        assert "address=127.0.0.7" in mta.log(), mta.log()

    def test_without_the_header_nobody_is_served(self, mta):
        """It waits for it until the other side speaks, and then hangs up."""
        with Dialogue(mta.port, seconds=10) as client:
            client.send(b"EHLO laptop\r\nMAIL FROM:<bob@example.com>\r\n")
            with pytest.raises(Closed):
                client.reply()


class TestCloudRelay:
    HOST = "email-smtp.eu-west-1.amazonaws.com:587"
    RATE = 14

    @pytest.fixture
    def account(self, certificate):
        account = Account("AKIAEXAMPLE", "the account's secret",
                          {"example.com"}, self.RATE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        relay = CloudRelay(account, context)
        relay.start()
        account.port = relay.port
        yield account
        relay.stop()

    @pytest.fixture
    def text(self, site, account):
        recipe = recipes.read("ses.md")
        secret = site.folder / "relay.password"
        secret.write_text("the account's secret\n")
        secret.chmod(0o600)
        block = recipes.put(
            recipe[POSTERN], host=(self.HOST, f"127.0.0.1:{account.port}"),
            tls=("{mode: starttls}", f"{{mode: starttls, name: localhost, "
                                     f'ca: "{site.certificate.chain}"}}'),
            secret=("/etc/postern/relay.password", secret))
        policy = site.folder / "20-relay.yaml"
        policy.write_text(recipe["/etc/postern/policy.d/20-relay.yaml"])
        return recipes.configuration(site, block) + f"include: [{policy}]\n"

    @pytest.fixture
    def server(self, start, text):
        return start(text)

    def test_its_own_tests_pass(self, site, text):
        config = site.folder / "checked.yaml"
        config.write_text(text)
        done = run_once("check", config)
        assert done.returncode == 0 and "3 tests passed" in done.stdout, done

    def test_the_account_is_never_asked_too_much(self, site, server, account):
        """More in a moment than it allows: it takes all that Postern passes,
        and Postern's clients hear when to try again."""
        answers = []
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            for i in range(self.RATE + 6):
                reply = client.say("MAIL FROM:<bob@example.com>")
                if reply.code == 250:
                    client.expect(250, "RCPT TO:<a@example.net>")
                    reply = client.message(make_message(
                        "bob@example.com", "a@example.net", f"relay-{i}"))
                answers.append(reply)
                if len(account.delivered) % 13 == 0:
                    account.let_a_second_pass()
        taken = [reply for reply in answers if reply.code == 250]
        assert len(taken) == len(account.delivered) >= 13
        assert account.refused == []
        for reply in answers:
            assert reply.code in (250, 451), reply
        assert all("try again in" in reply.text for reply in answers
                   if reply.code == 451)

    def test_what_it_has_not_verified_is_refused_first(self, site, server,
                                                       account):
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            assert offered_size(client) == 40 << 20
            reply = client.expect(553, "MAIL FROM:<bob@elsewhere.example>")
            assert "not a sender that our relay has verified" in reply.text
            client.expect(250, "MAIL FROM:<bob@example.com>")
            client.expect(250, "RCPT TO:<a@example.net>")
            reply = client.message(make_message(
                "bob@elsewhere.example", "a@example.net", "relay-from"))
            assert reply.code == 550, reply
        assert account.refused == [] and account.delivered == []

    def test_fifty_recipients_and_no_more(self, site, server, account):
        with log_in(site, "bob", "127.0.0.7", "laptop") as client:
            client.expect(250, "MAIL FROM:<bob@example.com>")
            for i in range(50):
                client.expect(250, f"RCPT TO:<r{i}@example.net>")
            client.expect(452, "RCPT TO:<one@example.net>")
            reply = client.message(make_message(
                "bob@example.com", "a@example.net", "relay-fifty"))
            assert reply.code == 250, reply
        assert account.refused == []
        [envelope] = account.delivered
        assert len(envelope.rcpt_tos) == 50

    def test_a_stand_in_that_refuses(self, account, certificate):
        """The relay itself, without Postern: it does have these limits."""
        with smtplib.SMTP("127.0.0.1", account.port, timeout=30) as client:
            client.starttls(context=certificate.client_context())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("AKIAEXAMPLE", "guessed")
        with smtplib.SMTP("127.0.0.1", account.port, timeout=30) as client:
            client.starttls(context=certificate.client_context())
            client.login("AKIAEXAMPLE", "the account's secret")
            with pytest.raises(smtplib.SMTPDataError, match="not verified"):
                client.sendmail("a@example.org", ["b@example.net"],
                                "From: a@example.org\r\n\r\nHello\r\n")
            for _ in range(self.RATE):
                client.sendmail("a@example.com", ["b@example.net"],
                                "From: a@example.com\r\n\r\nHello\r\n")
            with pytest.raises(smtplib.SMTPDataError, match="Throttling"):
                client.sendmail("a@example.com", ["b@example.net"],
                                "From: a@example.com\r\n\r\nHello\r\n")
        assert [*dict.fromkeys(account.refused)] == ["login", "sender", "rate"]


class TestThreeProxies:
    NAMES = ["p1", "p2", "p3"]
    ADDRESSES = ["10.0.0.11", "10.0.0.12", "10.0.0.13"]

    @pytest.fixture
    def recipe(self):
        return recipes.read("three-proxies.md")

    @pytest.fixture
    def redis(self, tmp_path, recipe):
        conf = recipe["/etc/redis/postern.conf"]
        assert "\nappendonly yes\n" in conf
        with Redis(tmp_path, password=re.search(
                r"^requirepass (\S+)$", conf, re.M).group(1),
                is_kept=True) as server:
            for key, value in re.findall(
                    r"^(maxmemory-policy|appendfsync) (\S+)$", conf, re.M):
                assert server.say("CONFIG", "SET", key, value) == "OK"
            yield server

    @pytest.fixture
    def servers(self, tmp_path, certificate, users_file, recipe, redis):
        """Each with a folder of its own."""
        started = []
        policy = tmp_path / "policy.d"
        policy.mkdir()
        secret = tmp_path / "redis.password"
        secret.write_text(redis.password + "\n")
        secret.chmod(0o600)
        (policy / "10-store.yaml").write_text(recipes.put(
            recipe["/etc/postern/policy.d/10-store.yaml"],
            url=("redis://10.0.0.6:6379/0", redis.url),
            secret=("/etc/postern/redis.password", secret)))
        (policy / "20-limits.yaml").write_text(
            recipe["/etc/postern/policy.d/20-limits.yaml"])
        try:
            for name in self.NAMES:
                folder = tmp_path / name
                folder.mkdir()
                site = Site(folder, certificate, users_file)
                started.append(Postern(site, self.text(recipe, site, policy)))
            for server in started:
                server.wait_ready()
            yield started
        finally:
            for server in started:
                server.terminate()
            for server in started:
                server.check_end()

    @staticmethod
    def text(recipe, site, policy):
        return recipes.put(
            recipe[POSTERN],
            submission=("[::]:587", f"127.0.0.1:{site.starttls}"),
            submissions=("[::]:465", f"127.0.0.1:{site.implicit}"),
            balancer=("10.0.0.5", "127.0.0.1"),
            chain=("/etc/postern/cert.pem", site.certificate.chain),
            key=("/etc/postern/key.pem", site.certificate.key),
            users=("/etc/postern/users", site.users),
            mta=('servers: ["10.0.0.20:10025"]\n    tls: {mode: none}\n'
                 "    identity: xclient\n",
                 f'maildir: "{site.maildir}"\n'),
            pool=("    pool: {max: 30}\n", ""),
            log=("/var/log/postern/decisions.jsonl", site.log),
            policy=("policy.d/*.yaml", f"{policy}/*.yaml")) \
            + f'control: "{site.folder}/control"\nworkers: 1\n'

    @pytest.fixture
    def front(self, tmp_path, servers, recipe):
        """Port 587 and 465 of a HAProxy with the recipe's text."""
        doors = [ports.free_port(), ports.free_port()]
        text = recipes.put(recipe["/etc/haproxy/haproxy.cfg"],
                           submission=("bind :587", f"bind :{doors[0]}"),
                           submissions=("bind :465", f"bind :{doors[1]}"),
                           often=("inter 5s", "inter 200ms"))
        for address, server in zip(self.ADDRESSES, servers):
            text = recipes.put(
                text, one=(f"{address}:587",
                           f"127.0.0.1:{server.site.starttls}"),
                two=(f"{address}:465", f"127.0.0.1:{server.site.implicit}"))
        with Haproxy(tmp_path, [], text=text, fronts=doors):
            yield doors

    @staticmethod
    def session(port, source, tls=False):
        client = Dialogue(port, source=source, tls=tls)
        client.expect(220)
        client.hello()
        if not tls:
            client.starttls()
            client.hello()
        assert client.login("bob", PASSWORDS["bob"]).code == 235
        return client

    @staticmethod
    def seen(servers):
        """[(server, address of the client)] of all mail."""
        return [(i, line["client"]["ip"]) for i, server in enumerate(servers)
                for line in server.log.events("transaction")]

    def test_each_serves_and_sees_the_client(self, servers, front):
        clients = [self.session(front[i % 2], f"127.0.0.{20 + i}", i % 2 == 1)
                   for i in range(6)]
        for i, client in enumerate(clients):
            reply, _ = submit(client, f"three-{i}")
            assert reply.code == 250, reply
            client.socket.close()
        seen = wait_for(lambda: len(self.seen(servers)) == 6
                        and self.seen(servers), "six transactions")
        assert {address for _, address in seen} == \
            {f"127.0.0.{20 + i}" for i in range(6)}
        assert {server for server, _ in seen} == {0, 1, 2}

    def test_one_may_be_taken_away(self, servers, front):
        gone = servers[0]
        done = run_once("stop", "-c", gone.config, seconds=60)
        assert done.returncode == 0, done
        assert gone.wait_end() == 0
        for i in range(6):
            with self.session(front[0], f"127.0.0.{20 + i}") as client:
                reply, _ = submit(client, f"two-{i}")
                assert reply.code == 250, reply
        wait_for(lambda: len(self.seen(servers)) == 6, "six transactions")
        assert {server for server, _ in self.seen(servers)} == {1, 2}

    def test_its_own_tests_pass(self, servers):
        done = run_once("check", servers[0].config)
        assert done.returncode == 0 and "1 test passed" in done.stdout, done

    def test_a_limit_is_one_wherever_a_client_comes_in(self, servers, front):
        clients = [self.session(front[0], f"127.0.0.{20 + i}")
                   for i in range(3)]
        codes = []
        for client in clients:
            client.expect(250, "MAIL FROM:<bob@example.com>")
        for i in range(35):
            for k, client in enumerate(clients):
                codes.append(client.say(f"RCPT TO:<r{i}-{k}@example.net>").code)
        # What drains meanwhile (500/h) is one in seven seconds.
        assert 100 <= codes.count(250) <= 103, codes
        assert codes[:100] == [250] * 100 and 450 in codes
        for client in clients:
            reply = client.message(make_message(
                "bob@example.com", "a@example.net", "three-limit"))
            assert reply.code == 250, reply
            client.socket.close()
        wait_for(lambda: {server for server, _ in self.seen(servers)}
                 == {0, 1, 2}, "a transaction in each log")
