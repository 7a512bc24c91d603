"""The golden cases of tests/golden are run by the plugin `reaseq.api.pytest_golden`; here, what the plugin does, in a
repository that is not ours."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "golden"


def test_there_are_enough_cases() -> None:
    assert len(sorted(FOLDER.glob("*/*.yaml"))) >= 25


CASE = """
about: A forbidden claim is flagged.
origin: scripted
grammar: false
logprobs: false
product:
  title: Devil's Claw 500
  description: Heals arthritis within weeks.
replies:
- {agent: attribute_extractor, content: '{"form": "capsules"}'}
- {agent: compliance_checker, content: '{"flags": [{"quote": "Heals arthritis", "kind": "cures a disease"}]}'}
- {agent: summarizer, content: "Devil's Claw, to be swallowed."}
"""
PLAIN = """
about: No agent of ours is asked about tea.
origin: scripted
grammar: false
logprobs: false
product: {title: Assam tea}
replies:
- {agent: attribute_extractor, content: '{}'}
- {agent: summarizer, content: 'Assam is a tea.'}
"""
SCHEMA = """
category: supplements
description: Food supplements.
attributes:
- {name: form, description: What it comes as., facet: supply, kind: closed, values: {capsules: [], drops: []}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that is not ours: its own category, agent and prompts."""
    shutil.copytree(ROOT / "examples" / "compliance", tmp_path / "shop", ignore=shutil.ignore_patterns("golden"))
    shop = tmp_path / "shop"
    (shop / "schemas").mkdir()
    (shop / "schemas" / "supplements.yaml").write_text(SCHEMA)
    (shop / "prompts").mkdir()
    shutil.copy(ROOT / "prompts" / "summarizer.yaml", shop / "prompts")
    (shop / "reaseq.toml").write_text('pipeline = "pipeline.yaml"\nprompts_dir = "prompts"\n')
    (shop / "golden" / "supplements").mkdir(parents=True)
    (shop / "golden" / "supplements" / "claw.yaml").write_text(CASE)
    (shop / "golden" / "tea").mkdir()
    (shop / "golden" / "tea" / "assam.yaml").write_text(PLAIN)
    (shop / "pytest.ini").write_text("[pytest]\nreaseq_golden = golden\n")
    return shop


def pytest_in(folder: Path, *options: str) -> tuple[int, str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.trial
def test_cases_of_a_repository_that_is_not_ours(repository: Path) -> None:
    flagged, plain = (repository / "golden" / name for name in ("supplements/claw.yaml", "tea/assam.yaml"))
    code, said = pytest_in(repository, "--update-golden")
    assert (code, "was recorded anew" in said, "2 failed" in said) == (1, True, True), said
    assert "found_by: compliance_checker" in flagged.read_text()
    code, said = pytest_in(repository)
    assert (code, "2 passed" in said) == (0, True), said

    prompt = repository / "compliance_checker.yaml"
    prompt.write_text(prompt.read_text().replace("that the law forbids.", "that the law does not allow."))
    plain.write_text(re.sub("summary: .*", "summary: Darjeeling.", plain.read_text()))
    code, said = pytest_in(repository)
    assert (code, "compliance_checker is asked what is not on record" in said) == (1, True), said
    assert "summary:\n  - Darjeeling.\n  + Assam tea." in said


@pytest.mark.trial
def test_a_case_that_is_none_says_so(repository: Path) -> None:
    (repository / "golden" / "supplements" / "claw.yaml").write_text("about: nothing\n")
    code, said = pytest_in(repository)
    assert (code, "not a golden case" in said) == (1, True), said
