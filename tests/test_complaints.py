"""What users complain of in other code searches does not happen here: a test for each complaint, named after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from codesets_support import REAL, needs_real_files
from query_support import cm, codes, header, index_of

import codesearch
from codesearch.library import Index
from codesearch.records import CodeRecord, Purpose

RULES = """
hives => urticaria | lay
ear infection => otitis media | lay
flu => influenza | lay
flu shot => influenza vaccine | lay
"""

RECORDS = [
    header("E78", "Disorders of lipid metabolism"),
    cm("E78.5", "Hyperlipidemia, unspecified", parent="E78"),
    cm("K92.2", "Gastrointestinal hemorrhage, unspecified"),
    cm("F17.210", "Nicotine dependence, cigarettes, uncomplicated", notes=("Forty pack-years of smoking.",)),
    cm("Z30.2", "Encounter for sterilization", inclusion_terms=("Vasectomy counseling",)),
    cm("Z98.52", "Vasectomy status"),
    cm("K94.00", "Stoma complication, unspecified"),
    cm("K31.9", "Disease of stomach, unspecified"),
    cm("L50.9", "Urticaria, unspecified"),
    cm("H66.90", "Otitis media, unspecified ear"),
    cm("J11.1", "Influenza with other respiratory manifestations", inclusion_terms=("Influenza NOS",)),
    CodeRecord("HCPCS", "G0008", "Administration of influenza vaccine", billable=True),
    cm("E11.9", "Type 2 diabetes", billable=True, excludes=("gestational diabetes",)),
    cm("O24.4", "Gestational diabetes"),
    cm("R73.03", "Prediabetes", synonyms=("Latent diabetes",)),
    header("W21.89", "Striking against other sports equipment"),
    cm("W21.89XA", "Striking against other sports equipment, initial encounter", parent="W21.89"),
    header("S72", "Fracture of femur"),
    cm("S72.0", "Fracture of femur", parent="S72"),
    CodeRecord("ICD10PCS", "BC1010", "Fluoroscopy of hepatobiliary system"),
    cm("M54.5", "Low back pain", purpose=Purpose(conditions=("Sciatica",))),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index that has everything the complaints are about."""
    with index_of(tmp_path_factory.mktemp("complaints"), *RECORDS, rules=RULES) as opened:
        yield opened


def first(index: Index, query: str) -> str | None:
    """The code of the first hit."""
    return next(iter(codes(index.search(query))), None)


@pytest.mark.parametrize("typed", ["E78.5", "e785", " e 78.5 ", "E 78.5", "k92.2", "K922"])
def test_a_dot_splits_a_code_or_loses_it(index: Index, typed: str) -> None:
    """OHDSI/Atlas#250, opencodelists#765: `E78.5` finds nothing, and `K92.2` needs a syntax of its own."""
    expected = "K92.2" if "k" in typed.lower() else "E78.5"
    assert first(index, typed) == expected
    assert index.search(typed).hits[0].tier == 1


def test_the_exact_code_is_not_the_first_hit(index: Index) -> None:
    """masslight/ottehr#6422."""
    assert first(index, "E78") == "E78"
    assert first(index, "E78.5 hyperlipidemia") == "E78.5"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.code)
def test_a_code_typed_into_the_search_box_is_not_searched(index: Index, record: CodeRecord) -> None:
    """medplum#4632, #5207: the box looks at names only."""
    assert first(index, record.code or "") == record.code


@pytest.mark.parametrize("typed", ["pack-years", "pack years", "packyears", "smoking/pack-years", "(pack years"])
def test_a_hyphen_a_slash_or_a_parenthesis_loses_hits(index: Index, typed: str) -> None:
    """OHDSI/Athena#467, #47, Atlas#1719."""
    assert "F17.210" in codes(index.search(typed))
    assert set(codes(index.search("(vasectomy"))) == set(codes(index.search("vasectomy"))) == {"Z30.2", "Z98.52"}


def test_stoma_returns_stomach(index: Index) -> None:
    """OHDSI/Atlas#318."""
    assert codes(index.search("STOMA")) == ["K94.00"]


def test_there_is_no_phrase_and_no_not(index: Index) -> None:
    """CodelistGenerator#54."""
    assert codes(index.search('"disease of stomach"')) == ["K31.9"]
    assert codes(index.search('"stomach disease"')) == []
    assert "O24.4" not in codes(index.search("diabetes -gestational"))
    assert "E11.9" in codes(index.search("diabetes NOT gestational"))


@pytest.mark.parametrize(
    ("typed", "code"), [("Hives", "L50.9"), ("ear infection", "H66.90"), ("flu shot", "G0008"), ("flu", "J11.1")]
)
def test_lay_words_find_nothing(index: Index, typed: str, code: str) -> None:
    """medplum#5966, #7949."""
    assert first(index, typed) == code


def test_a_synonym_outscores_the_preferred_name(index: Index) -> None:
    """Athena#181."""
    found = codes(index.search("diabetes"))
    assert found.index("O24.4") < found.index("R73.03")


def test_what_a_code_excludes_is_used_as_its_synonym(index: Index) -> None:
    """Vocabulary-v5.0#1131."""
    assert codes(index.search('"gestational diabetes"')) == ["O24.4"]


def test_repeating_a_word_inflates_its_score(index: Index) -> None:
    """Athena#152."""
    once, often = index.search("diabetes"), index.search("diabetes diabetes Diabetes")
    assert [(hit.code, hit.score) for hit in once] == [(hit.code, hit.score) for hit in often]


def test_the_first_hit_changes_with_the_size_of_the_page(index: Index) -> None:
    """mcp-icd10, snowstorm-lite before 2.5.2: candidates are cut off before they are ranked."""
    everything = codes(index.search("unspecified disease encounter", limit=100))
    for limit in range(1, len(everything)):
        assert codes(index.search("unspecified disease encounter", limit=limit)) == everything[:limit]
        assert codes(index.search("unspecified disease encounter", offset=limit)) == everything[limit : limit + 10]


def test_codes_are_corrected_as_words_are(index: Index) -> None:
    """shopware#16498, typesense#1627: BC1011 is answered with BC1010."""
    assert "BC1010" not in codes(index.search("BC1011"))


def test_a_header_is_offered_for_billing(index: Index) -> None:
    """ottehr#3649: of a header and its billable code with the same name, the billable one is meant."""
    assert codes(index.search("fracture of femur")) == ["S72.0", "S72"]
    assert codes(index.search("fracture of femur", billable=True)) == ["S72.0"]
    assert index.search("S72").hits[0].billable_below == 1


def test_a_missing_placeholder_finds_nothing(index: Index) -> None:
    """ottehr#4166, hapi-fhir#3706."""
    results = index.search("W21.89A")
    assert codes(results)[0] == "W21.89XA"
    assert [(rewrite.typed, rewrite.used) for rewrite in results.rewrites] == [("W21.89A", "W21.89XA")]


def test_a_word_that_was_corrected_is_not_marked(index: Index) -> None:
    """tantivy#867: highlights are lost on fuzzy matches."""
    (hit, *_) = index.search("urticarai")
    assert "<mark>Urticaria</mark>" in hit.marked_name.to_html()


def test_one_odd_page_silently_drops_codes(tmp_path: Path) -> None:
    """sirrice/icd9#1: what gives no code is a reject with a reason, and a count that does not add up is told."""
    rows = [f"{number:05d} A{number:02d}     1 {'Fever'.ljust(60)} Fever" for number in (1, 2, 4)]
    (tmp_path / "icd10cm_order_2026.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "odd.html").write_text("<html><body><h1>Nothing</h1><h2>Summary</h2><p>of a code</p></body></html>")
    report = codesearch.reindex([tmp_path], tmp_path / "index", force=True)
    assert [reject.location.endswith("odd.html") for reject in report.rejects] == [True]
    assert any("order" in warning.kind or "count" in warning.kind for warning in report.input_warnings)


def test_a_code_means_something_else_in_another_release(tmp_path: Path) -> None:
    """opencodelists#3175: both releases are named, and the newer one holds."""
    for year, name in (("2025", "Fever of old"), ("2026", "Fever as it is called now")):
        row = f"00001 A01     1 {name.ljust(60)} {name}"
        (tmp_path / f"icd10cm_order_{year}.txt").write_text(row + "\n", encoding="utf-8")
    codesearch.reindex(sorted(tmp_path.glob("*.txt")), tmp_path / "index")
    with codesearch.open_index(tmp_path / "index") as index:
        record = index.get("A01")
    assert record is not None
    assert (record.name, record.release) == ("Fever as it is called now", "2026")
    (warning,) = record.warnings
    assert warning.kind == "name-conflict"
    for named in ("2025", "2026", "Fever of old"):
        assert named in warning.message


def test_a_full_page_says_that_there_is_more(index: Index) -> None:
    """cyanheads#17: the flag is wrong where the count equals the page."""
    total = index.search("diabetes").total
    page = index.search("diabetes", limit=total)
    assert (len(page), page.total) == (total, total)


@pytest.mark.parametrize("blank", ["", " ", "of the", "()", '""'])
def test_a_blank_query_matches_everything(index: Index, blank: str) -> None:
    """cyanheads#14."""
    assert index.search(blank).total == 0


@needs_real_files
def test_on_the_official_files_what_people_type_finds_its_code_first(tmp_path: Path) -> None:
    codesearch.reindex(sorted(REAL.glob("icd10*")), tmp_path)
    with codesearch.open_index(tmp_path) as index:
        for typed, code in {
            "E78.5": "E78.5",
            "e785": "E78.5",
            " e 78.5 ": "E78.5",
            "W21.89A": "W21.89XA",
            "hives": "L50.9",
            "flu": "J11.1",
            "type II diabetes": "E11.9",
            "diabtes type 2": "E11.9",
            "0ft44zz": "0FT44ZZ",
            "haemorrhoids": "K64.9",
            "(hypertension": "I10",
        }.items():
            assert first(index, typed) == code, typed
