"""Batch, cold restart and one call per second agree bit for bit; late ticks are counted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_lake.tables import FRAMES
from ingest_service.line import Framed
from ingest_service.recording import read_recording
from volatility.bar import bars_1s
from volatility.column import floats, ints
from volatility.compute import features_1s
from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.feature import FEATURES
from volatility.normalise import normalise
from volatility.online import OnlineFeatures, OnlineRow
from volatility.tick import HOUR_NS, SECOND_NS

Rows = dict[int, tuple[bytes, str | None]]
"""By ts: the bits of the features, null as one NaN, and the source."""


def bits(values: Any) -> bytes:
    """The bits of numbers, with every NaN the same."""
    return np.where(np.isnan(values), np.nan, values).tobytes()


def in_batch(quotes: Any, trades: Any, hours: Iterable[int]) -> tuple[Any, Rows]:
    """Bars of all hours, and feature rows computed hour by hour from two hours before each."""
    bars, rows = [], {}
    for hour in hours:
        span = hour * HOUR_NS, (hour + 1) * HOUR_NS
        bars.append(bars_1s(quotes, trades, *span))
        features = features_1s(pa.concat_tables(bars[-3:]), *span)
        matrix = np.stack([floats(features[name]) for name in FEATURES], axis=1)
        for ts, numbers, source in zip(
            ints(features["ts"]).tolist(), matrix, features["source"].to_pylist(), strict=True
        ):
            rows[ts] = bits(numbers), source
    return pa.concat_tables(bars), rows


def seen(row: OnlineRow) -> tuple[bytes, str | None]:
    return bits(row.features), row.source


def step(online: OnlineFeatures, quotes: Any, trades: Any, since_ns: int, until_ns: int) -> None:
    """Feed the ticks of [since, until), in the tables' order."""
    parts = []
    for ticks in (quotes, trades):
        ts = ints(ticks["ts_event"])
        parts.append(ticks.take(pa.array(np.flatnonzero((ts >= since_ns) & (ts < until_ns)))))
    online.take(*parts)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_online_rows_are_the_rows_of_the_partition_jobs(make_tape: Any, seed: int) -> None:
    """Silences, ties, scale changes; ticks arrive in disorder, some before their second opens."""
    tape = make_tape(seed, 3.0, 2000, ("BTC-USD",))
    quotes, trades, start = tape.quotes(), tape.trades(), tape.START_NS
    first, end = start // HOUR_NS, start + 3 * HOUR_NS
    _, expected = in_batch(quotes, trades, range(first, first + 3))
    generator = np.random.default_rng(seed)
    quotes, trades = (t.take(pa.array(generator.permutation(t.num_rows))) for t in (quotes, trades))
    online = OnlineFeatures("BTC-USD", start)
    fed = now = start
    while now < end:
        now = min(now + int(generator.integers(1, 60)) * SECOND_NS, end)
        until = now + int(generator.integers(0, 100 * SECOND_NS))
        step(online, quotes, trades, fed, until)
        fed = max(fed, until)
        assert seen(online.close_bar(now)) == expected[now]
    assert online.tally.late == 0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), second=st.sampled_from([0, 1, 59, 1800, 3599]))
def test_a_cold_restart_is_as_if_running_since_yesterday(
    make_tape: Any, seed: int, second: int
) -> None:
    """Two blocks of bars and the last quote restore every bit, at any second of the hour."""
    tape = make_tape(seed, 4.0, 2000, ("BTC-USD", "ETH-USD"))
    quotes, trades, start = tape.quotes(), tape.trades(), tape.START_NS
    first = start // HOUR_NS
    bars, _ = in_batch(quotes, trades, range(first, first + 4))
    quoted, traded = (t.filter(pc.equal(t["product"], "ETH-USD")) for t in (quotes, trades))
    _, expected = in_batch(quoted, traded, range(first, first + 4))
    at = start + 2 * HOUR_NS + second * SECOND_NS
    block = at - at % HOUR_NS
    near = pc.and_(pc.greater(bars["ts"], block - 2 * HOUR_NS), pc.less_equal(bars["ts"], at))
    past = pc.and_(
        pc.greater_equal(quotes["ts_event"], block - HOUR_NS), pc.less(quotes["ts_event"], at)
    )
    online = OnlineFeatures.resume("ETH-USD", at, bars.filter(near), quotes.filter(past))
    step(online, quoted, traded, at, start + 4 * HOUR_NS)
    for now in [*range(at + SECOND_NS, at + 70 * SECOND_NS, SECOND_NS), at + HOUR_NS]:
        if now in expected:
            assert seen(online.close_bar(now)) == expected[now]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    [
        "exchange_ticker_btc_2025-11-12.ndjson",
        "advanced_ticker_flat_btc_2026-04-04_65min.ndjson",
        "advanced_ticker_flat_btc_eth_2026-04-04.ndjson",
        "exchange_all_channels_10_products_2021-04-17.rec",
    ],
)
def test_a_recording_replayed_second_by_second_gives_the_bits_of_its_tables(
    shared_data: Path, name: str
) -> None:
    """Frames in order of receipt, doubles and all; a bar closes 120 s behind the newest event."""
    frames = [
        line.frame
        for line in read_recording(shared_data / "coinbase" / name)
        if isinstance(line, Framed)
    ]
    columns = {
        "offset": list(range(len(frames))),
        "kafka_ts": [f.recv_ns for f in frames],
        "recv_ts": [f.recv_ns for f in frames],
        **{c: [getattr(f, c) for f in frames] for c in FRAMES.schema.names[3:]},
    }
    found = normalise(pa.table(columns, schema=FRAMES.schema))
    quotes, trades = distinct_quotes(found.quotes), distinct_trades(found.trades)
    compared = 0
    for product in sorted(set(quotes["product"].to_pylist()))[:3]:
        quoted, traded = (t.filter(pc.equal(t["product"], product)) for t in (quotes, trades))
        events = np.concatenate([ints(quoted["ts_event"]), ints(traded["ts_event"])])
        hours = range(int(events.min()) // HOUR_NS, int(events.max()) // HOUR_NS + 1)
        spoken = set((events // HOUR_NS).tolist()) | set((events // HOUR_NS + 1).tolist())
        _, expected = in_batch(quoted, traded, [hour for hour in hours if hour in spoken])
        online = OnlineFeatures(product, hours[0] * HOUR_NS)
        raw = [t.filter(pc.equal(t["product"], product)) for t in (found.quotes, found.trades)]
        newest = [np.maximum.accumulate(ints(ticks["ts_event"])) for ticks in raw]
        fed = [0, 0]
        end = int(events.max()) + 200 * SECOND_NS
        for now in (ts for ts in sorted(expected) if int(events.min()) < ts < end):
            cut = [int(np.searchsorted(ts, now + 120 * SECOND_NS)) for ts in newest]
            if cut != fed:
                online.take(*(t.slice(i, j - i) for t, i, j in zip(raw, fed, cut, strict=True)))
            fed = cut
            assert seen(online.close_bar(now)) == expected[now], (product, now)
            compared += 1
        assert online.tally.quotes == quoted.num_rows
        assert online.tally.trades == traded.num_rows
    assert compared >= 200


def test_a_tick_behind_the_last_close_is_late_and_counted(new_tape: Any) -> None:
    start = new_tape.START_NS
    online = OnlineFeatures("BTC-USD", start)
    online.close_bar(start + SECOND_NS)
    online.take(
        new_tape().quote(0.5, 99.0, 101.0).quote(1.0, 99.0, 101.0).quotes(),
        new_tape().trade(0.999, 1.0).trade(1.5, 1.0).trades(),
    )
    online.on_trade(
        ts_event=start, trade_id=9, size=1, size_scale=8, taker_side="buy", source="live"
    )
    row = online.close_bar(start + 2 * SECOND_NS)
    assert online.tally.late == 3
    assert (row.bar["n_quotes"], row.bar["n_trades"]) == (1, 1)


def test_a_tick_of_a_later_second_waits(new_tape: Any) -> None:
    online = OnlineFeatures("BTC-USD", new_tape.START_NS)
    tape = new_tape().quote(0.5, 99.0, 101.0).quote(5.5, 99.0, 103.0)
    online.take(tape.quotes(), tape.trades())
    assert online.close_bar(new_tape.START_NS + SECOND_NS).mid == 100.0
    assert online.close_bar(new_tape.START_NS + 5 * SECOND_NS).mid == 100.0
    assert online.close_bar(new_tape.START_NS + 6 * SECOND_NS).mid == 101.0


def test_a_repeated_trade_or_quote_counts_once(new_tape: Any) -> None:
    """After a reconnect the exchange says the last trade again."""
    online = OnlineFeatures("BTC-USD", new_tape.START_NS)
    tape = new_tape().quote(0.5, 99.0, 101.0, sequence=7).trade(0.5, 1.0, trade_id=3)
    for _ in range(2):
        online.take(tape.quotes(), tape.trades())
    row = online.close_bar(new_tape.START_NS + SECOND_NS)
    assert (row.bar["n_quotes"], row.bar["n_trades"], row.bar["volume"]) == (1, 1, 1.0)
    assert online.tally.duplicates == 2


def test_quotes_without_a_sequence_count_once_and_in_order_of_arrival(new_tape: Any) -> None:
    online = OnlineFeatures("BTC-USD", new_tape.START_NS)
    for bid in (99, 98, 99):
        online.on_quote(
            ts_event=new_tape.START_NS,
            sequence=None,
            bid=bid,
            ask=101,
            bid_size=None,
            ask_size=None,
            price_scale=0,
            size_scale=8,
            source="replay",
        )
    row = online.close_bar(new_tape.START_NS + SECOND_NS)
    assert row.bar["n_quotes"] == 2
    assert row.mid == 99.5
    assert online.tally.duplicates == 1


def test_a_row_says_what_is_known(new_tape: Any) -> None:
    online = OnlineFeatures("BTC-USD", new_tape.START_NS)
    row = online.close_bar(new_tape.START_NS + SECOND_NS)
    assert (row.mid, row.observed, row.source) == (None, False, None)
    tape = new_tape().quote(1.5, 99.0, 101.0, source="sim").quote(2.5, 99.0, 101.0, source="sim")
    online.take(tape.quotes(), tape.trades())
    row = online.close_bar(new_tape.START_NS + 3 * SECOND_NS)
    assert (row.mid, row.observed, row.source) == (100.0, True, "sim")


def test_a_bar_closes_once_and_on_a_whole_second(new_tape: Any) -> None:
    start = new_tape.START_NS
    online = OnlineFeatures("BTC-USD", start)
    online.close_bar(start + SECOND_NS)
    for ts in (start + SECOND_NS, start, start + 2 * SECOND_NS + 1):
        with pytest.raises(ValueError, match="cannot close"):
            online.close_bar(ts)
    with pytest.raises(ValueError, match="whole second"):
        OnlineFeatures("BTC-USD", start + 1)
