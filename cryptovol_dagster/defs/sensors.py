"""What happens because something happened: files arrived, an hour was built, a market drifted."""

import hashlib
from collections.abc import Iterator
from typing import Final

import dagster as dg

from cryptovol_dagster.arrivals import Cursor, look
from cryptovol_dagster.defs.external import BRONZE
from cryptovol_dagster.defs.jobs import hourly, matured, training
from cryptovol_dagster.defs.partitions import HOURS, MATURED_HOURS
from cryptovol_dagster.defs.report import DRIFT
from cryptovol_dagster.defs.resources import LakeResource
from cryptovol_dagster.plan import ranges, stale_ticks, with_dependants
from cryptovol_dagster.recipe import Ledger
from cryptovol_dagster.run_tag import hours_of_tags, range_tags
from data_lake.chain import chain
from data_lake.layout import hour_after
from data_lake.tables import BARS_1S, TRADES

RUNNING: Final = dg.DefaultSensorStatus.RUNNING


@dg.sensor(
    name="bronze_arrivals",
    job=hourly,
    minimum_interval_seconds=60,
    default_status=RUNNING,
    description="New bronze files become runs for exactly the closed hours they touch, late ones "
    "too, and for later hours that were computed from them.",
)
def bronze_arrivals(context: dg.SensorEvaluationContext, store: LakeResource) -> dg.SensorResult:
    """Ask for the hours whose ticks are not made from the frames there are now."""
    lake = store.open()
    files, ledger = chain(lake), Ledger(lake)
    cursor = Cursor.parse(context.cursor)
    hours, after = look(
        files,
        cursor,
        closed=HOURS.has_partition_key,
        stale=lambda some: stale_ticks(ledger, files, some),
    )
    built = [hour for hour in ledger.hours(BARS_1S) if HOURS.has_partition_key(hour)]
    requests = []
    for start, end in ranges(with_dependants(hours, built)):
        touching = [f for f in files if any(start <= hour <= end for hour in f.hours)]
        frames = "".join(f"{file.path} {file.sha256}\n" for file in touching)
        digest = hashlib.sha256(frames.encode()).hexdigest()[:16]
        requests.append(
            dg.RunRequest(run_key=f"{start}/{end}@{digest}", tags=range_tags(start, end))
        )
    events = []
    if after.seen != cursor.seen:
        events.append(
            dg.AssetMaterialization(
                BRONZE, metadata={"files": len(files), "frames": sum(f.rows for f in files)}
            )
        )
    return dg.SensorResult(run_requests=requests, cursor=after.text(), asset_events=events)


@dg.run_status_sensor(
    name="hours_built",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[hourly],
    request_job=matured,
    default_status=RUNNING,
    description="Once hours are built, labels and outcomes of them and of the hour before follow.",
)
def hours_built(
    context: dg.RunStatusSensorContext, store: LakeResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """An hour's labels look into the next one: ask for the hour before the built ones too."""
    own = hours_of_tags(context.dagster_run.tags)
    if not own:
        yield dg.SkipReason("the run had no partition")
        return
    built = set(store.open().hours(TRADES))
    wanted = {hour_after(own[0], -1), *own} & built
    for start, end in ranges(hour for hour in wanted if MATURED_HOURS.has_partition_key(hour)):
        yield dg.RunRequest(
            run_key=f"{context.dagster_run.run_id}/{start}", tags=range_tags(start, end)
        )


@dg.asset_sensor(
    name="drift_found",
    asset_key=DRIFT,
    default_status=RUNNING,
    job=training,
    description="A drift report that calls for retraining starts the training job.",
)
def drift_found(
    context: dg.SensorEvaluationContext, event: dg.EventLogEntry
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Retrain once per report that says so."""
    found = event.asset_materialization
    if found is not None and found.metadata["retrain"].value is True:
        yield dg.RunRequest(run_key=event.run_id)
    else:
        yield dg.SkipReason("the newest drift report does not call for retraining")


SENSORS: Final = (bronze_arrivals, hours_built, drift_found)
