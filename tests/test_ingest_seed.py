"""The sample page of the project, and one of the same shape, give every part of it in its field."""

from __future__ import annotations

import json

import pytest
from ingest_support import PAGES, SEED, kinds, parser, record

from codesearch.ingest import scraped_json
from codesearch.ingest.page import PageInput
from codesearch.records import CodeRecord

SHAPE = PAGES / "seed-shape.txt"
needs_seed = pytest.mark.skipif(
    not SEED.exists(), reason="the sample page ../shared/seed/page.txt is not on this machine"
)


def counts(found: CodeRecord) -> dict[str, int]:
    """How many texts each list of a record holds."""
    parts = (
        "purpose",
        "indications",
        "preparation",
        "procedure",
        "risks",
        "benefits",
        "recovery",
        "alternatives",
        "experience",
    )
    lists = {f"{part}.{name}": value for part in parts for name, value in vars_of(getattr(found, part)).items()}
    return {name: len(value) for name, value in lists.items() if isinstance(value, tuple)} | {
        "personnel": len(found.personnel)
    }


def vars_of(part: object) -> dict[str, object]:
    """The fields of a part of a record."""
    return {name: getattr(part, name) for name in type(part).__struct_fields__}  # type: ignore[attr-defined]


@needs_seed
def test_sample_page_gives_every_item() -> None:
    assert counts(record(SEED.read_bytes(), "page.txt")) == {
        **{"purpose.conditions": 4, "purpose.goals": 3, "indications.symptoms": 4, "indications.criteria": 3},
        **{
            "preparation.instructions": 2,
            "preparation.tests": 2,
            "procedure.steps": 6,
            "procedure.tools": 3,
            "personnel": 4,
        },
        **{"risks.common": 3, "risks.rare": 3, "benefits.expected": 3, "recovery.care": 2, "recovery.time": 1},
        **{
            "recovery.restrictions": 1,
            "recovery.follow_up": 1,
            "alternatives.options": 2,
            "alternatives.pros_and_cons": 2,
        },
        **{"experience.during": 2, "experience.after": 2, "experience.pain_management": 2},
    }


@needs_seed
def test_sample_page_gives_its_texts_and_what_it_lacks() -> None:
    found = record(SEED.read_bytes(), "page.txt")
    assert found.system == "CPT"
    assert found.code is None
    assert found.duration == "The procedure typically takes 1 to 2 hours."
    assert found.setting == "Performed in a hospital or an outpatient surgical center."
    assert found.benefits.timeline == "Pain relief is often experienced within 48 hours post-procedure."
    assert [step.split(":")[0] for step in found.procedure.steps] == [
        *("Anesthesia", "Access", "Imaging Guidance", "Cement Injection", "Completion", "Bone Biopsy (if performed)"),
    ]
    assert found.name.endswith("(List separately in addition to code")
    assert kinds(found) == ["no-code", "name-cut"]
    assert (found.policies, found.similar_codes, found.other_sections) == ((), (), {})


@needs_seed
def test_sample_page_with_its_url_has_its_code() -> None:
    url = "https://codes.example/code/cpt4/22512-percutaneous-vertebroplasty"
    line = json.dumps({"url": url, "text": SEED.read_text(encoding="utf-8"), "fetched": "2026-01-01"})
    (page,) = scraped_json.pages(line.encode(), "pages.jsonl", 1_000_000)
    assert isinstance(page, PageInput)
    found = parser().parse(page)
    assert isinstance(found, CodeRecord)
    assert (found.system, found.code) == ("CPT", "22512")
    assert kinds(found) == ["name-cut"]
    assert found.source[0].url == url
    assert found.source[0].fetched == "2026-01-01"


def test_page_of_the_sample_shape_gives_every_item() -> None:
    assert counts(record(SHAPE.read_bytes(), "page.txt")) == {
        **{"purpose.conditions": 2, "purpose.goals": 3, "indications.symptoms": 2, "indications.criteria": 2},
        **{
            "preparation.instructions": 2,
            "preparation.tests": 1,
            "procedure.steps": 4,
            "procedure.tools": 2,
            "personnel": 2,
        },
        **{"risks.common": 2, "risks.rare": 1, "benefits.expected": 2, "recovery.care": 1, "recovery.time": 1},
        **{
            "recovery.restrictions": 1,
            "recovery.follow_up": 1,
            "alternatives.options": 2,
            "alternatives.pros_and_cons": 1,
        },
        **{"experience.during": 1, "experience.after": 1, "experience.pain_management": 2},
    }


def test_page_of_the_sample_shape_gives_its_texts() -> None:
    found = record(SHAPE.read_bytes(), "page.txt")
    assert found.summary.startswith("The roof of the carpal tunnel")
    assert (found.duration, found.setting) == ("Ten to fifteen minutes.", "Day surgery or a clinic room.")
    assert found.benefits.timeline == "The tingling often goes within days."
    assert found.recovery.follow_up == ("Stitches out after ten to fourteen days",)
    assert found.name.endswith("treated in the same session (listed")
    assert found.full_name.endswith("Each Further Hand")
    assert kinds(found) == ["no-code", "name-cut"]


def test_page_of_the_sample_shape_names_no_policies_and_no_other_sections() -> None:
    found = record(SHAPE.read_bytes(), "page.txt")
    assert (found.policies, found.similar_codes, found.other_sections) == ((), (), {})


@pytest.mark.parametrize("end", ["\r\n", "\r", "\f", "\v", "\u2028", "\u2029", "\n    "])
def test_lines_of_a_text_end_as_any_program_writes_them(end: str) -> None:
    text = SHAPE.read_text(encoding="utf-8")
    as_it_is, found = record(text, "page.txt"), record(f"\n{text}".replace("\n", end), "page.txt")
    assert counts(found) == counts(as_it_is)
    assert (found.system, found.name, found.summary) == (as_it_is.system, as_it_is.name, as_it_is.summary)
