"""Whatever fails at the upstream, at whatever place: the client hears the
truth, nothing is lost, and the log tells what happened."""

import re
import resource

import pytest

import fault_cells
import ledgers
from decision_log import ID
from fault_run import Matrix
from server import FAULT, Site

VERDICTS = {2: "accept", 4: "defer", 5: "reject"}


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """Several hundred servers listen at the same time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Group:
    """Cells that one Postern played, and how that one ended."""

    def __init__(self, cells, site):
        with Matrix(cells, site) as matrix:
            self.played = matrix.play()
            self.taken = matrix.upstream_ledger()
        self.told = matrix.client
        self.log = matrix.postern.log.lines()
        self.code = matrix.code
        self.said = matrix.postern.stderr()


@pytest.fixture(scope="module")
def groups(tmp_path_factory, certificate, users_file):
    """group(is_tls, is_chunked), played when it is asked for first."""
    made = {}

    def play(*key):
        site = Site(tmp_path_factory.mktemp("faults"), certificate, users_file)
        cells = [cell for cell in fault_cells.cells()
                 if (cell.is_tls, cell.is_chunked) == key]
        try:
            return Group(cells, site)
        except (AssertionError, OSError) as error:
            return error  # once is enough

    def group(is_tls, is_chunked):
        key = is_tls, is_chunked
        if key not in made:
            made[key] = play(*key)
        if isinstance(made[key], Exception):
            raise made[key]
        return made[key]
    return group


@pytest.fixture
def played(groups, cell):
    found = groups(cell.is_tls, cell.is_chunked).played[cell]
    if isinstance(found, Exception):
        raise found
    return found


def is_as_wanted(reply, wanted):
    code, enhanced = wanted
    return reply.code == code and re.match(enhanced + " ", reply.text)


def check_promise(played):
    """Whatever the tables say: a 250 is an upstream's, a refusal nobody's."""
    kept = played.by_faulty + played.by_healthy
    if played.end and played.end.code == 250:
        assert kept == 1, played
    elif not played.line.get("uncertain"):
        assert kept == 0, played


def check_client(played, wanted):
    assert is_as_wanted(played.rcpt, wanted.rcpt), played.rcpt
    if wanted.end is None:
        assert played.end is None, played.end
    else:
        assert is_as_wanted(played.end, wanted.end), played.end
    last = played.end or played.rcpt
    found = ID.search(last.text)
    assert bool(found) == wanted.is_ours, last
    if found:
        assert found.group(1) == played.line["id"]


def check_keeper(played, wanted):
    kept = {"faulty": played.by_faulty, "healthy": played.by_healthy}
    assert kept == {name: int(name == wanted.keeper) for name in kept}


def check_log(played, wanted):
    line = played.line
    code = (wanted.end or wanted.rcpt)[0]
    assert line["verdict"] == VERDICTS[code // 100], line
    assert line.get("uncertain", False) == wanted.is_uncertain, line
    server = played.healthy if wanted.keeper == "healthy" else played.faulty
    assert line["upstream"]["server"] == server, line
    assert ("fault" in line["upstream"]) == wanted.is_ours, line


@pytest.mark.parametrize("cell", fault_cells.cells(), ids=str)
def test_fault(groups, cell, played):
    wanted = fault_cells.expected(cell)
    check_promise(played)
    check_client(played, wanted)
    check_keeper(played, wanted)
    check_log(played, wanted)
    if cell.place != "connect":
        assert played.strikes > 0, "the server never failed"
    if wanted.is_error:
        said = groups(cell.is_tls, cell.is_chunked).said
        assert re.search(
            rf" error .*server {played.faulty}(?: is down)?: ", said), said


each_group = pytest.mark.parametrize(
    "is_tls,is_chunked", [(False, False), (False, True), (True, False),
                          (True, True)])


@each_group
def test_ledgers_agree(groups, is_tls, is_chunked):
    group = groups(is_tls, is_chunked)
    assert ledgers.compare(group.told, group.log, group.taken) == []


@each_group
def test_it_ends_well(groups, is_tls, is_chunked):
    group = groups(is_tls, is_chunked)
    assert not FAULT.search(group.said), group.said
    assert group.code == 0, group.said
