"""The demo: from a simulated exchange to a drift report, in one command."""
