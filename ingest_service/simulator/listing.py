"""What is traded on the simulated exchange: each product's price grid, pace and temper."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Final

from volatility.product import check_product

SIZE_DIGITS: Final = 8
"""Sizes are integers in 1e-8 base currency, as on the wire."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One product's fixed traits."""

    product: str  # "BTC-USD"
    price: float  # opening mid, quote currency
    price_digits: int  # tick = 10^-price_digits quote currency
    lot_digits: int = 8  # sizes are multiples of 10^-lot_digits base currency
    trades_per_s: float  # long-run mean of single executions (one match frame each)
    annual_volatility: float  # of log returns, at average weather
    median_notional: float = 150.0  # of one trade, quote currency

    @property
    def number(self) -> int:
        """A stable number of the product, the same in every process; seeds ids and randomness."""
        return zlib.crc32(self.product.encode())


def _known(
    product: str,
    price: float,
    digits: int,
    trades: float,
    vol: float,
    lot: int = 8,
    notional: float = 150.0,
) -> Listing:
    return Listing(
        product=product,
        price=price,
        price_digits=digits,
        lot_digits=lot,
        trades_per_s=trades,
        annual_volatility=vol,
        median_notional=notional,
    )


LISTINGS: Final[dict[str, Listing]] = {
    known.product: known
    for known in (
        _known("BTC-USD", 100_000.0, 2, 1.2, 0.50),
        _known("ETH-USD", 3_500.0, 2, 0.8, 0.65),
        _known("SOL-USD", 160.0, 2, 0.5, 0.85),
        _known("XRP-USD", 2.2, 4, 0.5, 0.85, 6),
        _known("DOGE-USD", 0.17, 5, 0.4, 0.95, 1),
        _known("ADA-USD", 0.65, 4, 0.4, 0.90),
        _known("LINK-USD", 15.0, 3, 0.4, 0.85, 2),
        _known("LTC-USD", 90.0, 2, 0.4, 0.70),
        _known("ETH-BTC", 0.035, 5, 0.4, 0.45, 8, 0.0015),
    )
}
"""Products with a character of their own; any other valid id is made up by `listing`."""


def listing(product: str) -> Listing:
    """The traits of `product`: its entry in `LISTINGS`, or traits derived from its name.

    Raises:
        ProductError: the id is not of the form BASE-QUOTE.
    """
    if product in LISTINGS:
        return LISTINGS[product]
    share = zlib.crc32(check_product(product).encode()) / 2**32
    price = 10 ** (5 * share - 2)
    digits = min(max(4 - math.floor(math.log10(price)), 0), 8)
    return _known(product, round(price, digits), digits, 0.4, 0.6 + 0.6 * share)
