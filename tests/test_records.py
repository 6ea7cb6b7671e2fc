"""Records are written and read as one line of JSON, and shown with every field."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.records import (
    CodeRecord,
    Policy,
    Procedure,
    Purpose,
    RecordWarning,
    SimilarCode,
    Source,
    decode_record,
    encode_record,
)

FULL = CodeRecord(
    system="ICD10CM",
    code="E11.9",
    name="Type 2 diabetes",
    purpose=Purpose(conditions=("a",), goals=("b", "c")),
    procedure=Procedure(steps=("1", "2")),
    other_sections={"Tips": "x\ny"},
    policies=(Policy("P (P1)", "Payer", "/p", "2024"),),
    similar_codes=(SimilarCode("Name", "CPT", None),),
    properties={"specialty": "z"},
    billable=False,
    source=(Source(path="a.html", sha256="0" * 64, role="page"),),
    warnings=(RecordWarning("name-cut", "m"),),
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
RECORDS = st.builds(
    CodeRecord,
    system=TEXTS,
    code=st.none() | TEXTS,
    name=TEXTS,
    summary=TEXTS,
    purpose=st.builds(Purpose, st.lists(TEXTS, max_size=3).map(tuple), st.lists(TEXTS, max_size=3).map(tuple)),
    other_sections=st.dictionaries(TEXTS, TEXTS, max_size=3),
    similar_codes=st.lists(st.builds(SimilarCode, TEXTS, TEXTS, st.none() | TEXTS, TEXTS), max_size=2).map(tuple),
    billable=st.none() | st.booleans(),
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: CodeRecord) -> None:
    assert decode_record(encode_record(record)) == record


@given(RECORDS)
def test_a_record_is_one_line(record: CodeRecord) -> None:
    assert b"\n" not in encode_record(record)


def test_empty_fields_are_not_written() -> None:
    assert json.loads(encode_record(CodeRecord("CPT", None, "A"))) == {"system": "CPT", "code": None, "name": "A"}


def test_equal_records_give_equal_bytes() -> None:
    one = CodeRecord("CPT", "1", "A", properties={"a": "1", "b": "2"})
    other = CodeRecord("CPT", "1", "A", properties={"b": "2", "a": "1"})
    assert encode_record(one) == encode_record(other)


def test_every_field_is_shown_in_the_order_of_the_class() -> None:
    shown = FULL.to_dict()
    assert list(shown) == list(CodeRecord.__struct_fields__)
    assert shown["purpose"] == {"conditions": ["a"], "goals": ["b", "c"]}
    assert shown["risks"] == {"common": [], "rare": []}
    assert shown["similar_codes"] == [{"name": "Name", "system": "CPT", "code": None, "url": ""}]
    assert json.loads(json.dumps(shown)) == shown


def test_what_is_shown_can_be_read_back() -> None:
    assert decode_record(json.dumps(FULL.to_dict()).encode()) == FULL


def test_records_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        FULL.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    "change", [{"unknown": 1}, {"name": 5}, {"kind": "thing"}, {"purpose": {"aims": []}}, {"steps": "x"}]
)
def test_what_is_no_record_is_refused(change: dict[str, Any]) -> None:
    line = json.dumps({"system": "CPT", "code": "1", "name": "A"} | change).encode()
    with pytest.raises(msgspec.ValidationError):
        decode_record(line)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_record(b'{"system": ')
