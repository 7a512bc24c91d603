"""A pytest plugin that runs golden cases: products with the replies that the agents got, and what must come of them.

    [tool.pytest.ini_options]
    reaseq_golden = ["tests/golden"]      # folders of CATEGORY/CASE.yaml

Each case runs from its recorded replies, with the prompts, schemas and agents that `reaseq.toml` names.
`--update-golden` records anew: cases of `origin: live` from the engine of the settings, others from their own
replies, for the requests of today. It writes what came out, and fails where that changed anything.

Nothing heavy is imported before there is a case to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reaseq.llm.endpoint import Endpoint

_FOLDERS = "reaseq_golden"
_LIVE = pytest.StashKey[tuple[AbstractContextManager[Any], Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_FOLDERS, "folders of golden cases of reaseq's agents, CATEGORY/CASE.yaml", type="paths", default=[])
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="record reaseq's golden cases again, and show what changed (see git diff)",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    folders = parent.config.getini(_FOLDERS)
    if file_path.suffix in (".yaml", ".yml") and any(folder in file_path.parents for folder in folders):
        return GoldenFile.from_parent(parent, path=file_path)
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    if _LIVE in config.stash:
        config.stash[_LIVE][0].__exit__(None, None, None)


class GoldenFile(pytest.File):
    """A file with one case."""

    def collect(self) -> Iterator[pytest.Item]:
        yield GoldenCase.from_parent(self, name=self.path.stem)


class GoldenCase(pytest.Item):
    """One case; its category is its folder's name."""

    def runtest(self) -> None:
        import asyncio

        from reaseq.api.engine import project_of
        from reaseq.api.settings import load
        from reaseq.graphs.golden import load_case, recorded_anew, replayed, save_case

        case, category, project = load_case(self.path), self.path.parent.name, project_of(load())
        if self.config.getoption("--update-golden"):
            live = _live(self.config) if case.origin == "live" else None
            fresh = asyncio.run(recorded_anew(category, case, project, live))
            if fresh != case:
                save_case(self.path, fresh)
                raise Changed(f"{self.path} was recorded anew and has changed: see git diff")
        found = asyncio.run(replayed(category, case, project))
        if found != case.expected:
            raise Changed("\n".join(_differences(case.expected, found)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from reaseq import ReaseqError

        if isinstance(excinfo.value, Changed | ReaseqError):
            hint = getattr(excinfo.value, "hint", None)
            return f"{self.path}:\n{excinfo.value}" + (f"\nNext: {hint}" if hint else "")
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"golden case {self.path.parent.name}/{self.name}"


class Changed(Exception):
    """A case that came to something else."""


def _live(config: pytest.Config) -> Endpoint:
    """The engine of the settings, started once."""
    from reaseq.api.engine import engine
    from reaseq.api.settings import load

    if _LIVE not in config.stash:
        started = engine(load())
        config.stash[_LIVE] = started, started.__enter__()
    endpoint: Endpoint = config.stash[_LIVE][1]
    return endpoint


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """What is missing, and what is there instead, a line each."""
    for name in dict.fromkeys((*expected, *found)):
        before, after = expected.get(name), found.get(name)
        if before == after:
            continue
        yield f"{name}:"
        listed = isinstance(before, list) or isinstance(after, list)
        gone, come = (before or [], after or []) if listed else ([before], [after])
        yield from (f"  - {one}" for one in gone if one not in come and one is not None)
        yield from (f"  + {one}" for one in come if one not in gone and one is not None)
