"""Where things are: the tree, the programs under test, what setup unpacked."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"


def program():
    """The binary under test; by default the one with sanitizers."""
    return pathlib.Path(os.environ.get(
        "POSTERN_BINARY", ROOT / "build" / "asan" / "postern"))


def release_program():
    """The optimised binary, for what sanitizers would distort."""
    return pathlib.Path(os.environ.get(
        "POSTERN_RELEASE_BINARY", ROOT / "build" / "release" / "postern"))


def bench_tool(name):
    """One of tests/bench/load, from the same build as the program."""
    return program().parent / "tests" / "bench" / "load" / name


def peer(name):
    folder = ROOT / "build" / "peers" / name / "tree"
    assert folder.is_dir(), f"{folder} is missing: run contrib/setup --tests"
    return folder


def preload_library(name, folder):
    """Compiles tests/support/NAME.c into a library for LD_PRELOAD."""
    library = folder / f"{name}.so"
    subprocess.run(
        ["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
         "-Wshadow", "-Wconversion", "-O2", "-shared", "-fPIC",
         "-o", library, SUPPORT / f"{name}.c"],
        check=True, timeout=60)
    return library
