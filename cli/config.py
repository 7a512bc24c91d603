"""`reaseq config`: what is in force and where each value comes from."""

from typing import Annotated

import typer


def show(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print the settings in force and where each value comes from.

    Values come from reaseq.toml in the working directory and from REASEQ_* environment variables,
    which win. Example: REASEQ_ENGINE=openai reaseq config
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.api import settings as s

    settings = s.load()
    origins = s.origins(settings)
    if json_:
        Console().print_json(settings.model_dump_json())
        return
    table = Table(title="Settings in force", title_justify="left")
    for column in ("key", "value", "from", "meaning"):
        table.add_column(column, overflow="fold")
    for key, field in s.Settings.model_fields.items():
        table.add_row(key, Text(str(getattr(settings, key))), Text(origins[key]), Text(field.description or ""))
    Console().print(table)
