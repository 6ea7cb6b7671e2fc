"""Whole pages of the corpus, over all layouts, give the records of `tests/golden/`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from ingest_support import CORPUS, parser, record

from codesearch.ingest import scraped_json
from codesearch.ingest.page import PageInput
from codesearch.records import CodeRecord, encode_record

PAGES = [
    "plain/cpt4-22512-percutaneous-vertebroplasty-each-additional.txt",
    "plain/cpt4-36561-chest-port-placement.txt",
    "plain/cpt4-45378-colonoscopy-diagnostic.md",
    "plain/cpt4-66984-cataract-surgery-lens-implant.txt",
    "plain/icd10cm-e119-type-2-diabetes-mellitus-without-complications.txt",
    "plain/icd10pcs-0ft44zz-resection-of-gallbladder-percutaneous-endoscopic.txt",
    "semantic/joint-injection.html",
    "semantic/keyhole-appendix-removal.html",
    "semantic/heart-ultrasound-full-doppler.html",
    "semantic/home-oxygen-concentrator.html",
    "semantic/essential-hypertension.html",
    "divs/abscess-drainage.html",
    "divs/cesarean-low-segment.html",
    "divs/cpt-50590-kidney-stone-shock-waves.html",
    "divs/ear-tubes.html",
    "divs/ED_LEVEL5.HTM",
    "divs/rotator-cuff-open.html",
    "divs/test-strips.html",
    "divs/wheelchair_K0001.html",
    "embedded/bronchoscopy.html",
    "embedded/gastric-bypass.html",
    "embedded/iud-insertion.html",
    "embedded/low-back-pain.html",
    "embedded/major-depression.html",
    "embedded/migraine.html",
]


def plain(found: CodeRecord) -> object:
    """A record as it is written, with only the parts of its source that do not change with every edit."""
    sources = tuple(msgspec.structs.replace(one, path="", sha256="", layout_version=0) for one in found.source)
    return msgspec.json.decode(encode_record(msgspec.structs.replace(found, source=sources)))


@pytest.mark.parametrize("page", PAGES)
def test_page_gives_its_golden_record(page: str, golden: Callable[[str, object], None]) -> None:
    path = CORPUS / page
    golden(path.stem, plain(record(path.read_bytes(), path.name.lower())))


def test_scraped_lines_give_their_golden_records(golden: Callable[[str, object], None]) -> None:
    path = CORPUS / "scraped" / "codeatlas-2026-05-09.jsonl"
    inputs = [
        page for page in scraped_json.pages(path.read_bytes(), path.name, 1_000_000) if isinstance(page, PageInput)
    ]
    records = [found for found in map(parser().parse, inputs) if isinstance(found, CodeRecord)]
    golden(path.stem, [plain(found) for found in records])
