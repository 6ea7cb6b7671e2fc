"""The Whoosh schema: its fields, our analysis behind Whoosh's interface, and what its pickle holds."""

import os
import pickle
import pickletools
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from whoosh.fields import Schema

from codesearch.config import config_root
from codesearch.errors import ConfigError
from codesearch.index.analysis import Analyzer
from codesearch.index.fields import Fields
from codesearch.index.schema import TermAnalyzer, build_schema, identifier, identifiers
from codesearch.index.settings import IndexSettings, read_settings

SETTINGS = read_settings(config_root() / "index")
ANALYZER = TermAnalyzer(Analyzer(SETTINGS.analysis))


def with_fields(**changes: Any) -> IndexSettings:
    """The settings with other tables in `fields.toml`."""
    changed = msgspec.structs.replace(SETTINGS.config.fields, **changes)
    config = msgspec.structs.replace(SETTINGS.config, fields=changed)
    return SETTINGS._replace(config=config, fields=Fields.of(changed))


def terms(text: str, **options: Any) -> list[tuple[str, int]]:
    return [(token.text, token.pos) for token in ANALYZER(text, positions=True, **options)]


def test_there_is_a_field_for_every_text_for_the_code_and_for_every_keyword() -> None:
    fields = SETTINGS.fields
    names = build_schema(SETTINGS).names()
    assert names == sorted([*fields.title, *fields.sections, *identifiers(fields)])
    assert {"name", "synonyms", "risks.common", "excludes", "code", "system", "parent"} <= set(names)


def test_texts_have_positions_and_lengths_and_identifiers_have_neither() -> None:
    schema = build_schema(SETTINGS)
    for name in (*SETTINGS.fields.title, *SETTINGS.fields.sections):
        assert schema[name].supports("positions")
        assert schema[name].scorable
    for name in identifiers(SETTINGS.fields):
        assert not schema[name].supports("positions")
        assert not schema[name].scorable


def test_a_keyword_with_the_name_of_a_text_is_called_so() -> None:
    changed = with_fields(
        title={"name": 1.0}, clinical={"setting": 1.0}, keywords={"setting": "setting", "kind": "kind"}
    )
    assert identifiers(changed.fields) == {"code": "code", "setting.keyword": "setting", "kind": "kind"}
    assert identifier("setting", changed.fields) == "setting.keyword"
    assert identifier("kind", changed.fields) == "kind"


def test_an_unknown_keyword_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no keyword field 'colour'.*system"):
        identifier("colour", SETTINGS.fields)


def test_two_fields_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="'notes' twice"):
        build_schema(with_fields(title={"name": 1.0, "notes": 1.0}))


def test_text_becomes_the_terms_of_our_analysis() -> None:
    text = "Type II diabetes with haemorrhage of the kidneys"
    assert [term for term, _ in terms(text)] == Analyzer(SETTINGS.analysis).terms(text)
    assert list(build_schema(SETTINGS)["name"].process_text(text, mode="query")) == [term for term, _ in terms(text)]


def test_positions_count_terms_from_the_start_given() -> None:
    assert [place for _, place in terms("pain in the left knee", start_pos=7)] == [7, 8, 9]


def test_hyphenated_words_are_joined_in_records_only() -> None:
    assert terms("chest x-ray", mode="query") == [("chest", 0), ("x", 1), ("ray", 2)]
    assert terms("chest x-ray", mode="index") == [("chest", 0), ("x", 1), ("xray", 1), ("ray", 2)]


def test_places_in_the_text_are_those_of_the_text_as_given() -> None:
    text = "Haemorrhage (acute) of the œsophagus"
    tokens = list(ANALYZER(text, positions=True, chars=True))
    assert [text[token.startchar : token.endchar] for token in tokens] == ["Haemorrhage", "acute", "œsophagus"]


def test_the_pickle_of_a_schema_is_small_and_holds_no_configuration() -> None:
    data = pickle.dumps(build_schema(SETTINGS), 2)
    assert len(data) < 8000
    assert b"haem" not in data
    names = {str(argument) for operation, argument, _ in pickletools.genops(data) if operation.name == "GLOBAL"}
    assert {name for name in names if not name.startswith("whoosh.")} <= {
        "codesearch.index.schema TermAnalyzer",
        "copy_reg _reconstructor",
        "__builtin__ object",
    }


def test_a_schema_comes_back_from_its_pickle() -> None:
    again: Schema = pickle.loads(pickle.dumps(build_schema(SETTINGS), 2))
    assert again == build_schema(SETTINGS)


DUMP = """
import pickle, sys
from codesearch.config import config_root
from codesearch.index.schema import build_schema
from codesearch.index.settings import read_settings
sys.stdout.buffer.write(pickle.dumps(build_schema(read_settings(config_root() / "index")), 2))
"""


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_equal_settings_give_equal_pickles_in_every_process(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", DUMP], env=environment, capture_output=True, check=True)
    assert done.stdout == pickle.dumps(build_schema(SETTINGS), 2)
