"""The batch shell: Dagster assets over the lake. Read, call the core, write, report."""

from data_lake.environment import apply_switches

apply_switches()  # telemetry is off before Dagster, MLflow or Evidently are imported
