"""Features and labels meet at the decision, and only there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from volatility.dataset import SECOND_NS, Dataset, dataset, feature_matrix
from volatility.feature import FEATURES

Market = Callable[..., tuple[Any, Any]]


def test_every_decision_carries_the_features_and_the_label_of_its_own_row(market: Market) -> None:
    features, labels = market(6.0)
    d = dataset(features, labels, 300, 60)
    row = d.n // 2
    mine = (d.products[d.product[row]], int(d.ts[row]))
    theirs = [r for r in features.to_pylist() if (r["product"], r["ts"]) == mine]
    label = [
        r for r in labels.to_pylist() if (r["product"], r["ts"], r["horizon_s"]) == (*mine, 300)
    ]
    assert [len(theirs), len(label)] == [1, 1]
    assert d.x[row].tolist() == [theirs[0][name] for name in FEATURES]
    assert (d.rv[row], d.threshold[row]) == (label[0]["rv"], label[0]["threshold"])
    assert bool(d.spike[row]) == label[0]["spike"]
    assert d.label_end[row] == label[0]["label_end"]


def test_rows_are_sorted_by_instant_then_product(day: Dataset) -> None:
    order = np.lexsort((day.product, day.ts))
    assert (order == np.arange(day.n)).all()
    assert day.products == ("BTC-USD", "ETH-USD")


def test_decisions_lie_on_the_clock(market: Market) -> None:
    d = dataset(*market(6.0), 300, 300)
    assert (d.ts % (300 * SECOND_NS) == 0).all()
    assert len(np.unique(np.diff(np.unique(d.ts)))) == 1


def test_the_order_of_the_input_rows_does_not_matter(market: Market) -> None:
    features, labels = market(6.0)
    shuffle = np.random.default_rng(1).permutation
    mixed = dataset(
        features.take(pa.array(shuffle(features.num_rows))),
        labels.take(pa.array(shuffle(labels.num_rows))),
        300,
        60,
    )
    straight = dataset(features, labels, 300, 60)
    assert np.array_equal(mixed.ts, straight.ts)
    assert np.array_equal(mixed.x, straight.x, equal_nan=True)
    assert np.array_equal(mixed.rv, straight.rv)


def test_what_is_left_out_is_counted_by_reason(market: Market) -> None:
    features, labels = market(6.0)
    late = features.filter(pc.greater(features["ts"], features["ts"][30]))
    d = dataset(late, labels, 300, 60)
    asked = pc.sum(pc.equal(labels["horizon_s"], 300)).as_py()
    assert d.dropped["no features"] == 62
    assert d.dropped["null label"] == 10
    assert d.n + sum(d.dropped.values()) == asked


def test_a_null_variance_is_a_dropped_row_and_not_a_zero(market: Market) -> None:
    d = dataset(*market(6.0), 300, 60)
    assert d.dropped["null variance"] > 0
    assert np.isfinite(d.x[:, [d.names.index(f"rv_{w}s") for w in (10, 60, 3600)]]).all()


def test_sources_are_those_of_the_decisions_kept(market: Market) -> None:
    """Before the first quote a label row has no source, and no label either."""
    features, labels = market(6.0)
    unknown = pa.scalar(None, pa.string())
    said = pc.if_else(pc.is_valid(labels["rv"]), "replay", unknown)
    at = labels.column_names.index("source")
    d = dataset(features, labels.set_column(at, "source", said), 300, 60)
    assert d.dropped["null label"] > 0
    assert d.sources == ("replay",)


def test_an_unknown_threshold_is_nan_and_never_a_spike(market: Market) -> None:
    d = dataset(*market(6.0), 3600, 60)
    assert not d.spike[~d.has_threshold].any()


def test_the_past_window_is_the_feature_of_the_same_length(day: Dataset) -> None:
    assert np.array_equal(day.past_rv, day.x[:, day.names.index("rv_300s")])


def test_the_label_starts_where_the_features_end(day: Dataset) -> None:
    assert (day.label_end - day.ts == 300 * SECOND_NS).all()


@pytest.mark.parametrize(
    ("horizon_s", "step_s", "says"),
    [(301, 60, "no rv window of 301 s"), (300, 0, "step_s=0"), (300, -5, "step_s=-5")],
)
def test_an_impossible_question_is_refused(
    market: Market, horizon_s: int, step_s: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        dataset(*market(6.0), horizon_s, step_s)


def test_an_absent_feature_is_named(market: Market) -> None:
    features, _ = market(6.0)
    with pytest.raises(ValueError, match="features lack rv_60s"):
        feature_matrix(features.drop_columns(["rv_60s"]), tuple(FEATURES))


def test_no_rows_make_an_empty_dataset(market: Market) -> None:
    features, labels = market(6.0)
    d = dataset(features.slice(0, 0), labels.slice(0, 0), 300, 60)
    assert (d.n, d.x.shape) == (0, (0, len(FEATURES)))
