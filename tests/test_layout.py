"""The folders at the root, the links to them, the lists in pyproject.toml and the wheel agree."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import reaseq

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_folder_is_listed_everywhere(pyproject: dict[str, Any]) -> None:
    tool = pyproject["tool"]
    wheel = tool["hatch"]["build"]["targets"]["wheel"]
    package = {"src/reaseq/__init__.py", "src/reaseq/py.typed"}
    assert {"agents", "graphs", "prompts", "knowledge_store", "ranker", "cli"} <= set(FOLDERS)
    assert sorted(set(wheel["only-include"]) - package) == FOLDERS
    assert wheel["sources"] == {"src/reaseq": "reaseq"} | {name: f"reaseq/{name}" for name in FOLDERS}
    assert sorted(set(tool["pyright"]["include"]) - {"tests"}) == FOLDERS
    assert sorted(tool["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]) == FOLDERS
    links = {path.name: path for path in (ROOT / "src" / "reaseq").iterdir() if path.is_symlink()}
    assert sorted(links) == FOLDERS
    assert all(path.readlink() == Path(f"../../{name}") for name, path in links.items())


def test_the_wheel_holds_what_a_user_needs(tmp_path: Path) -> None:
    build = (
        "import sys; from hatchling.builders.wheel import WheelBuilder; "
        "print(next(WheelBuilder(sys.argv[1]).build(directory=sys.argv[2])))"
    )
    command = [sys.executable, "-c", build, str(ROOT), str(tmp_path)]
    path = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    names = set(zipfile.ZipFile(path).namelist())
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in {".py", ".yaml", ".csv", ".mako"} and "results" not in file.parts:
                assert f"reaseq/{file.relative_to(ROOT)}" in names
    assert "reaseq/py.typed" in names
    assert all(name.startswith(("reaseq/", "reaseq-")) for name in names), "no other top-level names"


def test_folders_are_not_importable_by_their_bare_names(tmp_path: Path) -> None:
    code = "import importlib.util as u, sys; sys.exit(str([n for n in sys.argv[1:] if u.find_spec(n)]))"
    result = subprocess.run(
        [sys.executable, "-c", code, *FOLDERS], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize("said", [{}, {"OMP_WAIT_POLICY": "active", "GOMP_SPINCOUNT": "7"}])
def test_how_threads_wait_is_set_before_torch_is_loaded_unless_said(said: dict[str, str]) -> None:
    """Spinning threads make training beside another busy process many times slower."""
    code = "import os, reaseq, sys; print(*map(os.environ.get, reaseq.WAITING), 'torch' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name not in reaseq.WAITING} | said
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == [*(said or reaseq.WAITING).values(), "False"]
