"""When things run without being asked. All times are UTC."""

from __future__ import annotations

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.jobs import drift, hourly, training

hourly_schedule = dg.build_schedule_from_partitioned_job(
    hourly,
    name="hourly",
    minute_of_hour=3,
    description="The hour that has just closed; what arrives later is the sensor's business.",
)

nightly_training = dg.ScheduleDefinition(
    name="nightly_training",
    job=training,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    description="A challenger every night; the gate decides whether it becomes champion.",
)

daily_drift = dg.ScheduleDefinition(
    name="daily_drift",
    job=drift,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    description="The drift report, before the nightly training.",
)

SCHEDULES: Final = (hourly_schedule, nightly_training, daily_drift)
