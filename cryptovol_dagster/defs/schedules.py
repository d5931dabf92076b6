"""When things run without being asked. All times are UTC; all are on from the start."""

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.jobs import drift, hourly, training
from cryptovol_dagster.defs.resources import LakeResource
from cryptovol_dagster.recipe import by_hour
from data_lake.chain import chain
from data_lake.layout import hour_after, hour_key

RUNNING: Final = dg.DefaultScheduleStatus.RUNNING


@dg.schedule(
    name="hourly",
    job=hourly,
    cron_schedule="3 * * * *",
    execution_timezone="UTC",
    default_status=RUNNING,
    description="The hour that has just closed; what arrives later is the sensor's business.",
)
def hourly_schedule(
    context: dg.ScheduleEvaluationContext, store: LakeResource
) -> dg.RunRequest | dg.SkipReason:
    """Build the newest closed hour, where anything was recorded in it."""
    now_ns = int(context.scheduled_execution_time.timestamp()) * 1_000_000_000
    hour = hour_after(hour_key(now_ns), -1)
    if hour not in by_hour(chain(store.open())):
        return dg.SkipReason(f"nothing was recorded in {hour}")
    return dg.RunRequest(run_key=hour, partition_key=hour)


nightly_training = dg.ScheduleDefinition(
    name="nightly_training",
    job=training,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=RUNNING,
    description="A challenger every night; the gate decides whether it becomes champion.",
)

daily_drift = dg.ScheduleDefinition(
    name="daily_drift",
    job=drift,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    default_status=RUNNING,
    description="The drift report, before the nightly training.",
)

SCHEDULES: Final = (hourly_schedule, nightly_training, daily_drift)
