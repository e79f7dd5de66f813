"""postern schema: what the loader takes it takes, and what is wrong by its
shape it refuses. Every key of the loader's tables is in it."""

import json
import sys

import jsonschema
import pytest
import yaml

import places
from server import run_once

sys.path.insert(0, str(places.ROOT / "tests" / "checks"))
import manual  # noqa: E402

EXAMPLES = [places.ROOT / "config" / "example.yaml",
            places.ROOT / "config" / "demo.yaml",
            *sorted((places.ROOT / "config" / "examples").glob("*.yaml"))]
WRONG = sorted((places.ROOT / "tests" / "diagnostics" / "shape")
               .glob("*.yaml"))


@pytest.fixture(scope="module")
def schema():
    done = run_once("schema")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_valid(validator, path):
    assert [error.message for error in validator.iter_errors(read(path))] == []


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_shape_is_refused(validator, path):
    assert list(validator.iter_errors(read(path))), path.read_text()


@pytest.mark.parametrize("text", [
    "hostname: a.example\ninclude: more.yaml\n",
    "policy: {mail: [{rule: x, tag: y}]}\n",
])
def test_a_file_may_be_one_of_several(validator, text):
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("text", [
    "workers: ${WORKERS}",
    "caps: {message: \"${MESSAGE}\"}",
    "timeouts: {command: \"${WAIT}\"}",
    "received: {hide_user: \"${HIDE}\"}",
    "tls: {minimum: \"${TLS}\"}",
])
def test_a_value_may_come_from_the_environment(validator, text):
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


def keys_of(node, above=""):
    """Every key that a value of this schema may have, by its whole name."""
    for part in node.get("anyOf", []) + node.get("allOf", []):
        yield from keys_of(part, above)
    if "items" in node:
        yield from keys_of(node["items"], above)
    if isinstance(node.get("additionalProperties"), dict):
        yield from keys_of(node["additionalProperties"], above + "NAME.")
    for name, value in node.get("properties", {}).items():
        yield above + name
        yield from keys_of(value, above + name + ".")


def test_every_key_of_the_tables_is_in_it(schema):
    wanted = {path for path, _ in
              manual.walk(manual.read_tables(places.ROOT))}
    assert wanted
    assert wanted <= set(keys_of(schema))


def test_every_rule_key_and_unit_is_in_it(schema):
    tables = manual.read_rule_tables(places.ROOT)
    definitions = schema["definitions"]
    assert {"rule", "reject", "ask"} <= set(tables["rule_keys"])
    found = {"rule_keys": set(), "UNITS": set()}
    facts = set()
    for name, definition in definitions.items():
        keys = set(definition.get("properties", {}))
        if name.startswith("rule_"):
            found["rule_keys"] |= keys
        elif name.startswith("limit_"):
            found["UNITS"] |= keys
        elif name.startswith("when_"):
            facts |= keys
    assert set(tables["rule_keys"]) == found["rule_keys"]
    assert set(tables["UNITS"]) | set(tables["limit_keys"]) == found["UNITS"]
    assert set(tables["ROWS"]) - {"header"} <= facts
    words = definitions["number_test"]["anyOf"][1]["properties"]
    assert set(tables["test_words"]) - {""} == set(words)


def describe(node):
    if "description" in node:
        yield node["description"]
    for value in node.values():
        if isinstance(value, dict):
            yield from describe(value)


def test_every_key_is_described(schema):
    for name, value in schema["properties"].items():
        assert value.get("description"), name
    texts = list(describe(schema))
    assert len(texts) > 100
    assert all(texts)


def test_an_option_is_wrong_usage():
    done = run_once("schema", "--pretty")
    assert done.returncode == 2
    assert "postern schema" in done.stderr
