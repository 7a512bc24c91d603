"""Tokens that endpoints report in their own ways, or not at all."""

from typing import Any

import pytest

from reaseq.llm.answers import completion
from reaseq.llm.budget import estimate_tokens

MESSAGES = [{"role": "user", "content": "x" * 300}]
REPLY = "y" * 90
PROMPT = estimate_tokens([("user", "x" * 300)])
MADE = estimate_tokens([("assistant", REPLY)])


@pytest.mark.parametrize(
    ("usage", "prompt", "made", "estimated"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}, 100, 20, False),
        ({"prompt_tokens": "100", "completion_tokens": "20.0"}, 100, 20, False),
        ({"input_tokens": 100, "output_tokens": 20}, 100, 20, False),
        ({"prompt_tokens": "100", "completion_tokens": None, "total_tokens": 120}, 100, 20, False),
        ({"prompt_tokens": None, "completion_tokens": 20, "total_tokens": 120}, 100, 20, False),
        ({"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 120}, 100, 20, False),
        ({"prompt_tokens": 100}, 100, MADE, True),
        ({"completion_tokens": 20}, PROMPT, 20, True),
        ({"total_tokens": 1000}, PROMPT, 1000 - PROMPT, True),
        ({"total_tokens": 10}, 10, 0, True),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, PROMPT, MADE, True),
        ({"prompt_tokens": "many", "completion_tokens": "nan"}, PROMPT, MADE, True),
        ({}, PROMPT, MADE, True),
        (None, PROMPT, MADE, True),
        ("none", PROMPT, MADE, True),
    ],
)
def test_usage(usage: Any, prompt: int, made: int, estimated: bool) -> None:
    answer = {"choices": [{"message": {"content": REPLY}}], "usage": usage}
    found = completion(answer, MESSAGES, None)["usage"]
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (prompt, made, prompt + made)
    assert found["estimated"] is estimated


def test_what_is_thought_is_used_too() -> None:
    message = {"content": REPLY, "reasoning_content": REPLY}
    usage = completion({"choices": [{"message": message}]}, MESSAGES, None)["usage"]
    assert usage["completion_tokens"] > 1.5 * MADE
