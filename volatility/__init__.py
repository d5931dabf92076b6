"""The pure core: wire formats, bars, features, labels, models, evaluation. No I/O, clock or log."""
