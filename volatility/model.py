"""The roster: every model by name, in the order in which each must earn its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from volatility.array import Ints
from volatility.baseline import Ewma, LogHar, Persistence, fit_ewma, fit_log_har, fit_persistence
from volatility.dataset import Dataset
from volatility.gbm import Gbm, blend, fit_gbm
from volatility.har import GammaHar, fit_gamma_har

Fitted = Persistence | Ewma | LogHar | GammaHar | Gbm
"""A fitted model: `forecast(x: [n, k]) -> rv [n]`; it never sees a label again."""

Fit = Callable[[Dataset, Ints, Mapping[str, Fitted]], Fitted]
"""`fit(dataset, train rows, models of this fold fitted before it) -> Fitted`."""

BASELINES: Final = ("persistence", "ewma", "log_har", "gamma_har")
"""What a challenger must beat."""
REFERENCE: Final = "log_har"
"""The model that gains are stated against."""
CHAMPION_ZERO: Final = "gamma_har"
"""The champion until another has earned its place."""
CHALLENGER: Final = "geometric_mean"
"""The model that is put to the gate by default."""

_F = TypeVar("_F", bound=Fitted)


def _fit_har(dataset: Dataset, rows: Ints, earlier: Mapping[str, Fitted]) -> GammaHar:
    return _earlier(earlier, "gamma_har", GammaHar) or fit_gamma_har(dataset, rows)


def _fit_trees(dataset: Dataset, rows: Ints, earlier: Mapping[str, Fitted]) -> Gbm:
    return _earlier(earlier, "lightgbm", Gbm) or fit_gbm(
        dataset, rows, _fit_har(dataset, rows, earlier)
    )


def _earlier(earlier: Mapping[str, Fitted], name: str, kind: type[_F]) -> _F | None:
    found = earlier.get(name)
    return found if isinstance(found, kind) else None


ROSTER: Final[dict[str, Fit]] = {
    "persistence": lambda dataset, rows, earlier: fit_persistence(dataset, rows),
    "ewma": lambda dataset, rows, earlier: fit_ewma(dataset, rows),
    "log_har": lambda dataset, rows, earlier: fit_log_har(dataset, rows),
    "gamma_har": _fit_har,
    "lightgbm": _fit_trees,
    "geometric_mean": lambda dataset, rows, earlier: blend(_fit_trees(dataset, rows, earlier)),
}
"""Model name to how it is fitted."""


def fit_model(name: str, dataset: Dataset, rows: Ints) -> Fitted:
    """Fit one model of the roster on its own.

    Raises:
        ValueError: the roster has no such model.
    """
    if name not in ROSTER:
        raise ValueError(f"no model {name!r}; there are {', '.join(ROSTER)}")
    return ROSTER[name](dataset, rows, {})
