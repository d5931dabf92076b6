"""What must be true of every table: pure judgements on hours of the lake, without Dagster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow.compute as pc

from data_lake.chain import chain
from data_lake.contract import conform
from data_lake.lake import Lake
from data_lake.tables import (
    BARS_1S,
    FEATURES_1S,
    FORECASTS,
    GAPS,
    LABELS_1S,
    OUTCOMES,
    QUOTES,
    TRADES,
    Table,
)
from volatility.errors import ContractError, LakeError

MOST_NULLS: Final = 0.5
"""Share of observed bars without `rv_60s` from which features are worth a warning."""


@dataclass(frozen=True)
class Judgement:
    """One check's answer: whether it holds, in one line why, and its figures."""

    holds: bool
    why: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


Judge = Callable[[Lake, Sequence[str]], Judgement]
"""Judges hours that exist, oldest first."""


def keeps_contract(table: Table) -> Judge:
    """Every file reads back as written, with the table's schema, keys, order and hour."""

    def judge(lake: Lake, hours: Sequence[str]) -> Judgement:
        rows = 0
        for hour in hours:
            try:
                rows += conform(table, hour, lake.read(table, hour)).num_rows
            except (ContractError, LakeError) as exc:
                return Judgement(False, str(exc), {"hour": hour})
        return Judgement(True, f"{rows:,} rows in {len(hours)} hours", {"rows": rows})

    return judge


def is_current(table: Table, expected: Callable[[str], bool]) -> Judge:
    """The newest hour that bronze touches, of those `expected` to exist, was built."""

    def judge(lake: Lake, hours: Sequence[str]) -> Judgement:
        touched = {hour for file in chain(lake) for hour in file.hours}
        newest = max(filter(expected, touched), default="")
        built = max(lake.hours(table), default="")
        if not built and table in (FORECASTS, OUTCOMES):
            return Judgement(True, "none yet: there was no champion to forecast")
        why = f"newest hour built {built or 'none'}, newest recorded {newest or 'none'}"
        return Judgement(built >= newest, why)

    return judge


def explains_holes(lake: Lake, hours: Sequence[str]) -> Judgement:
    """Every trade id missing inside an hour is counted by a row of gaps."""
    missing = sum(_missing_inside(lake.read_hours(TRADES, [h], missing="skip")) for h in hours)
    gaps = lake.read_hours(GAPS, hours)
    holes = gaps.filter(pc.equal(gaps["kind"], "trade_id"))
    told = pc.sum(holes["missing"]).as_py() or 0
    figures = {"holes": holes.num_rows, "trades_missing": told, "open": _count(gaps, "open")}
    return Judgement(
        told >= missing, f"{told:,} trades missing, {missing:,} of them inside an hour", figures
    )


def is_dense(lake: Lake, hours: Sequence[str]) -> Judgement:
    """Every product has 3,600 bars in every hour it has any."""
    short = [
        f"{product} {hour}"
        for hour in hours
        for product, span in _spans(lake, BARS_1S, hour).items()
        if span.rows != 3600
    ]
    return Judgement(not short, f"short: {', '.join(short[:5])}" if short else "3,600 bars each")


def is_known(lake: Lake, hours: Sequence[str]) -> Judgement:
    """Where bars are observed volatility is mostly known, and every bar has its row."""
    features = lake.read_hours(FEATURES_1S, hours, ["rv_60s"])
    bars = lake.read_hours(BARS_1S, hours, ["observed"], missing="skip")
    if bars.num_rows != features.num_rows:
        return Judgement(False, f"{features.num_rows:,} rows for {bars.num_rows:,} bars")
    seen = features.filter(bars["observed"])
    share = seen["rv_60s"].null_count / max(seen.num_rows, 1)
    why = f"rv_60s is null in {share:.1%} of {seen.num_rows:,} observed bars"
    return Judgement(share <= MOST_NULLS, why, {"null_share": share, "observed": seen.num_rows})


def is_matured(lake: Lake, hours: Sequence[str]) -> Judgement:
    """A label ends its horizon after its row, and is known only when features reach its end."""
    rows = lake.read_hours(LABELS_1S, hours, ["ts", "horizon_s", "label_end", "rv"])
    horizon = pc.multiply(pc.cast(rows["horizon_s"], "int64"), 1_000_000_000)
    shifted = _share_of(pc.not_equal(rows["label_end"], pc.add(rows["ts"], horizon)))
    known = rows.filter(pc.is_valid(rows["rv"]))
    newest = _newest(lake, lake.hours(FEATURES_1S))
    early = _share_of(pc.greater(known["label_end"], newest))
    why = f"{known.num_rows:,} of {rows.num_rows:,} labels have matured"
    figures = {"matured": known.num_rows, "shifted": shifted, "known_too_early": early}
    return Judgement(shifted == 0 and early == 0, why, figures)


def is_plausible(lake: Lake, hours: Sequence[str]) -> Judgement:
    """Forecasts are positive, intervals are intervals, probabilities are probabilities."""
    rows = lake.read_hours(FORECASTS, hours, ["rv", "lo", "hi", "p_spike"])
    wrong = {
        "not_positive": _share_of(pc.less_equal(rows["rv"], 0.0)),
        "not_finite": _share_of(pc.invert(pc.is_finite(rows["rv"]))),
        "empty_interval": _share_of(pc.greater(rows["lo"], rows["hi"])),
        "no_probability": _share_of(
            pc.or_(pc.less(rows["p_spike"], 0.0), pc.greater(rows["p_spike"], 1.0))
        ),
    }
    return Judgement(not any(wrong.values()), f"{rows.num_rows:,} forecasts", wrong)


def is_scored(lake: Lake, hours: Sequence[str]) -> Judgement:
    """QLIKE is a loss, never negative, and no outcome stands for a forecast that is not there."""
    rows = lake.read_hours(OUTCOMES, hours, ["qlike"])
    forecasts = lake.read_hours(FORECASTS, hours, ["rv"], missing="skip").num_rows
    negative = _share_of(pc.less(rows["qlike"], -1e-12))
    why = f"{rows.num_rows:,} outcomes of {forecasts:,} forecasts"
    return Judgement(negative == 0 and rows.num_rows <= forecasts, why, {"negative": negative})


JUDGES: Final[dict[str, dict[str, Judge]]] = {
    TRADES.path: {},
    QUOTES.path: {},
    GAPS.path: {"explains_holes": explains_holes},
    BARS_1S.path: {"is_dense": is_dense},
    FEATURES_1S.path: {"is_known": is_known},
    LABELS_1S.path: {"is_matured": is_matured},
    FORECASTS.path: {"is_plausible": is_plausible},
    OUTCOMES.path: {"is_scored": is_scored},
}
"""Judgements by table path beside the contract and currency that every table is held to."""


ABOUT: Final[dict[str, str]] = {
    "keeps_contract": "Every file reads back as written: schema, keys, order, hour, checksums.",
    "is_current": "The newest closed hour that was recorded has been built.",
    "explains_holes": "Every trade id missing inside an hour is counted by a row of gaps.",
    "is_dense": "Every product has 3,600 bars in every hour it has any.",
    "is_known": "Volatility is known in most observed bars, and every bar has its row.",
    "is_matured": "A label is known only when features reach its end.",
    "is_plausible": "Forecasts are positive, intervals and probabilities are what they say.",
    "is_scored": "Losses are not negative, and no outcome lacks its forecast.",
}
"""What each check asks."""


def _missing_inside(trades: Any) -> int:
    """Trade ids absent between the first and the last of each product."""
    if trades.num_rows == 0:
        return 0
    ends = trades.group_by("product").aggregate(
        [("trade_id", "min"), ("trade_id", "max"), ("trade_id", "count")]
    )
    span = pc.subtract(ends["trade_id_max"], ends["trade_id_min"])
    missing: int = pc.sum(pc.subtract(pc.add(span, 1), ends["trade_id_count"])).as_py()
    return missing


def _spans(lake: Lake, table: Table, hour: str) -> Mapping[str, Any]:
    manifest = lake.manifest(table, hour)
    return manifest.spans if manifest else {}


def _newest(lake: Lake, hours: Sequence[str]) -> int:
    spans = [s for hour in hours[-1:] for s in _spans(lake, FEATURES_1S, hour).values()]
    return max((span.last_ts for span in spans), default=0)


def _count(gaps: Any, status: str) -> int:
    count: int = pc.sum(pc.equal(gaps["status"], status)).as_py() or 0
    return count


def _share_of(mask: Any) -> float:
    """Share of rows a mask marks; null does not."""
    return float(pc.mean(pc.cast(mask.drop_null(), "int8")).as_py() or 0.0)
