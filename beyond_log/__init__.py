"""Beyond-log behaviours: what people plausibly do outside the log."""
