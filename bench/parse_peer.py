"""cryptofeed's Coinbase parser on the same frames; run by bench/parse.py with bench/.venv's python.

    python bench/parse_peer.py FRAMES REPEAT

Its callback counts the tickers and keeps nothing. Prints CPU seconds of every repeat as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptofeed.defines import TICKER
from cryptofeed.exchanges import Coinbase
from cryptofeed.symbols import Symbols

RECV_S = 1_762_932_011.7


async def parse(texts: list[str], repeat: int) -> tuple[list[float], int]:
    """CPU seconds of each repeat, and how many tickers the last one made."""
    made = 0

    async def count(_ticker: Any, _recv_s: float) -> None:
        nonlocal made
        made += 1

    Symbols.set("COINBASE", {"BTC-USD": "BTC-USD"}, {})  # else it asks the exchange
    feed = Coinbase(symbols=["BTC-USD"], channels=[TICKER], callbacks={TICKER: count})
    laps = []
    for _ in range(repeat):
        made = 0
        start = time.process_time()
        for text in texts:
            await feed.message_handler(text, None, RECV_S)
        laps.append(time.process_time() - start)
    return laps, made


def main() -> None:
    """Parse the file's frames, one a line."""
    texts = Path(sys.argv[1]).read_text().splitlines()
    laps, made = asyncio.run(parse(texts, int(sys.argv[2])))
    print(json.dumps({"laps": laps, "rows": made, "version": version("cryptofeed")}))


if __name__ == "__main__":
    main()
