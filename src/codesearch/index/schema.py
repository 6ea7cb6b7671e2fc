"""The Whoosh schema of an index: a field for every kind of text and every keyword, and our analysis as Whoosh calls it.

Text fields bear the names of `index/fields.toml` (`name`, `risks.common`). Identifiers, which are matched whole, are
`code` (in bare form) and the keyword fields; where a text field has the same name (`setting`), the identifier is called
`setting.keyword`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from whoosh.analysis.acore import Composable, Token
from whoosh.fields import ID, TEXT, FieldType, Schema

from codesearch.errors import ConfigError
from codesearch.index import analysis
from codesearch.index.fields import Fields
from codesearch.index.settings import IndexSettings

CODE = "code"
"""The identifier that every index has."""

_STORED_TEXT = "name"


class TermAnalyzer(Composable):
    """Our analysis as Whoosh calls it: text to tokens.

    Its pickle holds nothing but the name of this class, since an index is always opened with a schema of our own.
    """

    is_morph = True

    def __init__(self, analyzer: analysis.Analyzer) -> None:
        self._analyzer = analyzer

    def __getstate__(self) -> None:
        return None

    def __call__(
        self,
        value: str,
        positions: bool = False,
        chars: bool = False,
        start_pos: int = 0,
        start_char: int = 0,
        mode: str = "",
        **options: Any,
    ) -> Iterator[Token]:
        """The tokens of a text; `mode="index"` adds hyphenated words joined, as records have them."""
        for found in self._places(value, mode) if not chars else self._analyzer.tokens(value):
            token = Token(positions, chars, mode=mode, **options)
            token.text = found.term
            if positions:
                token.pos = start_pos + found.position
            if chars:
                token.startchar, token.endchar = start_char + found.start, start_char + found.end
            yield token

    def _places(self, text: str, mode: str) -> list[analysis.Token]:
        """Terms and their positions; not where they stand in the text, which folding changes."""
        folded = self._analyzer.fold(text)
        places = [analysis.Token(term, place, 0, 0) for place, term in enumerate(self._terms(folded))]
        if mode == "index":
            joined = self._analyzer.joined(folded)
            places += [analysis.Token(term, len(self._terms(folded[:start])), 0, 0) for term, start in joined if term]
            places.sort(key=lambda token: token.position)
        return places

    def _terms(self, folded: str) -> list[str]:
        return [term for term in map(self._analyzer.term, self._analyzer.words(folded)) if term]


def build_schema(settings: IndexSettings) -> Schema:
    """The schema of an index with these settings; equal settings give schemas with equal pickles.

    Raises:
        ConfigError: two fields have one name.
    """
    fields = settings.fields
    analyzer = TermAnalyzer(analysis.Analyzer(settings.analysis))
    names = (*fields.title, *fields.sections, *identifiers(fields))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError("index/fields.toml", f"names the field {twice[0]!r} twice", "Remove one of the two.")
    schema: dict[str, FieldType] = {name: ID(stored=True) for name in identifiers(fields)}
    for name in (*fields.title, *fields.sections):
        schema[name] = TEXT(analyzer=analyzer, stored=name == _STORED_TEXT)
    # A pickle writes a string once for all places that share the object: interned, equal names always do.
    return Schema(**{sys.intern(name): field for name, field in schema.items()})


def identifiers(fields: Fields) -> dict[str, str]:
    """The Whoosh names of the identifiers, and what each stands for: `code` or a keyword field."""
    return {_free_name(name, fields): name for name in (CODE, *fields.keywords)}


def identifier(name: str, fields: Fields) -> str:
    """The Whoosh name of `code` or of a keyword field.

    Raises:
        ConfigError: there is no such keyword field.
    """
    if name != CODE and name not in fields.keywords:
        known = ", ".join(fields.keywords)
        raise ConfigError("index/fields.toml", f"has no keyword field {name!r}", f"It has {known}.")
    return _free_name(name, fields)


def _free_name(name: str, fields: Fields) -> str:
    return f"{name}.keyword" if name in fields.title or name in fields.sections else name
