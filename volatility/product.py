"""Products: the allow-list every id passes, and what a product's increments are.

The pattern guards every id before it touches a path, a topic or SQL. Increments come from the
exchange's `/products` answer, or are inferred from prices and sizes seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from volatility.column import encode, known, numbers
from volatility.errors import MessageError, ProductError
from volatility.fixed_point import parse_decimal, to_text
from volatility.record import PRICES, SIZES

PRODUCT_PATTERN = re.compile(r"[A-Z0-9]{1,16}-[A-Z0-9]{1,16}")
"""`BASE-QUOTE`, upper case letters and digits; fully anchored by `fullmatch`."""


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A Coinbase pair and the steps its prices and sizes move in.

    Recorded prices may carry more decimals than `price_step` says; never round to it.
    """

    product: str  # "BTC-USD"
    price_step: Decimal  # quote currency; the tick size
    size_step: Decimal  # base currency
    online: bool = True  # False: delisted or halted, its ticks stop

    @property
    def base(self) -> str:
        """Currency bought and sold."""
        return self.product.partition("-")[0]

    @property
    def quote(self) -> str:
        """Currency paid with."""
        return self.product.partition("-")[2]


class _Listed(msgspec.Struct, kw_only=True):
    """One product of Exchange `/products` and `status`, or of Advanced `/market/products`."""

    id: str = ""
    product_id: str = ""
    quote_increment: str = ""
    price_increment: str = ""
    base_increment: str = ""
    status: str = ""
    trading_disabled: bool = False


class _Answer(msgspec.Struct):
    products: list[_Listed]


_ANSWER: Final[Any] = msgspec.json.Decoder(list[_Listed] | _Answer).decode


def check_product(product: str) -> str:
    """Return `product` unchanged when it is a Coinbase pair id, e.g. `BTC-USD`.

    Raises:
        ProductError: the id does not match `PRODUCT_PATTERN`.
    """
    if not PRODUCT_PATTERN.fullmatch(product):
        raise ProductError(product)
    return product


def parse_products(text: str | Iterable[str]) -> tuple[str, ...]:
    """Split `BTC-USD,ETH-USD` into checked product ids, in the order given, without repeats.

    Raises:
        ProductError: an id is malformed, or the list is empty.
    """
    parts = text.split(",") if isinstance(text, str) else list(text)
    products = tuple(dict.fromkeys(check_product(part.strip()) for part in parts))
    if not products:
        raise ProductError("")
    return products


def read_products(payload: bytes) -> dict[str, Product]:
    """Products by id out of a REST `/products` answer (either API) or a `status` message.

    Ids outside the allow-list, such as dated futures, are left out.

    Raises:
        MessageError: not such an answer, or an increment is not a plain positive decimal.
    """
    try:
        answer = _ANSWER(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(str(exc)) from exc
    listed = answer.products if isinstance(answer, _Answer) else answer
    found = {}
    for at, row in enumerate(listed):
        name = row.id or row.product_id
        if PRODUCT_PATTERN.fullmatch(name):
            found[name] = Product(
                product=name,
                price_step=_step(row.price_increment or row.quote_increment, f"$[{at}]"),
                size_step=_step(row.base_increment, f"$[{at}]"),
                online=row.status in ("", "online") and not row.trading_disabled,
            )
    return found


def _step(text: str, path: str) -> Decimal:
    text = text.strip()  # the documentation's own example has a leading blank
    try:
        mantissa, digits = parse_decimal(text)
    except MessageError as exc:
        raise MessageError(exc.reason, path=path) from exc
    if mantissa == 0:
        raise MessageError("increment is zero", path=path)
    return Decimal(to_text(mantissa, digits))


def infer_products(table: Any) -> dict[str, Product]:
    """Products of a table of trades or quotes; each step is the largest power of ten that fits.

    An inferred step is an upper bound: finer steps may simply not have been seen. Prices without
    a digit after the point give 1 or more, e.g. 100.
    """
    code, names = encode(table["product"])
    return {
        name: Product(
            product=name,
            price_step=_inferred(table, code == i, PRICES, "price_scale"),
            size_step=_inferred(table, code == i, SIZES, "size_scale"),
        )
        for i, name in enumerate(names)
    }


def _inferred(table: Any, rows: Any, names: Iterable[str], scale_name: str) -> Decimal:
    """The largest power of ten that divides all of the product's values."""
    scales = numbers(table[scale_name])[rows].tolist()
    if len(set(scales)) != 1:
        raise ValueError(f"one product has {len(set(scales))} {scale_name}s; concat_scaled first")
    step = 0
    for name in names:
        if name in table.column_names:
            values = numbers(table[name])[rows & known(table[name])]
            step = int(np.gcd(step, np.gcd.reduce(values))) if values.size else step
    zeros = len(str(step)) - len(str(step).rstrip("0")) if step else 0
    return Decimal(1).scaleb(zeros - scales[0])
