"""Error frames, and the products they name."""

from __future__ import annotations

import pytest

from ingest_service.refusal import SHOWN, error_text, named


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"type":"error","message":"Failed","reason":"no key"}', "Failed: no key"),
        (b'{"type":"error","message":"authentication failure"}', "authentication failure"),
        (b'{"type":"error"}', '{"type":"error"}'),
        (b'{"type":"error","message":7}', '{"type":"error","message":7}'),
        (b"\xff", "\ufffd"),
    ],
)
def test_an_error_is_told_in_the_words_of_the_exchange(payload: bytes, text: str) -> None:
    assert error_text(payload) == text


def test_a_long_error_is_cut() -> None:
    assert len(error_text(b"x" * 1_000)) == SHOWN


def test_only_whole_product_ids_are_named() -> None:
    products = ("BTC-USD", "BTC-USDC", "ETH-USD", "00-USD")
    assert named("BTC-USDC, 00-USD. are not valid", products) == {"BTC-USDC", "00-USD"}
    assert named("Failed to subscribe", products) == set()
