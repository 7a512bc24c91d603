"""What to do next, said in Python to those who called from there."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from reaseq import ReaseqError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_CALLS = (
    (re.compile(r"reaseq import-events\b"), "kb.add_events(source)"),
    (re.compile(r"reaseq import\b"), 'kb.add_products(source, category="NAME")'),
    (re.compile(r"reaseq distill --category (\S+)"), r'kb.distill("\1")'),
    (re.compile(r"reaseq embed\b"), "kb.embed()"),
    (re.compile(r"reaseq train-ranker\b|--set dim=128"), "kb.train_ranker(dim=128)"),
    (re.compile(r"reaseq events stats\b"), "kb.events()"),
    (re.compile(r"reaseq knowledge list\b"), "kb.products()"),
    (re.compile(r"reaseq review\b"), "kb.claims()"),
    (re.compile(r"--map (\w+)=\S+"), r'columns={"\1": "COLUMN"}'),
    (re.compile(r"reaseq config\b"), "help(reaseq.open)"),
)
"""Commands, and the calls that do the same."""


def in_python(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, whose errors say in Python what to do next."""

    @wraps(function)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except ReaseqError as error:
            call = next((found.expand(call) for what, call in _CALLS if (found := what.search(error.hint or ""))), "")
            if call and call != error.hint:
                error.hint = call
                error.__notes__ = [f"Next: {call}"]
            raise

    return told
