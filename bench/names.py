"""Whether every code is found first by its own official name, and by the usual spellings of the code itself.

    python bench/names.py

Takes codes of ICD-10-CM and ICD-10-PCS by chance, in one index of both. A name is typed in small letters and without
its commas, parentheses and brackets. A code below the one that was meant counts too, as it is the one that is billed.
Prints of each kind of text how many there were, the share that found their code first, and some that did not. No judged
query is used: these texts follow from the official files alone.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from judged_sets import DATA, build

import codesearch
from codesearch import Index
from codesearch.codes import bare
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import RecordFile
from codesearch.records import CodeRecord

COLLECTION = "CM and PCS"
_SEED = 28
_PUNCTUATION = re.compile(r"[,()\[\]]")


class Typed(NamedTuple):
    """A text, the kind of it, and the bare code that it means."""

    kind: str
    text: str
    code: str


def main() -> None:
    """Searches and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=6000, help="so many codes of each system")
    parser.add_argument("--shown", type=int, default=3, help="so many failures of each kind")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--work", type=Path, help="where the index is kept; a new temporary folder by default")
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="codesearch-names-"))
    place = build(COLLECTION, options.data, work)
    found: dict[str, list[Typed]] = {}
    counts: dict[str, int] = {}
    with codesearch.open_index(place) as index:
        index.warm_up()
        for typed in _texts(_chosen(place, options.codes)):
            counts[typed.kind] = counts.get(typed.kind, 0) + 1
            failed = found.setdefault(typed.kind, [])
            if not _is_first(index, typed):
                failed.append(typed)
    for kind, failed in found.items():
        shown = "; ".join(f"{one.text!r} ({one.code})" for one in failed[: options.shown])
        print(f"{kind:<34}{counts[kind]:>7,}{1 - len(failed) / counts[kind]:>9.4f}  {shown}")


def _chosen(place: Path, count: int) -> list[CodeRecord]:
    """So many codes of each system, by chance."""
    file = RecordFile(GenerationStore(place).current().folder)
    records = [stored.record for stored in file.all() if stored.record.kind != "chapter"]
    file.close()
    chance = random.Random(_SEED)
    both = ([one for one in records if one.system == system] for system in ("ICD10CM", "ICD10PCS"))
    return [one for records in both for one in chance.sample(records, min(count, len(records)))]


def _texts(records: list[CodeRecord]) -> Iterator[Typed]:
    for record in records:
        code = record.code or ""
        plain, small = bare(code), code.lower()
        is_pcs = record.system == "ICD10PCS"
        if is_pcs and len(plain) < 7:
            continue  # a table of ICD-10-PCS is no code
        system = "PCS" if is_pcs else "CM"
        yield Typed(f"{system} name", " ".join(_PUNCTUATION.sub(" ", record.name.lower()).split()), plain)
        yield Typed(f"{system} code, small letters", small, plain)
        yield Typed(f"{system} code without a dot", plain.lower(), plain)
        yield Typed(f"{system} code, blanks and a full stop", f" {small}. ", plain)
        if is_pcs:
            yield Typed("PCS code, a blank after three", f"{plain[:3]} {plain[3:]}", plain)
            yield Typed("PCS code, o for each zero", plain.lower().replace("0", "o"), plain)
        else:
            yield Typed("CM code, a blank after one", f"{small[0]} {small[1:]}", plain)
            yield Typed("CM code, a blank for the dot", small.replace(".", " "), plain)
            if len(plain) == 7 and "X" in plain[3:6]:
                missing = plain[3:6].replace("X", "") + plain[6]
                yield Typed("CM code, placeholders missing", f"{plain[:3]}.{missing}", plain)


def _is_first(index: Index, typed: Typed) -> bool:
    hits = index.search(typed.text, limit=1).hits
    return bool(hits) and bare(hits[0].code or "").startswith(typed.code)


if __name__ == "__main__":
    main()
