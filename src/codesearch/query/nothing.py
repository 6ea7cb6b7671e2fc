"""Why nothing was found: which part of a query or which filter leaves no hits, and what would find some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from codesearch.codes import SYSTEMS, has_shape
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeRecogniser
from codesearch.query.grammar import And, Field, Must, Node, Word, is_exclusion, leaves, plain_words, written
from codesearch.query.named_fields import NamedFields
from codesearch.query.request import Filters, Request
from codesearch.query.unknown import UnknownWords

if TYPE_CHECKING:
    from codesearch.query.results import Results

_MAX_TRIED = 16
"""Changes of a request that are tried, each by a search."""


class Cause(NamedTuple):
    """Something without which there are hits.

    Attributes:
        kind: `condition` (of the query), `filter`, `exact`, or `spelling` (of a word).
        what: the condition as it is written, the name of the filter, or the word.
        text: the query that finds something; for a spelling it holds another word.
        options: the arguments of `Index.search` that go with it.
        hits: how many codes it finds.
        systems: how many in each system.
    """

    kind: str
    what: str
    text: str
    options: dict[str, Any]
    hits: int
    systems: dict[str, int]


class Nothing(NamedTuple):
    """Why nothing was found: causes, of which taking away one is enough, and the words and codes that are nowhere."""

    causes: tuple[Cause, ...]
    unknown: tuple[str, ...]


class _Change(NamedTuple):
    kind: str
    what: str
    request: Request


class Diagnosis:
    """Finds out why requests to one index find nothing."""

    def __init__(
        self,
        reader: IndexReader,
        recogniser: CodeRecogniser,
        fields: NamedFields,
        search: Callable[[Request], Results],
    ) -> None:
        """Takes what gives the results of a request."""
        self._reader = reader
        self._recogniser = recogniser
        self._fields = fields
        self._search = search
        self._near = UnknownWords(reader)

    def of(self, request: Request, nodes: Sequence[Node]) -> Nothing:
        """Why a request finds nothing; `nodes` is the tree of its text."""
        unknown = list(dict.fromkeys(self._unknown(nodes)))
        changes = [*self._respelled(request, unknown), *self._loosened(request, nodes), *_unfiltered(request)]
        causes = [cause for change in changes[:_MAX_TRIED] if (cause := self._cause(change))]
        if not causes:
            causes = [cause for change in self._far_looser(request, nodes) if (cause := self._cause(change))][:1]
        return Nothing(tuple(causes), tuple(unknown))

    def _cause(self, change: _Change) -> Cause | None:
        """The cause that a change takes away; None where there are no hits after it either."""
        results = self._search(change.request)
        if not results.total:
            return None
        request, systems = change.request, results.facets.get("system", {})
        return Cause(change.kind, change.what, request.text, request.options(), results.total, systems)

    def _unknown(self, nodes: Sequence[Node]) -> Iterator[str]:
        """The words and codes of a tree that no record holds, and nothing stands for."""
        for leaf in (leaf for node in nodes if not self._is_silent(node) for leaf in leaves(node)):
            may_be_code = any(map(str.isdigit, leaf.text))
            if may_be_code and self._recogniser.named(leaf.text, list(self._reader.systems)):
                continue
            if may_be_code and any(has_shape(system, leaf.text) for system in SYSTEMS):
                yield leaf.text
            else:
                yield from self._unknown_words_of(leaf.text)

    def _unknown_words_of(self, text: str) -> Iterator[str]:
        reader, analyzer = self._reader, self._reader.analyzer
        for word in analyzer.words(analyzer.fold(text)):
            term = analyzer.term(word)
            if term and term not in reader.terms and term not in reader.expansions:
                yield word

    def _is_silent(self, node: Node) -> bool:
        """Whether a part of a tree names no text: what must not match, and values of fields."""
        return is_exclusion(node) or (isinstance(node, Field) and node.name in self._fields.keywords)

    def _loosened(self, request: Request, nodes: Sequence[Node]) -> Iterator[_Change]:
        """The request without each of its conditions; words that must match may match then."""
        for place, node in enumerate(nodes):
            for what, instead in self._instead(node):
                text = written([*nodes[:place], *instead, *nodes[place + 1 :]])
                yield _Change("condition", what, request._replace(text=text))

    def _instead(self, node: Node) -> Iterator[tuple[str, Sequence[Node]]]:
        """What a condition may be without, as it is written, and what stands in its place then."""
        if isinstance(node, And):
            for place, part in enumerate(node.parts):
                others = node.parts[:place] + node.parts[place + 1 :]
                yield written([part]), [And(others) if len(others) > 1 else _must(others[0])]
        elif not isinstance(node, Word):
            yield written([node]), self._words([node])

    def _words(self, nodes: Sequence[Node]) -> list[Word]:
        """The words of trees, each by itself, without those of exclusions and values."""
        spoken = [node for node in nodes if not self._is_silent(node)]
        return [word for node in spoken for leaf in leaves(node) for word in plain_words(leaf.text)]

    def _far_looser(self, request: Request, nodes: Sequence[Node]) -> Iterator[_Change]:
        """The request without all conditions, without all filters, and without both."""
        loose = request._replace(text=written(self._words(nodes)))
        yield _Change("condition", "the conditions", loose)
        yield _Change("filter", "filters", request._replace(filters=Filters(), exact=False))
        yield _Change("filter", "filters and conditions", loose._replace(filters=Filters(), exact=False))

    def _respelled(self, request: Request, words: Sequence[str]) -> Iterator[_Change]:
        """The request with the nearest other word in place of each unknown one."""
        for word in words:
            found = self._near.replacements(word, self._reader.analyzer.term(word))
            nearest = next((one.written for one in found if one.weight_class == "spelling"), None)
            if nearest:
                text = re.sub(re.escape(word), nearest, request.text, count=1, flags=re.IGNORECASE)
                yield _Change("spelling", word, request._replace(text=text))


def _must(node: Node) -> Node:
    return Must(node) if isinstance(node, Word) else node


def _unfiltered(request: Request) -> Iterator[_Change]:
    """The request without each of its filters, and with what is not typed."""
    for name in request.filters.given():
        yield _Change("filter", name, request._replace(filters=request.filters.without(name)))
    if request.exact:
        yield _Change("exact", "exact", request._replace(exact=False))
