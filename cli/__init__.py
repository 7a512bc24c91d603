"""The `reaseq` command: one file a command group; each parses, calls one function, prints."""
