"""The page about the query language says what is true: its examples find what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner
from query_support import PLAIN, codes

import codesearch
from codesearch.cli import commands
from codesearch.config import corpus_folder
from codesearch.query.named_fields import NamedFields

PAGE = (Path(__file__).parents[1] / "docs" / "query-language.md").read_text(encoding="utf-8")


def examples() -> Iterator[tuple[str, list[str], str]]:
    """Each query of a table, the codes it is said to find (the first of them first), and what follows them."""
    for query, hits in re.findall(r"^\| `(.+?)` \| .* \| (.*) \|$", PAGE, re.MULTILINE):
        yield query, re.findall(r"`(.+?)`", hits), hits.rpartition("`")[2].strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the shipped pages."""
    folder = tmp_path_factory.mktemp("language") / "index"
    codesearch.reindex([corpus_folder()], folder, jobs=1)
    return folder


@pytest.fixture(scope="module")
def index(place: Path) -> Iterator[codesearch.Index]:
    """It, opened."""
    with ExitStack() as stack:
        yield stack.enter_context(codesearch.open_index(place))


def test_there_are_examples() -> None:
    assert len(list(examples())) > 30


@pytest.mark.parametrize(("query", "expected", "more"), list(examples()))
def test_an_example_finds_what_is_said(index: codesearch.Index, query: str, expected: list[str], more: str) -> None:
    results = index.search(query, limit=max(1, len(expected)))
    assert codes(results)[0] == expected[0]
    assert sorted(map(str, codes(results))) == sorted(expected)
    if more == "and more":
        assert results.total > len(expected)
    else:
        left = re.fullmatch(r"and (\d+) more", more)
        assert results.total == len(expected) + (int(left[1]) if left else 0)


def test_screens_are_what_the_commands_print(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    [block] = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        _, *arguments = shlex.split(command.replace("INDEX", str(place)))
        result = CliRunner().invoke(commands, arguments)
        assert (result.exit_code, result.stdout, result.stderr.strip()) == (1, "", shown.strip())


def test_every_field_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("Fields of text") : PAGE.index("A field of one value, and")]))
    assert {name for name in NamedFields(PLAIN.fields).names if "." not in name} <= named
