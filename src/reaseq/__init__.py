"""reaseq: world knowledge for rankers, distilled from a catalogue and a behaviour log.

    kb = reaseq.open("kb")                      # a folder; made if it is not there yet
    kb.add_products(frame, category="shoes")    # a file, a data frame or dictionaries; add_events likewise
    kb.distill("shoes", engine="none")          # claims and summaries; plan says what that would take
    kb.claims().to_pandas()                     # or to_arrow(), to_polars(); products, events, embeddings likewise
    kb.product("FS-1001").known                 # what is known of a product, by attribute
    kb.decide(kb.claims()[0], "approve")        # a person's word on a claim; undo takes it back
    kb.embed()                                  # vectors of what is known
    kb.imagine()                                # what users plausibly do outside the log
    ranker = kb.train_ranker()                  # or kb.ranker(): that of a finished run
    ranker.rank(users, candidates)              # scores, as a frame
    ranker.recommend(user, k=10)                # the best products, with reasons; explain: of some products
    ranker.judge({"mine": function})            # a ranker of your own in the same table; metrics: the table

What can be put right is a `ReaseqError`, whose hint says how. `help(reaseq.KnowledgeBase)` and `help(reaseq.Ranker)`
have every method. Everything named in `__all__` is public and documented (docs/python.md); the modules below are not.
"""

import os as _os
from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from reaseq.api.agents import Agent, Claim, OwnProduct, Pipeline, agent
    from reaseq.api.base import KnowledgeBase
    from reaseq.api.frames import Frame
    from reaseq.api.ranking import Ranker, Recommendation
    from reaseq.api.running import Progress
    from reaseq.api.views import Product

__all__ = [
    "Agent",
    "Claim",
    "Frame",
    "KnowledgeBase",
    "OwnProduct",
    "Pipeline",
    "Product",
    "Progress",
    "Ranker",
    "ReaseqError",
    "Recommendation",
    "agent",
    "open",
]
__version__ = "0.1.0"

WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}
"""How OpenMP's threads wait for each other: they spin for a moment, then sleep. Spinning on, as they do by themselves, they
would take the core from the one that they wait for, wherever another process is at work (`bench/busy_machine.py`). It is
read when torch is loaded; what the environment says already stays."""
for _name, _value in WAITING.items():
    _os.environ.setdefault(_name, _value)

# In a checkout the folders stand at the repository root. Putting the root first on the package's
# search path makes tracebacks, debuggers and coverage name `agents/...` rather than the links
# below this folder, and lets a checkout without links (Windows) run. An installed wheel holds the
# folders here, so nothing is added there.
_root = _Path(__file__).resolve().parents[2]
if (_root / "knowledge_store").is_dir() and (_root / "pyproject.toml").is_file():
    __path__.insert(0, str(_root))


class ReaseqError(Exception):
    """Something a user can put right. The message says what was wrong and where; `hint` what to type next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(f"Next: {hint}")


def open(path: str | _Path | None = None, **settings: _Any) -> "KnowledgeBase":
    """Open a knowledge base: a store of products, claims and events, made if it is not there yet.

    path: the folder that it is kept in, with its runs; None: as `reaseq.toml` and `REASEQ_*` in the working directory
    say, which is where the command line works. settings, by name, come before both; what is left out is as these say,
    or else:

        engine="embedded"     where replies come from: "embedded", "openai", "vllm", "replay"; "none": code alone reads
        model=None            the model's name; None: the engine's own
        base_url=             address of the engine "openai", by default OpenAI's
        api_key_env="OPENAI_API_KEY"   the environment variable that holds the key
        concurrency=None      calls at a time; None: 4 of the engine "embedded", 32 of others
        timeout=None          seconds that a call may take; None: 600 and 120
        retries=6             how often a request that failed is sent again
        repairs=2             how often a reply that cannot be used goes back with what is wrong with it
        votes=1               how often a product is read, 1 to 15
        columns=12            how many other columns of a feed prompts show, at most
        temperature=0.0       of sampling; None leaves it to the endpoint
        seed=0                of everything random
        prices={}             by model, of a million tokens: {"gpt-4o": {"input": 2.5, "output": 10}}
        leave_off=[]          what requests leave off where an endpoint refuses it ("seed", "logprobs", ...)
        encoder="all-MiniLM-L6-v2"     what embeds texts
        pipeline=None         which agents read a product: a `reaseq.Pipeline`, or its file
        prompts_dir=None      folder of prompts of your own
        schemas_dir="schemas" folder of category schemas of your own
        store=None            a database's address ("postgresql://..."); None: SQLite in the folder
        state_dir, runs_dir, models_dir=None   folders of the store, of trained rankers, of weights; the first two by path
        replay_file=None      recorded replies, of the engine "replay"
        vllm_args=[]          further arguments of `vllm serve`

    Raises:
        ReaseqError: there is no such setting, it cannot be as it is, or the store cannot be opened.
    """
    from reaseq.api.base import open_base

    return open_base(path, **settings)


_LAZY = {
    **{"Frame": "frames", "KnowledgeBase": "base", "Product": "views", "Progress": "running"},
    **{"Ranker": "ranking", "Recommendation": "ranking"},
    **dict.fromkeys(("Agent", "Claim", "OwnProduct", "Pipeline", "agent"), "agents"),
}
"""What is imported when it is asked for, and from which module of `reaseq.api`."""


def __dir__() -> list[str]:
    """All that is public, loaded or not, for `help` and completion."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> _Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'reaseq' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"reaseq.api.{_LAZY[name]}"), name)
