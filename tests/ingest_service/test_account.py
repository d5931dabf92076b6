"""Accounting for every frame of a replay."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingest_service.account import CHUNK, Account, Origin, Refusal
from volatility.frame import Frame


def frame(payload: bytes, recv_ns: int = 1_762_932_011_000_000_000) -> Frame:
    return Frame(
        recv_ns=recv_ns,
        source="replay",
        feed="exchange",
        conn="c",
        frame=0,
        product=None,
        payload=payload,
    )


def ticker(trade_id: int) -> bytes:
    return (
        b'{"type":"ticker","sequence":%d,"product_id":"BTC-USD","price":"1.5","best_bid":"1.4",'
        b'"best_ask":"1.6","side":"buy","time":"2025-11-12T07:20:11.615272Z","trade_id":%d,'
        b'"last_size":"0.1"}' % (trade_id, trade_id)
    )


PAYLOADS = st.one_of(
    st.integers(1, 9).map(ticker),
    st.sampled_from([b"", b"{", b'{"type":"heartbeat"}', b'{"type":"news"}', b'{"type":"ticker"}']),
)


@given(st.lists(st.tuples(PAYLOADS, st.integers(0, 2)), max_size=30))
def test_every_frame_is_in_exactly_one_column(frames: list[tuple[bytes, int]]) -> None:
    refused: list[Refusal] = []
    account = Account(refused.append)
    for line, (payload, file) in enumerate(frames):
        account.add(frame(payload), Origin(file, line))
    outcome = account.finish()
    columns = outcome.rows + outcome.duplicates + outcome.control + outcome.rejected
    assert columns == Counter(file for _, file in frames)
    assert len(refused) == outcome.rejected.total()
    assert not outcome.partly_rejected
    trades = {payload for payload, _ in frames if b"last_size" in payload}
    assert outcome.trades == outcome.rows.total() == len(trades)


def test_a_frame_understood_in_part_is_counted_and_told() -> None:
    refused: list[Refusal] = []
    account = Account(refused.append)
    half = ticker(1).replace(b'"price":"1.5"', b'"price":"NaN"')
    account.add(frame(half), Origin(0, 7))
    account.add(frame(ticker(2)), Origin(1, 1))
    outcome = account.finish()
    assert outcome.partly_rejected == Counter({0: 1})
    assert (outcome.rows, outcome.rejected) == (Counter({0: 1, 1: 1}), Counter())
    reason = "partly: 'NaN' is not a plain decimal - at `$.price`"
    assert refused == [Refusal(Origin(0, 7), reason, half)]


def test_refusals_come_in_line_order() -> None:
    """Those of the reader among those found while normalising."""
    refused: list[Refusal] = []
    account = Account(refused.append)
    account.add(frame(b"{"), Origin(0, 1))
    account.refuse(Refusal(Origin(0, 2), "oops", b"?"))
    account.add(frame(b"{"), Origin(0, 3))
    outcome = account.finish()
    assert [refusal.origin.line for refusal in refused] == [1, 2, 3]
    assert outcome.rejected == Counter({0: 3})


def test_chunks_do_not_show() -> None:
    """The same frames, more than one chunk of them: still duplicates of each other."""
    account = Account(lambda refusal: None)
    for n in range(CHUNK + 100):
        account.add(frame(ticker(1 + n % 50)), Origin(0, n))
    outcome = account.finish()
    assert (outcome.rows[0], outcome.duplicates[0], outcome.trades) == (50, CHUNK + 50, 50)
    assert outcome.gaps == 0


def test_the_earliest_received_is_the_one_that_counts() -> None:
    account = Account(lambda refusal: None)
    account.add(frame(ticker(1), recv_ns=1_762_932_012_000_000_000), Origin(0, 1))
    account.add(frame(ticker(1), recv_ns=1_762_932_011_000_000_000), Origin(1, 1))
    outcome = account.finish()
    assert (outcome.rows, outcome.duplicates) == (Counter({1: 1}), Counter({0: 1}))


def test_nothing_is_an_account_too() -> None:
    outcome = Account(lambda refusal: None).finish()
    assert (outcome.trades, outcome.quotes, outcome.gaps, outcome.first_event_ns) == (0, 0, 0, None)
