"""contrib/recipes/log: what people ask of the decision log. A log of real
sessions is asked by sqlite3 and by a real ClickHouse, with the files as they
stand there; each answer is held against the same counted here."""

import collections
import datetime
import gzip
import json
import os
import re
import subprocess

import pytest
import yaml

import logged_day
import places
from peer_clickhouse import ClickHouse
from peer_raw import RawUpstream

RECIPES = places.ROOT / "contrib" / "recipes" / "log"
REFUSING = ("reject", "defer", "close")
QUESTIONS = sorted(file.stem for file in (RECIPES / "sqlite").glob("*-*.sql"))


# --- the same, counted here ---

class Counted:
    def __init__(self, lines):
        self.lines = lines
        self.day = lines[0]["time"][:10]
        assert all(line["time"].startswith(self.day) for line in lines)
        self.transactions = [line for line in lines
                             if line["event"] == "transaction"]
        self.session = next(line["session"] for line in lines
                            if line.get("auth", {}).get("user") == "eve")

    def who_sent_most(self):
        sums = collections.defaultdict(lambda: [0, 0, 0])
        for line in self.transactions:
            if line["verdict"] == "accept":
                one = sums[line["auth"]["user"]]
                one[0] += 1
                one[1] += sum(rcpt["verdict"] == "accept"
                              for rcpt in line["rcpt"])
                one[2] += line["message"]["bytes"]
        return sorted(([user, *one] for user, one in sums.items()),
                      key=lambda row: (-row[1], row[0]))

    def refused_by_which_rule(self):
        found = collections.defaultdict(list)
        for line in self.lines:
            if line["event"] not in ("transaction", "session"):
                continue
            for rule in line["rules"]:
                if rule["did"] in REFUSING and "mode" not in rule:
                    found[rule["stage"], rule["rule"], rule["did"]].append(line)
        return self.summed(found)

    def shadow_differences(self):
        found = collections.defaultdict(list)
        for line in self.lines:
            for one in [line, *line.get("rcpt", [])]:
                if "shadow" in one:
                    shadow = one["shadow"]
                    found[one["verdict"], shadow["verdict"], shadow["differs"],
                          shadow.get("rule", "")].append(line)
        return self.summed(found)

    @staticmethod
    def summed(found):
        rows = [[*key, len(lines),
                 len({line["auth"]["user"] for line in lines
                      if "auth" in line}),
                 max(line["id"] for line in lines)]
                for key, lines in found.items()]
        return sorted(rows, key=lambda row: (-row[-3], *row[:-3]))

    def one_users_day(self):
        return [[line["time"][11:19], line["id"], line["verdict"],
                 line["client"]["ip"], line["mail"]["from"],
                 len(line["rcpt"]), line.get("message", {}).get("bytes", 0),
                 line["reply"], line.get("rule", ""),
                 line.get("upstream", {}).get("queue_id", "")]
                for line in sorted(self.transactions,
                                   key=lambda line: line["time"])
                if line["auth"]["user"] == "bob"]

    def networks_of_a_login(self):
        rows = {}
        for line in self.lines:
            auth = line.get("auth", {})
            if line["event"] not in ("auth", "transaction") or \
                    auth.get("user", auth.get("name")) != "bob":
                continue
            row = rows.setdefault(line["client"]["ip"], [0, 0, 0, []])
            row[0] += line.get("verdict") == "accept"
            row[1] += auth.get("result") == "ok"
            row[2] += auth.get("result") == "failed"
            row[3].append(line["time"][:19].replace("T", " "))
        return sorted(([ip, *row[:3], min(row[3]), max(row[3])]
                       for ip, row in rows.items()),
                      key=lambda row: (-row[1], row[0]))

    def what_did_an_id_do(self):
        found = [line for line in self.lines
                 if line.get("session") == self.session]
        return [[line["event"], line["id"],
                 line.get("verdict") or line["auth"].get("result")
                 or line["end"],
                 line["auth"]["user"], line["client"]["ip"],
                 line.get("mail", {}).get("from", ""),
                 next((one["to"] for one in line.get("rcpt", [])), ""),
                 line.get("reply", ""), line.get("rule", ""),
                 line.get("upstream", {}).get("queue_id", "")]
                for line in sorted(found, key=lambda line: (line["time"],
                                                            line["id"]))]


@pytest.fixture(scope="module")
def log(tmp_path_factory, certificate, users_file):
    """A path, and what was counted."""
    from server import Postern, Site  # noqa: the fixtures of one test can't
    site = Site(tmp_path_factory.mktemp("day"), certificate, users_file)
    with RawUpstream(logged_day.script()) as upstream:
        server = Postern(site, logged_day.text_of(site, upstream))
        try:
            server.wait_ready()
            logged_day.live_through(site)
        finally:
            server.terminate()
            server.check_end()
    counted = Counted(server.log.lines())
    # Real lines only, and of each kind.
    assert len(counted.refused_by_which_rule()) == 5
    assert len(counted.shadow_differences()) == 3
    assert len(counted.networks_of_a_login()) == 3
    return site.log, counted


# --- sqlite3 ---

def ask(question, *arguments, options=(), stdin=None):
    done = subprocess.run(
        [RECIPES / "sqlite" / "ask", *options, question, *arguments],
        input=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return [list(row.values()) for row in json.loads(done.stdout or "[]")]


def without_null(rows):
    return [["" if value is None else value for value in row] for row in rows]


def asked(question, path, counted):
    options = ["-d", counted.day, "-u", "bob", "-i", counted.session]
    rows = without_null(ask(question, path, options=options))
    if question == "what-did-an-id-do":
        return [row[1:] for row in rows]
    if question == "networks-of-a-login":
        return [[*row[:-2], *(time[:19].replace("T", " ")
                              for time in row[-2:])] for row in rows]
    return rows


@pytest.mark.parametrize("question", QUESTIONS)
def test_sqlite_answers_as_counted(log, question):
    path, counted = log
    want = getattr(counted, question.replace("-", "_"))()
    assert want and asked(question, path, counted) == want


def test_sqlite_takes_logs_as_they_lie_there(log, tmp_path):
    """Compressed, with an empty line, and one that is still being written."""
    path, counted = log
    with gzip.open(tmp_path / "log.2.gz", "wb") as old:
        old.write(path.read_bytes())
    now = tmp_path / "log"
    now.write_text("\n" + path.read_text() + '{"time":"2026-01-05T09:3')
    rows = ask("who-sent-most", tmp_path / "log.2.gz", now,
               options=["-d", counted.day])
    assert rows == [[row[0], *(2 * value for value in row[1:])]
                    for row in counted.who_sent_most()]
    assert ask("who-sent-most", "-", options=["-d", counted.day],
               stdin=path.read_text()) == counted.who_sent_most()


def test_sqlite_is_not_talked_into_anything(log):
    path, _ = log
    for odd in ("' OR '1'='1", "x'; DROP TABLE lines; --", "$(id)", '"'):
        assert ask("one-users-day", path, options=["-u", odd]) == []


def test_a_question_without_its_login_is_told(log):
    path, _ = log
    for arguments in (["one-users-day", path], ["nothing", path], [],
                      ["../../x", path]):
        done = subprocess.run([RECIPES / "sqlite" / "ask", *arguments],
                              capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 2 and done.stderr


# --- ClickHouse ---

@pytest.fixture(scope="module", params=["UTC", "America/New_York"])
def loaded(request, tmp_path_factory, log):
    """With the log, by the commands of the recipe."""
    path, _ = log
    with ClickHouse(tmp_path_factory.mktemp("clickhouse"),
                    request.param) as server:
        server.client("--multiquery",
                      stdin=(RECIPES / "clickhouse/table.sql").read_text())
        rows = subprocess.run(
            ["jq", "-c", "-R", "-f", RECIPES / "clickhouse/rows.jq"],
            input="\n" + path.read_text() + '{"time":"2026-01', text=True,
            capture_output=True, timeout=60, check=True).stdout
        server.client("--query", "INSERT INTO postern FORMAT JSONEachRow",
                      stdin=rows)
        yield server


def wanted(question, counted):
    """The query, about that day, login and session."""
    text = (RECIPES / f"clickhouse/{question}.sql").read_text()
    for old, new in (("toDate(now(), 'UTC')", f"toDate('{counted.day}')"),
                     ("'7QK3M9T2XA'", f"'{counted.session}'")):
        text = text.replace(old, new)
    assert counted.day in text or "'bob'" in text or counted.session in text
    return text


@pytest.mark.parametrize("question", QUESTIONS)
def test_clickhouse_answers_as_counted(loaded, log, question):
    _, counted = log
    said = loaded.client("--format", "JSONCompact",
                         "--output_format_json_quote_64bit_integers=0",
                         stdin=wanted(question, counted))
    rows = json.loads(said)["data"]
    if question == "what-did-an-id-do":
        rows = [row[2:] for row in rows]
    want = getattr(counted, question.replace("-", "_"))()
    assert want and rows == want


def test_clickhouse_holds_every_line_that_it_is_to(loaded, log):
    _, counted = log
    said = loaded.client("--query", "SELECT event, count() FROM postern "
                                    "GROUP BY event ORDER BY event", stdin="")
    got = {event: int(count) for event, count in
           (line.split("\t") for line in said.splitlines())}
    want = collections.Counter(line["event"] for line in counted.lines)
    assert got == {event: want[event]
                   for event in ("auth", "limit", "session", "transaction")}


def test_a_day_is_of_utc(loaded, log):
    """As it stands there, without a day of ours."""
    said = loaded.client("--query", "SELECT toString(toDate(now(), 'UTC')), "
                         "toString(toDateTime(now()))", stdin="")
    now = datetime.datetime.now(datetime.timezone.utc)
    days = {(now - datetime.timedelta(minutes=1)).strftime("%Y-%m-%d"),
            now.strftime("%Y-%m-%d")}
    assert said.split("\t")[0] in days


# --- what can't be run here ---

def columns():
    text = (RECIPES / "clickhouse/table.sql").read_text()
    return re.findall(r"^    (\w+) +(?:Date|String|UInt|Float|Array)", text,
                      re.M)


def test_every_way_makes_the_rows_of_the_table():
    jq = (RECIPES / "clickhouse/rows.jq").read_text()
    vector = yaml.safe_load((RECIPES / "vector.yaml").read_text())
    program = vector["transforms"]["rows"]["source"]
    row = subprocess.run(["jq", "-c", "-R", jq], text=True, check=True,
                         input='{"time":"2026-01-05T09:30:01.123456Z",'
                               '"event":"auth"}', capture_output=True,
                         timeout=60).stdout
    assert list(json.loads(row)) == columns()
    assert re.findall(r'^  *"(\w+)":', program, re.M) == columns()


def test_the_others_are_yaml_that_names_the_log():
    vector = yaml.safe_load((RECIPES / "vector.yaml").read_text())
    bit = yaml.safe_load((RECIPES / "fluent-bit.yaml").read_text())
    [tail] = bit["pipeline"]["inputs"]
    assert [tail["path"]] == vector["sources"]["decisions"]["include"]
    known = {*vector["sources"], *vector["transforms"]}
    for sink in [*vector["sinks"].values(), *vector["transforms"].values()]:
        assert known.issuperset(sink["inputs"])


def test_all_ask_the_same_questions():
    there = sorted(file.stem for file in
                   (RECIPES / "clickhouse").glob("*-*.sql"))
    readme = (RECIPES / "README.md").read_text()
    assert there == QUESTIONS
    assert all(f"`{question}`" in readme for question in QUESTIONS)
    assert os.access(RECIPES / "sqlite" / "ask", os.X_OK)
