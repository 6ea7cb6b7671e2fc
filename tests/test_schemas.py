"""The JSON Schemas: sound by themselves, and true of every record and of what the commands print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_support import Cli, objects
from hypothesis import given
from query_support import CLINIC, clinic
from test_records import RECORDS

import codesearch
from codesearch import UsageError, json_schema
from codesearch.descriptions import OUTPUT, RECORD
from codesearch.formats import HIT_COLUMNS
from codesearch.records import CodeRecord, encode_record

NAMES = ["record", "hit", "batch", "similar", "policy", "status"]


def validator(name: str) -> Any:
    return jsonschema.Draft202012Validator(json_schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound_and_says_what_each_field_is(name: str) -> None:
    schema = json_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in schema["$defs"].values():
        assert part["description"]
        assert all(field["description"] for field in part["properties"].values())


def test_nothing_is_described_that_is_not_there() -> None:
    parts = {title: part for name in NAMES for title, part in json_schema(name)["$defs"].items()}
    described = RECORD | OUTPUT
    assert described.keys() == parts.keys()
    assert {title: set(fields) for title, fields in described.items()} == {
        title: set(part["properties"]) for title, part in parts.items()
    }


@pytest.mark.parametrize("name", ["", "hits", "records\x1b"])
def test_other_names_are_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="record, hit, batch"):
        json_schema(name)


class TestRecord:
    @given(RECORDS)
    def test_a_record_is_valid_as_it_is_shown_and_as_it_is_kept(self, record: CodeRecord) -> None:
        schema = validator("record")
        schema.validate(record.to_dict())
        schema.validate(json.loads(encode_record(record)))

    def test_every_record_of_the_corpus_is_valid(self, pages: Path) -> None:
        schema = validator("record")
        with codesearch.open_index(pages) as index:
            for stored in index._reader.records.all():
                schema.validate(stored.record.to_dict())

    @pytest.mark.parametrize(
        "wrong", [{"code": 1}, {"kind": "thing"}, {"personnel": "nurse"}, {"unheard": "of"}, {"risks": {"often": []}}]
    )
    def test_what_is_no_record_is_not_valid(self, wrong: dict[str, Any]) -> None:
        assert not validator("record").is_valid(CLINIC[0].to_dict() | wrong)
        assert not validator("record").is_valid({"system": "CPT"})


class TestOutput:
    def test_hits(self, cli: Cli, pages: Path) -> None:
        schema = json_schema("hit")
        assert list(schema["$defs"]["Hit"]["properties"]) == list(HIT_COLUMNS) == schema["$defs"]["Hit"]["required"]
        hits = objects(cli("search", "fracture", "--limit", "50", "--format", "json", index=pages))
        hits += objects(cli("search", "22512", "--format", "json", index=pages))
        hits += [hit.to_dict() for query in ("E11", "walking LT", "typhoid") for hit in clinic().search(query)]
        assert len(hits) > 10
        for hit in hits:
            validator("hit").validate(hit)

    def test_answers_and_faults_of_a_batch(self, cli: Cli, pages: Path) -> None:
        answers = objects(cli("search", "--batch", "-", index=pages, given=b"hives\n\nzzzz\n22512\n\xff\n"))
        assert len(answers) == 5
        for answer in answers:
            validator("batch").validate(answer)

    def test_similar_codes_and_policies(self, cli: Cli, pages: Path) -> None:
        for command, name in ((("similar", "22512"), "similar"), (("policies", "--payer", "harbor"), "policy")):
            found = objects(cli(*command, "--format", "json", index=pages))
            assert found
            for one in found:
                validator(name).validate(one)

    def test_status(self, cli: Cli, pages: Path) -> None:
        [status] = objects(cli("status", "--format", "json", index=pages))
        validator("status").validate(status)


class TestCommand:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_prints_the_schema(self, cli: Cli, name: str) -> None:
        result = cli("schema", name)
        assert result.exit_code == 0
        assert json.loads(result.stdout) == json_schema(name)
        assert f"{name}" in cli("schema", "--help").stdout

    def test_an_unknown_name_is_wrong_usage(self, cli: Cli) -> None:
        result = cli("schema", "hits\x1b")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Use one of: record, hit" in result.stderr
