"""The batch shell: assets, checks, schedules and resources."""
