"""What went wrong and what to do next, said in Python to those who called from there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, cast

from reaseq import ReaseqError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_A_FRAME = "read it into a data frame yourself, and give that"
_HINTS = tuple(
    (re.compile(what, re.DOTALL), call)
    for what, call in (
        (r"^.*reaseq import-events\b.*?--map (\w+)=.*$", r'kb.add_events(source, columns={"\1": "COLUMN"})'),
        (r"^reaseq import FILE --map (\w+)=.*$", r'kb.add_products(source, columns={"\1": "COLUMN"})'),
        (r'^--map (\w+)= --map (\w+)="(.*?)".*$', r'columns={"\1": "", "\2": "\3"}'),
        (r'^--map (\w+)="(.*?)".*$', r'columns={"\1": "\2"}'),
        (r"^.*reaseq import-events\b.*$", "kb.add_events(source)"),
        (r"^reaseq import --help$|^ls .*$", "give the path of another file"),
        (r"^.*reaseq import\b.*$", 'kb.add_products(source, category="NAME")'),
        (r"^.*--(encoding|delimiter|header-row|sheet|records)\b.*$", _A_FRAME),
        (r"^less (.+?) +\(all reasons\)$", r"\1 has all reasons"),
        (r"^reaseq distill --category (\S+).*$", r'kb.distill("\1")'),
        (r"^reaseq embed, then train-ranker", "kb.embed(), then kb.train_ranker()"),
        (r"^--set (\w+)=VALUE$", r"\1=..."),
        (r"^reaseq train-beyond-log --help$", "help(kb.imagine)"),
        (r"^reaseq train-beyond-log --set (\w+)=(\w+)$", r"kb.imagine(\1=\2)"),
        (r"^reaseq train-beyond-log\b.*$|^reaseq imagine$", "kb.imagine()"),
        (r"^--set dim=64$", "kb.imagine(dim=64)"),
        (r"^reaseq train-ranker --help$", "help(kb.train_ranker)"),
        (r"^reaseq train-ranker --split (\S+)", r'kb.train_ranker(split="\1")'),
        (r"^reaseq train-ranker --set (\w+)=(\w+)", r"kb.train_ranker(\1=\2)"),
        (r"^reaseq train-ranker$", "kb.train_ranker()"),
        (r"^--set dim=128$", "kb.train_ranker(dim=128)"),
        (r"^reaseq runs$", "kb.ranker()   (the newest), or more of the id"),
        (r"^--out (\S+)$", r'ranker.to_onnx("\1")'),
        (r"reaseq embed\b(?!dings)", "kb.embed()"),
        (r"reaseq events users\b", "kb.users()"),
        (r"reaseq events stats\b", "kb.events()"),
        (r"reaseq knowledge list\b", "kb.products()"),
        (r"reaseq review log\b", "kb.decisions()"),
        (r"reaseq review undo (\d+)", r"kb.undo(\1)"),
        (r"reaseq review undo\b", "kb.undo(decision)"),
        (r"^reaseq review$", "kb.claims()"),
        (r"^reaseq prompts lint$", "mend it in that file (docs/prompts.md), and call it again"),
        (
            r"^set it in reaseq\.toml: \[prices\.'(.*?)'\] .*$",
            r'reaseq.open(path, prices={"\1": {"input": ..., "output": ...}})   (of a million tokens)',
        ),
        (r"^replay_file = '(.*?)' in reaseq\.toml$", r'reaseq.open(path, replay_file="\1")'),
        (r"reaseq config( --help)?", "help(reaseq.open)"),
        (r"^--model NAME, or .*$", 'reaseq.open(path, model="NAME")'),
        (r"^the same command with --engine (\w+)", r'reaseq.open(path, engine="\1")'),
        (r"--(engine|model) ([\w./-]+)", r'\1="\2"'),
        (r"--model\b", "model="),
        (r"; --trust-remote-code .*$", ""),
        (r"\brun the same command(: it goes on)?", r"call it again\1"),
        (r"; the same command goes on$", "; called again, it goes on"),
        (r"then: reaseq ", "then, in a terminal: reaseq "),
    )
)
"""Of hints the commands and options, and what does the same in Python."""
_MESSAGES = tuple(
    (re.compile(what), call)
    for what, call in (
        (r"--map (\w+)=…", r'columns={"\1": …}'),
        (r"--map (\w+)=('.*?'|\".*?\")", r'columns={"\1": \2}'),
        (r" \(--day-first or --month-first says which\)", " (as 2026-02-01 it cannot be misread)"),
        (r"reaseq review undo", "kb.undo"),
    )
)
_COMMAND = re.compile(r"^(reaseq [a-z]|jq )")
"""What has no like in Python."""


def in_python(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function or coroutine, whose errors say in Python what is wrong and what to do next."""
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            with python_words():
                return await function(*args, **kwargs)

        return cast(Callable[_P, _T], awaited)

    @wraps(function)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with python_words():
            return function(*args, **kwargs)

    return told


@contextmanager
def python_words() -> Iterator[None]:
    """Inside, errors say in Python what is wrong and what to do next."""
    try:
        yield
    except ReaseqError as error:
        _translate(error)
        raise


def _translate(error: ReaseqError) -> None:
    error.args = (message_in_python(str(error)), *error.args[1:])
    if error.hint and (hint := hint_in_python(error.hint)) != error.hint:
        error.hint = hint
        error.__notes__ = [f"Next: {hint}"]


def message_in_python(message: str) -> str:
    """A message without options of commands."""
    for what, call in _MESSAGES:
        message = what.sub(call, message)
    return message


def hint_in_python(hint: str) -> str:
    """A hint with calls for commands; where there is none, it says that it is for a terminal."""
    for what, call in _HINTS:
        hint = what.sub(call, hint)
    return f"in a terminal: {hint}" if _COMMAND.match(hint) else hint
