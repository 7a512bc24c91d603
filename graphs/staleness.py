"""What a product's knowledge depends on, and why it has to be made again."""

from collections.abc import Mapping
from dataclasses import dataclass

from reaseq.agents.product_text import fingerprint

CODE_VERSION = "2"
"""Raised when a change of code changes what a distillation finds."""

_WORDS = {
    "product": "text changed",
    "schema": "schema changed",
    "model": "model changed",
    "code": "reaseq changed",
    "decision": "somebody decided on a claim",
}


@dataclass(frozen=True)
class Inputs:
    """The fingerprints that all products of a run share."""

    schema: str
    model: str
    prompts: Mapping[str, str]

    def parts(self, sources: Mapping[str, str]) -> dict[str, str]:
        """Everything one product's knowledge depends on, by name."""
        return {
            "product": fingerprint(sources),
            "schema": self.schema,
            "model": self.model,
            "code": CODE_VERSION,
            **{f"prompt {name}": value for name, value in self.prompts.items()},
        }


def reason(parts: Mapping[str, str], before: Mapping[str, str] | None, status: str | None) -> str | None:
    """Why a product is stale, in words; None if nothing it depends on has changed."""
    if before is None:
        return "new"
    changed = [name for name in sorted({*parts, *before}) if parts.get(name) != before.get(name)]
    if changed:
        return ", ".join(_WORDS.get(name, f"{name} changed") for name in changed)
    return "failed last time" if status == "failed" else None
