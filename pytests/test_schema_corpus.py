"""The shipped JSON Schema judges the reader's corpus as the reader does, as far as a schema can know."""

import json
import pathlib
import re

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "harness" / "scenario" / "corpus"
SCHEMA = json.loads((ROOT / "scenarios" / "schema" / "scenario-1.json").read_text())

# A string, or a comment: strings are kept, so that "tcp://:80" is none.
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def without_comments(text):
    return TOKEN.sub(lambda match: match[0] if match[0].startswith('"') else "", text)


def files(folder):
    return sorted((CORPUS / folder).glob("*.json"))


def reject_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate key")
    return dict(pairs)


def load(path):
    text = without_comments(path.read_text(encoding="utf-8-sig"))
    return json.loads(text, object_pairs_hook=reject_duplicates)


def mistakes(path):
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [error.message[:200] for error in validator.iter_errors(load(path))]


def test_schema_is_a_valid_draft_07_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_schema_points_at_no_definition_that_it_lacks():
    names = set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(SCHEMA)))
    assert names == set(SCHEMA["definitions"]), "missing, or never used"


@pytest.mark.parametrize("path", files("good"), ids=lambda path: path.stem)
def test_schema_accepts_good_files(path):
    assert mistakes(path) == []


@pytest.mark.parametrize("path", files("bad"), ids=lambda path: path.stem)
def test_schema_rejects_bad_files_unless_they_say_that_it_cannot_know(path):
    cannot_know = "// schema: accepts" in path.read_text(errors="replace").splitlines()
    try:
        told = mistakes(path)
    except ValueError:  # malformed JSON, wrong UTF-8 or a duplicate key: no schema gets to see it
        assert not cannot_know
        return
    if cannot_know:
        assert told == []
    else:
        assert told != []
