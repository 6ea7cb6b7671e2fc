"""HTML pages are read whatever their headings, lists and tables are built of, and without their furniture."""

from __future__ import annotations

import pytest
from ingest_support import html_record, kinds, parse, record

from codesearch.ingest.html_page import without_site_name
from codesearch.records import CodeRecord, Reject

FORMS = {
    "headings": "<h2>Goals</h2><ul><li>Heal</li><li>Rest</li></ul>",
    "bold paragraphs": "<p><b>Goals:</b></p><ul><li>Heal<li>Rest</ul>",
    "break and strong": "<br><strong>Goals</strong><br>• Heal<br>• Rest<br>",
    "lists of divs": (
        '<div class="hd">Goals:</div><div class="list"><div class="item">Heal</div><div class="item">Rest</div></div>'
    ),
    "plain divs": '<div><span class="h">Goals:</span>\n<div>Heal</div><div>Rest</div></div>',
    "definition list": "<dl><dt>Goals</dt><dd>Heal</dd><dd>Rest</dd></dl>",
    "table of labels": "<table><tr><th>Goals</th><td><ul><li>Heal</li><li>Rest</li></ul></td></tr></table>",
    "table of bold cells": "<table><tr><td><b>Goals:</b>&nbsp;</td><td>Heal<br>Rest</td></tr></table>",
    "table with columns": (
        "<table><tr><th>Goals</th><th>Setting</th></tr><tr><td>"
        "Heal</td><td>Home</td></tr><tr><td>Rest</td></tr></table>"
    ),
    "caption": (
        "<table><caption>Goals</caption><tr><td>1</td><td>Heal</td></tr><tr><td>2</td><td>Rest</td></tr></table>"
    ),
    "fieldset": "<fieldset><legend>Goals</legend><p>Heal</p><p>Rest</p></fieldset>",
    "details": "<details><summary>Goals</summary><ul><li>Heal</li><li>Rest</li></ul></details>",
    "font tags": "<p><font size=+1><b>Goals:</b></font><p>• Heal<p>• Rest",
    "label in an item": "<ul><li><b>Goals</b><ul><li>Heal</li><li>Rest</li></ul></li></ul>",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_section_gives_its_items(form: str) -> None:
    assert html_record(f"<h2>Summary</h2><p>It heals.</p>{FORMS[form]}").purpose.goals == ("Heal", "Rest")


def test_label_and_text_on_one_line_are_told_apart() -> None:
    found = html_record(
        "<p><strong>Duration:</strong> one hour</p><p>Setting: at home</p><p><b>Personnel</b> – a nurse</p>"
    )
    assert (found.duration, found.setting, found.personnel) == ("one hour", "at home", ("a nurse",))


def test_first_item_on_the_label_line_loses_its_number() -> None:
    assert html_record("<p><b>Steps:</b> 1) Wash<br>2) Dry</p>").procedure.steps == ("Wash", "Dry")


def test_code_glued_to_the_name_in_the_title_is_taken_off() -> None:
    found = record(
        "<h1>CPT 10060<span>Incision of an abscess</span></h1><h2>Goals</h2><p>Let the pus out of it</p>", "page.html"
    )
    assert (found.code, found.name) == ("10060", "Incision of an abscess")


def test_title_that_is_a_code_alone_gives_way_to_the_page_title() -> None:
    markup = (
        "<title>CPT 99285: Emergency visit - Site</title><h1>CPT "
        "99285</h1><h2>Goals</h2><p>Keep the patient alive and stable</p>"
    )
    assert record(markup, "page.html").name == "Emergency visit"


def test_commented_out_items_are_left_out() -> None:
    found = html_record("<h2>Goals</h2><ul><!-- <li>Old</li> --><li>Heal</li></ul>")
    assert found.purpose.goals == ("Heal",)


def test_furniture_is_left_out_by_tag_role_and_name() -> None:
    body = (
        '<nav>Codes</nav><div role="banner">Top</div><div class="cookie-banner">We use cookies</div>'
        "<aside>Popular</aside>"
        '<div id="newsletter">Letter</div><h2>Goals</h2><p>Heal</p><footer>Imprint</footer><div hidden>Secret</div>'
    )
    found = html_record(f"{body}<h2>Summary</h2><p>A page of some words, not many.</p>")
    assert found.purpose.goals == ("Heal",)
    assert found.other_sections == {}


def test_furniture_around_the_title_is_no_furniture() -> None:
    markup = '<div class="masthead"><h1>Repair of a thing</h1><p>Summary: it is repaired by hand, slowly.</p></div>'
    assert record(markup).summary == "it is repaired by hand, slowly."


def test_form_around_the_whole_page_is_no_furniture() -> None:
    text = " ".join(f"word{number}" for number in range(500))
    found = record(f"<title>Repair</title><form><h2>Goals</h2><p>{text}</p></form>")
    assert found.purpose.goals == (text,)


def test_inline_element_is_no_furniture_by_its_name() -> None:
    assert html_record('<h2>Goals</h2><p>Heal <span class="ad">the ad</span></p>').purpose.goals == ("Heal the ad",)


def test_main_element_is_the_content() -> None:
    markup = (
        "<h1>Repair of a thing</h1><p>Around</p><main><h2>Goals</h2>"
        "<p>Heal it well, and soon, with care</p></main><p>Around</p>"
    )
    assert "Around" not in str(record(markup).to_dict())


def test_teaser_article_is_not_the_content() -> None:
    teaser = "<article><p>Teaser</p></article>"
    text = " ".join(f"word{number}" for number in range(50))
    assert html_record_of_body(f"{teaser}<h2>Goals</h2><p>{text}</p>").purpose.goals == (text,)


def html_record_of_body(body: str) -> CodeRecord:
    """The record of a page without `<main>`."""
    return record(f"<body><h1>Repair of a thing</h1>{body}</body>")


def test_entities_of_windows_bullets_are_bullets() -> None:
    assert html_record("<h2>Goals</h2><p>&#149; Heal<br>&#149; Rest</p>").purpose.goals == ("Heal", "Rest")


def test_text_loose_in_a_table_is_kept() -> None:
    found = html_record("<h2>Goals</h2><table><tr>Loose<td>Heal</td></tr></table>")
    assert set(" ".join(found.purpose.goals).split()) == {"Loose", "Heal"}


def test_table_of_headers_alone_is_kept() -> None:
    found = html_record("<h2>Goals</h2><table><tr><th>Alpha</th><th>Beta</th><th>Gamma</th></tr></table>")
    assert found.purpose.goals == ("Alpha; Beta; Gamma",)


def test_table_without_known_headers_keeps_headers_with_their_cells() -> None:
    table = "<table><tr><th>Dose</th><th>When</th></tr><tr><td>5 mg</td><td>noon</td></tr></table>"
    assert html_record(f"<h2>Goals</h2>{table}").purpose.goals == ("Dose: 5 mg; When: noon",)


def test_template_tags_are_left_out_and_warned_of() -> None:
    markup = (
        '<title><%= title %> Strips - BillingHelp</title><?php include("x.inc"); ?><p>{{ code.name }}</p><h2>Goals</h2>'
        "{% for g in goals %}<p>Heal {{ g }} it</p>{% endfor %}<p>Braces { stay } here, with all words</p>"
    )
    found = record(markup)
    assert found.name == "Strips"
    assert found.purpose.goals == ("Heal it", "Braces { stay } here, with all words")
    assert kinds(found) == ["template-tag"]
    assert found.warnings[0].message.startswith("6 ")


def test_title_that_is_only_a_template_tag_gives_way() -> None:
    markup = (
        "<title>Repair of a thing | Site</title><h1>{{ code.name }}</h1>"
        "<h2>Goals</h2><p>Heal it well, and soon, with care</p>"
    )
    assert record(markup).name == "Repair of a thing"


def test_site_name_is_cut_off_the_title() -> None:
    assert without_site_name("Repair of a thing | Site", []) == "Repair of a thing"
    assert without_site_name("Repair – questions and answers | MedFAQ", ["MedFAQ", "questions and answers"]) == "Repair"
    assert without_site_name("J0585 - Injection of a drug", []) == "J0585 - Injection of a drug"
    assert without_site_name("Repair", []) == "Repair"


def test_links_give_their_urls_in_full() -> None:
    body = (
        '<link rel="canonical" href="https://x.example/cpt4/22512-a"><h2>Related '
        'codes</h2><ul><li><a href="/cpt4/22513-b">22513</a> Next</li></ul>'
    )
    (code,) = html_record(body).similar_codes
    assert code.url == "https://x.example/cpt4/22513-b"


def test_link_around_a_block_counts_for_the_block() -> None:
    body = '<h2>Policies</h2><a href="/p"><div>Acupuncture (CG013)</div></a>'
    assert html_record(body).policies[0].url == "/p"


@pytest.mark.parametrize("markup", ["<h1>Repair of a thing</h1><ul><li>" * 60, "<div>" * 220 + "<h1>Repair</h1>"])
def test_deep_pages_are_read_or_rejected(markup: str) -> None:
    found = parse(markup + "<h2>Goals</h2><p>Heal it well, and soon, with care and time</p>")
    assert isinstance(found, CodeRecord) or (isinstance(found, Reject) and found.reason == "too-deep")


def test_xml_declaration_and_tagless_markup_are_read() -> None:
    found = record(
        '<?xml version="1.0"?><html><body><h1>Repair</h1><h2>Goals</h2>'
        "<p>Heal it well, and soon, with care</p></body></html>"
    )
    assert found.name == "Repair"
    assert isinstance(parse("no tag at all", "page.html"), Reject)
