#!/usr/bin/env python3
"""Holds every #include against the layering: proxy -> config -> rules.

usage: layering.py ROOT

A file belongs to the room with the longest matching path. A room names the
rooms it may include from, and the libraries it may see; a library may also be
granted to single files. What no line here allows is an error: move the code
rather than adding a line.
"""

import pathlib
import re
import sys

# The rooms that decide see everything below them.
BELOW_SESSIONS = ["rules/", "config/", "proxy/smtp/", "proxy/tls/",
                  "proxy/net/", "proxy/sasl/", "proxy/login/",
                  "proxy/budgets/", "proxy/metrics/", "proxy/log/", "proxy/ask/",
                  "proxy/upstream/"]

ROOMS = {
    "rules/": ["rules/"],
    "config/": ["rules/", "config/"],
    "proxy/smtp/": ["rules/", "proxy/smtp/"],
    "proxy/tls/": ["rules/", "config/", "proxy/tls/"],
    "proxy/keys/": ["rules/", "proxy/tls/key_question.h",
                    "proxy/tls/key_set.h", "proxy/log/quiet_thread.h",
                    "proxy/keys/"],
    "proxy/net/": ["rules/", "config/", "proxy/tls/", "proxy/net/",
                   "proxy/keys/key_wire.h"],
    "proxy/sasl/": ["rules/", "config/", "proxy/smtp/", "proxy/sasl/"],
    "proxy/log/": ["rules/", "config/", "proxy/log/"],
    "proxy/budgets/": ["rules/", "config/", "proxy/log/", "proxy/net/",
                       "proxy/metrics/histogram.h", "proxy/budgets/"],
    "proxy/login/": ["rules/", "config/", "proxy/smtp/", "proxy/tls/",
                     "proxy/net/", "proxy/sasl/", "proxy/log/",
                     "proxy/upstream/", "proxy/login/"],
    "proxy/ask/": ["rules/", "config/", "proxy/net/", "proxy/log/",
                   "proxy/ask/"],
    "proxy/upstream/": ["rules/", "config/", "proxy/smtp/", "proxy/tls/",
                        "proxy/net/", "proxy/sasl/", "proxy/log/",
                        "proxy/metrics/", "proxy/upstream/"],
    "proxy/replay/": ["rules/", "config/", "proxy/smtp/", "proxy/log/",
                      "proxy/replay/"],
    "proxy/schema/": ["rules/", "config/", "proxy/schema/"],
    "proxy/explain/": ["rules/", "config/", "proxy/smtp/", "proxy/log/",
                       "proxy/login/", "proxy/replay/", "proxy/explain/"],
    "proxy/session/": BELOW_SESSIONS + ["proxy/session/"],
    "proxy/control/": ["rules/", "config/", "proxy/log/", "proxy/budgets/",
                       "proxy/replay/", "proxy/upstream/health_board.h",
                       "proxy/metrics/", "proxy/tls/certificate_dates.h",
                       "proxy/control/"],
    # What is counted, which those who count may see, and what writes it.
    "proxy/metrics/": ["rules/", "config/", "proxy/budgets/",
                       "proxy/metrics/"],
    "proxy/metrics/metrics_text": [
        "rules/", "config/", "proxy/budgets/", "proxy/log/",
        "proxy/upstream/health_board.h", "proxy/control/control_verbs.h",
        "proxy/metrics/"],
    "proxy/http/": ["rules/", "config/", "proxy/log/", "proxy/explain/",
                    "proxy/metrics/metrics_text.h",
                    "proxy/upstream/health_board.h",
                    "proxy/control/control_verbs.h", "proxy/http/"],
    "proxy/confine/": ["rules/", "config/", "proxy/log/", "proxy/confine/"],
    "proxy/": ["rules/", "config/", "proxy/"],
}

# Library headers, by pattern: where they may be seen (a room or a file).
# The first pattern that matches is the one that counts.
LIBRARIES = [
    (r"pcre2\.h", ["rules/regex.c"]),
    (r"yaml\.h", ["config/yaml_tree.c"]),
    (r"uv\.h", ["proxy/net/", "proxy/supervisor.c", "proxy/worker.c",
                "proxy/listener.c"]),
    (r"openssl/(ssl|tls1|ssl3|bio|x509.*|pem)\.h", ["proxy/tls/"]),
    (r"openssl/.*", ["proxy/tls/", "proxy/sasl/", "proxy/login/",
                     "rules/base/keyed_hash.c"]),
    (r"crypt\.h", ["proxy/login/", "proxy/command/"]),
    (r"argon2\.h", ["proxy/login/"]),
    (r"idn2\.h", ["rules/domain_name.c"]),
    (r"uninorm\.h", ["rules/address.c"]),
    (r"uniwidth\.h", ["proxy/command/screen.c"]),
    (r"stringprep\.h", ["proxy/sasl/saslprep.c"]),
    (r"jsmn\.h", ["proxy/replay/json_tree.c"]),
    (r"jansson\.h", ["proxy/command/", "proxy/log/", "proxy/replay/",
                      "proxy/schema/", "proxy/control/", "proxy/explain/",
                      "proxy/http/",
                      "proxy/supervisor/", "proxy/server/worker_process.c",
                      "proxy/server/renewal.c",
                      "proxy/upstream/token_source.c",
                      "proxy/sasl/json_object.c", "proxy/sasl/jwk_set.c",
                      "proxy/sasl/jwt.c", "proxy/sasl/token_claims.c",
                      "proxy/login/introspection.c"]),
    (r"microhttpd\.h", ["proxy/http/http_server.c"]),
    (r"seccomp\.h", ["proxy/confine/syscalls.c"]),
    (r"linux/landlock\.h", ["proxy/confine/landlock.c"]),
    (r"hiredis/hiredis\.h", ["proxy/budgets/"]),
    (r"http_parser\.h", ["proxy/login/http_answer.c"]),
]

# Facts in, verdict out; bytes in, bytes out: no I/O, no clock, no threads.
PURE_ROOMS = ["rules/", "proxy/smtp/", "proxy/tls/"]
IMPURE_HEADERS = re.compile(
    r"(pthread|threads|unistd|fcntl|poll|signal|time|dirent|netdb"
    r"|sys/(socket|time|stat|epoll|select|uio|mman)|stdatomic)\.h")
# Permissions of key files; certificates are exchanged while threads use them.
IMPURE_GRANTS = {"proxy/tls/pem_file.c", "proxy/tls/context_lock.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    return max((room for room in ROOMS if path.startswith(room)),
               key=len, default=None)


def is_allowed(path, places):
    return any(path == place or
               (place.endswith("/") and path.startswith(place))
               for place in places)


def check_project_include(root, path, name):
    if not (root / name).is_file():
        return f'"{name}" is not a path from the root'
    if not is_allowed(name, ROOMS[room_of(path)]):
        return f'{room_of(path)} may not include "{name}"'
    return None


def check_library_include(path, name):
    if room_of(path) in PURE_ROOMS and IMPURE_HEADERS.fullmatch(name) \
            and path not in IMPURE_GRANTS:
        return f"{room_of(path)} is pure and may not include <{name}>"
    for pattern, places in LIBRARIES:
        if re.fullmatch(pattern, name):
            if is_allowed(path, places):
                return None
            return f"<{name}> belongs to {', '.join(places)} alone"
    return None


def check_file(root, path):
    text = (root / path).read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        kind, name = match.groups()
        error = (check_project_include(root, path, name) if kind == '"'
                 else check_library_include(path, name))
        if error:
            line = text.count("\n", 0, match.start(1)) + 1
            yield f"{path}:{line}: {error}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = sorted(path.relative_to(root).as_posix()
                   for layer in ("rules", "config", "proxy")
                   for path in (root / layer).rglob("*.[ch]"))
    errors = [error for path in paths for error in check_file(root, path)]
    for error in errors:
        print(error)
    if not paths:
        sys.exit("layering: no source found")
    print(f"layering: {len(paths)} files, {len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
