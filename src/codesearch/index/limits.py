"""Numbers of the files of an index that both those who write them and those who read them must know."""

from __future__ import annotations

import numpy as np

CODE_BYTES = 24
"""Bytes of a bare code in the table that prefixes are looked up in; longer codes of a user's own are cut there."""
NONESSENTIAL = 0x80
"""The bit of a posting's weight that says that the term stands in parentheses only (see `postings`)."""
MAX_FREQUENCY = 0x7F
"""The highest frequency of a term in an entry, in the other bits of a posting's weight."""
LEAST_MASS = np.float32(1e-6)
"""What the terms of an entry weigh at least, also where it has none."""
