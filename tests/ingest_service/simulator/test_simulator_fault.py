"""The syntax of fault scripts."""

from __future__ import annotations

import pytest

from ingest_service.simulator.fault import Fault, parse_faults
from volatility.errors import SettingError


def test_a_script_is_read_in_order_of_time() -> None:
    assert parse_faults("error@1800, drop@600:trades=20:product=BTC-USD,disconnect@1200.5") == (
        Fault(kind="drop", at_s=600.0, trades=20, product="BTC-USD"),
        Fault(kind="disconnect", at_s=1200.5, code=1001, outage=5),
        Fault(kind="error", at_s=1800.0, count=1),
    )


def test_no_script_means_no_faults() -> None:
    assert parse_faults("") == ()
    assert parse_faults(" , ") == ()


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ("explode@5", "must be one of drop"),
        ("drop", "write drop@SECONDS"),
        ("drop@soon", "write drop@SECONDS"),
        ("drop@-1", "not negative"),
        ("drop@inf", "finite"),
        ("drop@nan", "finite"),
        ("drop@5:size=3", "drop takes trades, product"),
        ("drop@5:trades=few", "'few' is no trades"),
        ("drop@5:trades=-2", "'-2' is no usable trades"),
        ("drop@5:product=../etc", "'../etc' is no product"),
        ("disconnect@5:code=1005", "'1005' is no usable code"),
    ],
)
def test_a_bad_entry_is_shown_with_the_rule_it_breaks(entry: str, rule: str) -> None:
    with pytest.raises(SettingError) as raised:
        parse_faults(f"error@1,{entry}")
    assert repr(entry) in str(raised.value)
    assert rule in str(raised.value)
