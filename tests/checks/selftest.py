#!/usr/bin/env python3
"""Shows that each check can fail: every case is a small tree with one fault,
and the complaint that it must bring.

usage: selftest.py OPENSSL-LINKED-PROGRAM POSTERN
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent

GOOD = {
    "rules/rule.h": "",
    "rules/rule.c": '#include "rules/rule.h"\n#include <string.h>\n',
    "rules/regex.c": "#include <pcre2.h>\n",
    "config/load.h": "",
    "config/load.c": '#include "config/load.h"\n#include "rules/rule.h"\n',
    "config/read_root.c": """\
static const struct key cap_keys[] = {
    {.name = "hops", .fallback = "50"},
};
const struct schema caps = {"caps", cap_keys, 1};
static const struct key root_keys[] = {
    {.name = "caps", .section = &caps},
    {.name = "http"},
};
const struct schema root_schema = {"all", root_keys, 2};
""",
    "config/read_caps.c": """\
static const struct key caps_keys[] = {
    {.name = "hops"},
};
static const struct key timeouts_keys[] = {
    {.name = "data"},
};
""",
    "tests/dialogue/a.smtp":
        'L: {"caps":["caps.hops"]}\nW: * timeouts.data *\n',
    "rules/rule_table.c": """\
#define EVERYWHERE AT_ALL_STAGES, "every stage"
const struct rule_key rule_keys[] = {
    {"tag", VALUE_TEMPLATES, EVERYWHERE, .help = "words"},
};
const struct rule_key limit_keys[LIMIT_KEYS] = {
};
const struct rule_key header_keys[] = {
};
const struct test_word_row test_words[WORD_COUNT] = {
    [WORD_SHORT] = {"", VALUE_TEST, "any"},
};
""",
    "rules/limit.c": """\
static const struct unit_row UNITS[UNIT_COUNT] = {
    [UNIT_SIZE] = {"size", LIMIT_WITHOUT_PERIOD, AT(MAIL), "mail", "octets"},
};
""",
    "rules/fact.c": """\
static const struct row ROWS[FACT_COUNT] = {
    [FACT_X] = {"mail.smtputf8", FACT_TYPE_FLAG, STAGE_MAIL, false, "x"},
};
""",
    "contrib/man/postern.yaml.5":
        ".It Ic caps.hops\nHops.\nDefault: 50.\n.It Ic http\n.El\n"
        ".Ss Keys of a rule\n.It Cm tag\nAt: every stage.\n.El\n"
        ".Ss Units\n.It Cm size\nAt: mail.\n.El\n"
        ".Ss Facts\n.It Cm mail.smtputf8\n.El\n.Sh FILES\n",
    "proxy/session/session.h": "",
    "proxy/net/stream.h": "",
    "proxy/net/stream.c": "#include <uv.h>\n",
    "proxy/session/session.c": '#include "proxy/net/stream.h"\n',
    "proxy/main.c": '#include "proxy/session/session.h"\n'
                    'static char *t = "strcpy(a, b)"; /* gets() */\n',
    "rules/evaluate.c": "enum evaluate_result evaluate(struct evaluation *e)\n",
    "rules/dry_run.c": "void dry_run_stage(int x)\n{\n    evaluate(x);\n}\n",
    "proxy/session/policy.c": "    evaluate(&e);\n",
    "proxy/session/shadow.c": "    evaluate(&e);\n",
    "config/test_run.c": "    dry_run_stage(&d);\n",
    "proxy/explain/rehearsal.c": "    dry_run_stage(&d);\n",
    "proxy/explain/retelling.c": "    dry_run_stage(&d);\n",
    "proxy/replay/engine.c": "    dry_run_stage(&d);\n",
    "tests/x": "", "contrib/x": "", ".ci/run": "", "CMakeLists.txt": "",
    "README.md": "", "LICENSE": "", ".clang-format": "", ".gitignore": "",
}

BAD = [
    ("layering.py", "rules/rule.c", '#include "config/load.h"\n',
     'rules/ may not include "config/load.h"'),
    ("layering.py", "rules/rule.c", "#include <pcre2.h>\n",
     "<pcre2.h> belongs to rules/regex.c alone"),
    ("layering.py", "rules/rule.c", "#include <openssl/siphash.h>\n",
     "<openssl/siphash.h> belongs"),
    ("layering.py", "rules/rule.c", "#  include <pthread.h>\n",
     "rules/ is pure"),
    ("layering.py", "config/load.c", "#include <yaml.h>\n",
     "<yaml.h> belongs to config/yaml_tree.c alone"),
    ("layering.py", "config/load.c", '#include "proxy/net/stream.h"\n',
     "config/ may not include"),
    ("layering.py", "proxy/smtp/path.c", "#include <uv.h>\n",
     "<uv.h> belongs"),
    ("layering.py", "proxy/smtp/path.c",
     '#include "proxy/session/session.h"\n', "proxy/smtp/ may not include"),
    ("layering.py", "proxy/tls/engine.c", '#include "proxy/net/stream.h"\n',
     "proxy/tls/ may not include"),
    ("layering.py", "proxy/net/stream.c",
     '#include "proxy/session/session.h"\n', "proxy/net/ may not include"),
    ("layering.py", "proxy/upstream/pool.c",
     '#include "proxy/session/session.h"\n',
     "proxy/upstream/ may not include"),
    ("layering.py", "proxy/session/session.c", "#include <uv.h>\n",
     "<uv.h> belongs"),
    ("layering.py", "proxy/session/session.c", "#include <openssl/ssl.h>\n",
     "<openssl/ssl.h> belongs to proxy/tls/ alone"),
    ("layering.py", "proxy/net/stream.c", "#include <openssl/ssl.h>\n",
     "<openssl/ssl.h> belongs to proxy/tls/ alone"),
    ("layering.py", "proxy/net/stream.c", '#include "stream.h"\n',
     "is not a path from the root"),
    ("banned.py", "rules/rule.c", "x = sprintf (a, b);\n",
     "rules/rule.c:1: sprintf is banned"),
    ("banned.py", "proxy/main.c", "\nx = atoi(a);\n",
     "proxy/main.c:2: atoi is banned"),
    ("banned.py", "proxy/main.c", "x = tolower(c);\n", "tolower is banned"),
    ("banned.py", "proxy/main.c", "if (setjmp(b)) {}\n",
     "setjmp is banned"),
    ("banned.py", "proxy/main.c", "x = 1; // one\n", "comments are"),
    ("manual.py", "rules/rule_table.c",
     GOOD["rules/rule_table.c"].replace('    {"tag"', '    {"list", VALUE_X, '
                                        'EVERYWHERE, .help = "x"},\n'
                                        '    {"tag"'),
     "Keys of a rule: list is missing"),
    ("manual.py", "rules/limit.c",
     GOOD["rules/limit.c"].replace('"mail"', '"mail, data"'),
     "Units: size is used at mail, data"),
    ("manual.py", "rules/fact.c",
     GOOD["rules/fact.c"].replace("smtputf8", "smtputf9"),
     "Facts: mail.smtputf8 is no row"),
    ("manual.py", "contrib/man/postern.yaml.5",
     ".It Ic http\n.El\n", "caps.hops is missing"),
    ("manual.py", "contrib/man/postern.yaml.5",
     ".It Ic caps.hops\nDefault: 5.\n.It Ic caps.drain\n.It Ic http\n.El\n",
     "caps.hops: the default is 50"),
    ("manual.py", "contrib/man/postern.yaml.5",
     ".It Ic caps.hops\nDefault: 50.\n.It Ic caps.drain\n.El\n"
     ".Sh NOT BUILT YET\n.It Ic http\n.El\n", "caps.drain is no key"),
    ("caps.py", "tests/dialogue/a.smtp",
     "C: caps.hops\nW: * timeouts.data *\n",
     "caps.hops: no test reads it in a log"),
    ("caps.py", "config/read_caps.c",
     GOOD["config/read_caps.c"].replace('"data"', '"data_end"'),
     "timeouts.data_end: no test reads it in a log"),
    ("attacks.py", "tests/dialogue/wire_S01_a.smtp", "",
     "S02 (false ends of data): no test carries its id"),
    ("attacks.py", "tests/dialogue/wire_S27_a.smtp", "",
     "wire_S27_a: there is no row S27"),
    ("one_evaluate.py", "proxy/session/cmd_mail.c", "    evaluate(&e);\n",
     "proxy/session/cmd_mail.c:1: evaluate() is not called from here"),
    ("one_evaluate.py", "proxy/replay/engine.c", "    guess(&d);\n",
     "proxy/replay/ does not come to its verdicts through dry_run_stage()"),
    ("one_evaluate.py", "proxy/explain/again.c",
     "enum evaluate_result evaluate(struct evaluation *e)\n",
     "evaluate() has 2 definitions"),
    ("one_evaluate.py", "config/test_run.c",
     "    dry_run_stage(&d);\n    return rule_act(&acting, verdict);\n",
     "config/test_run.c:2: rule_act() is a step of the evaluation"),
    ("one_evaluate.py", "proxy/main.c",
     '#include "rules/ruleset_internal.h"\n',
     "proxy/main.c:1: rules/ruleset_internal.h is the inside of rules/"),
    ("tree.py", "utils/x", "", "utils: not in the plan"),
    ("tree.py", "proxy/main.c", "/* TO" "DO: more */\n", "main.c:1: work left"),
    ("tree.py", "README.md", "see /ro" "ot/notes\n", "README.md:1: a path"),
]


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(check, *arguments):
    done = subprocess.run([sys.executable, HERE / check, *arguments],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


# A page, what is in it, and what may not be said instead.
PAGE_FAULTS = [
    ("postern.1", ".Cm schema\n", ".Cm scheme\n", "no command scheme"),
    ("postern.1", "Fl -scram\n", "Fl -scrum\n", "option --scram is missing"),
    ("postern.1", "Cm verdict=", "Cm verdicts=", "no filter of tail verdicts"),
    ("postern.1", ".It 78\n", ".It 77\n", "exit code 78 is missing"),
    ("postern.yaml.5", ".It Ic caps.hops", ".It Ic caps.hips",
     "there is no key caps.hips"),
    ("postern.yaml.5", "Default: 1.2.", "Default: 1.1.",
     "tls.minimum: the default is 1.2"),
    ("postern.yaml.5", "|base ", "", "filter of templates base is missing"),
    ("postern.yaml.5", "and\n.Cm XCLIENT\n", "\n", "the choice XCLIENT"),
    ("postern-log.5", ".Li paced_ms\n", "\n", "paced_ms is written and not"),
    ("postern-log.5", ".Li paced_ms\n", ".Li paced_ms\n.Li speed\n",
     "speed is written nowhere"),
    ("postern-log.5", ".Ss Events\n", ".Sx Events\n.El\n", "mandoc: "),
]


def misses_page_faults(program):
    """Those that pages.py does not find."""
    for page, old, new, want in PAGE_FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("contrib/man", "proxy", "rules"):
                shutil.copytree(HERE.parents[1] / name,
                                pathlib.Path(folder, name))
            path = pathlib.Path(folder, "contrib/man", page)
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(old, new), encoding="utf-8")
            code, said = run("pages.py", folder, program)
        if old not in text or code == 0 or want not in said:
            yield f"pages.py: {page}: wanted {want!r}, got {code}: {said}"


def finds_executable_memory(program):
    """The units that ship, and one line more."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("contrib/systemd", "config"):
            shutil.copytree(HERE.parents[1] / name,
                            pathlib.Path(folder, name))
        unit = pathlib.Path(folder, "contrib/systemd/postern.service")
        unit.write_text(unit.read_text(encoding="utf-8").replace(
            "NoNewPrivileges=yes\n", "MemoryDenyWriteExecute=yes\n"),
                        encoding="utf-8")
        code, said = run("service.py", folder, program)
    return code != 0 and "takes the patterns their machine code" in said and \
        "exposed above 2.5" in said and "NoNewPrivileges=yes is prom" in said


def main():
    failed = 0
    cases = [(check, None, "", "0 errors")
             for check in ("layering.py", "banned.py", "tree.py",
                           "manual.py", "one_evaluate.py", "caps.py")] + BAD
    for check, name, text, want in cases:
        with tempfile.TemporaryDirectory() as folder:
            tree = GOOD if name is None else {**GOOD, name: text}
            write_tree(pathlib.Path(folder), tree)
            code, said = run(check, folder)
        if (code != 0) != (name is not None) or want not in said:
            failed += 1
            print(f"{check}: {name}: wanted {want!r}, got {code}: {said}")
    code, said = run("linkage.py", sys.argv[1])
    if code == 0:
        failed += 1
        print(f"linkage.py found nothing in {sys.argv[1]}: {said}")
    if not finds_executable_memory(sys.argv[1]):
        failed += 1
        print("service.py found nothing")
    for miss in misses_page_faults(sys.argv[2]):
        failed += 1
        print(miss)
    print(f"selftest: {len(cases) + len(PAGE_FAULTS) + 2} cases, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
