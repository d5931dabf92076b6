"""Proving the lake: every file is read, every promise checked.

Bronze: names, footers, checksums, and offset chains without holes or contradicting overlaps.
Silver and gold: content against manifest, the table's contract, schema versions, lineage, and no
trade in two hours. What a crash left half-written is noted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow.compute as pc

from data_lake.chain import BronzeFile, BronzeFooter, bronze_file, fingerprint, follow, read_frames
from data_lake.contract import conform
from data_lake.finding import Report
from data_lake.lake import Lake
from data_lake.layout import bronze_path, hour_of_path, input_name, parse_bronze_path
from data_lake.lineage import moved
from data_lake.manifest import Manifest, Span, code_version
from data_lake.parquet import check_columns, read_rows
from data_lake.storage import Entry
from data_lake.tables import FRAMES, TABLES, TRADES, Table
from volatility.errors import ContractError, LakeError


def verify(lake: Lake) -> Report:
    """Read the whole lake and report what is wrong, stale or noteworthy.

    Raises:
        LakeError: the lake cannot be listed.
    """
    report = Report()
    files = _check_bronze(lake, report)
    for table in TABLES.values():
        if table.layout == "hour":
            _check_table(lake, table, files, report)
    _check_unbuilt(lake, files, report)
    if not lake.storage.entries(""):
        report.add("note", lake.root, "no lake here: not one file was written yet")
    for path in lake.storage.staged():
        report.add("note", path, "left half-written by a crash, never committed: safe to delete")
    return report


def _check_bronze(lake: Lake, report: Report) -> list[BronzeFile]:
    """Check every bronze file and the chains they form; return the sound ones, sorted."""
    files = []
    for entry in lake.storage.entries(FRAMES.path):
        if parse_bronze_path(entry.path) is None:
            report.add("wrong", entry.path, "not a name a bronze file can have")
            continue
        try:
            file = bronze_file(lake, entry)
            rows, footer = read_rows(lake.storage, entry.path, FRAMES, BronzeFooter)
            check_columns(entry.path, rows, footer)
        except LakeError as exc:
            report.add("wrong", exc.path, exc.reason)
            continue
        _count(report, entry, rows)
        _check_frames(file, rows, report)
        files.append(file)
    files.sort()
    _check_chains(lake, files, report)
    return files


def _check_frames(file: BronzeFile, rows: Any, report: Report) -> None:
    offsets, times = rows.column("offset"), rows.column("kafka_ts")
    ends = pc.min_max(offsets)
    if not file.first_offset <= ends["min"].as_py() <= ends["max"].as_py() <= file.last_offset:
        report.add("wrong", file.path, "holds offsets its footer does not cover")
    if pc.any(pc.less_equal(offsets.slice(1), offsets.slice(0, len(offsets) - 1))).as_py():
        report.add("wrong", file.path, "offsets do not increase")
    if file.path != bronze_path(*file.chain, file.first_offset, times[0].as_py()):
        report.add("wrong", file.path, "lies in the folder of another date")


def _check_chains(lake: Lake, files: list[BronzeFile], report: Report) -> None:
    used = {}
    for link in follow(files):
        used[link.file.path] = link
        if link.hole_from is None:
            continue
        gone = f"offsets {link.hole_from} to {link.start - 1} are missing before it"
        if link.file.hole_from is not None and link.file.hole_from <= link.hole_from:
            report.add("note", link.file.path, f"{gone}, and that was accepted")
        else:
            report.add("wrong", link.file.path, gone)
    for file in files:
        if file.path not in used or used[file.path].overlaps:
            _check_overlap(lake, files, file, report)


def _check_overlap(lake: Lake, files: list[BronzeFile], file: BronzeFile, report: Report) -> None:
    """The offsets a file shares with others must hold the same frames there."""
    others = [other for other in files if other.chain == file.chain and other.path != file.path]
    theirs = read_frames(lake, files=[o for o in others if o.first_offset <= file.last_offset])
    ours = read_frames(lake, files=[file])
    shared = pc.is_in(ours.column("offset"), value_set=theirs.column("offset").combine_chunks())
    same = pc.is_in(theirs.column("offset"), value_set=ours.column("offset").combine_chunks())
    if ours.filter(shared).combine_chunks().equals(theirs.filter(same).combine_chunks()):
        report.add("note", file.path, "repeats frames of other files; readers skip them")
    else:
        report.add("wrong", file.path, "holds other frames than another file at the same offsets")


def _check_table(lake: Lake, table: Table, files: list[BronzeFile], report: Report) -> None:
    codes: Counter[str] = Counter()
    spans: dict[str, list[_Stretch]] = defaultdict(list)
    for entry in lake.storage.entries(table.path):
        manifest = _check_partition(lake, table, entry, files, report)
        if manifest is not None:
            codes[manifest.code_version] += 1
            for product, span in manifest.spans.items():
                spans[product].append(_stretch(manifest.hour, span))
    if table is TRADES:
        for product, stretches in spans.items():
            _check_doubles(lake, product, stretches, report)
    older = sum(codes.values()) - codes[code_version()]
    if older:
        report.add("note", table.path, f"{older} hours were made by other code than this")


def _check_partition(
    lake: Lake, table: Table, entry: Entry, files: list[BronzeFile], report: Report
) -> Manifest | None:
    """Check one file; its manifest when it is sound."""
    hour = hour_of_path(table, entry.path)
    if hour is None:
        report.add("wrong", entry.path, "not a name a file of this table can have")
        return None
    try:
        version = lake.record(entry, Manifest).schema_version
        if version != table.version:
            report.add("stale", entry.path, f"schema version {version}; materialize it")
            return None
        rows, manifest = lake.load(table, hour)
        check_columns(entry.path, rows, manifest)
        conform(table, hour, rows)
    except (LakeError, ContractError) as exc:
        reason = exc.reason if isinstance(exc, LakeError) else str(exc)
        report.add("wrong", entry.path, reason)
        return None
    _count(report, entry, rows)
    _check_inputs(lake, entry, (rows, manifest), files, report)
    return manifest


def _check_inputs(
    lake: Lake,
    entry: Entry,
    made: tuple[Any, Manifest],
    files: list[BronzeFile],
    report: Report,
) -> None:
    rows, manifest = made
    try:
        names = moved(lake, manifest, files)
    except LakeError as exc:
        report.add("stale", entry.path, f"its input {exc.path} cannot be read")
        return
    lost = _lost_frames(lake, rows, manifest, files)
    if lost:
        report.add("wrong", entry.path, lost)
    elif names:
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        report.add("stale", entry.path, f"made from other content of {listed}; materialize it")


def _lost_frames(lake: Lake, rows: Any, manifest: Manifest, files: list[BronzeFile]) -> str:
    """What rows remember of frames that bronze holds no more; empty text when nothing is lost."""
    was = manifest.inputs.get(input_name(FRAMES, manifest.hour), "")
    now = fingerprint(files, manifest.hour)
    if was in ("", now):
        return ""
    if not now:
        return "every frame it was made from is lost"
    keys = [name for name in ("offset", "ts_recv") if name in rows.column_names]
    if len(keys) < 2:
        return ""
    frames = read_frames(lake, [manifest.hour], files=files, columns=["offset", "recv_ts"])
    known = frames.rename_columns(keys).cast(rows.select(keys).schema)
    lost = rows.select(keys).join(known, keys, join_type="left anti").num_rows
    return f"{lost} of its {rows.num_rows} rows come from frames that are lost" if lost else ""


class _Stretch(NamedTuple):
    """The trade ids one hour holds of one product."""

    first: int
    last: int
    hour: str


def _stretch(hour: str, span: Span) -> _Stretch:
    return _Stretch(span.first_trade_id or 0, span.last_trade_id or 0, hour)


def _check_doubles(lake: Lake, product: str, stretches: list[_Stretch], report: Report) -> None:
    """A trade id may lie in one hour only; hours whose id ranges meet are compared."""
    for earlier, later in _meeting(sorted(stretches)):
        ids = [_trade_ids(lake, product, hour) for hour in (earlier.hour, later.hour)]
        count = pc.sum(pc.is_in(ids[0], value_set=ids[1])).as_py() or 0
        if count:
            place = f"{TRADES.path} {product}"
            report.add("wrong", place, f"{count} trades in both {earlier.hour} and {later.hour}")


def _meeting(stretches: list[_Stretch]) -> Iterator[tuple[_Stretch, _Stretch]]:
    """Pairs of stretches whose id ranges overlap, by a sweep over sorted ones."""
    active: list[_Stretch] = []
    for stretch in stretches:
        active = [earlier for earlier in active if earlier.last >= stretch.first]
        yield from ((earlier, stretch) for earlier in active)
        active.append(stretch)


def _trade_ids(lake: Lake, product: str, hour: str) -> Any:
    rows = lake.read(TRADES, hour, ["product", "trade_id"])
    return (
        rows.filter(pc.equal(rows.column("product"), product)).column("trade_id").combine_chunks()
    )


def _check_unbuilt(lake: Lake, files: list[BronzeFile], report: Report) -> None:
    touched = {hour for file in files for hour in file.hours}
    unbuilt = sorted(touched - set(lake.hours(TRADES)))
    if unbuilt:
        reason = f"{len(unbuilt)} hours with frames were never built, the first is {unbuilt[0]}"
        report.add("note", TRADES.path, reason)


def _count(report: Report, entry: Entry, rows: Any) -> None:
    report.files += 1
    report.rows += rows.num_rows
    report.bytes += entry.size
