"""Pages are read in any encoding, declared wrongly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import kinds, record

from codesearch.ingest.decoding import decode, is_binary

POLISH = (
    "Zabieg usunięcia pęcherzyka żółciowego metodą laparoskopową. Pacjent może wrócić do domu następnego dnia, " * 3
)
JAPANESE = "腹腔鏡下胆嚢摘出術は、胆石症の標準的な治療です。患者は翌日に退院できます。手術は約一時間かかります。" * 3


def warned(data: bytes) -> list[str]:
    """The kinds of warnings of reading some bytes."""
    return [warning.kind for warning in decode(data).warnings]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_without_a_warning(encoding: str) -> None:
    text = "Résumé – “quoted” text about a vertebra, " * 3
    assert decode(text.encode(encoding)) == (text, ())


def test_utf8_declared_as_something_else_is_utf8() -> None:
    page = '<meta charset="iso-8859-1"><p>für Ärzte – 5 °C</p>'
    assert decode(page.encode()) == (page, ())


def test_windows_1252_declared_as_latin_1_is_read_without_a_warning() -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1"><p>“für” – 5 °C</p>'
    assert decode(page.encode("cp1252")) == (page, ())


def test_windows_1252_declared_as_utf8_is_read_and_warned_of() -> None:
    page = '<meta charset="utf-8"><p>The patient’s café visit – 38.5 °C</p>' + "plain words " * 20
    assert decode(page.encode("cp1252")).text == page
    assert (
        decode(page.encode("cp1252")).warnings[0].message == "the page is not in utf-8, as it declares; read as cp1252"
    )


def test_windows_1252_without_a_declaration_is_read_and_warned_of() -> None:
    text = "The patient’s temperature is 38.5 °C today. " * 9
    assert decode(text.encode("cp1252")).text == text
    assert warned(text.encode("cp1252")) == ["encoding"]


@pytest.mark.parametrize(
    ("text", "encoding"), [(JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"), (POLISH, "iso8859-2"), (POLISH, "cp1250")]
)
def test_declared_encodings_are_believed(text: str, encoding: str) -> None:
    page = f'<meta charset="{encoding}"><p>{text}</p>'
    assert decode(page.encode(encoding)) == (page, ())


@pytest.mark.parametrize(("text", "encoding"), [(JAPANESE, "shift_jis"), (POLISH, "iso8859-2"), (POLISH, "cp1250")])
def test_undeclared_encodings_are_guessed_and_warned_of(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text
    assert warned(text.encode(encoding)) == ["encoding"]


@pytest.mark.parametrize("declared", ["utf-16", "unicode_escape", "punycode", "rot13", "nonsense", "zlib", "utf-7"])
def test_declarations_that_cannot_be_are_not_believed(declared: str) -> None:
    page = f'<meta charset="{declared}"><p>caf\xe9 A\\x41 a-b</p>'
    assert decode(page.encode("cp1252")).text == page


def test_cut_utf8_stays_utf8() -> None:
    data = "für Ärzte – größer".encode()[:-2] + b"\xc3"
    found = decode(data)
    assert found.text.startswith("für Ärzte – größ")
    assert [warning.kind for warning in found.warnings] == ["encoding"]


def test_windows_1252_inside_unicode_is_put_right() -> None:
    assert decode("\x93quoted\x94 \x95 item".encode()).text == "“quoted” • item"
    assert decode(b"&#147;quoted&#148; &#149; item &#1234;").text == "“quoted” • item &#1234;"


def test_control_characters_are_taken_out_and_warned_of() -> None:
    found = decode(b"a\x00b\x07c\td\n")
    assert found.text == "a b c\td\n"
    assert found.warnings[0].message.startswith("2 ")


def test_a_page_with_nul_bytes_gives_its_record() -> None:
    found = record(b"<h1>Repair of a\x00 thing</h1><h2>Goals</h2><p>Heal it\x00 well, and soon, with care and time</p>")
    assert found.name == "Repair of a thing"
    assert kinds(found) == ["control-characters"]


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"%PDF-1.4 \x00\x01\x02\x03" * 99, bytes(range(256)) * 9]
)
def test_binary_is_told_from_text(data: bytes) -> None:
    assert is_binary(data)


@pytest.mark.parametrize("text", ["", "text", POLISH, JAPANESE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso2022_jp"])
def test_text_is_not_binary(text: str, encoding: str) -> None:
    assert not is_binary(text.encode(encoding, "ignore"))


@given(st.binary(max_size=500))
def test_any_bytes_give_text_that_can_be_written(data: bytes) -> None:
    decode(data).text.encode()


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200))
def test_utf8_survives(text: str) -> None:
    assert decode(text.encode()).text == text.removeprefix("\ufeff")
