"""Prompt files and schemas, broken at random: a message that names file and place, or accepted and then usable."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from reaseq import ReaseqError
from reaseq.documents.document import Document
from reaseq.prompts.library import PromptLibrary, load_prompt
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import load_schema

ROOT = Path(__file__).resolve().parents[2]
USUAL, ALL = 1_000, 5_000
_SIGNS = (
    *(
        "\n",
        ":",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "&a ",
        "*a",
        "!",
        "|",
        "\t",
        "\x07",
        "%",
        "é",
        "- ",
        "? ",
        "#",
        " ",
        "  ",
    ),
    *("null", "2026-13-45", "1e999", ".nan", "{{x}}", "{% if %}", "<<: *a", "!!python/object:os.system", "\u2028"),
)


def mutants(texts: list[tuple[str, str]], number: int) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    rng = random.Random(number)
    while True:
        name, text = rng.choice(texts)
        for _ in range(rng.choice([1, 2, 6])):
            at = rng.randrange(len(text) + 1)
            match rng.randrange(10):
                case 0 | 1 | 2 | 3 | 4:
                    text = text[:at] + rng.choice(_SIGNS) + text[at:]
                case 5 | 6:
                    text = text[:at] + text[at + rng.choice([1, 3, 40]) :]
                case 7:
                    text = text[:at]
                case 8:
                    lines = text.split("\n")
                    chosen = rng.randrange(len(lines))
                    lines[chosen] = rng.choice(["", lines[chosen] * 2, f"  {lines[chosen]}", lines[chosen].lstrip()])
                    text = "\n".join(lines)
                case _:
                    start = rng.randrange(len(text) + 1)
                    text = text[:at] + text[start : start + 60] + text[at:]
        yield name, text


def said_of(path: Path, read: Callable[[Path], object]) -> str:
    """What reading it is refused with; "" if it is not."""
    try:
        read(path)
    except ReaseqError as error:
        return str(error)
    return ""


def test_prompt_files(tmp_path: Path, all_trials: bool) -> None:
    prompts = [(path.name, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "prompts").glob("*.yaml"))]
    library, source = PromptLibrary(), mutants(prompts, 1)
    for _ in range((ALL if all_trials else USUAL) // 2):
        name, text = next(source)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        said = said_of(path, lambda path: load_prompt(path, given=library.given(path.stem)))
        assert not said or re.match(rf"{re.escape(str(path))}:\d+: ", said), f"{said}\n{text}"


def test_schemas(tmp_path: Path, all_trials: bool) -> None:
    # Their beginnings: what is broken far down is broken no otherwise.
    files = sorted((ROOT / "taxonomy" / "starters").glob("*.yaml"))
    schemas = [(path.name, path.read_text(encoding="utf-8")[:4000].rpartition("\n")[0]) for path in files]
    source = mutants(schemas, 2)
    document = Document({"title": "Blue rubber boots", "attributes.Colour": "blue"})
    for _ in range((ALL if all_trials else USUAL) // 2):
        name, text = next(source)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        said = said_of(path, lambda path: Lexicon(load_schema(path)).find(document))
        assert not said or str(path) in said, f"{said}\n{text}"
