"""A local exchange that speaks the Coinbase Exchange protocol; see README.md beside this file."""

from ingest_service.simulator.market import Market, MarketConfig
from ingest_service.simulator.pace import MAX, parse_speed
from ingest_service.simulator.run import run_simulator
from ingest_service.simulator.server import Exchange
from ingest_service.simulator.truth import Hole, Truth

__all__ = [
    "MAX",
    "Exchange",
    "Hole",
    "Market",
    "MarketConfig",
    "Truth",
    "parse_speed",
    "run_simulator",
]
