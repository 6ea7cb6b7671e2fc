"""The kernel as functions of C: what was compiled of them runs in a process that has no numba.

Arrays come in tables: where each begins, and its shape (`kernel_tables.Table`); their order is that in which `compiled`
and `packing` name them. Importing this module compiles the functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from codesearch.query.kernel import mark_matching, rank_entries
from codesearch.query.kernel_matching import match_runs
from codesearch.query.kernel_rows import (
    ENTRY_ROW,
    MAX_SLOTS,
    OF_ROW,
    PARTS,
    PHRASE_ROW,
    ROW,
    SAID_ROW,
    SCRATCH,
)

F, I4, I8, U1, BOOL = np.float32, np.int32, np.int64, np.uint8, np.bool_

carray: Any = vars(numba)["carray"]
_pointer: Any = types.CPointer
_address, _number, _real = types.voidptr, types.int64, types.float64
_table = (_pointer(_address), _pointer(_number))

_inline = numba.njit(error_model="numpy", inline="always")


def _compiled(*arguments: Any) -> Callable[[Callable[..., int]], Any]:
    """Compiles a function of C that takes these and gives a number."""
    made: Callable[[Callable[..., int]], Any] = numba.cfunc(_number(*arguments), error_model="numpy")
    return made


@_inline
def _list(table: Any, shapes: Any, place: int, kind: Any) -> Any:
    """An array of a table that has one dimension."""
    return carray(table[place], shapes[2 * place], kind)


@_inline
def _rows(table: Any, shapes: Any, place: int, columns: int, kind: Any) -> Any:
    """An array of a table whose rows have so many columns, as is known here: so they are found more quickly."""
    return carray(table[place], (shapes[2 * place], columns), kind)


@_inline
def _grid(table: Any, shapes: Any, place: int, kind: Any) -> Any:
    """An array of a table that has two dimensions."""
    return carray(table[place], (shapes[2 * place], shapes[2 * place + 1]), kind)


@_compiled(
    *_table, *_table, *_table, _address, _number, _number, _real, _number, _number, _address, _number, _address, _number
)
def rank(
    index: Any, of_index: Any, memory: Any, of_memory: Any, scratch: Any, of_scratch: Any,
    rows: Any, row_count: int, slot_count: int, mass: float,
    first: int, last: int, allowed: Any, allowed_count: int, answer: Any, limit: int,
) -> int:  # fmt: skip
    """`kernel.rank_entries`."""
    return rank_entries(
        _list(index, of_index, 0, I4), _list(index, of_index, 1, U1), _grid(index, of_index, 2, I4),
        _rows(index, of_index, 3, ENTRY_ROW, F), _list(index, of_index, 4, F), _list(index, of_index, 5, I4),
        _grid(index, of_index, 6, I8), _rows(index, of_index, 7, 2, F), _list(index, of_index, 8, BOOL),
        _list(index, of_index, 9, F),
        _rows(memory, of_memory, 0, PHRASE_ROW, F), _rows(memory, of_memory, 1, SAID_ROW, F),
        _grid(memory, of_memory, 2, U1),
        carray(rows, (row_count, ROW), I4), slot_count, mass, first, last, carray(allowed, allowed_count, BOOL),
        _rows(scratch, of_scratch, 0, SCRATCH, F), _rows(scratch, of_scratch, 1, SCRATCH, F),
        _grid(scratch, of_scratch, 2, I4), _grid(scratch, of_scratch, 3, F), _list(scratch, of_scratch, 4, I8),
        carray(scratch[5], (2, MAX_SLOTS), F), carray(scratch[6], (3, PARTS, MAX_SLOTS), F),
        carray(scratch[7], (2, PARTS), F),
        _grid(scratch, of_scratch, 8, I8), _rows(scratch, of_scratch, 9, OF_ROW, I4),
        carray(answer, (3, limit), F),
    )  # fmt: skip


@_compiled(*_table, *_table, _address, _number, _address)
def mark(
    index: Any, of_index: Any, memory: Any, of_memory: Any, rows: Any, row_count: int, found: Any
) -> int:  # fmt: skip
    """`kernel.mark_matching`."""
    mark_matching(
        _list(index, of_index, 0, I4), _list(index, of_index, 1, F), _list(index, of_index, 2, I4),
        _rows(memory, of_memory, 0, PHRASE_ROW, F), _rows(memory, of_memory, 1, SAID_ROW, F),
        carray(rows, (row_count, ROW), I4), carray(found, of_index[2] + 1, BOOL),
    )  # fmt: skip
    return 0


@_compiled(*_table, *_table, _number, _address, _number, _number, _address, _number)
def match(
    index: Any, of_index: Any, memory: Any, of_memory: Any, document_count: int,
    runs: Any, run_count: int, term_count: int, rows: Any, first_row: int,
) -> int:  # fmt: skip
    """`kernel_matching.match_runs`: runs are where they begin in the terms; behind these stand the terms, and room
    for as many more."""
    starts_and_terms = carray(runs, run_count + 1 + 2 * term_count, I8)
    terms, formula = starts_and_terms[run_count + 1 :], _list(index, of_index, 15, F)
    return match_runs(
        terms[:term_count], starts_and_terms[: run_count + 1],
        _list(index, of_index, 0, I4), _list(index, of_index, 1, I4), _list(index, of_index, 2, U1),
        _list(index, of_index, 3, I4), _rows(index, of_index, 4, ENTRY_ROW, F), _list(index, of_index, 5, F),
        formula[0],
        _list(index, of_index, 6, I4), _list(index, of_index, 7, I4),
        _list(index, of_index, 8, I4), _list(index, of_index, 9, I4), _list(index, of_index, 10, U1),
        _list(index, of_index, 11, I4), _list(index, of_index, 12, F), formula[1], document_count,
        _list(index, of_index, 13, I8), _list(index, of_index, 14, I8),
        _rows(memory, of_memory, 0, PHRASE_ROW, F), _rows(memory, of_memory, 1, SAID_ROW, F),
        _grid(memory, of_memory, 2, U1), _list(memory, of_memory, 3, I8), first_row,
        _list(memory, of_memory, 4, I4), _list(memory, of_memory, 5, F), terms[term_count:],
        carray(rows, (run_count, ROW), I4),
    )  # fmt: skip
