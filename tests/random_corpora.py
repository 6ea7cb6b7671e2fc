"""Random records, queries and filters for the tests of ranking: small ones by hypothesis, large ones by seed."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from codesearch.index.build import sort_key
from codesearch.index.record_file import StoredRecord
from codesearch.query.score import Mask
from codesearch.records import CodeRecord, Kind, Purpose, Risks

WORDS = [
    "kidney",
    "renal",
    "failure",
    "acute",
    "chronic",
    "stone",
    "calculus",
    "fracture",
    "femur",
    "thigh",
    "bone",
    "heart",
    "cardiac",
    "attack",
    "myocardial",
    "infarction",
    "left",
    "right",
    "type",
    "diabetes",
    "mellitus",
    "sugar",
    "unspecified",
    "other",
    "x-ray",
    "ray",
    "post-operative",
    "pain",
    "2",
    "II",
    "haemorrhage",
    "hemorrhage",
    "bleeding",
]
"""Few words, so that they meet often: spellings of one term, hyphens, digits, and both sides of the rules."""

RULES = """
kidney, renal, nephric | same
stone, calculus, lithiasis | lay
thigh bone => femur | lay
femur => thigh bone | bodypart
heart attack => myocardial infarction | lay
heart attack, cardiac infarction | related
mi => myocardial infarction | abbreviation
mi => left heart failure | abbreviation
sugar, sugar disease => diabetes mellitus | lay
diabetes => sugar | archaic
crf => chronic renal failure | abbreviation
crf, kidney failure => failure | related
bleeding, hemorrhage | family
fracture => bone failure | procedure
acute pain => pain | related
"""
"""Rules of every shape: one word for many, many for one, many for many, and several for the same words."""

TYPED = [*WORDS, "mi", "crf", "thigh bone", "heart attack", "sugar disease", "kidney failure", "acute pain", "xray"]
UNKNOWN = ["kidnei", "hart", "zzyzx", "fracturing", "leftrenal", "femurs", "15mg", "mellitos"]


class Filter(NamedTuple):
    """What may be found: a slice of documents, and a mask over all of them or none."""

    span: tuple[int, int]
    allowed: Mask | None

    def lets(self, document: int) -> bool:
        """Whether a document may be found."""
        inside = self.span[0] <= document < self.span[1]
        return inside and (self.allowed is None or bool(self.allowed[document]))


@st.composite
def _names(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from([*WORDS, "of", "unspecified"]), min_size=1, max_size=6))
    inside = draw(st.integers(0, 3))
    if inside == 3 and len(words) > 1:
        return f"{words[0]} ({' '.join(words[1:3])}) {' '.join(words[3:])}".strip()
    return " ".join(words)


_texts = st.lists(_names(), max_size=2).map(tuple)
_sections = st.one_of(st.just(()), _texts)


@st.composite
def corpora(draw: st.DrawFn) -> list[CodeRecord]:
    """Records of several systems in the order of documents, at most two dozen."""
    count = draw(st.integers(1, 24))
    records: list[CodeRecord] = []
    for number in range(count):
        system = draw(st.sampled_from(["CPT", "ICD10CM", "OWN"]))
        before = [record.code for record in records if record.system == system]
        kinds: list[Kind] = ["code", "code", "code", "header", "chapter"]
        kind = draw(st.sampled_from(kinds))
        records.append(
            CodeRecord(
                system,
                f"{system[0]}{number:04d}",
                draw(_names()),
                kind=kind,
                full_name=draw(st.one_of(st.just(""), _names())),
                inclusion_terms=draw(_texts),
                synonyms=draw(_texts),
                parent=draw(st.sampled_from([None, *before])),
                billable=draw(st.sampled_from([None, True, False])),
                terminated=draw(st.sampled_from([None, None, "2020-01-01"])),
                summary=draw(st.one_of(st.just(""), _names())),
                purpose=Purpose(conditions=draw(_sections)),
                risks=Risks(common=draw(_sections)),
                excludes=draw(_sections),
            )
        )
    return ordered(records)


def ordered(records: list[CodeRecord]) -> list[CodeRecord]:
    """Records in the order of documents."""
    return [one.record for one in sorted(map(StoredRecord, records), key=sort_key)]


queries = st.lists(st.sampled_from([*TYPED, *TYPED, *UNKNOWN]), min_size=1, max_size=6).map(" ".join)


@st.composite
def filters(draw: st.DrawFn, documents: int) -> Filter:
    """A slice of the documents, and perhaps a mask."""
    start = draw(st.sampled_from([0, 0, documents // 2]))
    end = draw(st.sampled_from([documents, documents, start + 3]))
    mask = draw(st.one_of(st.none(), st.lists(st.booleans(), min_size=documents, max_size=documents)))
    return Filter((start, min(end, documents)), None if mask is None else np.array(mask, bool))


def large_corpus(seed: int, codes: int) -> list[CodeRecord]:
    """Records whose words are as uneven as those of a language: a few in every third name, most in a handful.

    Every third word of the head of the list is one of `WORDS`, so that the rules apply to long lists too. Many names
    stand twice, so that there are ties.
    """
    chance = random.Random(seed)
    vocabulary = _vocabulary(codes)
    weights = np.cumsum([1 / (rank + 2) for rank in range(len(vocabulary))]).tolist()
    records: list[CodeRecord] = []
    name = "unspecified"
    for number in range(codes):
        if chance.random() < 0.9:
            name = " ".join(chance.choices(vocabulary, cum_weights=weights, k=chance.randint(1, 7)))
        others = [
            " ".join(chance.choices(vocabulary, cum_weights=weights, k=3))
            for _ in range(chance.choice((0, 0, 0, 1, 2)))
        ]
        records.append(
            CodeRecord(
                "ICD10CM" if number % 3 else "CPT",
                f"{number:06d}",
                name,
                inclusion_terms=tuple(others),
                parent=f"{number - number % 10:06d}"
                if number % 10 and number % 3 == (number - number % 10) % 3
                else None,
                billable=chance.choice((True, True, False, None)),
                terminated="2020-01-01" if chance.random() < 0.05 else None,
                notes=(" ".join(chance.choices(vocabulary, cum_weights=weights, k=5)),)
                if chance.random() < 0.05
                else (),
            )
        )
    return ordered(records)


def large_queries(seed: int, count: int, codes: int) -> list[str]:
    """Queries of one to seven words: common, rare, unknown and expanded ones."""
    chance = random.Random(seed)
    vocabulary = _vocabulary(codes)
    found = []
    for _ in range(count):
        length = chance.randint(1, 7)
        pools = [vocabulary[:15], vocabulary[:200], vocabulary, TYPED, UNKNOWN]
        found.append(" ".join(chance.choice(chance.choice(pools)) for _ in range(length)))
    return found


def large_filters(seed: int, documents: int) -> list[Filter]:
    """No filter, a slice, a scarce mask, and a mask within a slice."""
    chance = np.random.default_rng(seed)

    def mask(share: float) -> npt.NDArray[np.bool_]:
        return chance.random(documents) < share

    whole, part = (0, documents), (documents // 3, documents - 100)
    return [Filter(whole, None), Filter(part, None), Filter(whole, mask(0.01)), Filter(part, mask(0.5))]


def _vocabulary(codes: int) -> list[str]:
    syllables = ["ba", "ko", "ri", "mu", "ten", "sol", "vag", "pel", "dor", "xin", "lu", "fe"]
    chance = random.Random(codes)
    made = dict.fromkeys("".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(codes // 10))
    words = list(made)
    for place, word in enumerate(WORDS):
        words.insert(place * 3, word)
    return words
