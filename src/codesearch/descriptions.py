"""What each field says, for readers: the words of the JSON Schemas and of `docs/records.md`."""

from __future__ import annotations

RECORD: dict[str, dict[str, str]] = {
    "CodeRecord": {
        "system": "code system: `CPT`, `HCPCS`, `ICD10CM`, `ICD10PCS`, or a name of your own",
        "code": "the code in its official written form (`E11.9`); null where a page gives none",
        "name": "the title on the page or in the code set, cut back to a whole word where a site cut it",
        "kind": "`code`, `header` (others lie below it), `modifier` (HCPCS), or `chapter` (a chapter or section)",
        "full_name": "the longest form of the name that was not cut",
        "summary": "what it is, in a few sentences",
        "purpose": "why it is done",
        "indications": "when it is done",
        "preparation": "what happens before it",
        "procedure": "how it is done",
        "duration": "how long it takes",
        "setting": "where it is done",
        "personnel": "who does it",
        "risks": "what may go wrong",
        "benefits": "what it gives, and when",
        "recovery": "what happens after it",
        "alternatives": "what may be done instead",
        "experience": "what the patient feels",
        "other_sections": "title and text of the page's other sections, so that nothing is lost",
        "policies": "policies of health plans that name the code",
        "similar_codes": "codes that the page lists as similar",
        "properties": "whatever else a source states: axes of ICD-10-PCS, coverage of HCPCS, specialty",
        "synonyms": "other names, those of the official indexes among them",
        "inclusion_terms": "terms that the code set says the code includes",
        "notes": "notes of the code set, as they stand",
        "excludes": "what the code set says does not belong here; never counts as a match",
        "parent": "the code directly above; null at the top, or where no source says",
        "chapter": "the chapter of the code set",
        "billable": "whether it may be billed; null where no source says",
        "effective": "since when the code is valid",
        "terminated": "from when on it is no longer valid",
        "release": "the release of the code set that it comes from",
        "source": "where the record comes from, each source of a merged one",
        "warnings": "what a reader should know: a cut name, sources that disagree",
    },
    "Purpose": {"conditions": "what it is done for", "goals": "what it shall reach"},
    "Indications": {"symptoms": "complaints that lead to it", "criteria": "conditions that must be met"},
    "Preparation": {"instructions": "what the patient does before", "tests": "tests done before"},
    "Procedure": {"steps": "the steps, in their order", "tools": "devices and materials"},
    "Risks": {"common": "what happens often", "rare": "what happens seldom"},
    "Benefits": {"expected": "what is gained", "timeline": "when it is felt"},
    "Recovery": {
        "care": "care afterwards",
        "time": "how long it takes",
        "restrictions": "what to leave out meanwhile",
        "follow_up": "later visits and tests",
    },
    "Alternatives": {"options": "other ways", "pros_and_cons": "how they compare"},
    "Experience": {
        "during": "what is felt during it",
        "after": "what is felt afterwards",
        "pain_management": "what is done against pain",
    },
    "Policy": {
        "title": "title of the policy, with its number where it has one",
        "payer": "the health plan",
        "url": "where it stands",
        "effective": "since when, as the page writes it",
    },
    "SimilarCode": {
        "name": "its name on the page",
        "system": "its code system; empty where the page does not say",
        "code": "the code; null where the page gives only a name",
        "url": "its own page",
    },
    "Source": {
        "path": "the file, with the place inside it where it is an archive",
        "url": "the page's address",
        "sha256": "checksum of the input's bytes",
        "layout": "the layout in `ingest/` that read it",
        "layout_version": "version of the layout",
        "fetched": "when the page was fetched",
        "role": "what it may decide where sources are merged: `page`, `codeset`, `tabular` or `enrichment`",
    },
    "RecordWarning": {"kind": "a fixed word to count by (`name-cut`, `no-code`)", "message": "a sentence"},
}
"""Of a record and its parts: class -> field -> what it says."""

_CODE = {
    "system": "code system",
    "code": "the code in its official written form; null where its page gave none",
    "kind": "`code`, `header`, `modifier` or `chapter`",
    "name": "name of the code",
    "billable": "whether it may be billed; null where no source says",
    "terminated": "from when on it is no longer valid; null where it is",
}

OUTPUT: dict[str, dict[str, str]] = {
    "Hit": _CODE
    | {
        "rank": "place among all hits, from 1",
        "release": "the release of the code set that it comes from",
        "score": "how well the text fits; 0 where the code itself was typed, or a condition alone makes it a hit",
        "tier": "1 the code itself, 2 a prefix, wildcard or range of codes, 3 text",
        "snippet": "the passage of the record that fits best",
        "matched": "field -> the words that matched there",
    },
    "Rewrite": {
        "kind": "what kind of rewriting it is: `spelling`, `lay`, `abbreviation`, `code`, ...",
        "typed": "what was typed",
        "used": "what was searched as well, or in its place",
    },
    "Answer": {
        "query": "the line",
        "total": "how many codes match in all",
        "rewrites": "what was searched and not typed",
        "hits": "the first hits",
        "notes": "what of the line was not read as it may have been meant; left out where all was",
    },
    "Fault": {"query": "the line", "error": "why it has no answer"},
    "Status": {
        "generation": "the generation that answers",
        "built": "when it was built (ISO 8601, UTC)",
        "counts": "system -> `total`, and the number of each kind",
        "sources": "each source with its records, rejects and release",
        "size": "bytes on disk",
    },
    "SimilarHit": _CODE
    | {
        "rank": "place in the list, from 1",
        "kind": "`code`, `header`, `modifier` or `chapter`; empty where the index does not have the code",
        "billable_below": "how many billable codes lie below it",
        "in_index": "whether the index has the code; a page may list others",
        "reason": "why it is similar",
    },
    "SimilarReason": {
        "kind": "`listed` on the code's page, `sibling` (below the same parent), or of like `text`",
        "sentence": "the reason as a sentence",
        "words": "the words that both share, those first that tell most; for `text`",
    },
    "CodePolicy": {
        "system": "code system",
        "code": "the code that the policy names",
        "name": "name of the code",
    }
    | RECORD["Policy"],
}
"""Of what the commands and the library give: class -> field -> what it says."""
