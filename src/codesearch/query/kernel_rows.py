"""What the compiled ranking's arrays hold: rows of numbers, by the places of these in a row.

What is said of one thing (an entry, a posting of a phrase, a document) is a row of one array of floats, and whole
numbers in it are read through a view of the same bytes: each row that is not in a cache costs more than it takes to
compute.
"""

from __future__ import annotations

MAX_SLOTS = 32
"""Words of a query that are searched, for each of which an entry has a bit; the rest is ignored, and said so."""

(
    IS_PHRASE, START, END, BLOCKS, BELOW_FROM, BELOW_TO, SECTION_FROM, SECTION_TO, MARKS,
    STEP, IDF, FACTOR, SHARE, LOUDEST,
) = range(14)  # fmt: skip
ROW = 14
"""An alternative: whether its postings lie with the phrases, its slices of postings, of bounds of runs of documents
below an ancestor that holds it, and of documents whose sections hold it; the row that tells where its postings of each
block begin, -1 where there is none; its row of marks; as floats, the score of one level (below), how it is weighed, and
the most that it can add to a document's sections."""
ALTERNATIVES, MASS, BELOW_MASS = MARKS, STEP, IDF
"""A slot, in a row before those of its alternatives: how many these are; as floats, its weight in the query, and what
it adds to the share of an entry below an ancestor whose name holds it. Read as an alternative it matches nothing."""
IS_BELOW, IS_SAID, LEVEL = 1, 2, 2
"""The mark of an alternative in a block or a part: whether a document there is below an ancestor that holds it, and
whether one's sections hold it; the bits from `LEVEL` on tell its highest score there, as a number of steps."""
LEVELS = 63
"""Steps up to the highest score of an alternative anywhere. A byte for each mark: most searches look at few parts, but
at every block."""

NORM, OWN_MASS, PRIOR, OWNER = range(4)
ENTRY_ROW = 4
"""An entry: its norm in BM25, the idf of all its terms, and its prior; as a whole number, its document."""
PHRASE_ENTRY, PHRASE_SCORE, PHRASE_COVERED = range(3)
PHRASE_ROW = 3
"""A posting of a phrase: as a whole number, its entry; its BM25, and the idf that it covers of the entry."""
SAID_IN, SAID_SCORE = range(2)
SAID_ROW = 2
"""A document whose sections hold an alternative: as a whole number, the document; its BM25F."""
K1, ENTRY_COVERAGE, CLINICAL, HALVES, EXACT, WHOLE = range(6)
FORMULA = 6
"""Numbers of the formula, and which share of a query or an entry is all of it."""

PARTS = 8
"""Parts of a block: a block whose bound reaches the floor is looked at part by part, each with a bound of its own."""

SCRATCH = 8
"""Numbers of a scratch row, of an entry of a part or of its document: fewer are used, eight make half a cache line."""
OF_BLOCK, OF_ROW = 8, 7
"""Numbers that are kept of a block, and of a row of the query while a part is scored."""
