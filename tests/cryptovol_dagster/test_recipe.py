"""What every hour is computed from."""

from __future__ import annotations

from cryptovol_dagster.build import build_bars_1s, build_features_1s, build_gaps
from cryptovol_dagster.recipe import ORDER, READS, Ledger, Read, by_hour, fingerprints, history
from cryptovol_dagster.ticks import build_ticks
from data_lake.chain import chain
from data_lake.lake import Lake
from data_lake.layout import hour_after
from data_lake.tables import BARS_1S, FEATURES_1S, GAPS, LABELS_1S, QUOTES, TRADES
from tests.cryptovol_dagster.conftest import hour, market, record
