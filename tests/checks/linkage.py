#!/usr/bin/env python3
"""Says whether a program brings OpenSSL with it: its symbols clash with
BoringSSL's.

usage: linkage.py PROGRAM

What links to OpenSSL, at first or at second hand, holds the version of its
symbols as text; BoringSSL has no versions. So no list of names is needed.
"""

import re
import subprocess
import sys

OPENSSL = re.compile(rb"OPENSSL_(1|3)[._][0-9]")


def uses_openssl(path):
    with open(path, "rb") as file:
        return OPENSSL.search(file.read()) is not None


def libraries(program):
    listed = subprocess.run(["ldd", program], check=True, text=True,
                            capture_output=True).stdout
    if "not found" in listed:
        sys.exit(listed)
    return re.findall(r"(/\S+) \(0x", listed)


def main():
    program = sys.argv[1]
    files = [program] + libraries(program)
    if not any("libcrypto" in path or path == program for path in files):
        sys.exit("linkage: no BoringSSL found")
    guilty = [path for path in files if uses_openssl(path)]
    for path in guilty:
        print(f"{path}: is OpenSSL or links to it")
    print(f"linkage: {len(files)} files, {len(guilty)} errors")
    sys.exit(1 if guilty else 0)


if __name__ == "__main__":
    main()
