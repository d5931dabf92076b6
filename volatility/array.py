"""Shapes of arrays as type aliases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""float64 [n]"""
Matrix = NDArray[np.float64]
"""float64 [n, k], one row per decision, one column per feature."""
Ints = NDArray[np.int64]
"""int64 [n]: nanoseconds, codes or row numbers."""
Flags = NDArray[np.bool_]
"""bool [n]"""
