"""How a match is weighed: the numbers of `index/ranking.toml`, kept with every index that was built with them."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

# Exact pruning counts on these bounds: nothing weighs more than what is typed, and nothing takes from a score. Compiled
# code counts on every match having a score above zero, and a finite one: hence the ends of the ranges.
Positive = Annotated[float, msgspec.Meta(ge=0.001, le=1000)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
AtLeastOne = Annotated[float, msgspec.Meta(ge=1, le=10)]
Weight = Annotated[float, msgspec.Meta(ge=0.001, le=1)]
Power = Annotated[float, msgspec.Meta(ge=0, le=10)]


class RankingConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`index/ranking.toml`; each number is explained there."""

    version: int
    k1: NotNegative
    b: Share
    query_coverage_power: Power  # a multiple of one half
    entry_coverage: NotNegative
    exact_name: AtLeastOne
    ancestor_share: Share
    unknown_mass: Positive
    words: dict[str, Positive]
    billable: Positive
    terminated: Positive
    contradiction: Weight
    clinical: NotNegative
    clinical_k1: NotNegative
    clinical_b: Share
    classes: dict[str, Weight]
    own_words: tuple[str, ...] = ()

    @property
    def coverage_halves(self) -> int:
        """The power of the query's coverage in halves; products and square roots give the same bits on every path."""
        return round(2 * self.query_coverage_power)


def idf(frequencies: npt.NDArray[np.int32], documents: int) -> npt.NDArray[np.float32]:
    """The weight of each term by its rarity, ln(1 + (N - df + .5) / (df + .5)) (Robertson and Zaragoza 2009, 3.1)."""
    return np.log1p((documents - frequencies + 0.5) / (frequencies + 0.5)).astype(np.float32)
