"""One power-of-ten scale per product and table: choosing it, and bringing tables to the same.

A product's prices are kept at 8 fraction digits, or more (up to 12) when its text carries more,
as long as its largest value still fits. Sizes likewise, on their own. Twice a price must fit
int64, because mids are kept as bid + ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from volatility import column
from volatility.errors import ContractError
from volatility.record import PRICES, SIZES

MIN_SCALE: Final = 8
MAX_SCALE: Final = 12
PRICE_LIMIT: Final = 2**62 - 1
SIZE_LIMIT: Final = 2**63 - 1
POWERS: Final = 10 ** np.arange(19, dtype=np.int64)

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def choose_scales(
    product: Ints, columns: Sequence[tuple[Ints, Ints, Ints]], products: int, limit: int
) -> Ints:
    """The scale of each of `products` products.

    Args:
        product: unused placeholder for rows without columns; see `columns`.
        columns: `(product code, mantissa, fraction digits)` of every column of that unit.
        products: how many product codes there are.
        limit: the largest value a fixed-point integer may have.
    """
    raise NotImplementedError
