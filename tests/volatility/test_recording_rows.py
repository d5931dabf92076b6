"""Real recordings give the rows, gaps and verdicts known of them.

Payloads are taken out of the files as plainly as possible; reading recordings properly is
`ingest_service`'s and tested there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.flat import decode, receive_ns
from volatility.gap import find_gaps
from volatility.normalise import Normalised, normalise
from volatility.peek import peek
from volatility.product import infer_products, read_products
from volatility.timestamp import parse_epoch, parse_time

pytestmark = pytest.mark.shared_data
FrameTable = Callable[..., Any]
Said = tuple[str, int, bytes]
"""(feed, recv_ns, payload)."""

_RECORDER: Final = re.compile(rb"(?:wss?://\S+ <- )?([0-9.]+): (\{.*\})")
_TS: Final = re.compile(rb'"ts":\s*([0-9.]+)')


def _said(line: bytes) -> Said | None:
    """One line of any recording; None for what is no frame."""
    if not line.startswith(b"{"):
        match = _RECORDER.fullmatch(line)
        return ("exchange", parse_epoch(match[1].decode()), match[2]) if match else None
    keys = json.loads(line)
    if isinstance(keys.get("raw"), str):
        ts = _TS.search(line)
        assert ts
        return "exchange", parse_epoch(ts[1].decode()), keys["raw"].encode()
    if "payload" in keys:
        recv_ns = parse_time(keys["ingest_time"])
        assert recv_ns
        return "advanced", recv_ns, json.dumps(keys["payload"]).encode()
    row = decode(line)
    return "flat", receive_ns(row) or parse_time(row.exchange_time or "") or 0, line


def _lines(path: Path) -> Iterator[Said]:
    with path.open("rb") as file:
        for line in file:
            said = _said(line.strip())
            if said is not None:
                yield said


@pytest.fixture(scope="module")
def frames(shared_data: Path, frame_table: FrameTable) -> Callable[[str], Any]:
    """The frames of the recordings whose names start so."""

    def read(name: str) -> Any:
        said = [s for p in sorted((shared_data / "coinbase").glob(f"{name}*")) for s in _lines(p)]
        assert said
        feeds, recv_ns, payloads = zip(*said, strict=True)
        return frame_table(payloads, feeds, recv_ns, "replay")

    return read


def assert_all_explained(found: Normalised) -> None:
    """No frame rejected, unknown or with something to say."""
    assert found.reason.null_count == len(found.reason)
    assert not [pair for pair in found.counts() if pair[0] == "unknown" or pair[1] == "rejected"]


def test_the_exchange_ticker_recording(frames: Callable[[str], Any]) -> None:
    found = normalise(frames("exchange_ticker_btc"))
    assert found.counts() == {("ticker", "rows"): 5996, ("subscriptions", "control"): 4}
    assert_all_explained(found)
    trades = distinct_trades(found.trades)
    assert trades.num_rows == 5996
    gaps = find_gaps(trades, {})
    assert (gaps.num_rows, sum(gaps["missing"].to_pylist())) == (3, 1_290_149)
    assert infer_products(found.quotes)["BTC-USD"].price_step.as_tuple().exponent == -2


def test_the_taker_lifts_the_ask_or_hits_the_bid(frames: Callable[[str], Any]) -> None:
    """Outside the spread the side is certain: 1,751 buys at the ask or above, 1,523 sells."""
    found = normalise(frames("exchange_ticker_btc"))
    names = ("price", "bid", "ask", "taker_side")
    columns = [(found.trades if n in found.trades.column_names else found.quotes)[n] for n in names]
    sides = {"buy": [0, 0], "sell": [0, 0]}
    for price, bid, ask, side in zip(*(c.to_pylist() for c in columns), strict=True):
        sides[side][0] += price >= ask
        sides[side][1] += price <= bid
    assert sides == {"buy": [1751, 0], "sell": [0, 1523]}


def test_every_match_has_a_ticker_of_the_same_trade_with_the_same_taker(
    frames: Callable[[str], Any],
) -> None:
    """107 of 107: `match.side` is the maker's, `ticker.side` the taker's."""
    found = normalise(frames("exchange_all_channels"))
    assert_all_explained(found)
    assert found.counts() == {
        ("subscribe", "control"): 3,
        ("subscriptions", "control"): 3,
        ("level2", "control"): 9729,
        ("ticker", "rows"): 107,
        ("match", "rows"): 97,
        ("last_match", "rows"): 10,
    }
    kind = [found.kind[i].as_py() for i in found.trade_frame.tolist()]
    by_kind: dict[bool, dict[Any, Any]] = {True: {}, False: {}}
    for row, name in zip(found.trades.to_pylist(), kind, strict=True):
        content = {n: row[n] for n in ("price", "size", "ts_event", "taker_side", "sequence")}
        by_kind[name == "ticker"][row["product"], row["trade_id"]] = content
    assert len(by_kind[True]) == 107
    assert by_kind[True] == by_kind[False]
    assert distinct_trades(found.trades).num_rows == 107
    assert find_gaps(distinct_trades(found.trades), {}).num_rows == 0
    assert found.quotes["bid_size"].null_count == found.quotes.num_rows == 107


def test_the_advanced_envelope_recording(frames: Callable[[str], Any]) -> None:
    found = normalise(frames("advanced_ticker_envelope"))
    assert found.counts() == {("ticker", "rows"): 5970, ("subscriptions", "control"): 1}
    assert_all_explained(found)
    quotes = distinct_quotes(found.quotes)
    assert quotes.num_rows == 5970
    latency = sorted(
        recv - event
        for recv, event in zip(
            quotes["ts_recv"].to_pylist(), quotes["ts_event"].to_pylist(), strict=True
        )
    )
    assert -70_000_000 < latency[len(latency) // 2] < -50_000_000


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("advanced_ticker_flat_btc_2025", 36_555),
        ("advanced_ticker_flat_btc_2026", 10_881),
        ("advanced_ticker_flat_btc_eth", 2_500),
    ],
)
def test_the_flat_recordings(frames: Callable[[str], Any], name: str, rows: int) -> None:
    table = frames(name)
    found = normalise(table)
    assert found.counts() == {("ticker", "rows"): rows}
    assert_all_explained(found)
    quotes = distinct_quotes(found.quotes)
    assert quotes.num_rows == rows
    doubled = distinct_quotes(normalise(pa.concat_tables([table, table])).quotes)
    assert doubled.equals(quotes)


def test_peek_agrees_with_the_full_reading(frames: Callable[[str], Any]) -> None:
    for name in ("exchange_all", "exchange_ticker", "advanced_ticker_env", "advanced_ticker_flat"):
        table = frames(name)
        found = normalise(table)
        kinds = found.kind.to_pylist()
        payloads, feeds = table["payload"].to_pylist(), table["feed"].to_pylist()
        glances = [peek(payload, feed) for payload, feed in zip(payloads, feeds, strict=True)]
        assert [glance.kind for glance in glances] == kinds
        rows = zip(found.quote_frame.tolist(), found.quotes.to_pylist(), strict=True)
        for frame, row in rows:
            assert glances[frame].product == row["product"]
            assert glances[frame].event_ns == row["ts_event"]


def test_the_product_list_of_2021(shared_data: Path, frames: Callable[[str], Any]) -> None:
    text = (shared_data / "coinbase" / "exchange_rest_products_2021-04-17.rec").read_text()
    answer = next(line for line in text.splitlines() if "[" in line)
    listed = read_products(answer[answer.index("[") :].encode())
    assert len(listed) == 162
    seen = infer_products(normalise(frames("exchange_all_channels")).trades)
    assert len(seen) == 10
    for name, product in seen.items():
        assert product.price_step % listed[name].price_step == 0
        assert product.size_step % listed[name].size_step == 0
