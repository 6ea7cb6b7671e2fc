"""How a match is weighed: the numbers of `index/ranking.toml`, kept with every index that was built with them."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt


class RankingConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`index/ranking.toml`; each number is explained there."""

    version: int
    k1: float
    b: float
    query_coverage_power: float  # a multiple of one half
    entry_coverage: float
    ancestor_share: float
    unknown_mass: float
    unspecified: float
    billable: float
    terminated: float
    clinical: float
    clinical_k1: float
    clinical_b: float
    classes: dict[str, float]

    @property
    def coverage_halves(self) -> int:
        """The power of the query's coverage in halves; products and square roots give the same bits on every path."""
        return round(2 * self.query_coverage_power)


def idf(frequencies: npt.NDArray[np.int32], documents: int) -> npt.NDArray[np.float32]:
    """The weight of each term by its rarity, ln(1 + (N - df + .5) / (df + .5)) (Robertson and Zaragoza 2009, 3.1)."""
    return np.log1p((documents - frequencies + 0.5) / (frequencies + 0.5)).astype(np.float32)
