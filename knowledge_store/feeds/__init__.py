"""Feed files: reading their records, and guessing what their columns mean."""
