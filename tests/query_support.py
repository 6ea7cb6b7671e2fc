"""What the tests of the query side share: small real indexes on disk, made of records written by hand."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from codesearch.config import config_root
from codesearch.index import manifest
from codesearch.index.analysis import Analyzer
from codesearch.index.build import as_they_are, sort_key, write_index
from codesearch.index.generations import GenerationStore
from codesearch.index.reader import IndexReader
from codesearch.index.record_file import StoredRecord
from codesearch.index.settings import IndexSettings, read_settings
from codesearch.index.synonyms import Rule, read_rules
from codesearch.library import Index, open_index
from codesearch.query.results import Results
from codesearch.records import CodeRecord, Indications, Procedure, Purpose

SHIPPED = read_settings(config_root() / "index")
"""The settings that ship, with all their synonyms."""
PLAIN = SHIPPED._replace(rules=())
"""The same without synonyms: what a test expects of words is in the test."""
ANALYZER = Analyzer(SHIPPED.analysis)
BUILT = "2025-01-31T02:00:00Z"


def with_rules(text: str) -> IndexSettings:
    """The shipped settings with these synonyms in place of their own."""
    return PLAIN._replace(rules=tuple(rules(text)))


def rules(text: str) -> list[Rule]:
    """The rules of a synonym file with this text."""
    with TemporaryDirectory() as folder:
        Path(folder, "rules.txt").write_text(text, encoding="utf-8")
        return read_rules(Path(folder), SHIPPED.ranking.classes)


def cm(code: str, name: str, **fields: Any) -> CodeRecord:
    """A billable code of ICD-10-CM."""
    return CodeRecord("ICD10CM", code, name, **{"billable": True, **fields})


def header(code: str, name: str, **fields: Any) -> CodeRecord:
    """A header of ICD-10-CM, which is not billable."""
    return cm(code, name, kind="header", billable=False, **fields)


def write_generation(folder: Path, records: Iterable[CodeRecord], settings: IndexSettings) -> None:
    """Writes the files of a generation into a folder."""
    stored = sorted((StoredRecord(record) for record in records), key=sort_key)
    write_index(folder, [stored], settings, as_they_are)
    counts: dict[str, dict[str, int]] = {}
    for one in stored:
        of_system = counts.setdefault(one.record.system, {"total": 0})
        of_system["total"] += 1
        of_system[one.record.kind] = of_system.get(one.record.kind, 0) + 1
    manifest.write(folder, tool_version="0", counts=counts, sources=[], config=settings.frozen())


def publish(path: Path, records: Iterable[CodeRecord], settings: IndexSettings = PLAIN) -> None:
    """Publishes a generation with the records below an index folder."""
    with GenerationStore(path).building() as draft:
        write_generation(draft.folder, records, settings)
        draft.publish(BUILT)


def index_of(path: Path, *records: CodeRecord, rules: str = "") -> Index:
    """The open index of some records, and of synonyms in the form of their files."""
    publish(path, records, with_rules(rules) if rules else PLAIN)
    return open_index(path)


@contextmanager
def reader_of(records: Iterable[CodeRecord], settings: IndexSettings = PLAIN) -> Iterator[IndexReader]:
    """A reader of the records' files in a folder of its own."""
    with TemporaryDirectory() as folder:
        write_generation(Path(folder), records, settings)
        reader = IndexReader(Path(folder))
        try:
            yield reader
        finally:
            reader.close()


def codes(results: Results) -> list[str | None]:
    """The codes of the hits, in order."""
    return [hit.code for hit in results]


def kinds_of_rewrites(results: Results) -> set[str]:
    """The kinds of all rewrites."""
    return {rewrite.kind for rewrite in results.rewrites}


@cache
def clinic() -> Index:
    """The open index of `CLINIC`: read-only, and shared by all tests of a run."""
    folder = Path(mkdtemp(prefix="codesearch-clinic-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return index_of(folder / "index", *CLINIC, rules=CLINIC_RULES)


CLINIC_RULES = """
kidney, renal | same
hives => urticaria | lay
sugar disease => diabetes mellitus | lay
whooping cough, pertussis | lay
MI => myocardial infarction | abbreviation
MI => mitral insufficiency | abbreviation
appendectomy => resection appendix | procedure
COPD => chronic obstructive pulmonary disease | abbreviation
"""

CLINIC = [
    CodeRecord("ICD10CM", "A00-B99", "Certain infectious and parasitic diseases", kind="chapter"),
    header("A01", "Typhoid and paratyphoid fevers"),
    header("A01.0", "Typhoid fever", parent="A01"),
    cm("A01.00", "Typhoid fever, unspecified", parent="A01.0"),
    cm("A01.01", "Typhoid meningitis", parent="A01.0"),
    header("A37", "Whooping cough"),
    cm("A37.90", "Whooping cough, unspecified species without pneumonia", parent="A37"),
    header("E11", "Type 2 diabetes mellitus", excludes=("gestational diabetes", "postpancreatectomy")),
    header("E11.6", "Type 2 diabetes mellitus with other specified complications", parent="E11"),
    cm("E11.65", "Type 2 diabetes mellitus with hyperglycemia", parent="E11.6"),
    cm("E11.9", "Type 2 diabetes mellitus without complications", parent="E11"),
    cm("E10.9", "Type 1 diabetes mellitus without complications"),
    cm("E53.8", "Deficiency of other specified B group vitamins", inclusion_terms=("Vitamin B12 deficiency",)),
    cm("I05.1", "Rheumatic mitral insufficiency"),
    cm("I10", "Essential (primary) hypertension", inclusion_terms=("High blood pressure",)),
    header("I21", "Acute myocardial infarction"),
    cm("I21.9", "Acute myocardial infarction, unspecified", parent="I21"),
    cm("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
    cm("J45.909", "Unspecified asthma, uncomplicated"),
    cm("L50.9", "Urticaria, unspecified"),
    cm("M54.50", "Low back pain, unspecified"),
    cm("M54.5", "Low back pain", terminated="2021-10-01"),
    cm("N17.9", "Acute kidney failure, unspecified", inclusion_terms=("Acute renal failure",)),
    cm("N20.0", "Calculus of kidney", synonyms=("Kidney stone",)),
    cm("Q90.9", "Down syndrome, unspecified"),
    header("W21", "Striking against or struck by sports equipment"),
    header("W21.8", "Striking against or struck by other sports equipment", parent="W21"),
    header("W21.89", "Striking against or struck by other sports equipment", parent="W21.8"),
    cm("W21.89XA", "Struck by other sports equipment, initial encounter", parent="W21.89"),
    cm("W21.89XD", "Struck by other sports equipment, subsequent encounter", parent="W21.89"),
    CodeRecord("ICD10PCS", "0DT", "Resection of gastrointestinal system", kind="header", billable=False),
    CodeRecord("ICD10PCS", "0DTJ0ZZ", "Resection of Appendix, Open Approach", parent="0DT", billable=True),
    CodeRecord(
        "ICD10PCS", "0DTJ4ZZ", "Resection of Appendix, Percutaneous Endoscopic Approach", parent="0DT", billable=True
    ),
    CodeRecord("ICD10PCS", "0FT", "Resection of hepatobiliary system", kind="header", billable=False),
    CodeRecord("ICD10PCS", "0FT40ZZ", "Resection of Gallbladder, Open Approach", parent="0FT", billable=True),
    CodeRecord(
        "ICD10PCS", "0FT44ZZ", "Resection of Gallbladder, Percutaneous Endoscopic Approach", parent="0FT", billable=True
    ),
    CodeRecord("ICD10PCS", "BW03ZZZ", "Plain Radiography of Chest", billable=True),
    CodeRecord(
        "CPT",
        "22510",
        "Percutaneous vertebroplasty, one vertebral body; cervicothoracic",
        summary="Bone cement is injected into a broken vertebra.",
        purpose=Purpose(conditions=("Osteoporotic compression fracture",), goals=("Relief of pain",)),
        indications=Indications(symptoms=("Back pain that rest does not ease",)),
        procedure=Procedure(steps=("The needle is placed under x-ray guidance.", "Cement is injected slowly.")),
    ),
    CodeRecord("CPT", "22511", "Percutaneous vertebroplasty, one vertebral body; lumbosacral"),
    CodeRecord("CPT", "22512", "Percutaneous vertebroplasty, each additional vertebral body"),
    CodeRecord("CPT", "99202", "Office visit, new patient, 15 minutes"),
    CodeRecord("CPT", "99203", "Office visit, new patient, 30 minutes"),
    CodeRecord("CPT", "99211", "Office visit, established patient"),
    CodeRecord("CPT", "99213", "Office visit, established patient, 20 minutes, telehealth possible"),
    CodeRecord("CPT", "99221", "Initial hospital care"),
    CodeRecord("HCPCS", "A0100", "Nonemergency transportation; taxi", release="2025"),
    CodeRecord("HCPCS", "E0110", "Crutches, forearm, includes crutches of various materials"),
    CodeRecord("HCPCS", "LT", "Left side", kind="modifier"),
    CodeRecord("LOCAL", "AB-77.1", "Huddle room booking"),
    CodeRecord("CPT", None, "Bedside singing therapy"),
]
