"""The call log of one run: what the chat client records goes into the store under the run's id."""

from dataclasses import asdict, dataclass
from typing import Any

from reaseq.knowledge_store.store import Store
from reaseq.llm.chat import Call


@dataclass(frozen=True)
class Ledger:
    """A `reaseq.llm.chat.CallLog` over the store."""

    store: Store
    run_id: int

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        return self.store.find_call(request_key, model_fingerprint)

    def record_call(self, call: Call) -> int:
        return self.store.add_call(run_id=self.run_id, **asdict(call))
