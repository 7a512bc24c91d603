"""Running commands in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reaseq.cli.main import app

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; returns what it printed with white space folded, or raises what it raised."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")

    def invoke(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return " ".join(result.output.split())

    return invoke
