"""A short soak; `tests/support/soak --minutes 30` is a long one."""

import subprocess

import pytest

import places
import soak

SECONDS = 10


@pytest.mark.parametrize("seed", [1])
def test_a_short_soak(tmp_path, seed):
    soaked = soak.Soak(tmp_path, seed)
    assert soaked.run(SECONDS) == []
    print(soaked.summary)
    assert soaked.taken(), "no mail flowed"
    assert any(server.faults for server in soaked.servers())


def test_the_usage():
    done = subprocess.run([places.SUPPORT / "soak", "--help"],
                          capture_output=True, text=True, timeout=60,
                          check=True)
    assert "--minutes" in done.stdout and "--seed" in done.stdout
    done = subprocess.run([places.SUPPORT / "soak", "--minutes", "x"],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
