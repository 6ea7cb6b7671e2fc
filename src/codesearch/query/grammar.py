"""The query language: a text becomes a tree of words, phrases, fields and operators; nothing that is typed is an error.

    query  = { either }                              side by side; what words say there ranks
    either = both { "OR" both }
    both   = one { "AND" one }
    one    = ( "NOT" | "-" | "+" | field ":" ) one | word | '"' phrase '"' | "(" query ")"

What does not fit (an `OR` at an end, a quotation mark without its twin) is left out and told in a note. `written` gives
a tree as text; parsed again it is the same tree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from codesearch.codes import SYSTEMS, find_system, has_shape

MAX_OPERATORS = 100
"""A text with more operators, phrases and fields is read as plain words."""
MAX_DEPTH = 10
"""Parentheses within parentheses; those further in are left out."""
_SHOUTED_WORDS = 3
"""In a text of more words than these, all in capitals, AND, OR and NOT are words: a title that was pasted."""


class Word(NamedTuple):
    """A run of characters without blanks, as it is typed."""

    text: str


class Phrase(NamedTuple):
    """Words between quotation marks."""

    text: str


class Group(NamedTuple):
    """What stands side by side in parentheses, under an operator."""

    parts: tuple[Node, ...]


class And(NamedTuple):
    """All of the parts."""

    parts: tuple[Node, ...]


class Or(NamedTuple):
    """At least one of the parts."""

    parts: tuple[Node, ...]


class Not(NamedTuple):
    """What must not match."""

    part: Node


class Must(NamedTuple):
    """What must match."""

    part: Node


class Field(NamedTuple):
    """What must match in a field; the name is in lower case."""

    name: str
    part: Node


Node: TypeAlias = Word | Phrase | Group | And | Or | Not | Must | Field


class Parsed(NamedTuple):
    """What stands side by side in a query, and a note for each thing that was not read as it may have been meant."""

    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether there are words and nothing else."""
        return all(isinstance(node, Word) for node in self.nodes)

    @property
    def plain_words(self) -> str:
        """The words that stand by themselves, under no operator."""
        return " ".join(node.text for node in self.nodes if isinstance(node, Word))


class _Token(NamedTuple):
    kind: str
    text: str = ""


_QUOTES = '"“”„‟'
_SPECIAL = re.compile(rf"[{_QUOTES}:()]|(?:^|\s)[-+]\S|\b(?:AND|OR|NOT)\b")
_PHRASE = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}](?!\w)")
# Before a word with a letter in it, a long number, a phrase or a group: not in `- pain`, `--` or `T score -2.5`.
_SIGN = re.compile(rf"[-+](?=[{_QUOTES}(]|\d*[^\W\d_]|\d{{4}})")
_FIELD = re.compile(r"([^\W\d_][\w.]*):(?=[^\s:/)])")
_PLAIN_WORD = re.compile(r"\w[\w./'*?-]*")
_WORD = re.compile(r"(?:[^\s()]|(?<=\w)\([^\s()]*\))+")

_OPERATORS = frozenset({"AND", "OR", "NOT"})
_SIGNS = {"-": "NOT", "+": "MUST"}
_BEFORE_ONE = frozenset({"NOT", "MUST", "FIELD"})
_BETWEEN = frozenset({"AND", "OR"})
_BEGINS_ONE = _BEFORE_ONE | {"WORD", "PHRASE", "("}
_ENDS_ONE = frozenset({"WORD", "PHRASE", ")"})


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that could be an operator."""
    # Most texts are words in small letters, which is told in a fraction of the time.
    return (text.islower() and text.replace(" ", "").isalnum()) or not _SPECIAL.search(text)


def parse(text: str, fields: Collection[str] = ()) -> Parsed:
    """The tree of a query.

    Args:
        text: whatever was typed.
        fields: the names that may stand before a colon, in lower case.
    """
    if is_plain(text):
        return Parsed(tuple(map(Word, text.split())))
    lexer = _Lexer(text, fields)
    tokens = lexer.tokens()
    operators = sum(token.kind not in {"WORD", "(", ")"} for token in tokens)
    if operators > MAX_OPERATORS:
        words = (Word(word) for token in tokens for word in token.text.split())
        return Parsed(tuple(words), (f"more than {MAX_OPERATORS} operators: all are read as plain words",))
    return Parsed(tuple(_Parser(tokens).side_by_side()), tuple(dict.fromkeys(lexer.notes)))


class _Lexer:
    """Cuts a text into tokens, of which every operator has what it needs."""

    def __init__(self, text: str, fields: Collection[str]) -> None:
        self.notes: list[str] = []
        self._text = text
        self._fields = fields
        self._place = 0
        self._end = 0
        self._found: list[_Token] = []

    def tokens(self) -> list[_Token]:
        """The tokens of the text."""
        while self._place < len(self._text):
            if self._text[self._place].isspace() or self._is_hyphen():
                self._place += 1
            elif found := self._next():
                self._found += found
                self._end = self._place
        self._found = tokens = self._without_shouting(self._found)
        before: list[_Token] = []
        while tokens != before:
            before, tokens = tokens, self._with_operands(_balanced(tokens))
        self._tell_of(self._found, tokens)
        return tokens

    def _next(self) -> list[_Token]:
        """The tokens at the place, which moves behind them."""
        char = self._text[self._place]
        if char in "()":
            self._place += 1
            return [_Token(char)]
        if char in _QUOTES:
            return self._phrase()
        return self._sign() or self._field() or self._word()

    def _phrase(self) -> list[_Token]:
        match = _PHRASE.match(self._text, self._place)
        content = " ".join(match[1].split()) if match else ""
        self._place = match.end() if match else self._place + 1
        if any(map(str.isalnum, content)):
            return [_Token("PHRASE", content)]
        self.notes.append("ignored quotation marks with nothing between them" if match else 'ignored a lone "')
        return []

    def _sign(self) -> list[_Token]:
        match = _SIGN.match(self._text, self._place)
        if not match or self._continues_a_range():
            return []
        self._place += 1
        return [_Token(_SIGNS[match[0]])]

    def _is_hyphen(self) -> bool:
        """Whether a sign stands behind a phrase or a parenthesis as in `"x"-ray`."""
        return self._is_glued({"PHRASE", ")", *_BEFORE_ONE}) and bool(_SIGN.match(self._text, self._place))

    def _is_glued(self, kinds: Collection[str]) -> bool:
        """Whether a token of one of these kinds ends where the next one begins."""
        return bool(self._found) and self._end == self._place and self._found[-1].kind in kinds

    def _continues_a_range(self) -> bool:
        """Whether the sign stands between two codes as in `99202 -99215`, which is a range typed in haste."""
        *_, before, last = (_Token(""), _Token(""), *self._found)
        first = last.text if last.kind == "WORD" and before.kind not in _BEFORE_ONE else ""
        word = _WORD.match(self._text, self._place + 1)
        return bool(word and len(word[0]) == len(first) and _is_like_a_code(first) and _is_like_a_code(word[0]))

    def _field(self) -> list[_Token]:
        match = _FIELD.match(self._text, self._place)
        if not match:
            return []
        self._place = match.end()
        name = match[1].lower()
        if name in self._fields:
            return [_Token("FIELD", name)]
        if not find_system(name):
            from difflib import get_close_matches

            near = ", ".join(get_close_matches(name, self._fields, 3))
            self.notes.append(f"{match[1]}: is no field" + (f"; near it: {near}" if near else ""))
        return [_word_token(match[1])]

    def _word(self) -> list[_Token]:
        match = _WORD.match(self._text, self._place)
        assert match, "what is no blank and no parenthesis begins a word"
        word = match[0].strip(_QUOTES)
        is_operator = word in _OPERATORS and not self._is_glued(_BEFORE_ONE)
        self._place = match.end()
        if is_operator:
            return [_Token(word, word)]
        return [_word_token(word)] if word else []

    def _without_shouting(self, tokens: list[_Token]) -> list[_Token]:
        words = sum(token.kind == "WORD" for token in tokens)
        # A sign is an operator of the same kind, but has no text.
        operators = [token for token in tokens if token.kind in _OPERATORS and token.text]
        if words <= _SHOUTED_WORDS or not self._text.isupper() or not operators:
            return tokens
        self.notes.append("all in capitals: AND, OR and NOT are read as words")
        return [_word_token(token.text) if token in operators else token for token in tokens]

    def _with_operands(self, tokens: list[_Token]) -> list[_Token]:
        """The tokens without operators that have nothing to stand before or between; a field's name stays as a word."""
        kept: list[_Token] = []
        for token in reversed(tokens):
            followed = bool(kept) and kept[-1].kind in _BEGINS_ONE
            if followed or token.kind not in _BEFORE_ONE | _BETWEEN:
                kept.append(token)
            elif token.kind == "FIELD":
                kept.append(_Token("WORD", token.text))
        sound: list[_Token] = []
        for token in reversed(kept):
            if token.kind not in _BETWEEN or (sound and sound[-1].kind in _ENDS_ONE):
                sound.append(token)
        return sound

    def _tell_of(self, found: list[_Token], kept: list[_Token]) -> None:
        left_out = Counter(token.kind for token in found) - Counter(token.kind for token in kept)
        told = {"AND": "AND", "OR": "OR", "NOT": "NOT or -", "MUST": "+", "(": "a lone (", ")": "a lone )"}
        self.notes += [
            f"ignored {written} (nothing to stand with)" if kind in _BETWEEN | _BEFORE_ONE else f"ignored {written}"
            for kind, written in told.items()
            if left_out[kind]
        ]


def _is_like_a_code(text: str) -> bool:
    return any(has_shape(system, text) for system in SYSTEMS)


def _word_token(text: str) -> _Token:
    """A word; one that reads as an operator is written small, so that it stays a word."""
    return _Token("WORD", text.lower() if text in _OPERATORS else text)


def _balanced(tokens: Sequence[_Token]) -> list[_Token]:
    """The tokens without parentheses that have no twin, nothing inside, or too many around them."""
    dropped: set[int] = set()
    open_places: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind == "(":
            open_places.append(place)
        elif token.kind == ")":
            opened = open_places.pop() if open_places else place
            if opened in {place, place - 1} or len(open_places) >= MAX_DEPTH:
                dropped |= {opened, place}
    dropped.update(open_places)
    return [token for place, token in enumerate(tokens) if place not in dropped]


class _Parser:
    """Makes a tree of tokens as `_Lexer` gives them."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def side_by_side(self) -> Iterator[Node]:
        """What stands side by side up to the end or the parenthesis that closes it; groups in it are opened."""
        while self._kind() not in {"", ")"}:
            node = self._chain("OR", Or, lambda: self._chain("AND", And, self._one))
            yield from node.parts if isinstance(node, Group) else (node,)

    def _chain(self, kind: str, node: Callable[[tuple[Node, ...]], Node], part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._kind() == kind:
            self._place += 1
            parts.append(part())
        return node(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Node:
        token = self._tokens[self._place]
        self._place += 1
        match token.kind:
            case "NOT":
                return Not(self._one())
            case "MUST":
                return Must(self._one())
            case "FIELD":
                return Field(token.text, self._one())
            case "PHRASE":
                return Phrase(token.text)
            case "(":
                parts = tuple(self.side_by_side())
                self._place += 1
                return parts[0] if len(parts) == 1 else Group(parts)
        return Word(token.text)

    def _kind(self) -> str:
        return self._tokens[self._place].kind if self._place < len(self._tokens) else ""


def is_exclusion(node: Node) -> bool:
    """Whether a node says only what must not match."""
    match node:
        case Not():
            return True
        case Must(part) | Field(_, part):
            return is_exclusion(part)
        case Group(parts) | And(parts) | Or(parts):
            return all(map(is_exclusion, parts))
    return False


def plain_words(text: str) -> list[Word]:
    """The words of a text, none of which is read as an operator."""
    return [Word(word.lower() if word in _OPERATORS else word) for word in _PLAIN_WORD.findall(text)]


def leaves(node: Node) -> Iterator[Word | Phrase]:
    """The words and phrases of a tree, in order."""
    match node:
        case Word() | Phrase():
            yield node
        case Not(part) | Must(part) | Field(_, part):
            yield from leaves(part)
        case Group(parts) | And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)


def written(nodes: Sequence[Node]) -> str:
    """Nodes that stand side by side, as a text that is read as the same nodes."""
    return " ".join(_written(node) for node in nodes)


def _written(node: Node) -> str:
    match node:
        case Word(text):
            return text
        case Phrase(text):
            return f'"{text}"'
        case Group(parts):
            return written(parts)
        case And(parts):
            return " AND ".join(_in_parentheses(part, (And, Or, Group)) for part in parts)
        case Or(parts):
            return " OR ".join(_in_parentheses(part, (Or, Group)) for part in parts)
        case Not(Word(text)) if _is_like_a_code(text):
            return f"-({text})"  # behind another code, the sign alone would make a range
        case Not(part):
            return _prefixed("-", part, _SIGN)
        case Must(part):
            return _prefixed("+", part, _SIGN)
        case Field(name, part):
            return _prefixed(f"{name}:", part, _FIELD)


def _in_parentheses(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({_written(node)})" if isinstance(node, kinds) else _written(node)


def _prefixed(prefix: str, node: Node, pattern: re.Pattern[str]) -> str:
    """What binds to the prefix by itself, and everything else in parentheses."""
    plain = f"{prefix}{_written(node)}"
    return plain if isinstance(node, Word | Phrase | Field) and pattern.match(plain) else f"{prefix}({_written(node)})"
