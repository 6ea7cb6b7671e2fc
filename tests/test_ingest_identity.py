"""Which code a page is about is decided by trust, and contradictions are warned of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import kinds, record

from codesearch.ingest import identity
from codesearch.ingest.identity import Evidence, Identity


def decide(*evidence: tuple[str | None, str | None]) -> Identity:
    """The decision between (system, code) pairs in order of trust."""
    return identity.identify([Evidence(f"place {number}", *pair) for number, pair in enumerate(evidence)])


@pytest.mark.parametrize(
    ("path", "system", "code"),
    [
        ("/code/cpt4/22512-percutaneous-vertebroplasty", "CPT", "22512"),
        ("/icd-10-cm/M80.08XA/age-related", "ICD10CM", "M80.08XA"),
        ("/codes/icd-10-pcs/0dtj4zz", "ICD10PCS", "0dtj4zz"),
        ("/hcpcs-codes/E1390", "HCPCS", "E1390"),
        ("/faq/cpt/77067", "CPT", "77067"),
        ("code-cpt4-49505-groin-hernia-repair.htm", "CPT", "49505"),
        ("hcpcs-e0601-cpap.txt", "HCPCS", "e0601"),
        ("wheelchair_K0001.html", None, "K0001"),
        ("/code/n18.6", None, "n18.6"),
        ("22512.html", None, "22512"),
        ("page-of-2026-05-02.html", None, None),
        ("abscess-drainage.html", None, None),
        ("/code.asp?sys=cpt4&c=99284", None, None),
        ("", None, None),
    ],
)
def test_paths_tell_system_and_code(path: str, system: str | None, code: str | None) -> None:
    found = identity.from_path("x", path)
    assert (found.system, found.code) == (system, code)


def test_query_of_a_url_counts() -> None:
    assert identity.from_url("x", "https://x.example/code.asp?sys=cpt4&c=99284") == Evidence("x", "CPT", "99284")


@pytest.mark.parametrize("url", ["http://[bad", "%", "://", "\x00"])
def test_broken_urls_tell_nothing(url: str) -> None:
    assert identity.from_url("x", url).code is None


@given(st.text(max_size=60))
def test_no_path_or_line_stops_the_reading(text: str) -> None:
    identity.from_url("x", text)
    identity.from_path("x", text)
    identity.from_text([text])
    identity.says(text, Identity("CPT", "22512", ()))


@pytest.mark.parametrize(
    ("line", "system", "code"),
    [
        ("CPT code 22512", "CPT", "22512"),
        ("CPT® 97110: Exercise", "CPT", "97110"),
        ("CPT 10060Incision", "CPT", "10060"),
        ("CPT4 code", "CPT", None),
        ("ICD-10-CM code E11.9", "ICD10CM", "E11.9"),
        ("ICD-10-PCS 10D00Z1", "ICD10PCS", "10D00Z1"),
        ("HCPCS Level II code: K0001", "HCPCS", "K0001"),
        ("10060 - Incision of an abscess", None, "10060"),
        ("Repair of the 2nd finger", None, None),
    ],
)
def test_first_lines_tell_system_and_code(line: str, system: str | None, code: str | None) -> None:
    found = identity.from_text([line])
    assert (found.system, found.code) == (system, code)


def test_most_trusted_evidence_decides_and_the_rest_warns() -> None:
    found = decide(("CPT", "22512"), ("CPT", "22513"), ("HCPCS", None))
    assert (found.system, found.code) == ("CPT", "22512")
    assert [warning.kind for warning in found.warnings] == ["code-conflict", "system-conflict"]


def test_structured_data_outweighs_url_outweighs_file_name() -> None:
    markup = (
        '<link rel="canonical" href="https://x.example/cpt4/22511-b"><h1>Repair</h1>'
        "<h2>Goals</h2><p>Heal it well, and soon, with care</p>"
        '<script type="application/ld+json">{"@type":"MedicalCode","codeValue":"22510","codingSystem":"CPT"}</script>'
    )
    found = record(markup, "cpt-22512.html")
    assert found.code == "22510"
    assert kinds(found) == ["code-conflict", "code-conflict"]


def test_code_without_system_takes_the_system_another_place_names() -> None:
    assert decide((None, "A0100"), ("ICD10CM", None)) == Identity("ICD10CM", "A01.00", ())


def test_code_of_two_systems_is_guessed_and_warned_of() -> None:
    found = decide((None, "A0100"))
    assert found.system == "HCPCS"
    assert [warning.kind for warning in found.warnings] == ["system-guessed"]


def test_page_without_a_code_is_kept_and_warned_of() -> None:
    found = decide(("CPT", None))
    assert (found.system, found.code) == ("CPT", None)
    assert [warning.kind for warning in found.warnings] == ["no-code"]


def test_code_that_does_not_fit_its_system_does_not_count() -> None:
    assert decide(("CPT", "E11.9"), (None, "22512")).code == "22512"


@pytest.mark.parametrize(
    "name",
    [
        "CPT 22512 Cement",
        "22512: Cement",
        "22512 – Cement",
        "CPT® code 22512 | Cement",
        "Cement (22512)",
        "CPT4 code – 22512 Cement",
    ],
)
def test_code_is_taken_off_the_name(name: str) -> None:
    assert identity.strip_code(name, Identity("CPT", "22512", ())) == "Cement"


def test_other_codes_stay_in_the_name() -> None:
    who = Identity("CPT", "22512", ())
    assert identity.strip_code("22513 Cement", who) == "22513 Cement"
    assert identity.strip_code("Cement", who._replace(code=None)) == "Cement"
    assert identity.strip_code("22512", who) == "22512"


def test_lines_that_say_only_the_code_are_known() -> None:
    who = Identity("ICD10CM", "E11.9", ())
    assert all(identity.says(line, who) for line in ("E11.9", "e119", "ICD-10-CM code", "ICD-10-CM code E11.9"))
    assert not any(
        identity.says(line, who) for line in ("E11.8", "CPT code", "E11.9 diabetes", "", "CPT E11.9", "x" * 9999)
    )


def test_a_code_alone_is_no_name() -> None:
    assert identity.is_code_only("CPT 99285")
    assert not identity.is_code_only("CPT 99285 Visit")
