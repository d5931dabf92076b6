"""CPU seconds of bars + features + labels, beside Polars and DuckDB, in one run.

    python bench/features.py [--ticks 1000000] [--hours 24] [--repeat 3]

Each engine runs in a process of its own and reads the same Parquet files; a tick is one ticker,
that is a quote row and a trade row. "work" is CPU time after start and reading. The peers make the
65 window features only: no labels, no EWMAs, no nulls at gaps, no agreement with a stream.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOUR_NS = 3600 * 1_000_000_000
MAIN_PEERS = ("cryptovol", "polars", "duckdb")


def cryptovol(folder: Path, hours: int, spent: Callable[[str], None]) -> Any:
    """Hour by hour like the partition jobs: bars, features, labels; features go to disk."""
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    from volatility.bar import bars_1s
    from volatility.compute import features_1s
    from volatility.label import INPUTS, labels_1s
    from volatility.tick import SECOND_NS

    spent("start")
    quotes, trades = (
        [pq.read_table(folder / f"{name}-{h:02d}.parquet") for h in range(hours)]
        for name in ("quotes", "trades")
    )
    spent("read")
    start = int((folder / "start").read_text()) * SECOND_NS
    bars, minutes, last = [], [], None
    for h in range(hours):
        span = start + h * HOUR_NS, start + (h + 1) * HOUR_NS
        ticks = [pa.concat_tables(table[max(h - 1, 0) : h + 1]) for table in (quotes, trades)]
        bars.append(bars_1s(*ticks, *span))
        spent("bars")
        features = features_1s(pa.concat_tables(bars[-3:]), *span)
        spent("features")
        if last is not None:
            rows = pa.concat_tables([*minutes, last, features.select(INPUTS)])
            labels_1s(rows, span[0] - HOUR_NS, span[0])
            minutes.append(last.take(pa.array(range(59, last.num_rows, 60))))
        last = features.select(INPUTS)
        spent("labels")
        feather.write_feather(features, str(folder / f"hour-{h:02d}.feather"), compression="lz4")
        spent("write")
    labels_1s(pa.concat_tables([*minutes, last]), span[0], span[1])
    spent("labels")
    return pa.concat_tables(map(feather.read_table, sorted(folder.glob("hour-*.feather"))))


def polars(folder: Path, hours: int, spent: Callable[[str], None]) -> Any:
    """Lazy frames over the files, collected by its own engine with all its threads."""
    import polars as pl
    from feature_peers import polars_features

    spent("start")
    quotes, trades = (
        pl.read_parquet(sorted(folder.glob(f"{name}-*.parquet"))).sort("product", key)
        for name, key in (("quotes", "ts_event"), ("trades", "trade_id"))
    )
    spent("read")
    start = int((folder / "start").read_text())
    rows = polars_features(quotes.lazy(), trades.lazy(), start, start + hours * 3600)
    spent("features")
    return rows


def duckdb(folder: Path, hours: int, spent: Callable[[str], None]) -> Any:
    """One query with window frames over tables in memory."""
    import duckdb as engine
    from feature_peers import duckdb_features

    connection = engine.connect()
    spent("start")
    for name in ("quotes", "trades"):
        files = str(folder / f"{name}-*.parquet")
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet(?)", [files])
    spent("read")
    start = int((folder / "start").read_text())
    rows = duckdb_features(connection, start, start + hours * 3600)
    spent("features")
    return rows


def measure(engine: str, folder: Path, hours: int) -> dict[str, Any]:
    """Run one engine here; CPU seconds by phase, peak memory, and its features on disk."""
    import pyarrow.feather as feather

    laps: dict[str, float] = {}
    last = 0.0

    def spent(phase: str) -> None:
        nonlocal last
        now = time.process_time()
        laps[phase] = laps.get(phase, 0.0) + now - last
        last = time.process_time()

    rows = {"cryptovol": cryptovol, "polars": polars, "duckdb": duckdb}[engine](
        folder, hours, spent
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    feather.write_feather(rows, str(folder / f"{engine}.feather"), compression="uncompressed")
    return {"laps": laps, "peak_mib": peak, "rows": rows.num_rows}


def synthesise(folder: Path, ticks: int, hours: int) -> None:
    """Write the tape as one Parquet file an hour and table."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from market import PRODUCTS, START_NS, tape

    for name, table in zip(("quotes", "trades"), tape(ticks, hours, PRODUCTS), strict=True):
        hour = pc.divide(pc.subtract(table["ts_event"], START_NS), HOUR_NS)
        for h in range(hours):
            path = folder / f"{name}-{h:02d}.parquet"
            pq.write_table(table.filter(pc.equal(hour, h)), path, compression="zstd")
    (folder / "start").write_text(str(START_NS // 1_000_000_000))


def disagreement(folder: Path, peer: str) -> tuple[float, int]:
    """Largest difference to a peer over its column's largest magnitude, and values compared."""
    import numpy as np
    import pyarrow.feather as feather

    keys = [("product", "ascending"), ("ts", "ascending")]
    ours = feather.read_table(folder / "cryptovol.feather").sort_by(keys)
    theirs = feather.read_table(folder / f"{peer}.feather")
    worst, compared = 0.0, 0
    for name in theirs.column_names[2:]:
        a, b = (np.array(t[name].cast("float64").fill_null(float("nan"))) for t in (ours, theirs))
        known = ~np.isnan(a)
        scale = np.abs(a[known]).max()
        worst = float(np.fmax(worst, np.nan_to_num(np.abs(a - b)[known] / scale, nan=np.inf).max()))
        compared += int(known.sum())
    return worst, compared


def child(engine: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Measure an engine in a process of its own."""
    command = [sys.executable, __file__, "--engine", engine, "--folder", str(folder)]
    command += ["--hours", str(args.hours)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(runs: dict[str, list[dict[str, Any]]], folder: Path, args: argparse.Namespace) -> None:
    """Print the table of medians and ratios."""

    def work(run: dict[str, Any]) -> float:
        return sum(s for phase, s in run["laps"].items() if phase in ("bars", "features", "labels"))

    ours = statistics.median(map(work, runs["cryptovol"]))
    print(f"{args.ticks:,} ticks, {args.hours} h, 5 products; CPU s, median of {args.repeat} runs")
    print(
        f"{'engine':<10} {'start':>6} {'read':>6} {'work':>7} {'ratio':>6} {'peak MiB':>9}  agrees"
    )
    for engine, results in runs.items():
        start, read = (statistics.median(r["laps"][p] for r in results) for p in ("start", "read"))
        cpu = statistics.median(map(work, results))
        peak = statistics.median(r["peak_mib"] for r in results)
        agrees = "-"
        if engine != "cryptovol":
            worst, compared = disagreement(folder, engine)
            agrees = f"{worst:.0e} of scale over {compared:,} values"
        figures = f"{start:6.2f} {read:6.2f} {cpu:7.2f} {cpu / ours:6.1f} {peak:9.0f}"
        print(f"{engine:<10} {figures}  {agrees}")
    phases = {
        phase: statistics.median(r["laps"][phase] for r in runs["cryptovol"])
        for phase in ("bars", "features", "labels")
    }
    split = ", ".join(f"{phase} {seconds:.2f}" for phase, seconds in phases.items())
    print(f"cryptovol: {split}; {ours / args.ticks * 1e9:.0f} ns a tick; the target is 3 s for 1 M")


def main() -> None:
    """Run the benchmark, or one engine of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engine", choices=MAIN_PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.engine:
        print(json.dumps(measure(args.engine, args.folder, args.hours)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise(folder, args.ticks, args.hours)
        runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in MAIN_PEERS}
        for _ in range(args.repeat):
            for engine, results in runs.items():
                results.append(child(engine, folder, args))
        report(runs, folder, args)


if __name__ == "__main__":
    main()
