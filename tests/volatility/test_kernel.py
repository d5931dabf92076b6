"""The kernel against the formulas of its docstring, written out with numpy bar by bar."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.compute import DECAY, WINDOWS
from volatility.feature import FEATURES, HALF_LIVES_S, WINDOWS_S
from volatility.kernel import run
from volatility.kernel_state import BLOCK, new_state
from volatility.tick import DAY_NS, SECOND_NS
from volatility.tick_table import blank_bars


def random_bars(seed: int, n: int, bad: float) -> Any:
    """Bars with jumps, quiet stretches, trends, and a share `bad` that is not observed."""
    generator = np.random.default_rng(seed)
    bars = blank_bars(n)
    bars["ts"] = SECOND_NS * np.arange(1, n + 1)
    steps = generator.integers(-5, 6, n) * (generator.random(n) < 0.6) + generator.integers(-1, 2)
    mid2 = 2_000_000 + np.cumsum(steps)
    bars["mid2_high"] = mid2 + generator.integers(0, 3, n)
    bars["mid2_low"] = mid2 - generator.integers(0, 3, n)
    bars["mid2_close"], bars["price_scale"] = mid2, 2
    bars["r"] = np.diff(np.log(mid2), prepend=np.nan)
    bars["spread_bps"] = generator.lognormal(0.0, 1.0, n)
    for name in ("imbalance", "ofi"):
        bars[name] = np.where(generator.random(n) < 0.45, np.nan, generator.standard_normal(n))
    bars["n_quotes"], bars["n_trades"] = generator.poisson(2.0, n), generator.poisson(1.0, n)
    bars["signed_volume"] = generator.standard_normal(n)
    bars["r"] = np.where(generator.random(n) < bad, np.nan, bars["r"])
    bars["observed"] = ~np.isnan(bars["r"])
    blind = generator.random(n) < 0.5
    for name in ("mid2_high", "mid2_low", "mid2_close"):
        bars[name][(bars["observed"] == 0) & blind] = 0
    return bars


def naive_window(bars: Any, at: int, w: int) -> dict[str, float]:
    """The features of the window that ends with bar number `at`."""
    inside = bars[at - w + 1 : at + 1]
    r, nan = inside["r"], math.nan
    before = bars["r"][at - w] if at >= w else nan
    rv, bv = math.fsum(r * r), math.pi / 2 * math.fsum(np.abs(r * np.array([before, *r[:-1]])))
    known = {name: inside[name][~np.isnan(inside[name])] for name in ("imbalance", "ofi")}
    enough = {name: 2 * len(values) >= w for name, values in known.items()}
    high, low = inside["mid2_high"].max() / 100, inside["mid2_low"].min() / 100
    return {
        "rv": rv,
        "bv": bv,
        "rs_pos": math.fsum(r[r > 0] ** 2),
        "rs_neg": math.fsum(r[r < 0] ** 2),
        "jump_share": 1 - bv / rv if rv > 0 else nan,
        "ret_mean": math.fsum(r) / w,
        "parkinson": math.log(high / low) ** 2 / (4 * math.log(2)),
        "spread_bps": math.fsum(inside["spread_bps"]) / w,
        "imbalance": math.fsum(known["imbalance"]) / len(known["imbalance"])
        if enough["imbalance"]
        else nan,
        "ofi": math.fsum(known["ofi"]) if enough["ofi"] else nan,
        "n_trades": float(inside["n_trades"].sum()),
        "signed_volume": math.fsum(inside["signed_volume"]),
        "quote_rate": inside["n_quotes"].sum() / w,
    }


def naive_row(bars: Any, at: int) -> dict[str, float]:
    """Every feature at bar number `at`, numbered from 0 and anchored at multiples of 3600."""
    values: dict[str, float] = {}
    for w in WINDOWS_S:
        if at + 1 >= w and bars["observed"][at - w + 1 : at + 1].all():
            values |= {f"{name}_{w}s": x for name, x in naive_window(bars, at, w).items()}
    r = bars["r"][max(at // BLOCK * BLOCK - BLOCK, 0) : at + 1][::-1]
    for h in HALF_LIVES_S:
        weight = 2.0 ** (-np.arange(len(r)) / h) * ~np.isnan(r)
        if bars["observed"][at] and weight.sum() * (1 - 2 ** (-1 / h)) >= 0.5:
            values[f"ewma_var_{h}s"] = math.fsum(weight * np.nan_to_num(r) ** 2) / weight.sum()
    angle = 2 * math.pi * (int(bars["ts"][at]) % DAY_NS) / DAY_NS
    values |= {"tod_sin": math.sin(angle), "tod_cos": math.cos(angle)}
    return {name: values.get(name, math.nan) for name in FEATURES}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), bad=st.sampled_from([0.0, 0.0001, 0.001, 0.02]))
def test_every_feature_is_its_formula(seed: int, bad: float) -> None:
    """To 1e-10 of the terms added up, on three blocks of bars with and without holes."""
    n = 2 * BLOCK + 1500
    bars = random_bars(seed, n, bad)
    rows = np.empty((len(FEATURES), n))
    run(new_state(0), bars, WINDOWS, DECAY, rows, np.empty(n, np.int64))
    generator = np.random.default_rng(seed)
    for at in [3599, 3600, 3601, 7199, 7200, *generator.integers(0, n, 25).tolist()]:
        expected = np.array(list(naive_row(bars, at).values()))
        np.testing.assert_allclose(rows[:, at], expected, rtol=1e-10, atol=1e-12)


def test_one_call_a_bar_gives_the_bits_of_one_call() -> None:
    bars = random_bars(5, BLOCK + 1000, 0.001)
    whole, one = np.empty((len(FEATURES), len(bars))), np.empty((len(FEATURES), 1))
    rank = np.empty(len(bars), np.int64)
    run(new_state(0), bars, WINDOWS, DECAY, whole, rank)
    state = new_state(0)
    for i in range(len(bars)):
        run(state, bars[i : i + 1], WINDOWS, DECAY, one, rank[:1])
        assert one[:, 0].tobytes() == whole[:, i].tobytes()


def test_a_state_that_ran_for_long_knows_no_more_than_one_of_two_blocks() -> None:
    """Whatever came earlier, the previous block and the one bar before it decide every bit."""
    recent = random_bars(1, 2 * BLOCK + 1, 0.0005)
    rows = []
    for seed in range(4):
        state = new_state(BLOCK - 1)
        if seed:
            earlier = random_bars(seed + 10, seed * BLOCK, 0.001)
            none = np.empty((len(FEATURES), 0))
            run(state, earlier, WINDOWS, DECAY, none, np.empty(0, np.int64))
        rows.append(np.empty((len(FEATURES), BLOCK)))
        run(state, recent, WINDOWS, DECAY, rows[-1], np.empty(BLOCK, np.int64))
    assert len({each.tobytes() for each in rows}) == 1


@pytest.mark.parametrize("module", ["volatility.kernel", "volatility.bar_kernel"])
def test_a_cached_kernel_loads_in_a_second_of_cpu(module: str) -> None:
    """Compiling takes ten: it happens once per machine and version, not once per process."""
    code = f"import {module}, time; print(time.process_time())"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert float(done.stdout) < 2.0


def test_computing_does_not_import_pandas() -> None:
    """It would cost more CPU than the features of an hour."""
    code = """
import sys
import numpy as np
import pyarrow as pa
from volatility.bar import bars_1s
from volatility.column import from_numbers, from_texts
from volatility.compute import features_1s
from volatility.label import INPUTS, labels_1s
from volatility.record import QUOTES, TRADES

words = {"taker_side": "buy", "source": "sim"}
quotes, trades = (
    pa.Table.from_arrays([
        from_texts([words.get(field.name, "BTC-USD")]) if field.type == pa.string()
        else from_numbers(np.ones(1, f"i{field.type.bit_width // 8}"), field.type)
        for field in schema
    ], schema=schema)
    for schema in (QUOTES, TRADES)
)
features = features_1s(bars_1s(quotes, trades, 0, 3600 * 10**9), 0, 3600 * 10**9)
assert labels_1s(features.select(INPUTS), 0, 3600 * 10**9).num_rows == 3 * 3600
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
