"""Pages whose content sits in a script give the same fields as any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ingest_support import kinds, record, reject

SECTIONS = [
    {"title": "Goals", "items": ["Heal", "Rest"]},
    {"title": "Documentation tips", "html": "<p>Name the side.</p>"},
]
CODE = {
    "code": "31622",
    "codeType": "cpt4",
    "name": "Look into the airways",
    "specialty": "Pulmonology",
    "sections": SECTIONS,
}


def next_page(
    properties: dict[str, Any], script: str = '<script id="__NEXT_DATA__" type="application/json">{}</script>'
) -> str:
    """A page that a browser builds from its properties."""
    data = json.dumps({"props": {"pageProps": properties}, "page": "/x", "buildId": "b"})
    return f"<html><body><h1>Loading…</h1>{script.format(data)}</body></html>"


def json_ld(*things: dict[str, Any]) -> str:
    """A page with JSON-LD."""
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)
    return f"<html><body>{scripts}<h1>Look into the airways</h1></body></html>"


def faq(*questions: tuple[str, str]) -> dict[str, Any]:
    """A page of questions and answers."""
    entities = [
        {"@type": "Question", "name": q, "acceptedAnswer": {"@type": "Answer", "text": a}} for q, a in questions
    ]
    return {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": entities}


def test_properties_of_the_code_give_the_record() -> None:
    found = record(next_page({"code": CODE}), "page.html")
    assert (found.system, found.code, found.name) == ("CPT", "31622", "Look into the airways")
    assert found.purpose.goals == ("Heal", "Rest")
    assert found.properties == {"specialty": "Pulmonology"}
    assert found.other_sections == {"Documentation tips": "Name the side."}


def test_neighbours_of_the_code_are_not_read() -> None:
    neighbours = {
        "trending": [{"code": "99214", "name": "Office visit"}],
        "promo": {"title": "Sale", "html": "<p>20%</p>"},
        "links": ["About"],
    }
    code = {key: value for key, value in CODE.items() if key != "code"}
    found = record(next_page({**neighbours, "code": code}), "31622.html")
    assert found.code == "31622"
    assert found.other_sections == {"Documentation tips": "Name the side."}


def test_properties_without_a_known_member_are_read_whole() -> None:
    assert record(next_page(CODE), "page.html").purpose.goals == ("Heal", "Rest")


def test_code_inside_a_wrapper_is_found() -> None:
    assert record(next_page({"data": {"procedure": CODE}}), "page.html").code == "31622"


@pytest.mark.parametrize(
    "script",
    [
        "<script>module={{}};__NEXT_DATA__={};__NEXT_LOADED_PAGES__=[]</script>",
        "<script>__NEXT_DATA__ = {}\n;x()</script>",
    ],
)
def test_data_assigned_in_a_script_is_read(script: str) -> None:
    assert record(next_page({"code": CODE}, script), "page.html").code == "31622"


def test_single_words_are_values_and_no_headings() -> None:
    code = {
        **CODE,
        "setting": "Office",
        "sections": [{"title": "Personnel", "text": "Nurse"}, {"title": "Goals", "text": "Recovery"}],
    }
    found = record(next_page({"code": code}), "page.html")
    assert (found.setting, found.personnel, found.purpose.goals) == ("Office", ("Nurse",), ("Recovery",))
    assert found.other_sections == {}


def test_text_with_line_ends_is_a_list() -> None:
    code = {**CODE, "sections": [{"title": "Operative steps", "text": "1. Mix.\n2. Mark.\n3. Inject."}]}
    assert record(next_page({"code": code}), "page.html").procedure.steps == ("Mix.", "Mark.", "Inject.")


def test_policies_and_similar_codes_are_rows() -> None:
    rows = {
        "policies": [
            {
                "id": "P-1",
                "title": "Scopes",
                "payer": "Meridian",
                "url": "/p/1",
                "effectiveDate": "2023-05-01",
                "region": "West",
            }
        ],
        "similarCodes": [{"code": "31623", "codeType": "cpt4", "name": "With brushing", "url": "/code/31623"}],
    }
    found = record(next_page({"code": {**CODE, **rows}}), "page.html")
    assert [(p.title, p.payer, p.effective, p.url) for p in found.policies] == [
        ("Scopes (P-1)", "Meridian", "2023-05-01", "/p/1")
    ]
    assert [(c.system, c.code, c.name) for c in found.similar_codes] == [("CPT", "31623", "With brushing")]
    assert found.other_sections["Policies"] == "Region: West"


def test_questions_are_headings() -> None:
    found = record(json_ld(faq(("What is the aim?", "<ul><li>Heal</li><li>Rest</li></ul>"), ("Can I fly?", "Yes."))))
    assert found.purpose.goals == ("Heal", "Rest")
    assert found.other_sections == {"Can I fly?": "Yes."}


def test_answer_that_lists_policies_and_codes_in_one_paragraph_is_split() -> None:
    policies = (
        '<p><a href="/a">Scopes (A-1)</a>, Meridian, effective 2024-01-01; <a href="/b">Lungs (B-2)</a>, Harbor</p>'
    )
    found = record(
        json_ld(
            faq(
                ("Which insurer policies apply?", policies),
                ("Which codes are similar?", "31623 With brushing; 31624 With rinse"),
            )
        )
    )
    assert [(p.title, p.payer, p.effective) for p in found.policies] == [
        ("Scopes (A-1)", "Meridian", "2024-01-01"),
        ("Lungs (B-2)", "Harbor", ""),
    ]
    assert [(c.code, c.name) for c in found.similar_codes] == [("31623", "With brushing"), ("31624", "With rinse")]


def test_names_inside_are_names_of_the_code() -> None:
    about = {
        "@type": "MedicalCondition",
        "name": "Migraine",
        "alternateName": ["Sick headache"],
        "code": {"codeValue": "G43.909", "codingSystem": "ICD-10-CM"},
    }
    thing = {
        **faq(("What is it?", "A headache of one side, with nausea.")),
        "name": "Migraine, unspecified",
        "about": about,
    }
    found = record(json_ld(thing), "page.html")
    assert (found.system, found.code) == ("ICD10CM", "G43.909")
    assert "Migraine" in found.synonyms or found.full_name == "Migraine, unspecified"
    assert "Sick headache" in found.synonyms
    assert found.other_sections == {}


def test_site_objects_are_not_read() -> None:
    crumbs = {"@type": "BreadcrumbList", "itemListElement": [{"name": "Home"}]}
    graph = {
        "@graph": [
            {"@type": "Organization", "name": "Site"},
            crumbs,
            faq(("What is it?", "A look into the airways with a scope.")),
        ]
    }
    found = record(json_ld(graph))
    assert (found.synonyms, found.other_sections) == ((), {})


def test_section_given_twice_is_kept_once() -> None:
    procedure = {
        "@type": "MedicalProcedure",
        "name": "Look into the airways",
        "preparation": "Take ibuprofen. Eat something small. Rest.",
    }
    found = record(
        json_ld(procedure, faq(("How should I prepare?", "• Take ibuprofen<br>• Eat something small<br>• Rest")))
    )
    assert found.preparation.instructions == ("Take ibuprofen", "Eat something small", "Rest")


def test_broken_json_is_a_warning_and_the_page_goes_on() -> None:
    markup = (
        '<h1>Repair of a thing</h1><script type="application/ld+json">'
        '{"a": </script><h2>Goals</h2><p>Heal it well, and soon, with care</p>'
    )
    found = record(markup)
    assert kinds(found) == ["bad-json"]
    assert found.purpose.goals == ("Heal it well, and soon, with care",)


def test_fragments_that_break_out_of_their_string_stay_apart() -> None:
    sections = [{"title": "Goals", "html": "<p>Heal</section></div>"}, {"title": "Setting", "html": "<p>Home</p>"}]
    found = record(next_page({"code": {**CODE, "sections": sections}}), "page.html")
    assert (found.purpose.goals, found.setting) == (("Heal",), "Home")


def test_lone_surrogates_become_blanks() -> None:
    found = record(next_page({"code": {**CODE, "summary": "A \ud800 b <b>\udfff</b>"}}), "page.html")
    assert found.summary == "A b"


def test_too_many_values_and_too_deep_values_are_rejected() -> None:
    assert (
        reject(f'<script type="application/ld+json">[{",".join(["1"] * 200_000)}]</script>').reason == "too-many-values"
    )
    deep = '{"a":' * 60 + '"<b>b</b>"' + "}" * 60
    assert reject(f'<script type="application/ld+json">{deep}</script>').reason == "too-deep"
