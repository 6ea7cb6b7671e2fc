"""A page gives a record with its source, or a reject with its reason; the oddities of real pages are read."""

from __future__ import annotations

import hashlib

import pytest
from ingest_support import CORPUS, kinds, parse, parser, record, reject

from codesearch.ingest.page import PageInput, file_name_of
from codesearch.records import CodeRecord, Reject, Skip

BODY = "<h2>Goals</h2><p>Heal it well, and soon, with care and time</p>"
PAGE = f"<h1>Repair of a thing</h1>{BODY}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 4_000_001, "too-large"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "binary"),
        ("<div>" * 10_001, "too-many-tags"),
        ("<h1>A</h1>" + "x ##### a: " * 10_001, "too-many-tags"),
        ("<div " + " ".join(f"a{number}=1" for number in range(9000)) + ">", "too-many-tags"),
        ("<p>" * 250 + "<div>" * 250 + PAGE, "too-deep"),
        ("<h1>Sign in</h1><p>Please log in to see CPT 22512 and all the other codes.</p>", "login-wall"),
        ("<title>404 Not Found</title><h1>Page not found</h1><p>The page you asked for is gone.</p>", "error-page"),
        ("<h1>Just a moment...</h1><p>Checking your browser before you can go on to the site.</p>", "error-page"),
        ("<h1>CPT 22512</h1><nav>many words of a menu that is no content at all</nav>", "no-content"),
        ("<p>Some words of a page that has neither a title nor any heading.</p>", "no-name"),
        ("<h1>Our team of authors</h1><p>We write about many things, and about no code at all.</p>", "no-code-page"),
    ],
)
def test_what_is_no_code_page_is_rejected_with_its_reason(content: str | bytes, reason: str) -> None:
    found = reject(content)
    assert found.reason == reason
    assert found.location == "page.html"
    assert len(found.message) > 20


RECORD_LAYOUT = "Layout of the yearly file\n\n" + "".join(
    f"{number}.  Field {number}\n      5  {number}  CHAR\n\nField {number} is filled in by it.\n\nCOMMENTS:\nNone\n\n"
    for number in range(1, 9)
)


def test_text_beside_code_sources_that_is_no_code_page_is_skipped() -> None:
    found = parse(RECORD_LAYOUT, "recordlayout.txt")
    assert isinstance(found, Skip)
    assert found.location == "recordlayout.txt"


@pytest.mark.parametrize(
    ("content", "name", "url"),
    [
        (RECORD_LAYOUT.replace("\n\n", "\n\nCPT4 code\n\n", 1), "page.txt", ""),
        (RECORD_LAYOUT, "cpt4-page.txt", ""),
        (RECORD_LAYOUT, "page.txt", "https://pages.example/about"),
        ("Repair of a thing\n\nSummary\n\nIt mends what broke in daily use.\n", "page.txt", ""),
        (f"<h1>Layout</h1><pre>{RECORD_LAYOUT}</pre>", "page.html", ""),
    ],
    ids=["names a system", "file name names a system", "has a URL", "has a known section", "is HTML"],
)
def test_what_was_meant_to_be_a_code_page_is_rejected(content: str, name: str, url: str) -> None:
    found = parse(content, name, url)
    assert isinstance(found, Reject)
    assert found.reason == "no-code-page"


def test_text_of_too_many_lines_is_rejected() -> None:
    assert reject("a\n" * 40_001, "page.txt").reason == "too-many-lines"


def test_phrases_of_error_pages_do_not_count_on_a_page_with_sections() -> None:
    found = record(f"{PAGE}<h2>Risks</h2><p>Access denied by the vein; please log in a larger needle size</p>")
    assert found.risks.common == ("Access denied by the vein; please log in a larger needle size",)


def test_record_keeps_its_source() -> None:
    data = PAGE.encode()
    page = PageInput("pages.zip!22512.html", data, "html", "22512.html", "https://x.example/a", "2026-01-01")
    found = parser().parse(page)
    assert isinstance(found, CodeRecord)
    (source,) = found.source
    assert (source.path, source.url, source.fetched) == ("pages.zip!22512.html", "https://x.example/a", "2026-01-01")
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.layout == "generic"
    assert source.layout_version == parser().layouts.choose("", "").version
    assert source.role == "page"


def test_html_is_told_by_its_beginning_whatever_it_is_called() -> None:
    assert record(f"<!DOCTYPE html>{PAGE}", "cpt-22512.txt").name == "Repair of a thing"


def test_page_without_a_form_is_told_by_its_tags() -> None:
    for data, goals in ((PAGE, 1), ("Repair of a thing\n\nGoals\n\n• Heal it well, and soon\n• Rest a while", 2)):
        found = parser().parse(PageInput("x", data.encode(), None, "cpt-22512"))
        assert isinstance(found, CodeRecord)
        assert len(found.purpose.goals) == goals


def test_fields_that_are_one_text_join_their_paragraphs() -> None:
    assert record(f"{PAGE}<h2>Summary</h2><p>One.</p><p>Two.</p>").summary == "One.\nTwo."


def test_title_of_more_than_a_thousand_characters_is_content() -> None:
    found = record("word " * 500 + "\n\nGoals\n\n• Heal it well", "cpt-22512.txt")
    assert len(found.name) <= 1000
    assert len(found.summary.split()) == 500


def test_name_of_the_file_in_an_archive_is_found() -> None:
    assert file_name_of("a/b.zip!c/d.html") == "d.html"


def test_the_same_page_gives_the_same_record() -> None:
    path = CORPUS / "divs" / "wheelchair_K0001.html"
    assert record(path.read_bytes()) == record(path.read_bytes())


def test_every_page_of_the_corpus_gives_a_record_with_a_code() -> None:
    for path in sorted(path for path in CORPUS.rglob("*") if path.suffix.lower() in {".html", ".htm", ".txt", ".md"}):
        found = parse(path.read_bytes(), path.name.lower())
        assert isinstance(found, CodeRecord), (path, found)
        assert found.code, path


# The oddities of real pages, as PEERS.md lists them.


def test_oddity_code_in_the_url_only() -> None:
    text = "Cement for a vertebra\n\nCPT4 code\n\nSummary\n\nCement is put into a broken vertebra.\n"
    found = record(text, "page.txt", "https://codes.example/code/cpt4/22512-percutaneous-vertebroplasty")
    assert (found.system, found.code, kinds(found)) == ("CPT", "22512", [])


def test_oddity_name_cut_at_255_characters_and_repeated() -> None:
    name = ("Cement put into one vertebra after another " * 9)[:255]
    text = f"{name}\n\nCPT4 code\n\nName of the Procedure:\n\n{name.title()}\n\nSummary\n\nCement is put in.\n"
    found = record(f"Search all medical codes\n\n{text}", "cpt-22512.txt")
    assert name.startswith(found.name)
    assert name[len(found.name)] == " "
    assert kinds(found) == ["name-cut"]
    assert found.synonyms == ()


def test_oddity_heading_glued_to_a_bullet() -> None:
    text = (
        "Cement\n\nPurpose\n\nMedical Condition Addressed:\n  • Tumors\n "
        " • Hemangiomas ##### Goals:\n  • Stabilize the spine well\n"
    )
    found = record(text, "cpt-22512.txt")
    assert found.purpose.conditions == ("Tumors", "Hemangiomas")
    assert found.purpose.goals == ("Stabilize the spine well",)


def test_oddity_policy_title_that_repeats_its_id() -> None:
    text = (
        "Cement\n\nSummary\n\nCement is put into a vertebra.\n\nMedical Policies "
        "and Guidelines for Cement\n\nAcupuncture (CG013) \xa0(CG013)Policy\n"
    )
    assert record(text, "cpt-22512.txt").policies[0].title == "Acupuncture (CG013)"


def test_oddity_code_glued_to_the_name() -> None:
    found = record(f"<h1>CPT 10060<span>Incision of an abscess</span></h1>{BODY}", "page.html")
    assert (found.code, found.name) == ("10060", "Incision of an abscess")


@pytest.mark.parametrize(
    "body",
    [
        "<div class=list><div class=item>Heal</div><div class=item>Rest</div></div>",
        "<!-- <li>Old --><li>Heal<!-- x --></li><li>Rest</li>",
        "<table><tr><td>Heal</td></tr><tr><td>Rest</td></tr></table>",
        "Heal<br>Rest",
    ],
    ids=["divs", "commented-out items", "table", "breaks"],
)
@pytest.mark.parametrize(
    "heading", ["<h2>Goals</h2>", "<p><b>Goals</b></p>", "<br><strong>Goals:</strong><br>", "<div>Goals:</div>"]
)
def test_oddity_headings_and_lists_of_every_make(heading: str, body: str) -> None:
    found = record(f"<h1>Repair of a thing that broke in use</h1>{heading}{body}<h2>Setting</h2>Home")
    assert found.purpose.goals == ("Heal", "Rest")


def test_oddity_server_side_tags_left_in_the_page() -> None:
    found = record(f"<title><%= t %>Repair</title>{{% if x %}}<?php echo $a->b; ?>{BODY}{{{{ x }}}}")
    assert (found.name, found.purpose.goals) == ("Repair", ("Heal it well, and soon, with care and time",))
    assert kinds(found) == ["template-tag"]


def test_reject_and_record_are_the_only_results() -> None:
    assert isinstance(parse("<"), CodeRecord | Reject | Skip)
