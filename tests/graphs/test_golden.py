"""The golden cases of tests/golden are run by the plugin `reaseq.api.pytest_golden`; here, what the plugin does, in a
repository that is not ours."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def test_there_are_enough_cases() -> None:
    assert len(sorted(FOLDER.glob("*/*.yaml"))) >= 25
