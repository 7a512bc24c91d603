"""A small catalogue of invented shoes, as imperfect as real ones, for trying things out."""

from pathlib import Path

SHOES = Path(__file__).parent / "shoes.csv"
