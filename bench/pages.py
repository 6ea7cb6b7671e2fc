"""Makes pages like those that scrapers bring, for measuring at scale: `python bench/pages.py FOLDER --count 10000`.

The names are official ones, from an order file (`--names FILE`) or from the package simple-icd-10-cm; the phrases are
ours (`phrases.toml`). Equal arguments give equal bytes. `--edition 2 --changed 1` writes anew only the one percent of
the pages that "changed overnight".
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

PHRASES = Path(__file__).with_name("phrases.toml")
_PER_FOLDER = 1000
_WORD = re.compile(r"[A-Za-z]{5,}")


class Section(NamedTuple):
    """A section of a page: the group it stands under, its heading and its items."""

    group: str
    heading: str
    items: list[str]


class Page(NamedTuple):
    """What a page says, before it has a layout."""

    code: str
    name: str
    summary: str
    sections: list[Section]

    @property
    def slug(self) -> str:
        """The name as it stands in an address."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:80]

    def groups(self) -> Iterator[tuple[str, list[Section]]]:
        """The sections under their groups, in order."""
        names = dict.fromkeys(section.group for section in self.sections)
        for name in names:
            yield name, [section for section in self.sections if section.group == name]


def official_names(order_file: Path | None) -> list[tuple[str, str]]:
    """The billable codes with their long titles."""
    if order_file is None:
        import simple_icd_10_cm

        codes = [code for code in simple_icd_10_cm.get_all_codes(True) if simple_icd_10_cm.is_leaf(code)]
        return [(code, simple_icd_10_cm.get_description(code)) for code in codes]
    lines = order_file.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [(line[6:14].strip(), line[14:15], line[77:].strip()) for line in lines]
    return [(f"{code[:3]}.{code[3:]}".rstrip("."), name) for code, flag, name in rows if flag == "1"]


def make_page(code: str, name: str, edition: int, sections: Iterable[dict[str, Any]]) -> Page:
    """A page for a code; another edition takes other phrases."""
    chance = random.Random(f"{code} {edition}")
    words = {"subject": name[0].lower() + name[1:], "part": chance.choice(_WORD.findall(name) or ["body"]).lower()}
    written = []
    for section in sections:
        least, most = section["take"]
        items = chance.sample(section["phrases"], chance.randint(least, most))
        written.append(Section(section["group"], section["heading"], [item.format(**words) for item in items]))
    summary = (
        f"This page tells what {words['subject']} means, how it is found and what can be done. It is coded {code}. "
        f"The {words['part']} is looked at first; what is seen there decides on the next step."
    )
    return Page(code, name, summary, written)


def plain(page: Page) -> str:
    """The text of a page as a scraper leaves it, some headings glued to the item before them."""
    lines = [
        "Search all medical codes",
        "",
        page.name[:255],
        "",
        "ICD-10-CM code",
        "",
        "Name of the Diagnosis:",
        "",
        page.name,
    ]
    lines += ["", "Summary", "", page.summary, ""]
    for group, sections in page.groups():
        lines += [group, ""]
        for number, section in enumerate(sections):
            if number and lines[-1].startswith("  •"):
                lines[-1] += f" ##### {section.heading}:"
            else:
                lines.append(f"{section.heading}:")
            lines += [f"  • {item}" for item in section.items]
        lines.append("")
    return "\n".join(lines)


_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} | ProcedurePages</title>
<link rel="canonical" href="https://procedurepages.example/code/icd10cm/{code}-{slug}">
<link rel="stylesheet" href="/static/site.css"><script>window.dataLayer=window.dataLayer||[];</script></head><body>
<div class="cookie-banner" role="dialog"><h2>We value your privacy</h2><p>We and our partners store cookies.</p><button>Accept all</button></div>
<header><a class="logo" href="/">ProcedurePages</a><form role="search"><input type="search" name="q"><button>Search</button></form>
<nav><ul><li><a href="/browse/cpt">CPT</a></li><li><a href="/browse/hcpcs">HCPCS</a></li><li><a href="/browse/icd10">ICD-10</a></li></ul></nav></header>
"""
_FOOT = """<footer><p>© ProcedurePages. Not medical advice.</p><ul><li><a href="/privacy">Privacy</a></li><li><a href="/terms">Terms</a></li></ul></footer>
</body></html>
"""


def _head(page: Page) -> str:
    return _HEAD.format(title=escape(page.name), code=page.code.replace(".", "").lower(), slug=page.slug)


def semantic(page: Page) -> str:
    """A page of headings and lists."""
    parts = [_head(page), f"<main><article><h1>{escape(page.name)}</h1><p>{escape(page.code)}</p>"]
    parts.append(f"<h2>Summary</h2><p>{escape(page.summary)}</p>")
    for group, sections in page.groups():
        parts.append(f"<section><h2>{escape(group)}</h2>")
        for section in sections:
            items = "".join(f"<li>{escape(item)}</li>\n" for item in section.items)
            tag = "ol" if section.heading == "Steps" else "ul"
            parts.append(f"<h3>{escape(section.heading)}</h3>\n<{tag}>{items}</{tag}>")
        parts.append("</section>")
    return "\n".join([*parts, "</article></main>", _FOOT])


def divs(page: Page) -> str:
    """A page of nested `div`s with bold headings."""
    parts = [_head(page), f'<div class="wrap"><div class="content"><h1>{escape(page.name)}</h1>']
    parts.append(f'<div class="t"><b>Summary</b></div><div class="b">{escape(page.summary)}</div>')
    for group, sections in page.groups():
        parts.append(f'<div class="g"><div class="t"><b>{escape(group)}</b></div>')
        for section in sections:
            items = "".join(f'<div class="item"><span>{escape(item)}</span></div>\n' for item in section.items)
            parts.append(
                f'<div class="s"><p><strong>{escape(section.heading)}:</strong></p><div class="list">{items}</div></div>'
            )
        parts.append("</div>")
    return "\n".join([*parts, "</div></div>", _FOOT])


def embedded(page: Page) -> str:
    """A page whose content stands in a script, as frameworks leave it."""
    questions = [
        {
            "@type": "Question",
            "name": section.heading,
            "acceptedAnswer": {
                "@type": "Answer",
                "text": "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in section.items) + "</ul>",
            },
        }
        for section in [Section("", "Summary", [page.summary]), *page.sections]
    ]
    data = {
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "name": page.name,
        "about": {"@type": "MedicalCode", "codeValue": page.code, "codingSystem": "ICD-10-CM"},
        "mainEntity": questions,
    }
    script = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    shell = f'<div id="app"><h1>{escape(page.name)}</h1><p>Loading</p></div>'
    return "\n".join([_head(page), f'<script type="application/ld+json">{script}</script>', shell, _FOOT])


LAYOUTS: tuple[tuple[str, Callable[[Page], str]], ...] = (
    ("txt", plain),
    ("html", semantic),
    ("html", divs),
    ("html", embedded),
)


def write_pages(
    folder: Path, count: int, names: list[tuple[str, str]], edition: int = 1, changed: float = 100.0
) -> int:
    """Writes `changed` percent of the pages, evenly spread; gives how many were written."""
    sections = tomllib.loads(PHRASES.read_text(encoding="utf-8"))["section"]
    step = len(names) / count
    every = round(100 / changed)
    written = 0
    for number in range(0, count, every):
        code, name = names[int(number * step)]
        suffix, layout = LAYOUTS[number % len(LAYOUTS)]
        page = make_page(code, name, edition, sections)
        path = (
            folder
            / f"{number // _PER_FOLDER:03d}"
            / f"icd10cm-{code.replace('.', '').lower()}-{page.slug[:40]}.{suffix}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(layout(page), encoding="utf-8")
        written += 1
    return written


def main() -> None:
    """Makes the pages that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--names", type=Path, help="an ICD-10-CM order file; simple-icd-10-cm without it")
    parser.add_argument("--edition", type=int, default=1)
    parser.add_argument("--changed", type=float, default=100.0, help="percent of the pages to write")
    given = parser.parse_args()
    written = write_pages(given.folder, given.count, official_names(given.names), given.edition, given.changed)
    print(f"{written:,} pages written to {given.folder}")


if __name__ == "__main__":
    main()
