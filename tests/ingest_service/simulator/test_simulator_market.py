"""The market as a whole: ids, times, reproducibility and the stylised facts of real markets."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ingest_service.simulator.market import CHANNELS, MATCHES, TICKER, Block, Market, MarketConfig
from ingest_service.simulator.tape import Tape
from volatility.array import Ints, Vector

SECOND = 1_000_000_000
DAY = 86_400.0


def blocks(**options: object) -> list[Block]:
    return list(Market(MarketConfig(**options)))  # type: ignore[arg-type]


@cache
def tapes(seed: int, days: int = 1) -> list[Tape]:
    """BTC-USD alone, for statistics."""
    market = Market(MarketConfig(products=("BTC-USD",), seed=seed))
    return [market.next_tapes()[0] for _ in range(days * 1440)]


def join(parts: list[Ints]) -> Ints:
    return np.concatenate(parts)


def minute_variance(seed: int, days: int = 1) -> Vector:
    """Realised variance of every minute from 1 s mids, as the platform computes it."""
    day = tapes(seed, days)
    ts = join([t.ts_event for t in day])
    mid = join([t.fills.bid + t.fills.ask for t in day])
    grid = MarketConfig().start_ns + np.arange(days * 86_400 + 1) * SECOND
    at = np.maximum(np.searchsorted(ts, grid) - 1, 0)
    returns = np.diff(np.log(mid[at]))
    variance: Vector = (returns**2).reshape(-1, 60).sum(axis=1)
    return variance


def test_the_same_seed_prints_the_same_bytes() -> None:
    first, again = blocks(seed=11, duration_s=1800.0), blocks(seed=11, duration_s=1800.0)
    assert [b.frames for b in first] == [b.frames for b in again]
    assert [b.frames for b in first] != [b.frames for b in blocks(seed=12, duration_s=1800.0)]


def test_a_longer_duration_only_adds_at_the_end() -> None:
    short, long = blocks(duration_s=600.0), blocks(duration_s=1200.0)
    assert [b.frames for b in short] == [b.frames for b in long[:10]]


def test_a_product_prints_the_same_whoever_else_is_listed() -> None:
    alone = [b.tapes[0] for b in blocks(products=("ETH-USD",), duration_s=300.0)]
    among = [b.tapes[1] for b in blocks(products=("BTC-USD", "ETH-USD"), duration_s=300.0)]
    for one, other in zip(alone, among, strict=True):
        assert (one.fills.price == other.fills.price).all()
        assert (one.ts_event == other.ts_event).all()


@pytest.mark.parametrize("offset_s", [0, 17, 59])
def test_every_event_lies_in_the_span_asked_for(offset_s: int) -> None:
    """Also when the market starts and ends within a minute."""
    start = MarketConfig().start_ns + offset_s * SECOND
    whole = blocks(start_ns=start, duration_s=100.5)
    ts = join([b.ts_event for b in whole])
    assert ts[0] == start
    assert (np.diff(ts) >= 0).all()
    assert ts[-1] < start + 100.5 * SECOND
    beats = sum(len(b.tapes[0].heartbeats.ts_event) for b in whole)
    assert 100 <= beats <= 101


def test_a_duration_shorter_than_anything_still_opens_every_product() -> None:
    (only,) = blocks(duration_s=0.001)
    assert [len(t.trade_id) for t in only.tapes] == [1, 1, 1]
    assert blocks(duration_s=0.0) == []


def test_trade_ids_are_contiguous_and_sequences_increase_with_gaps() -> None:
    for index in range(3):
        mine = [b.tapes[index] for b in blocks(duration_s=1800.0)]
        assert (np.diff(join([t.trade_id for t in mine])) == 1).all()
        trades = join([t.sequence for t in mine])
        steps = np.diff(np.sort(join([trades, *[t.heartbeats.sequence for t in mine]])))
        assert (np.diff(trades) >= 2).all()
        assert steps.min() >= 2
        assert steps.max() > 100


def test_sequences_follow_event_time() -> None:
    mine = [b.tapes[0] for b in blocks(duration_s=600.0)]
    ts = join([a for t in mine for a in (t.ts_event, t.heartbeats.ts_event)])
    sequence = join([a for t in mine for a in (t.sequence, t.heartbeats.sequence)])
    assert (np.diff(ts[np.argsort(sequence)]) >= 0).all()


def test_a_match_row_is_followed_by_the_ticker_row_of_the_same_trade() -> None:
    for block in blocks(duration_s=300.0):
        matches = np.flatnonzero((block.trade_id > 0) & (block.topic % len(CHANNELS) == MATCHES))
        assert (block.trade_id[matches] == block.trade_id[matches + 1]).all()
        assert (block.topic[matches + 1] - block.topic[matches] == TICKER - MATCHES).all()


def test_cascades_share_one_instant() -> None:
    ts = join([t.ts_event for t in tapes(1)])
    assert 0.15 < np.mean(np.diff(ts) == 0) < 0.6


def test_heartbeats_name_the_newest_trade_once_a_second() -> None:
    for tape in tapes(1)[:200]:
        beats = tape.heartbeats
        assert len(beats.ts_event) == 60
        assert (np.diff(beats.ts_event) == SECOND).all()
        newest = np.searchsorted(tape.ts_event, beats.ts_event, side="right") - 1
        seen = newest >= 0
        assert (tape.trade_id[newest[seen]] == beats.last_trade_id[seen]).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_volatility_clusters(seed: int) -> None:
    variance = minute_variance(seed)
    logs = np.log(variance + 1e-9)
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] > 0.5
    assert np.corrcoef(variance[1:], variance[:-1])[0, 1] > 0.2
    assert np.corrcoef(logs[30:], logs[:-30])[0, 1] > 0.1


def test_afternoons_are_wilder_than_nights() -> None:
    by_hour = np.median(minute_variance(4, days=3).reshape(3, 24, 60), axis=(0, 2))
    assert by_hour[12:18].mean() > 1.5 * by_hour[0:6].mean()


def test_tapes_are_those_of_the_blocks() -> None:
    market = Market(MarketConfig())
    for block in blocks(duration_s=120.0):
        for one, other in zip(block.tapes, market.next_tapes(), strict=True):
            assert (one.fills.price == other.fills.price).all()
            assert one.order_ids == other.order_ids


def test_returns_have_jumps() -> None:
    variance = minute_variance(1)
    assert variance.max() > 12 * np.median(variance)


def test_arrivals_are_clustered_and_come_at_the_listed_pace() -> None:
    ts = join([t.ts_event for t in tapes(1)])
    counts = np.histogram(ts, MarketConfig().start_ns + np.arange(8641) * 10 * SECOND)[0]
    assert counts.var() / counts.mean() > 1.2
    assert 0.8 < len(ts) / DAY / 1.2 < 1.25


def test_taker_sides_run_in_streaks() -> None:
    signs = join([t.fills.taker_sign for t in tapes(1)])
    assert np.corrcoef(signs[5:], signs[:-5])[0, 1] > 0.2
    assert abs(signs.mean()) < 0.1


def test_trading_is_busier_when_volatility_is_high() -> None:
    trades = np.array([len(t.trade_id) for t in tapes(1)])
    assert np.corrcoef(trades, np.log(minute_variance(1) + 1e-9))[0, 1] > 0.3


def test_the_days_statistics_bracket_every_price() -> None:
    for tape in tapes(1):
        assert (tape.day.low_24h <= tape.fills.price).all()
        assert (tape.fills.price <= tape.day.high_24h).all()
        assert (np.diff(tape.day.volume_24h) > 0).all()
        assert (tape.day.volume_24h < tape.day.volume_30d).all()


def test_the_rolling_day_forgets_what_is_older_than_a_day() -> None:
    two_days = tapes(4, 3)
    last = two_days[2000]
    window = two_days[2000 - 1439 : 2000]
    assert last.day.open_24h[0] == window[0].fills.price[0]
    lowest = min(int(t.fills.price.min()) for t in [*window, last])
    assert last.day.low_24h[-1] == lowest
    assert last.day.volume_24h[-1] == sum(int(t.fills.size.sum()) for t in [*window, last])


@pytest.mark.parametrize("product", ["ETH-BTC", "SHIB-USD", "A-B", "DOGE-USD"])
def test_any_product_can_be_listed(product: str) -> None:
    whole = blocks(products=(product,), duration_s=900.0)
    assert sum(len(b.tapes[0].trade_id) for b in whole) > 50
