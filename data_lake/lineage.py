"""Lineage: what a partition was computed from, and whether that is still what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from data_lake.chain import BronzeFile, chain, fingerprint
from data_lake.lake import Lake
from data_lake.layout import input_name, parse_input_name
from data_lake.manifest import Manifest
from data_lake.tables import Table

Partition = tuple[Table, str]
"""A table and an hour key."""


def inputs(
    lake: Lake, partitions: Iterable[Partition], files: Sequence[BronzeFile] | None = None
) -> dict[str, str]:
    """Fingerprints of the hours something is about to be computed from, for `Lake.replace`.

    Hours of bronze count too: their fingerprint covers every file that touches the hour. An hour
    that does not exist has the empty text, so that its later arrival is noticed. `files` is what
    `chain` returned, to save asking again.

    Raises:
        LakeError: an input is torn or altered.
    """
    found = {}
    for table, hour in partitions:
        if table.layout == "chain":
            files = chain(lake) if files is None else files
            found[input_name(table, hour)] = fingerprint(files, hour)
        else:
            manifest = lake.manifest(table, hour)
            found[input_name(table, hour)] = manifest.sha256 if manifest else ""
    return found


def moved(lake: Lake, manifest: Manifest, files: Sequence[BronzeFile] | None = None) -> list[str]:
    """Names of the inputs of a partition that are no longer what it was computed from.

    An input that is no hour of a table, such as a digest over a month of them, is the builder's
    own business and passed over.

    Raises:
        LakeError: an input is torn or altered.
    """
    known = {name: parse_input_name(name) for name in manifest.inputs}
    current = inputs(lake, [found for found in known.values() if found], files)
    recorded = manifest.inputs.items()
    return [name for name, was in recorded if known[name] and current.get(name) != was]
