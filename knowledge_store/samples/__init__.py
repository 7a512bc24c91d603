"""A small catalogue of invented shoes, as imperfect as real ones, and an invented log, for trying things out."""

from pathlib import Path

SHOES = Path(__file__).parent / "shoes.csv"
SHOE_EVENTS = Path(__file__).parent / "shoe_events.csv"
