"""Delays between connection attempts."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ingest_service.backoff import Backoff


@given(st.integers(), st.integers(1, 200))
def test_a_delay_never_exceeds_the_ceiling_nor_the_cap(seed: int, failures: int) -> None:
    backoff = Backoff(Random(seed), base_s=0.5, cap_s=30.0)
    for _ in range(failures):
        ceiling = backoff.ceiling_s
        assert 0.0 <= backoff.next_delay_s() <= ceiling <= 30.0


def test_the_ceiling_doubles_until_the_cap() -> None:
    backoff = Backoff(Random(1), base_s=1.0, cap_s=30.0)
    ceilings = []
    for _ in range(7):
        ceilings.append(backoff.ceiling_s)
        backoff.next_delay_s()
    assert ceilings == [1, 2, 4, 8, 16, 30, 30]


def test_jitter_is_full_two_clients_do_not_come_back_in_step() -> None:
    delays = [[Backoff(Random(seed)).next_delay_s() for seed in range(200)]]
    assert max(delays[0]) > 0.45
    assert min(delays[0]) < 0.05


def test_a_reset_starts_over() -> None:
    backoff = Backoff(Random(1))
    for _ in range(10):
        backoff.next_delay_s()
    backoff.reset()
    assert backoff.ceiling_s == 0.5
