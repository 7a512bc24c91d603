"""reaseq from Python: `reaseq.open`, and what it gives."""
