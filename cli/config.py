"""`reaseq config`: what is in force and where each value comes from."""

from reaseq.cli.tables import Column, ReportOption, Telling


def show(
    json_: ReportOption = False,
) -> None:
    """Print the settings in force and where each value comes from.

    Values come from reaseq.toml in the working directory and from REASEQ_* environment variables,
    which win. Example: REASEQ_ENGINE=openai reaseq config
    """
    from reaseq.api import settings as s

    settings = s.load()
    say = Telling(json_)
    if json_:
        say.end(**settings.model_dump())
        return
    origins = s.origins(settings)
    say.rows(
        [
            {"key": key, "value": str(getattr(settings, key)), "from": origins[key], "meaning": field.description}
            for key, field in s.Settings.model_fields.items()
        ],
        *(Column(name, name) for name in ("key", "value", "from", "meaning")),
        title="Settings in force",
        narrow=True,
    )
