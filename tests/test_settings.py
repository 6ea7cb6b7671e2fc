"""The settings of an index: read from a folder, frozen in a manifest, and the same when they are thawed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from query_support import PLAIN, SHIPPED, cm, index_of, reader_of

from codesearch.config import config_root
from codesearch.errors import ConfigError, IndexCorruptError
from codesearch.index.settings import read_settings, thaw_settings
from codesearch.records import Purpose

MANIFEST = Path("manifest.json")


def copy_of_index_config(folder: Path) -> Path:
    """A copy of `index/` to be changed."""
    return Path(shutil.copytree(config_root() / "index", folder / "index"))


def test_settings_survive_a_manifest() -> None:
    """A manifest is JSON with its keys in order: the order of the fields, by which they are numbered, must not go."""
    frozen = json.loads(json.dumps(SHIPPED.frozen(), sort_keys=True))
    thawed = thaw_settings(frozen, MANIFEST)
    assert thawed == PLAIN
    assert thawed.fields.title == SHIPPED.fields.title
    assert thawed.fields.sections == SHIPPED.fields.sections
    assert thawed.fields.weights == SHIPPED.fields.weights


def test_an_opened_index_has_the_fields_it_was_built_with() -> None:
    with reader_of([cm("A00", "Cholera")]) as reader:
        assert reader.settings == PLAIN
        assert list(reader.settings.config.fields.title) == list(PLAIN.config.fields.title)


def test_fields_of_an_opened_index_have_their_own_names(tmp_path: Path) -> None:
    record = cm("A00", "Cholera", synonyms=("Blue death",), purpose=Purpose(conditions=("Rice water stools",)))
    with index_of(tmp_path, record) as index:
        assert set(index.search("cholera").hits[0].matched) == {"name"}
        assert set(index.search("blue death").hits[0].matched) == {"synonyms"}
        assert set(index.search("rice water").hits[0].matched) == {"purpose.conditions"}


@pytest.mark.parametrize("spoil", ["fields", "ranking", "analysis"])
def test_a_manifest_with_foreign_settings_is_corrupt(spoil: str) -> None:
    frozen: dict[str, Any] = SHIPPED.frozen()
    del frozen[spoil]
    with pytest.raises(IndexCorruptError, match=r"manifest\.json.*Rebuild"):
        thaw_settings(frozen, MANIFEST)


@pytest.mark.parametrize("value", [None, [], {"version": 1}, {"title": {"name": 1.0}}, [["name"]]])
def test_fields_of_another_shape_are_corrupt(value: object) -> None:
    with pytest.raises(IndexCorruptError):
        thaw_settings({**SHIPPED.frozen(), "fields": value}, MANIFEST)


def test_shorthand_with_a_comma_is_refused(tmp_path: Path) -> None:
    folder = copy_of_index_config(tmp_path)
    config = folder / "analysis.toml"
    config.write_text(config.read_text().replace("[shorthand]", '[shorthand]\n"r,o" = "rule out"'))
    with pytest.raises(ConfigError, match="shorthand 'r,o' holds a comma"):
        read_settings(folder)


@pytest.mark.parametrize("name", ["fields.toml", "analysis.toml", "ranking.toml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = copy_of_index_config(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=name):
        read_settings(folder)


def test_a_key_that_nobody_knows_is_named(tmp_path: Path) -> None:
    folder = copy_of_index_config(tmp_path)
    ranking = folder / "ranking.toml"
    ranking.write_text("boost_magic = 2\n" + ranking.read_text())
    with pytest.raises(ConfigError, match="boost_magic"):
        read_settings(folder)


@pytest.mark.parametrize("weight", ["0.0", "-0.5", "1.5"])
def test_an_expansion_can_weigh_neither_nothing_nor_more_than_what_is_typed(tmp_path: Path, weight: str) -> None:
    folder = copy_of_index_config(tmp_path)
    ranking = folder / "ranking.toml"
    ranking.write_text(re.sub(r"^lay = .*$", f"lay = {weight}", ranking.read_text(), flags=re.MULTILINE))
    with pytest.raises(ConfigError, match=r"ranking\.toml"):
        read_settings(folder)


def test_everything_shipped_weighs_less_than_what_is_typed() -> None:
    classes = dict(SHIPPED.ranking.classes)
    assert classes.pop("typed") == 1.0
    assert min(classes.values()) > 0
    assert max(classes.values()) < 1


def test_a_name_weighs_most_of_all_titles_and_exclusions_nothing() -> None:
    title = SHIPPED.config.fields.title
    assert max(title, key=title.__getitem__) == "name"
    assert SHIPPED.config.fields.unscored == {"excludes": 0.0}
