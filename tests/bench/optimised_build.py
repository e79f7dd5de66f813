"""The optimised programs that benches run, built with what is in the tree."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bench"


def build(*targets, folder=BUILD, settings=()):
    # An older folder may have been set up otherwise.
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-C",
                    ROOT / "contrib/presets/release.cmake",
                    "-DPOSTERN_TESTS=ON",
                    "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON", *settings],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "--target", *targets],
                   check=True, stdout=subprocess.DEVNULL)
