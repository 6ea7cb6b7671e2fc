"""Arrays as the compiled functions of `native` take them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

beginning: Callable[[Any], object] = (ctypes.c_char * 0).from_buffer
"""Where an array begins that may be written to, as functions of C take it: quicker to have than its address."""


class Table:
    """Arrays as the kernel takes them, kept alive: `pointers` lead to their addresses, and to their shapes."""

    def __init__(self, arrays: Sequence[Array], kinds: str) -> None:
        """Takes the arrays, and the kind of each by a letter as numpy has them.

        Raises:
            TypeError: an array is of another kind, or not contiguous: compiled code would not notice.
        """
        for place, (array, kind) in enumerate(zip(arrays, kinds, strict=True)):
            if array.dtype != kind or not array.flags.c_contiguous:
                raise TypeError(f"array {place} is {array.dtype}, not {np.dtype(kind)}, or not contiguous")
        shapes = [(*array.shape, 1)[:2] for array in arrays]
        addresses = [array.ctypes.data for array in arrays]
        self._kept = arrays, np.array(addresses, np.uint64), np.array(shapes, np.int64)
        self.pointers = tuple(array.ctypes.data for array in self._kept[1:])
