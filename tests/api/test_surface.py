"""The public surface and its page: no name or signature changes without the changelog, and all of it is on the page."""

import html
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reaseq

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"


@pytest.fixture(scope="module")
def surface() -> str:
    """As another process sees it, in which no test has changed anything."""
    command = [sys.executable, str(ROOT / "scripts" / "surface.py"), "--print"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_no_name_or_signature_changes_without_the_changelog(surface: str) -> None:
    from hashlib import sha256

    how = "python scripts/surface.py writes the file; say in CHANGELOG.md what has changed"
    assert surface == (ROOT / "tests" / "api" / "surface.txt").read_text(), how
    newest = CHANGELOG.read_text().split("\n## ")[1]
    told = re.findall(r"^- Public surface: `(\w+)`", newest, re.MULTILINE)
    assert told == [sha256(surface.encode()).hexdigest()[:8]], how


def test_the_surface_is_all_that_is_public(surface: str) -> None:
    classes = re.findall(r"^(?:class|def) (\w+)|^(\w+) = ", surface, re.MULTILINE)
    assert [one or other for one, other in classes] == reaseq.__all__
    for owner in (reaseq.KnowledgeBase, reaseq.Ranker, reaseq.Frame, reaseq.Agent, reaseq.OwnProduct):
        part = re.search(rf"^class {owner.__name__}\b.*\n((?:    .*\n)+)", surface, re.MULTILINE)
        assert part is not None
        for name, one in vars(owner).items():
            if not name.startswith("_") and (inspect.isroutine(one) or isinstance(one, property)):
                assert re.search(rf"\b{name}\b", part.group(1)), name
    for line in (
        "    engine='embedded'",
        "    def claims(self, category: str | None = None, *, status: str | None = None)",
    ):
        assert line in surface


def test_all_that_is_public_says_what_it_is() -> None:
    said = {name: getattr(reaseq, name).__doc__ or "" for name in reaseq.__all__ if name != "Progress"}
    assert [name for name, text in said.items() if not text.strip()] == []


@pytest.mark.trial
def test_every_public_name_is_on_the_page(tmp_path: Path) -> None:
    pytest.importorskip("pdoc", reason="the page of API reference needs the extra `docs`")
    command = [sys.executable, "-W", "error::UserWarning", str(ROOT / "scripts" / "reference.py"), str(tmp_path)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    assert made.stderr == ""
    page = Path(made.stdout.strip()).read_text(encoding="utf-8")
    there = set(re.findall(r'id="([\w.]+)"', page))
    assert set(reaseq.__all__) <= there
    for owner in (reaseq.KnowledgeBase, reaseq.Ranker, reaseq.Frame, reaseq.Agent, reaseq.OwnProduct, reaseq.Product):
        methods = {f"{owner.__name__}.{name}" for name, one in vars(owner).items() if inspect.isfunction(one)}
        assert {name for name in methods if "._" not in name} <= there
    for words in ("where replies come from", 'some of "id"'):
        assert words in html.unescape(page)
    assert re.search(r"decorator-in_python\s*\{\s*display:\s*none", page)
