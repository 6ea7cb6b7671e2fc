"""`docs/records.md` has every field of a record and of its parts, with the words of the JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from docs_support import blocks

import codesearch
from codesearch import json_schema
from codesearch.records import encode_record

TEXT = (Path(__file__).parents[1] / "docs" / "records.md").read_text(encoding="utf-8")
PARTS = json_schema("record")["$defs"]


def type_of(field: dict[str, Any]) -> str:
    """The type of a field in a word or two."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(type_of(one) for one in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {type_of(field['items'])}"
    if field.get("type") == "object":
        return f"name -> {type_of(field['additionalProperties'])}"
    words = {"string": "text", "boolean": "true, false", "integer": "number", "null": "null"}
    return words.get(str(field.get("type")), "one of these")


def table(name: str) -> str:
    """The fields of a part as a table."""
    rows = ["| field | type | what it says |", "|---|---|---|"]
    for field, schema in PARTS[name]["properties"].items():
        rows.append(f"| `{field}` | {type_of(schema)} | {schema['description']} |")
    return "\n".join(rows)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_its_table(name: str) -> None:
    assert f"\n## {name}\n" in TEXT
    assert table(name) in TEXT, f"docs/records.md should have, below its heading:\n\n{table(name)}\n"


def test_there_are_no_other_parts() -> None:
    assert re.findall(r"^## (\w+)$", TEXT, re.MULTILINE) == list(PARTS)


def test_the_example_is_a_list_of_ones_own_that_can_be_indexed(tmp_path: Path) -> None:
    [lines] = blocks(TEXT, "json")
    (tmp_path / "own.jsonl").write_text(lines, encoding="utf-8")
    codesearch.reindex([tmp_path / "own.jsonl"], tmp_path / "index", jobs=1)
    with codesearch.open_index(tmp_path / "index") as index:
        for line in lines.splitlines():
            record = index.get(json.loads(line)["code"])
            assert record is not None
            kept = json.loads(encode_record(record))
            assert {name: value for name, value in kept.items() if name != "source"} == json.loads(line)
