"""What all tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.knowledge_store.store import Store

# How long an example takes says more about the machine than about the code; in CI the examples are always the same.
for name, examples in (("share", 24), ("trials", 300)):
    settings.register_profile(
        name,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=examples,
    )

REALDATA = Path(os.environ.get("REASEQ_REALDATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-trials", action="store_true", help="long trials in full, not the share that is usual")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("trials" if config.getoption("--all-trials") else "share")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In full, what is tried in part otherwise is a trial too."""
    if config.getoption("--all-trials"):
        for item in items:
            of_examples = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
            if of_examples or "all_trials" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.trial)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("realdata") and not REALDATA.is_dir():
        why = f"the real data sets are not at {REALDATA} (set REASEQ_REALDATA)"
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real data must be there: {why}", pytrace=False)
        pytest.skip(why)


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of the real data sets."""
    return REALDATA


@pytest.fixture(scope="session")
def all_trials(pytestconfig: pytest.Config) -> bool:
    """Whether long trials are run in full (`make trials`)."""
    return bool(pytestconfig.getoption("--all-trials"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the developer's own settings, and none may reach a paid endpoint by accident."""
    for name in list(os.environ):
        if name.startswith("REASEQ_") and not name.startswith(("REASEQ_TEST_", "REASEQ_MODELS_DIR", "REASEQ_REALDATA")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def fake() -> Iterator[FakeEndpoint]:
    """A well-behaved endpoint; `fake.configure(...)` makes it misbehave."""
    with FakeEndpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def store(tmp_path: Path, _empty_store: Path) -> Iterator[Store]:
    """An empty one: a copy, which is made in a tenth of the time."""
    shutil.copy(_empty_store, path := tmp_path / "store.sqlite")
    with Store.open(f"sqlite:///{path}") as opened:
        yield opened


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A browser without a window. Of one test alone: while it is there, its event loop runs."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no browser is installed (apt-get install chromium)")
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()
