"""Silver: typed and deduplicated ticks, holes, and one second bars.

What computes is imported when an asset runs: definitions load without compiled kernels.
"""

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.external import BRONZE
from cryptovol_dagster.defs.partitions import hours_around
from cryptovol_dagster.defs.resources import LakeResource
from cryptovol_dagster.defs.table_asset import (
    Results,
    hourly_tables,
    hours_to_build,
    neighbours,
    report,
    table_spec,
)
from cryptovol_dagster.markdown import table as markdown_table
from data_lake.tables import BARS_1S, GAPS, QUOTES, TRADES


@hourly_tables("ticks", table_spec(TRADES, [BRONZE]), table_spec(QUOTES, [BRONZE]))
def ticks(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Trades and quotes out of one parse of the frames that touch the hours."""
    from cryptovol_dagster.ticks import build_ticks

    lake = store.open()
    hours = {table.path: hours_to_build(context, table) for table in (TRADES, QUOTES)}
    wanted = [table for table in (TRADES, QUOTES) if hours[table.path]]
    made = build_ticks(lake, hours[TRADES.path] or hours[QUOTES.path], wanted)
    frames = [(kind, verdict, count) for (kind, verdict), count in sorted(made.kinds.items())]
    account = {
        "frames": markdown_table(["frame", "became", "frames"], frames),
        "rejected": f"{made.rejected:,} frames, {made.partly_rejected:,} more in part",
        "oddities": markdown_table(["odd", "frames"], made.reasons.most_common(20)),
    }
    for table in (TRADES, QUOTES):
        yield from report(context, lake, table, made.built.get(table.path, {}), lambda: account)


@hourly_tables("gaps", table_spec(GAPS, [neighbours(TRADES, hours_around())]))
def gaps(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Holes in the trade ids of each hour, and between it and the newest earlier trade."""
    from cryptovol_dagster.build import build_gaps
    from cryptovol_dagster.inspect_rows import list_gaps

    lake = store.open()
    built = build_gaps(lake, hours_to_build(context, GAPS))
    yield from report(context, lake, GAPS, built, lambda: {"gaps": list_gaps(lake, sorted(built))})


@hourly_tables(
    "bars_1s",
    table_spec(
        BARS_1S,
        [neighbours(QUOTES, hours_around(back=1)), neighbours(TRADES, hours_around(back=1))],
        "numba",
    ),
)
def bars(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """One bar per second and product; rules in volatility/bar_kernel.py."""
    from cryptovol_dagster.build import build_bars_1s
    from cryptovol_dagster.picture import show_bars

    lake = store.open()
    built = build_bars_1s(lake, hours_to_build(context, BARS_1S))
    yield from report(
        context, lake, BARS_1S, built, lambda: {"plot": show_bars(lake, sorted(built))}
    )


SILVER: Final = (ticks, gaps, bars)
