"""What the tests of reindexing share: sources made of small files, and an index as its bytes."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import codesearch
from codesearch import ReindexReport
from codesearch.config import config_root
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import RecordFile, StoredRecord

CODESETS = Path(__file__).parent / "fixtures" / "codesets"

_times = itertools.count(1_700_000_000)


@cache
def small_config() -> Path:
    """The configuration of this checkout with few synonyms: reading all of them takes longer than a small build."""
    folder = Path(tempfile.mkdtemp(prefix="codesearch-config-"))
    atexit.register(shutil.rmtree, folder)
    for name in ("ingest", "index"):
        shutil.copytree(config_root(None) / name, folder / name)
    for path in (folder / "index" / "synonyms").glob("*.txt"):
        path.write_text("")
    (folder / "index" / "synonyms" / "lay.txt").write_text("watery stool => diarrhea | lay\n")
    return folder


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file that is later than every file written before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    now = next(_times)
    os.utime(path, (now, now))
    return path


def page(name: str, *conditions: str) -> str:
    """The HTML of a page with a name and sections."""
    items = "".join(f"<li>{condition}</li>" for condition in conditions)
    return (
        f"<html><head><title>{name}</title></head><body><main><h1>{name}</h1>"
        f"<h2>Summary</h2><p>What is known of {name} in a few plain words for those who need it.</p>"
        f"<h2>Conditions treated</h2><ul>{items}<li>Pain that does not go away</li></ul>"
        "<h2>Recovery time</h2><p>Two weeks</p></main></body></html>"
    )


def order_line(number: int, code: str, flag: str, name: str) -> str:
    """A line of an ICD-10-CM order file."""
    return f"{number:05d} {code:<7} {flag} {name[:60]:<60} {name}\n"


def order_file(*rows: tuple[str, str, str]) -> str:
    """An order file of (code, flag, name)."""
    return "".join(order_line(number, *row) for number, row in enumerate(rows, 1))


CHOLERA = (("A00", "0", "Cholera"), ("A000", "1", "Classical cholera"), ("A009", "1", "Cholera, unspecified"))


def generation(index: Path) -> dict[str, bytes]:
    """The files of the current generation."""
    folder = GenerationStore(index).current().folder
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def stored(index: Path) -> dict[str, StoredRecord]:
    """What is stored of each record, by its code, or its name where it has none."""
    file = RecordFile(GenerationStore(index).current().folder)
    try:
        return {one.record.code or one.record.name: one for one in file.all()}
    finally:
        file.close()


def build(
    sources: list[Path] | Path, index: Path, *, jobs: int = 1, force: bool = False, full: bool = False
) -> ReindexReport:
    """Reindexes with the small configuration, by default in one process."""
    given = sources if isinstance(sources, list) else [sources]
    return codesearch.reindex(given, index, jobs=jobs, force=force, full=full, config=small_config())
