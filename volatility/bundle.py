"""A forecaster as a handful of text files, and back; altered or foreign files are refused.

    forecaster.json   coefficients, calibration, features, origin
    booster.txt       LightGBM's own text format, where the model has trees
    manifest.json     format number and sha256 of every other file

Nothing is pickled: loading a bundle runs no code of its author.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from volatility.errors import ModelError
from volatility.forecaster import Forecaster, feature_version
from volatility.gbm import Gbm, read_booster

FORMAT: Final = 1
"""Raised when the files' meaning changes."""

FORECASTER, BOOSTER, MANIFEST = "forecaster.json", "booster.txt", "manifest.json"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What belongs to the bundle."""

    format: int
    files: dict[str, str]  # name -> sha256 of its bytes, hex


def dump(forecaster: Forecaster) -> dict[str, bytes]:
    """The bundle's files, name to bytes; equal forecasters give equal bytes."""
    files: dict[str, bytes] = {}
    fitted = forecaster.fitted
    if isinstance(fitted, Gbm):
        files[BOOSTER] = fitted.booster.encode()
        forecaster = _with_booster(forecaster, fitted, "")
    files[FORECASTER] = msgspec.json.format(msgspec.json.encode(forecaster), indent=1)
    sums = {name: _sha256(body) for name, body in sorted(files.items())}
    files[MANIFEST] = msgspec.json.format(msgspec.json.encode(Manifest(FORMAT, sums)), indent=1)
    return files


def load(files: Mapping[str, bytes], features: Sequence[str] | None = None) -> Forecaster:
    """Read a bundle back; forecasts are bit for bit those of the model that was dumped.

    Args:
        files: name to bytes, exactly those of `dump`.
        features: the features computed here, in order; None skips that comparison.

    Raises:
        ModelError: a file is altered, missing, extra or unreadable, or features differ.
    """
    manifest = _verify(files)
    if manifest.format != FORMAT:
        raise ModelError("bundle", f"format {manifest.format}, this version reads {FORMAT}")
    try:
        forecaster = msgspec.json.decode(files[FORECASTER], type=Forecaster)
    except msgspec.MsgspecError as error:
        raise ModelError("bundle", f"{FORECASTER}: {error}") from error
    if isinstance(forecaster.fitted, Gbm):
        if BOOSTER not in files:
            raise ModelError(forecaster.model, f"{BOOSTER} is missing")
        forecaster = _with_booster(forecaster, forecaster.fitted, files[BOOSTER].decode())
        _check_booster(forecaster)
    _check_features(forecaster, features)
    return forecaster


def digest(files: Mapping[str, bytes]) -> str:
    """Sha256 of the manifest, hex: one short name for the whole bundle, to be kept elsewhere."""
    return _sha256(files[MANIFEST])


def _verify(files: Mapping[str, bytes]) -> Manifest:
    if MANIFEST not in files:
        raise ModelError("bundle", f"{MANIFEST} is missing")
    try:
        manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    except msgspec.MsgspecError as error:
        raise ModelError("bundle", f"{MANIFEST}: {error}") from error
    present = set(files) - {MANIFEST}
    for name in sorted(present ^ set(manifest.files) | {FORECASTER} - present):
        raise ModelError("bundle", f"{name} is {'not signed' if name in present else 'missing'}")
    for name, expected in manifest.files.items():
        if _sha256(files[name]) != expected:
            raise ModelError("bundle", f"{name} was altered: its sha256 is not the signed one")
    return manifest


def _check_features(forecaster: Forecaster, features: Sequence[str] | None) -> None:
    if features is None:
        return
    if tuple(features) != forecaster.features:
        odd = sorted(set(features) ^ set(forecaster.features)) or ["their order"]
        raise ModelError(forecaster.model, f"was trained on other features: {', '.join(odd[:5])}")
    if feature_version(features) != forecaster.feature_version:
        raise ModelError(forecaster.model, "was trained on features of another definition")


def _check_booster(forecaster: Forecaster) -> None:
    """Read the trees now: what cannot be read is refused at load, not at the first forecast."""
    from lightgbm.basic import LightGBMError

    if isinstance(forecaster.fitted, Gbm):
        try:
            read_booster(forecaster.fitted.booster)
        except LightGBMError as error:
            raise ModelError(forecaster.model, f"{BOOSTER}: {error}") from error


def _with_booster(forecaster: Forecaster, fitted: Gbm, text: str) -> Forecaster:
    return msgspec.structs.replace(forecaster, fitted=msgspec.structs.replace(fitted, booster=text))


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
