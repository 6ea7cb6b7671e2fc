"""The page about the query language says what is true: its examples find what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_support import Cli
from docs_support import screens, tidy
from query_support import PLAIN, codes

import codesearch
from codesearch.query.named_fields import NamedFields

PAGE = (Path(__file__).parents[1] / "docs" / "query-language.md").read_text(encoding="utf-8")


def examples() -> Iterator[tuple[str, list[str], str]]:
    """Each query of a table, the codes it is said to find (the first of them first), and what follows them."""
    for query, hits in re.findall(r"^\| `(.+?)` \| .* \| (.*) \|$", PAGE, re.MULTILINE):
        yield query, re.findall(r"`(.+?)`", hits), hits.rpartition("`")[2].strip()


@pytest.fixture(scope="module")
def index(pages: Path) -> Iterator[codesearch.Index]:
    """The index of the shipped pages, opened."""
    with ExitStack() as stack:
        yield stack.enter_context(codesearch.open_index(pages))


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


@pytest.mark.parametrize(("command", "shown"), list(screens(PAGE)))
def test_a_screen_is_what_the_command_prints(cli: Cli, pages: Path, command: str, shown: str) -> None:
    _, *arguments = shlex.split(command)
    result = cli(*arguments, index=pages)
    assert (result.exit_code, result.stdout, tidy(result.stderr)) == (1, "", tidy(shown))


def test_every_field_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("Fields of text") : PAGE.index("A field of one value, and")]))
    assert {name for name in NamedFields(PLAIN.fields).names if "." not in name} <= named
