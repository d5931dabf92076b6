"""Product ids: the allow-list pattern every id passes before it touches a path, a topic or SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from volatility.errors import ProductError

PRODUCT_PATTERN = re.compile(r"[A-Z0-9]{1,16}-[A-Z0-9]{1,16}")
"""`BASE-QUOTE`, upper case letters and digits; fully anchored by `fullmatch`."""


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
