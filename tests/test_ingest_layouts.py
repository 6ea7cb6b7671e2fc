"""Page layouts are files: what they map, how headings are compared, and which mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import ROOT, parser

from codesearch.errors import ConfigError
from codesearch.ingest.layouts import TARGETS, Layout, Layouts, fold_heading

GENERIC = 'name = "generic"\nversion = 1\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "generic.toml").write_text(GENERIC, encoding="utf-8")
    return tmp_path


def read(folder: Path, text: str) -> Layout:
    """The layout `site` of a file beside the generic one."""
    (folder / "site.toml").write_text('name = "site"\nversion = 1\n' + text, encoding="utf-8")
    return next(layout for layout in Layouts(folder) if layout.name == "site")


@pytest.mark.parametrize(
    "written", ["Pros and Cons", "PROS & CONS:", "  pros-and-cons ", "Prós and cons", "Pros, and cons?"]
)
def test_headings_are_compared_without_case_accents_and_punctuation(written: str) -> None:
    assert fold_heading(written) == "pros and cons"


def test_apostrophes_vanish_and_the_copyright_sign_is_a_word() -> None:
    assert fold_heading("What’s new") == fold_heading("What's new") == "whats new"
    assert fold_heading("© 2026 Site") == "copyright 2026 site"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_heading(fold_heading(text)) == fold_heading(text)


def test_every_listed_heading_is_found_in_any_writing() -> None:
    for layout in parser().layouts:
        for heading, fields in layout.exact.items():
            assert layout.fields_of(f" {heading.upper()}: ") == fields


def test_every_layout_names_fields_of_a_record() -> None:
    for layout in parser().layouts:
        targets = {field for fields in layout.exact.values() for field in fields}
        assert all(target in TARGETS or target.startswith("properties.") for target in targets)


def test_star_stands_for_further_words(folder: Path) -> None:
    layout = read(folder, '[headings]\npolicies = ["Policies for*"]\nsummary = ["Policies for you"]\n')
    assert layout.meaning("Policies for Cement: and more").fields == ("policies",)
    assert layout.meaning("Policies for Cement: and more").tail == "Cement: and more"
    assert layout.meaning("Policies for you") == (("summary",), "")
    assert layout.fields_of("Policies") == ()
    assert layout.fields_of("Policies for " + "x " * 500) == ("policies",)


def test_heading_of_several_fields_keeps_their_order(folder: Path) -> None:
    layout = read(folder, '[headings]\n"recovery.care" = ["After"]\n"experience.after" = ["After"]\n')
    assert layout.fields_of("After") == ("recovery.care", "experience.after")


def test_own_headings_come_before_those_it_extends(folder: Path) -> None:
    (folder / "base.toml").write_text(
        'name = "base"\nversion = 4\n[headings]\nduration = ["Length"]\nsummary = ["About"]\n', encoding="utf-8"
    )
    layout = read(folder, 'extends = ["base"]\n[headings]\nsetting = ["Length"]\n')
    assert layout.fields_of("Length") == ("setting", "duration")
    assert layout.fields_of("About") == ("summary",)
    assert layout.version == 5


def test_defaults_of_a_section_may_be_set(folder: Path) -> None:
    layout = read(folder, '[defaults]\nrecovery = "recovery.time"\n')
    assert layout.defaults["recovery"] == "recovery.time"
    assert layout.defaults["risks"] == "risks.common"


def test_furniture_lines_are_known_whole_or_by_their_beginning(folder: Path) -> None:
    layout = read(folder, 'furniture = ["Most searched", "© *", "We use cookies*"]\n')
    assert layout.is_furniture("MOST SEARCHED:")
    assert not layout.is_furniture("Most searched codes")
    assert layout.is_furniture("We use cookies to keep this site running. " + "x" * 300)
    assert layout.is_furniture("© 2026 CodeAtlas")
    assert not layout.is_furniture("")


def test_layout_is_chosen_by_host_then_marker_then_generic(folder: Path) -> None:
    read(folder, 'hosts = ["site.example"]\nmarkers = ["SiteMark"]\n')
    layouts = Layouts(folder)
    assert layouts.choose("https://www.site.example/a", "").name == "site"
    assert layouts.choose("https://notsite.example/a", "").name == "generic"
    assert layouts.choose("", "… SiteMark …").name == "site"
    assert layouts.choose("http://[broken", "").name == "generic"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('extends = ["nothing"]', "nothing"),
        ('[headings]\nnonsense = ["A"]', "nonsense"),
        ('[defaults]\nrisks = "nonsense"', "nonsense"),
        ("unknown_key = 1", "unknown_key"),
        ("[headings", "no TOML"),
    ],
)
def test_mistakes_in_a_layout_are_told(folder: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(folder, text + "\n")


def test_generic_layout_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"generic\.toml"):
        Layouts(tmp_path)


def test_readme_names_every_key_of_a_layout() -> None:
    readme = (ROOT / "ingest" / "README.md").read_text(encoding="utf-8")
    for key in (
        "extends",
        "hosts",
        "markers",
        "name_limit",
        "headings",
        "furniture",
        "furniture_names",
        "site_names",
        "item_separator",
        "defaults",
    ):
        assert f"`{key}`" in readme
