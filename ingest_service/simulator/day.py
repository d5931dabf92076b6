"""The rolling statistics of a ticker frame: a day's open, low, high, volume; 30 d volume."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ingest_service.simulator.book import SIZE_SPREAD
from ingest_service.simulator.listing import SIZE_DIGITS, Listing
from ingest_service.simulator.tape import Day, Fills

_MINUTES: Final = 1440


class RollingDay:
    """The last 1440 minutes of one product, seeded with a flat, plausible yesterday.

    The 30 d volume starts plausible and only grows: nobody has run this for a month.
    """

    def __init__(self, listing: Listing) -> None:
        price = round(listing.price * 10**listing.price_digits)
        mean_size = listing.median_notional / listing.price * math.exp(SIZE_SPREAD**2 / 2)
        volume = round(86_400 * listing.trades_per_s * mean_size * 10**SIZE_DIGITS)
        lot = 10 ** (SIZE_DIGITS - listing.lot_digits)
        self._open = np.full(_MINUTES, price)
        self._low, self._high = self._open.copy(), self._open.copy()
        self._volume = np.full(_MINUTES, max(volume // _MINUTES // lot, 1) * lot)
        self._volume_30d = 30 * int(self._volume.sum())
        self._last = price
        self._at = 0

    def minute(self, fills: Fills) -> Day:
        """Statistics as of each fill of the next minute; the oldest minute leaves the window."""
        at = self._at
        count = len(fills.price)
        start = int(fills.price[0]) if count else self._last
        self._open[at] = self._low[at] = self._high[at] = start
        self._volume[at] = 0
        self._at = (at + 1) % _MINUTES
        traded = np.cumsum(fills.size)
        low, high, volume = self._low.min(), self._high.max(), self._volume.sum()
        day = Day(
            open_24h=np.full(count, self._open[self._at]),
            low_24h=np.minimum.accumulate(np.minimum(fills.price, low)),
            high_24h=np.maximum.accumulate(np.maximum(fills.price, high)),
            volume_24h=volume + traded,
            volume_30d=self._volume_30d + traded,
        )
        if count:
            self._low[at], self._high[at] = fills.price.min(), fills.price.max()
            self._volume[at] = traded[-1]
            self._volume_30d += int(traded[-1])
            self._last = int(fills.price[-1])
        return day
