"""Silver: typed and deduplicated ticks, holes, and one second bars.

What computes is imported when an asset runs: definitions load without compiled kernels.
"""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from cryptovol_dagster.defs.external import BRONZE
from cryptovol_dagster.defs.partitions import HOURS, hours_around
from cryptovol_dagster.defs.resources import LakeResource
from cryptovol_dagster.defs.table_asset import (
    SINGLE_RUN,
    hours_of_run,
    materialized,
    neighbours,
    table_spec,
)
from cryptovol_dagster.markdown import table as markdown_table
from data_lake.tables import BARS_1S, GAPS, QUOTES, TABLES, TRADES

Results = Iterator[dg.MaterializeResult[None]]


@dg.multi_asset(
    name="ticks",
    specs=[
        table_spec(TRADES, [BRONZE], may_skip=True),
        table_spec(QUOTES, [BRONZE], may_skip=True),
    ],
    partitions_def=HOURS,
    backfill_policy=SINGLE_RUN,
    can_subset=True,
)
def ticks(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Trades and quotes out of one parse of the frames that touch the hours."""
    from cryptovol_dagster.ticks import build_ticks

    wanted = [TABLES["/".join(key.path)] for key in sorted(context.selected_asset_keys)]
    made = build_ticks(store.open(), hours_of_run(context, HOURS), wanted)
    frames = [(kind, verdict, count) for (kind, verdict), count in sorted(made.kinds.items())]
    account = markdown_table(["frame", "became", "frames"], frames)
    odd = markdown_table(["odd", "frames"], made.reasons.most_common(20))
    extra = {"frames": dg.MetadataValue.md(account), "oddities": dg.MetadataValue.md(odd)}
    for table in wanted:
        yield materialized(context, table, made.built[table.path], extra)


@dg.multi_asset(
    name="gaps",
    specs=[table_spec(GAPS, [neighbours(TRADES, hours_around())])],
    partitions_def=HOURS,
    backfill_policy=SINGLE_RUN,
)
def gaps(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Holes in the trade ids of each hour, and between it and the newest earlier trade."""
    from cryptovol_dagster.build import build_gaps

    built = build_gaps(store.open(), hours_of_run(context, HOURS))
    yield materialized(context, GAPS, built)


@dg.multi_asset(
    name="bars_1s",
    specs=[
        table_spec(
            BARS_1S,
            [neighbours(QUOTES, hours_around(back=1)), neighbours(TRADES, hours_around(back=1))],
            "numba",
        )
    ],
    partitions_def=HOURS,
    backfill_policy=SINGLE_RUN,
)
def bars(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """One bar per second and product; rules in volatility/bar_kernel.py."""
    from cryptovol_dagster.build import build_bars_1s
    from cryptovol_dagster.picture import show_bars

    lake = store.open()
    built = build_bars_1s(lake, hours_of_run(context, HOURS))
    yield materialized(context, BARS_1S, built, lambda: {"plot": show_bars(lake, sorted(built))})


SILVER: Final = (ticks, gaps, bars)
