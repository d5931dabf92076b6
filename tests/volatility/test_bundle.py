"""A bundle is text, signed file by file; whatever was touched is refused."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from volatility.bundle import BOOSTER, FORECASTER, MANIFEST, Manifest, digest, dump, load
from volatility.dataset import Dataset
from volatility.errors import ModelError
from volatility.evaluate import evaluate
from volatility.forecaster import Forecaster, train
from volatility.model import ROSTER
from volatility.split import plan

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def forecaster(day: Dataset) -> Forecaster:
    return train("lightgbm", day, evaluate(day, plan(day, folds=1), roster=ROSTER))


@pytest.fixture
def files(forecaster: Forecaster) -> Files:
    return dump(forecaster)


def signed(files: Files) -> Files:
    """The files with a manifest that fits them: what a careful forger would do."""
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    sums.pop(MANIFEST, None)
    return files | {MANIFEST: msgspec.json.encode(Manifest(1, sums))}


def test_every_file_is_text(files: Files) -> None:
    assert set(files) == {FORECASTER, BOOSTER, MANIFEST}
    for body in files.values():
        assert body.decode("utf-8").isprintable() or b"\n" in body
        assert b"\x80" not in body[:2]


def test_equal_forecasters_are_equal_bytes(forecaster: Forecaster, files: Files) -> None:
    assert dump(forecaster) == files
    assert dump(load(files)) == files
    assert digest(files) == hashlib.sha256(files[MANIFEST]).hexdigest()


@pytest.mark.parametrize("name", [FORECASTER, BOOSTER])
def test_one_flipped_byte_is_refused(files: Files, name: str) -> None:
    body = bytearray(files[name])
    body[len(body) // 2] ^= 1
    with pytest.raises(ModelError, match=f"{name} was altered"):
        load(files | {name: bytes(body)})


@pytest.mark.parametrize("name", [FORECASTER, BOOSTER, MANIFEST])
def test_a_missing_file_is_refused(files: Files, name: str) -> None:
    del files[name]
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load(files)


def test_an_extra_file_is_refused(files: Files) -> None:
    with pytest.raises(ModelError, match=r"model.pkl is not signed"):
        load(files | {"model.pkl": b""})


@pytest.mark.parametrize("body", [b"", b"[]", b'{"format": 1}', b'{"format": 1, "files": 3}'])
def test_a_manifest_of_another_shape_is_refused(files: Files, body: bytes) -> None:
    with pytest.raises(ModelError, match=MANIFEST):
        load(files | {MANIFEST: body})


def test_another_format_is_refused(files: Files) -> None:
    manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    newer = msgspec.json.encode(msgspec.structs.replace(manifest, format=2))
    with pytest.raises(ModelError, match="format 2, this version reads 1"):
        load(files | {MANIFEST: newer})


@pytest.mark.parametrize("body", [b"{}", b"nonsense", b'{"model": 1}'])
def test_signed_nonsense_is_refused_with_its_path(files: Files, body: bytes) -> None:
    with pytest.raises(ModelError, match=FORECASTER):
        load(signed(files | {FORECASTER: body}))


@pytest.mark.parametrize("body", [b"", b"tree\nnot a model\n"])
def test_signed_trees_that_cannot_be_read_are_refused_at_load(files: Files, body: bytes) -> None:
    with pytest.raises(ModelError, match=BOOSTER):
        load(signed(files | {BOOSTER: body}))


def test_trees_without_their_file_are_refused_even_if_signed(files: Files) -> None:
    del files[BOOSTER]
    with pytest.raises(ModelError, match="is missing"):
        load(signed(files))


def test_other_features_are_refused_and_named(day: Dataset, files: Files) -> None:
    with pytest.raises(ModelError, match="trained on other features: rv_10s"):
        load(files, day.names[1:])
    with pytest.raises(ModelError, match="other features: their order"):
        load(files, day.names[::-1])
    assert load(files, day.names).features == day.names


def test_features_of_another_definition_are_refused(forecaster: Forecaster, day: Dataset) -> None:
    older = msgspec.structs.replace(forecaster, feature_version="0" * 16)
    with pytest.raises(ModelError, match="another definition"):
        load(dump(older), day.names)
