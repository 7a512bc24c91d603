"""Whether `reaseq prompts compare` tells an edit from noise: `python -m reaseq.bench.prompt_comparison --gold FILE`.

FILE is a gold file (see `reaseq eval-extraction`). A simulated model answers the extractor: of the gold's values it
gives `--right`, the rest are other words of the title or nothing, by chance that is fixed for each product, attribute
and version of the prompt. Each product is read by the real agents once with each version, and what came of it is kept:

    planted   of one attribute of each category it gives right values in `--planted` of cases
    null      nothing is worse, and of all values one in ten is drawn anew, as a harmless edit makes some otherwise

Then `--times` comparisons are made of `--sample` products each, drawn with replacement from all that were read. The
true difference is that over all of them. Told are how often the interval covers it, and how often a change is called:
of F1, or of any attribute.
"""

import argparse
import asyncio
import json
import platform
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage

from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.extraction_score import GoldRow, read_gold
from reaseq.agents.labelled import scattered
from reaseq.agents.summarizer import Summarizer
from reaseq.graphs.comparison import ATTRIBUTE_LEVEL, attribute_changes, f1_of, subjects_of_gold
from reaseq.graphs.extraction_eval import GoldCategory, categories
from reaseq.graphs.product_graph import ProductAgents, stages_of
from reaseq.graphs.trial import Pair, Trial, read_in_pairs
from reaseq.knowledge_store.store import Store
from reaseq.llm.chat import Call, Chat, ChatRequest
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary

RESULTS = Path(__file__).parent / "results"
_DRAWN_ANEW = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--right", type=float, default=0.8)
    parser.add_argument("--planted", type=float, default=0.5)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--most", type=int, default=0, help="rows of each category; 0: all")
    arguments = parser.parse_args()
    groups = categories(list(read_gold(arguments.gold)), examples=2)
    started, made = time.perf_counter(), {}
    for edit in ("planted", "null"):
        pairs = asyncio.run(read(groups, edit, arguments))
        made[edit] = simulated(pairs, arguments.sample, arguments.times)
    print(f"{arguments.gold.name}: {len(pairs):,} products; {arguments.times} comparisons of {arguments.sample} each\n")
    print(f"{'edit':10}{'true difference':>18}{'covered':>10}{'F1 called':>12}{'any called':>12}{'half width':>12}")
    for edit, one in made.items():
        figures = f"{one['covered']:>10.3f}{one['f1_called']:>12.3f}{one['called']:>12.3f}{one['half_width']:>12.4f}"
        print(f"{edit:10}{one['true']:>+18.4f}{figures}")
    told = {name: str(value) for name, value in vars(arguments).items()}
    result = {"settings": told, "machine": platform.platform(), "seconds": time.perf_counter() - started, **made}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "prompt_comparison.json"
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\nwritten: {path}")


class Simulated(Chat):
    """A chat whose model is a gold file and chance. worse: the attribute of which few values are right."""

    def __init__(self, row_of: dict[str, GoldRow], group: GoldCategory, worse: str | None, edited: bool, right: float,
                 planted: float) -> None:  # fmt: skip
        endpoint = Endpoint("http://127.0.0.1:9/v1", "simulated", "simulated", grammar=False, logprobs=False)
        super().__init__(endpoint, Counted(), concurrency=8, timeout=1, retries=0, seed=0)
        self.row_of, self.group, self.worse, self.edited = row_of, group, worse, edited
        self.right, self.planted = right, planted

    async def _send(self, request: ChatRequest) -> AIMessage:
        said: dict[str, Any] = {}
        if request.agent == AttributeExtractor.name:
            said = self._extracted(self.row_of[request.product_id or ""])
        elif request.agent == Summarizer.name:
            return AIMessage("It is what it is.", response_metadata={"finish_reason": "stop"})
        else:
            said = {str(number): "yes" for number in range(1, 60)}
        return AIMessage(json.dumps(said), response_metadata={"finish_reason": "stop"})

    def _extracted(self, row: GoldRow) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, gold in self.group.names.items():
            anew = self.edited and chance(row.id, name, "anew") < _DRAWN_ANEW
            version = "edited" if anew else "first"
            right = self.planted if self.edited and name == self.worse else self.right
            forms = row.gold.get(gold, ())
            words = row.title.split()
            if chance(row.id, name, version) < right:
                made[name] = forms[0] if forms else None
            elif chance(row.id, name, version, "wrong") < 0.5 and words:
                made[name] = words[int(chance(row.id, name, version, "word") * len(words))]
        return made


def chance(*said: str) -> float:
    """A number from 0 to 1 that is the same for the same words."""
    return int.from_bytes(scattered(" ".join(said))[:8]) / 2**64


class Counted:
    """A call log that keeps nothing."""

    calls = 0

    def find_call(self, request_key: str, model_fingerprint: str) -> None:
        return None

    def record_call(self, call: Call) -> int:
        self.calls += 1
        return self.calls

    def waits(self, why: str, seconds: float) -> None:
        pass


async def read(groups: Sequence[GoldCategory], edit: str, arguments: argparse.Namespace) -> list[Pair]:
    """All products of the gold, in both ways."""
    made: list[Pair] = []
    with Store.open("sqlite://") as store:
        for group in groups:
            rows = {row.id: row for row in group.rows}
            subjects = subjects_of_gold(group.rows, group.names, arguments.most or len(rows))
            counted = {name: sum(name in one.judged for one in subjects) for name in group.names}
            worse = max(counted, key=counted.__getitem__) if edit == "planted" else None

            def trial(edited: bool) -> Trial:
                chat = Simulated(rows, group, worse, edited, arguments.right, arguments.planted)  # noqa: B023
                agents = ProductAgents.build(group.schema, PromptLibrary(), grammar=False)  # noqa: B023
                return Trial(store, agents, stages_of(agents, lambda name: chat, lambda name: 0))

            pairs = await read_in_pairs(subjects, trial(False), trial(True), width=8)
            made += pairs.done
    return made


def simulated(pairs: Sequence[Pair], sample: int, times: int) -> dict[str, float]:
    """How comparisons of samples of these do."""
    whole = f1_of(pairs)
    assert whole is not None
    covered = f1_called = called = 0
    width = 0.0
    for number in range(times):
        some = random.Random(number).choices(pairs, k=sample)
        found = f1_of(some)
        assert found is not None
        covered += found.low <= whole.difference <= found.high
        width += (found.high - found.low) / 2
        attributes = attribute_changes(some, frozenset())
        any_told = found.told or any(one.p is not None and one.p < ATTRIBUTE_LEVEL for one in attributes)
        f1_called += found.told
        called += any_told
    return {
        "true": whole.difference,
        "covered": covered / times,
        "f1_called": f1_called / times,
        "called": called / times,
        "half_width": width / times,
    }


if __name__ == "__main__":
    main()
