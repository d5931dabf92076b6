"""Where lineage begins: what others write, and we only observe."""

from __future__ import annotations

from typing import Final

import dagster as dg

from data_lake.tables import FRAMES

FEED: Final = dg.AssetKey(["coinbase", "feed"])
TOPIC: Final = dg.AssetKey(["kafka", "ticks_raw"])
BRONZE: Final = dg.AssetKey(FRAMES.path.split("/"))

EXTERNAL: Final = (
    dg.AssetSpec(
        FEED,
        description="Coinbase's public websocket feeds, or the simulator, or a replayed recording.",
        group_name="bronze",
        kinds={"coinbase"},
    ),
    dg.AssetSpec(
        TOPIC,
        deps=[FEED],
        description="The Kafka topic `ticks.raw`; passed over in direct mode, without a broker.",
        group_name="bronze",
        kinds={"kafka"},
    ),
    dg.AssetSpec(
        BRONZE,
        deps=[TOPIC, FEED],
        description=f"{FRAMES.doc} Append-only; written by the ingestor or the archiver.",
        group_name="bronze",
        kinds={"parquet"},
    ),
)
"""Assets that are never executed here; the ingestor's files are reported as they appear."""
