"""What each part of the ranking gives: MRR@10 on judged queries with one part switched off at a time.

    python bench/ablation.py ../shared/judged/dev

Parts are switched off in a copy of the configuration (`index/`): a number made neutral, a file of synonyms taken
away; classes of expansions are left out of the plans of queries. The last columns are PCS queries and our own set in
`tests/judged`.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from judged_sets import COLLECTIONS, DATA, ROOT, JudgedSet, files, judged_sets

import codesearch
from codesearch.config import corpus_folder, shipped_root
from codesearch.evaluate import evaluate, search_all
from codesearch.query.plan import Planner
from codesearch.query.unknown import UnknownWords

SETS = ("index", "do", "consumer", "external", "typo", "abbrev")
OURS = ROOT / "tests" / "judged"

FINDERS = {"spelling": ("_corrections",), "prefix": ("_family",), "compound": ("_compound", "_split")}
"""The methods of `UnknownWords` that give the replacements of a class."""

Change = Callable[[Path], None]


class Part(NamedTuple):
    """A part of the ranking, and how it is switched off in a copy of `index/`."""

    name: str
    change: Change = lambda _: None
    exact: bool = False
    classes: tuple[str, ...] = ()


def main() -> None:
    """Builds and judges once for each part, and prints how much its absence costs."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="codesearch-ablation-"))
    asked = (("CM", options.folder, SETS), ("PCS", options.folder, ("pcs",)), ("own", OURS, ()))
    judged = {collection: list(judged_sets(folder, sets)) for collection, folder, sets in asked}
    names = [one.name for sets in judged.values() for one in sets]
    print(f"{'':<34}" + "".join(f"{name:>9}" for name in names), flush=True)
    rows: dict[str, list[float]] = {}
    for part in _parts(shipped_root() / "index"):
        if not options.part or part.name in options.part or not rows:
            found = (_judge(part, name, sets, work, options.data) for name, sets in judged.items())
            rows[part.name] = [figure for figures in found for figure in figures]
            print(_line(part.name, rows[part.name], next(iter(rows.values()))), flush=True)
    if options.json:
        table = {name: dict(zip(names, figures, strict=True)) for name, figures in rows.items()}
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _parts(index: Path) -> list[Part]:
    """Everything first, then each part."""
    names = sorted(file.name for file in (index / "synonyms").glob("*.txt"))
    return [
        Part("everything"),
        Part("without all that was not typed", exact=True),
        Part("without any synonyms", _without_file("*.txt")),
        *(Part(f"without {name}", _without_file(name)) for name in names),
        Part("without initials of titles", classes=("initials",)),
        Part("without joined neighbours", classes=("joined",)),
        Part("without spelling correction", classes=("spelling",)),
        Part("without families of prefixes", classes=("prefix",)),
        Part("without parts of compounds", classes=("compound",)),
        Part("without these three", classes=("spelling", "prefix", "compound")),
        Part("without folded spellings", _without_spellings),
        Part("without nonessential phrases", _without_nonessential),
        Part("without the query's coverage", _numbers(query_coverage_power=0)),
        Part("without the entry's coverage", _numbers(entry_coverage=0)),
        Part("without ancestors", _numbers(ancestor_share=0)),
        Part("with all words of ancestors", _numbers(own_words=[])),
        Part("without exact names", _numbers(exact_name=1)),
        Part("without contradictions", _numbers(contradiction=1)),
        Part("without priors", _numbers(unspecified=1, initial=1, billable=1)),
        Part("without the clinical part", _numbers(clinical=0)),
    ]


def _judge(part: Part, collection: str, sets: list[JudgedSet], work: Path, data: Path) -> list[float]:
    """MRR@10 on each set with a part switched off."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder)
        for room in ("ingest", "index"):
            shutil.copytree(shipped_root() / room, config / room)
        part.change(config / "index")
        index = work / collection
        # Built anew in the same place, so that unchanged inputs are not read again.
        codesearch.reindex(_sources(collection, data), index, config=config)
    with codesearch.open_index(index) as opened, _without_classes(part.classes):
        answers = [search_all(opened, one.queries, exact=part.exact) for one in sets]
        return [evaluate(one.queries, one.qrels, found).total.mrr for one, found in zip(sets, answers, strict=True)]


@contextmanager
def _without_classes(classes: Sequence[str]) -> Iterator[None]:
    """Switches classes of expansions off: a low weight would not, where nothing else stands for a word."""
    all_of = Planner._expanded

    def others(planner: Planner, typed: str, words: Any) -> Any:
        return [one for one in all_of(planner, typed, words) if one.weight_class not in classes]

    with ExitStack() as patches:
        patches.enter_context(patch.object(Planner, "_expanded", others))
        if "joined" in classes:
            patches.enter_context(patch.object(Planner, "_joined", lambda *_: None))
        for name in classes:
            for finder in FINDERS.get(name, ()):
                patches.enter_context(patch.object(UnknownWords, finder, lambda *_: ()))
        yield


def _sources(collection: str, data: Path) -> list[str | Path]:
    return [*files(collection, data)] if collection in COLLECTIONS else [corpus_folder(), "icd10cm"]


def _line(name: str, figures: list[float], everything: list[float]) -> str:
    shown = figures if figures is everything else [now - then for now, then in zip(figures, everything, strict=True)]
    sign = "" if figures is everything else "+"
    return f"{name:<34}" + "".join(f"{figure:{sign}9.3f}" for figure in shown)


def _without_file(pattern: str) -> Change:
    """Takes files of synonyms away."""

    def change(folder: Path) -> None:
        for file in (folder / "synonyms").glob(pattern):
            file.unlink()

    return change


def _numbers(**numbers: float | list[str]) -> Change:
    """Gives numbers and lists of `ranking.toml` other values."""

    def change(folder: Path) -> None:
        file = folder / "ranking.toml"
        text = file.read_text(encoding="utf-8")
        for name, number in numbers.items():
            value = number if isinstance(number, list) else float(number)
            text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
            if count != 1:
                raise SystemExit(f"{file}: {count} lines set {name}")
        file.write_text(text, encoding="utf-8")

    return change


def _without_spellings(folder: Path) -> None:
    """Takes the tables `[[spellings]]` away, which stand last in `analysis.toml`."""
    file = folder / "analysis.toml"
    text, _, _ = file.read_text(encoding="utf-8").partition("[[spellings]]")
    file.write_text(f"spellings = []\n{text}", encoding="utf-8")


def _without_nonessential(folder: Path) -> None:
    """Has every word of a name count."""
    file = folder / "analysis.toml"
    text, count = re.subn(
        r"^nonessential = \[.*?\]$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    if count != 1:
        raise SystemExit(f"{file}: {count} lists of nonessential phrases")
    file.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a judged folder")
    parser.add_argument("--part", action="append", default=[], help="only this part, by its name; may be repeated")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--work", type=Path, help="where indexes are built; a new temporary folder by default")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
