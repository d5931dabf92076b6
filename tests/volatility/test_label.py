"""Labels: the feature of the future, and a threshold that knows only the past."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_lake.tables import LABELS_1S
from volatility.bar import bars_1s
from volatility.compute import features_1s
from volatility.feature import HORIZONS_S
from volatility.label import INPUTS, LEAST_MINUTES, WARM_MINUTES, SpikeThreshold, labels_1s
from volatility.tick import DAY_NS, HOUR_NS, SECOND_NS

START_NS = 1_767_225_600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS


def features(tape: Any, hours: int) -> Any:
    end = START_NS + hours * HOUR_NS
    bars = bars_1s(tape.quotes(), tape.trades(), START_NS, end)
    return features_1s(bars, START_NS, end).select(INPUTS)


def minutes(rv: Any, *, until_ns: int = START_NS, product: str = "BTC-USD") -> Any:
    """Feature rows on whole minutes, the last one at `until_ns`, with one rv for all windows."""
    ts = until_ns - MINUTE_NS * np.arange(len(rv))[::-1]
    values = pa.array(rv, pa.float64(), from_pandas=True)
    return pa.table(
        {"product": pa.array([product] * len(rv), pa.string()), "ts": pa.array(ts, pa.int64())}
        | {f"rv_{h}s": values for h in HORIZONS_S}
        | {"source": pa.array(["live"] * len(rv), pa.string())}
    )


def one_label(past: Any, at_ns: int = START_NS + SECOND_NS) -> dict[str, Any]:
    """The 60 s label at `at_ns`, given rows on the minute up to START."""
    now = minutes([1.0], until_ns=at_ns)
    rows = labels_1s(pa.concat_tables([past, now]), START_NS, START_NS + HOUR_NS).to_pylist()
    found: dict[str, Any] = next(r for r in rows if r["horizon_s"] == 60 and r["ts"] == at_ns)
    return found


def test_a_table_of_labels_keeps_the_contract_of_the_lake(make_tape: Any) -> None:
    labels = labels_1s(
        features(make_tape(1, 1.0, 500, ("BTC-USD",)), 1), START_NS, START_NS + HOUR_NS
    )
    assert labels.cast(LABELS_1S.schema).schema == LABELS_1S.schema
    assert labels.num_rows == 3 * 3600


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_label_at_t_is_the_backward_feature_at_t_plus_the_horizon(
    make_tape: Any, seed: int
) -> None:
    rows = features(make_tape(seed, 3.0, 1500, ("BTC-USD", "ETH-USD")), 3)
    labels = labels_1s(rows, START_NS + HOUR_NS, START_NS + 2 * HOUR_NS).to_pylist()
    rv = {(r["product"], r["ts"], h): r[f"rv_{h}s"] for r in rows.to_pylist() for h in HORIZONS_S}
    assert len(labels) == 2 * 3 * 3600
    for label in labels:
        assert label["label_end"] == label["ts"] + label["horizon_s"] * SECOND_NS
        assert label["rv"] == rv[label["product"], label["label_end"], label["horizon_s"]]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_past_may_be_given_on_whole_minutes_alone(make_tape: Any, seed: int) -> None:
    rows = features(make_tape(seed, 3.0, 1500, ("BTC-USD", "ETH-USD")), 3)
    since = START_NS + 2 * HOUR_NS
    whole = pc.equal(
        pc.subtract(rows["ts"], pc.multiply(pc.divide(rows["ts"], MINUTE_NS), MINUTE_NS)), 0
    )
    sparse = rows.filter(pc.or_(whole, pc.greater(rows["ts"], since)))
    assert sparse.num_rows < rows.num_rows
    once, again = (labels_1s(r, since, since + HOUR_NS) for r in (rows, sparse))
    assert once.equals(again)


def test_a_label_is_null_until_it_matures(make_tape: Any) -> None:
    """At the end of what is known the hour-long label is missing, the past is not."""
    rows = features(make_tape(2, 2.0, 3000, ("BTC-USD",)), 2)
    labels = labels_1s(rows, START_NS + HOUR_NS, START_NS + 2 * HOUR_NS)
    long = labels.filter(pc.equal(labels["horizon_s"], 3600))
    assert long["rv"].null_count == 3600
    assert long["log_rv"].null_count == long["spike"].null_count == 3600


def test_the_threshold_is_the_ninetieth_percentile_of_windows_that_ended() -> None:
    label = one_label(minutes(np.arange(101.0)))
    assert label["threshold"] == pytest.approx(90.0)
    assert label["warm_up"]


def test_the_threshold_does_not_know_the_present_minute_before_it_ended() -> None:
    """At 59 s the window that ends at 60 s is still the future; at 60 s it counts."""
    past = minutes(np.ones(100))
    now = minutes([500.0], until_ns=START_NS + MINUTE_NS)
    rows = [one_label(pa.concat_tables([past, now]), START_NS + s * SECOND_NS) for s in (59, 61)]
    assert rows[0]["threshold"] == 1.0
    before = one_label(past, START_NS + 61 * SECOND_NS)
    assert before["threshold"] == 1.0
    ten = minutes(np.r_[np.ones(80), np.full(19, 2.0)])
    assert one_label(ten)["threshold"] == 2.0


def test_the_threshold_forgets_what_is_thirty_days_old() -> None:
    old = minutes(np.full(60, 1000.0), until_ns=START_NS - 30 * DAY_NS)
    kept = minutes(np.full(60, 1000.0), until_ns=START_NS - 30 * DAY_NS + 60 * MINUTE_NS)
    fresh = minutes(np.ones(60))
    assert one_label(pa.concat_tables([old, fresh]))["threshold"] == 1.0
    assert one_label(pa.concat_tables([kept, fresh]))["threshold"] == 1000.0


@pytest.mark.parametrize(
    ("known", "is_null", "warm_up"),
    [
        (LEAST_MINUTES - 1, True, True),
        (LEAST_MINUTES, False, True),
        (WARM_MINUTES - 1, False, True),
        (WARM_MINUTES, False, False),
    ],
)
def test_a_threshold_on_too_little_history_is_marked_or_null(
    known: int, is_null: bool, warm_up: bool
) -> None:
    label = one_label(minutes(np.ones(known)))
    assert (label["threshold"] is None, label["warm_up"]) == (is_null, warm_up)
    assert label["spike"] is None


def test_null_windows_do_not_count_as_history() -> None:
    rv = np.full(200, np.nan)
    rv[::7] = 2.0
    assert one_label(minutes(rv))["threshold"] is None
    assert one_label(minutes(np.r_[rv, rv]))["threshold"] == 2.0


def test_a_spike_is_more_than_the_threshold() -> None:
    past = minutes(np.ones(100))
    for ahead, spike in ((1.0, False), (1.0000001, True)):
        rows = [past, *(minutes([ahead], until_ns=START_NS + s * SECOND_NS) for s in (1, 61))]
        labels = labels_1s(pa.concat_tables(rows), START_NS, START_NS + HOUR_NS).to_pylist()
        assert [r["spike"] for r in labels if r["horizon_s"] == 60] == [spike, None]


def test_log_rv_has_a_floor_of_a_billionth_a_minute() -> None:
    rows = [minutes([0.0], until_ns=START_NS + s * SECOND_NS) for s in (1, 61, 301)]
    labels = labels_1s(pa.concat_tables(rows), START_NS, START_NS + HOUR_NS).to_pylist()
    first = {r["horizon_s"]: r["log_rv"] for r in labels if r["ts"] == START_NS + SECOND_NS}
    assert first[60] == pytest.approx(np.log(1e-9))
    assert first[300] == pytest.approx(np.log(5e-9))
    assert first[3600] is None


def test_a_label_is_as_artificial_as_what_it_rests_on() -> None:
    rows = pa.concat_tables([minutes([0.0], until_ns=START_NS + s * SECOND_NS) for s in (1, 61)])
    rows = rows.set_column(rows.num_columns - 1, "source", pa.array(["live", "sim"]))
    labels = labels_1s(rows, START_NS, START_NS + HOUR_NS).to_pylist()
    first = {r["horizon_s"]: r["source"] for r in labels if r["ts"] == START_NS + SECOND_NS}
    assert first == {60: "sim", 300: "live", 3600: "live"}


def test_scrambling_the_future_leaves_every_threshold_alone(make_tape: Any) -> None:
    rows = features(make_tape(4, 3.0, 1500, ("BTC-USD",)), 3)
    cut = START_NS + 2 * HOUR_NS
    future = pc.greater(rows["ts"], cut)
    other = pa.concat_tables(
        [rows.filter(pc.invert(future)), minutes([9.0], until_ns=cut + HOUR_NS)]
    )
    once, again = (labels_1s(r, cut - HOUR_NS, cut)["threshold"] for r in (rows, other))
    assert once.equals(again)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 400))
def test_thresholds_minute_by_minute_equal_those_of_the_table(seed: int, cut: int) -> None:
    """The scorer extends one minute at a time from a loaded history: the same bits."""
    generator = np.random.default_rng(seed)
    ts = MINUTE_NS * np.arange(1, 401)
    rv = np.where(generator.random(400) < 0.2, np.nan, generator.lognormal(0, 1, 400))
    whole = SpikeThreshold().extend(ts, rv)
    live = SpikeThreshold()
    live.load(ts[:cut], rv[:cut])
    for i in range(cut, 400):
        step = live.extend(ts[i : i + 1], rv[i : i + 1])
        np.testing.assert_array_equal(step.value[0], whole.value[i])
        assert step.warm_up[0] == whole.warm_up[i]


def test_no_rows_give_no_labels() -> None:
    assert labels_1s(minutes([]), START_NS, START_NS + HOUR_NS).num_rows == 0


def test_a_start_off_the_minute_is_refused() -> None:
    with pytest.raises(ValueError, match="on a minute"):
        labels_1s(minutes([1.0]), START_NS + 1, START_NS + HOUR_NS)
