"""Where everything lies: the only module that turns tables, hours and offsets into paths.

    <zone>/<table>/date=YYYY-MM-DD/hour=HH/data.parquet
    bronze/frames/topic=<t>/epoch=<topic id>/partition=<p>/date=YYYY-MM-DD/<19 digits>.parquet

An hour is named by its key `YYYY-MM-DD-HH:MM` (UTC), the same word as the Dagster partition key.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from data_lake.tables import FRAMES, TABLES, Table
from volatility.errors import LakeError

HOUR_NS: Final = 3_600_000_000_000
"""One hour in nanoseconds."""

STAGING: Final = ".staging"
"""Folder of half-written files on local disk; whatever a crash leaves there was never committed."""

LOCKS: Final = ".locks"
"""Folder of lock files on local disk."""

DIRECT_TOPIC: Final = "direct"
"""Topic of frames that reached the lake without a broker."""

DIRECT_EPOCH: Final = "0"
"""Epoch of the direct topic; it is never recreated."""

_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_EPOCH = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOUR_PATH = re.compile(r"date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/data\.parquet")
_BRONZE_PATH = re.compile(
    rf"{FRAMES.path}/topic=([^/]+)/epoch=([^/]+)/partition=(\d+)/date=\d{{4}}-\d\d-\d\d/(\d{{19}})\.parquet"
)
_KEY_FORMAT = "%Y-%m-%d-%H:%M"
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


class BronzeName(NamedTuple):
    """What the path of a bronze file says about it."""

    topic: str
    epoch: str
    partition: int
    first_offset: int


def hour_key(ns: int) -> str:
    """Key of the hour [H, H + 1 h) that holds the instant `ns` (ns since epoch UTC)."""
    moment = _EPOCH_START + timedelta(hours=ns // HOUR_NS)
    return moment.strftime(_KEY_FORMAT)


def hour_bounds(key: str) -> tuple[int, int]:
    """First instant of the hour and first instant after it, ns since epoch UTC.

    Raises:
        LakeError: `key` is not a whole hour written `YYYY-MM-DD-HH:MM`.
    """
    try:
        moment = datetime.strptime(key, _KEY_FORMAT).replace(tzinfo=UTC)
    except ValueError as exc:
        raise LakeError(key, "not an hour of the form YYYY-MM-DD-HH:00") from exc
    if moment.minute or moment.strftime(_KEY_FORMAT) != key:
        raise LakeError(key, "not an hour of the form YYYY-MM-DD-HH:00")
    start = (moment - _EPOCH_START) // timedelta(hours=1) * HOUR_NS
    return start, start + HOUR_NS


def hours_between(start_ns: int, end_ns: int) -> list[str]:
    """Keys of every hour that overlaps [start_ns, end_ns), oldest first."""
    first = start_ns // HOUR_NS
    last = -(-end_ns // HOUR_NS)
    return [hour_key(n * HOUR_NS) for n in range(first, last)]


def hour_after(key: str, hours: int = 1) -> str:
    """Key of the hour `hours` later; negative means earlier."""
    return hour_key(hour_bounds(key)[0] + hours * HOUR_NS)


def hour_path(table: Table, key: str) -> str:
    """Path of one hour of a silver or gold table, relative to the lake root.

    Raises:
        LakeError: `key` is malformed, or the table is not partitioned by hour.
    """
    if table.layout != "hour":
        raise LakeError(table.path, "is a chain of files, not partitioned by hour")
    hour_bounds(key)
    return f"{table.path}/date={key[:10]}/hour={key[11:13]}/data.parquet"


def hour_of_path(table: Table, path: str) -> str | None:
    """The hour key a path of `table` stands for; None when the path is no partition of it."""
    match = _HOUR_PATH.fullmatch(path.removeprefix(f"{table.path}/"))
    return f"{match[1]}-{match[2]}:00" if match else None


def bronze_folder(topic: str, epoch: str, partition: int) -> str:
    """Folder of one (topic, epoch, partition) chain, relative to the lake root.

    Raises:
        LakeError: a part is outside its allow-list.
    """
    if not _TOPIC.fullmatch(topic):
        raise LakeError(repr(topic), "not a topic name: letters, digits, '.', '_' and '-' only")
    if not _EPOCH.fullmatch(epoch):
        raise LakeError(repr(epoch), "not a topic id: letters, digits, '_' and '-' only")
    if partition < 0:
        raise LakeError(str(partition), "not a partition number")
    return f"{FRAMES.path}/topic={topic}/epoch={epoch}/partition={partition}"


def bronze_path(topic: str, epoch: str, partition: int, first_offset: int, kafka_ts: int) -> str:
    """Path of the bronze file that starts at `first_offset`.

    `kafka_ts` (ns UTC) is the first record's log time: a retry computes the same path.

    Raises:
        LakeError: a part is outside its allow-list.
    """
    folder = bronze_folder(topic, epoch, partition)
    if not 0 <= first_offset < 10**19:
        raise LakeError(folder, f"offset {first_offset} is not a log offset")
    return f"{folder}/date={hour_key(kafka_ts)[:10]}/{first_offset:019d}.parquet"


def parse_bronze_path(path: str) -> BronzeName | None:
    """Topic, epoch, partition and first offset of a bronze file; None when it is none."""
    match = _BRONZE_PATH.fullmatch(path)
    if not match or not _TOPIC.fullmatch(match[1]) or not _EPOCH.fullmatch(match[2]):
        return None
    return BronzeName(match[1], match[2], int(match[3]), int(match[4]))


def hive_parts(path: str) -> dict[str, str]:
    """What a path says in `name=text` folders: `{"date": "2025-11-12", "hour": "07"}`."""
    folders = (part.partition("=") for part in path.split("/"))
    return {name: text for name, equals, text in folders if equals}


def input_name(table: Table, key: str) -> str:
    """Name of one hour of any table among a manifest's inputs: `silver/trades/2025-11-12-07:00`."""
    hour_bounds(key)
    return f"{table.path}/{key}"


def parse_input_name(name: str) -> tuple[Table, str] | None:
    """Table and hour key of an input name; None when it names no hour of a known table."""
    path, _, key = name.rpartition("/")
    try:
        hour_bounds(key)
    except LakeError:
        return None
    return (TABLES[path], key) if path in TABLES else None
