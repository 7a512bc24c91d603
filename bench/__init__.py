"""Measurements people run: each prints one table and writes JSON."""
