"""CPU seconds from raw Exchange ticker payloads to normalised trades and quotes.

    python bench/parse.py [--copies 10] [--repeat 7] [--rounds 3]

Frames: the recording of 5,996 tickers where `shared/data` is there, synthetic ones of the same
shape where it is not. Every copy gets trade ids of its own. Rounds alternate between us and
cryptofeed (in bench/.venv), so that both meet the same machine. Ours makes a trade and a quote of
each ticker, checked and as exact integers in Arrow tables; cryptofeed one ticker object (bid and
ask as Decimal), no trade.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_lake.tables import FRAMES
from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.normalise import normalise

ROOT = Path(__file__).resolve().parent.parent
RECORDING = "coinbase/exchange_ticker_btc_2025-11-12.ndjson"
PEER = ROOT / "bench" / ".venv" / "bin" / "python"
TARGET = 300_000
RECV_NS = 1_762_932_011_700_000_000

TICKER = (
    '{"type":"ticker","sequence":%d,"product_id":"BTC-USD","price":"103472.28",'
    '"open_24h":"104763.2","volume_24h":"5461.74127717","low_24h":"102422.43",'
    '"high_24h":"105504.83","volume_30d":"222137.61075405","best_bid":"103472.27",'
    '"best_bid_size":"0.%08d","best_ask":"103472.28","best_ask_size":"0.02560996","side":"buy",'
    '"time":"2025-11-12T07:20:11.%06dZ","trade_id":%d,"last_size":"0.%08d"}'
)


def tickers() -> tuple[list[str], str]:
    """Ticker frames, and where they come from."""
    data = Path(os.environ.get("CRYPTOVOL_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if (data / RECORDING).is_file():
        lines = (data / RECORDING).read_text().splitlines()
        frames = [json.loads(line)["raw"] for line in lines]
        return [frame for frame in frames if '"type":"ticker"' in frame], "recorded"
    rows = range(1, 5_997)
    return [TICKER % (i, i, i, 900_701_308 + i, i) for i in rows], "synthetic"


def copies(frames: list[str], count: int) -> list[bytes]:
    """The frames `count` times over, each copy with trade ids of its own."""
    apart = ('"trade_id":', '"trade_id":%d')
    return [
        frame.replace(*apart).encode() % copy for copy in range(1, count + 1) for frame in frames
    ]


def around(n: int) -> dict[str, Any]:
    """The columns of `n` rows of `bronze/frames` but the payload."""
    count = pa.array(range(n), pa.int64())
    recv = pa.array([RECV_NS + 1_000_000 * i for i in range(n)], pa.int64())
    text = {"source": "replay", "feed": "exchange", "conn": "bench", "product": "BTC-USD"}
    columns = {name: pa.array([word] * n) for name, word in text.items()}
    return columns | {"offset": count, "frame": count, "kafka_ts": recv, "recv_ts": recv}


def table(columns: dict[str, Any], payloads: list[bytes]) -> Any:
    """The payloads as rows of `bronze/frames`."""
    columns = columns | {"payload": pa.array(payloads, pa.binary())}
    return pa.table([columns[name] for name in FRAMES.schema.names], schema=FRAMES.schema)


def laps(work: Callable[[], object], repeat: int) -> list[float]:
    """CPU seconds of each of `repeat` runs."""
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return seconds


def ours(payloads: list[bytes], repeat: int) -> dict[str, list[float]]:
    """CPU seconds of every way we measure ourselves."""
    columns = around(len(payloads))
    frames = table(columns, payloads)
    found = normalise(frames)
    count = len(payloads)
    if (found.trades.num_rows, found.quotes.num_rows) != (count, count):
        raise SystemExit(f"{found.trades.num_rows} trades of {count} tickers: not a fair run")
    return {
        "frames table -> trades, quotes": laps(lambda: normalise(frames), repeat),
        "payload list -> table -> trades, quotes": laps(
            lambda: normalise(table(columns, payloads)), repeat
        ),
        "the same and distinct, sorted by key": laps(lambda: _distinct(frames), repeat),
    }


def _distinct(frames: Any) -> None:
    found = normalise(frames)
    distinct_trades(found.trades)
    distinct_quotes(found.quotes)


def peer(payloads: list[bytes], repeat: int) -> tuple[str, list[float]] | None:
    """Name and CPU seconds of cryptofeed, or None where it is not installed."""
    if not PEER.exists():
        return None
    with tempfile.NamedTemporaryFile("wb", suffix=".ndjson") as file:
        file.write(b"\n".join(payloads))
        file.flush()
        command = [PEER, ROOT / "bench" / "parse_peer.py", file.name, str(repeat)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cryptofeed failed: {done.stderr.strip().splitlines()[-1:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result["rows"] != len(payloads):
        raise SystemExit(f"cryptofeed made {result['rows']} of {len(payloads)}: not a fair run")
    return f"cryptofeed {result['version']}", result["laps"]


def report(runs: dict[str, list[float]], tickers_each: int, main_name: str) -> None:
    """Print the table: tickers per CPU second, median and best, and CPU beside ours."""
    base = statistics.median(runs[main_name])
    print(f"{'':<42} {'median/s':>10} {'best/s':>10} {'ns each':>8} {'CPU beside ours':>16}")
    for name, seconds in runs.items():
        middle, best = statistics.median(seconds), min(seconds)
        figures = f"{tickers_each / middle:>10,.0f} {tickers_each / best:>10,.0f}"
        print(f"{name:<42} {figures} {middle / tickers_each * 1e9:>8,.0f} {middle / base:>15.1f}x")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    frames, origin = tickers()
    payloads = copies(frames, args.copies)
    print(
        f"{len(payloads):,} {origin} Exchange tickers; CPU time of {args.rounds} alternating rounds"
        f" of {args.repeat}; the target is {TARGET:,} a CPU second"
    )
    runs: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        for name, seconds in ours(payloads, args.repeat).items():
            runs.setdefault(name, []).extend(seconds)
        beside = peer(payloads, args.repeat)
        if beside is not None:
            runs.setdefault(beside[0], []).extend(beside[1])
    report(runs, len(payloads), next(iter(runs)))
    if beside is None:
        print(
            f"no cryptofeed beside us: {PEER.relative_to(ROOT)} is missing, `make bench` makes it"
        )


if __name__ == "__main__":
    sys.exit(main())
