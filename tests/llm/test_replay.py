import json
import socket
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.llm.endpoint import EngineError
from reaseq.llm.replay import ReplayServer, load_replies, replies_fingerprint
from reaseq.llm.requests import request_key

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "What colour?"}], "temperature": 0.0, "seed": 0}


def row(body: dict[str, Any] = ASK, content: str = "red", **more: Any) -> dict[str, Any]:
    reply = {"content": content, "finish_reason": "stop", "prompt_tokens": 7, "completion_tokens": 1}
    return {"request_key": request_key(body), "agent": "a", "reply": reply | more}


def ask(base_url: str, body: dict[str, Any] = ASK, model: str = "any") -> Any:
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=10) as client:
        return client.chat.completions.create(model=model, **body)


def served(recorded: dict[str, Any]) -> ReplayServer:
    return ReplayServer({recorded["request_key"]: recorded})


@pytest.mark.parametrize("model", ["recorded", "another/model"])
def test_a_recorded_reply_comes_back_under_any_model_name(model: str) -> None:
    with served(row()) as endpoint:
        reply = ask(endpoint.base_url, model=model)
    assert reply.choices[0].message.content == "red"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 1)
    assert reply.model == model


@pytest.mark.parametrize("content", ["", "not JSON", '{"cut": "off', "日本語 \u2028 \x00", '{"a": null}'])
@pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter"])
def test_anything_can_be_recorded(content: str, finish_reason: str) -> None:
    with served(row(content=content, finish_reason=finish_reason)) as endpoint:
        choice = ask(endpoint.base_url).choices[0]
    assert (choice.message.content, choice.finish_reason) == (content, finish_reason)


def test_log_probabilities_come_back_in_the_shape_of_the_api() -> None:
    body = ASK | {"logprobs": True, "top_logprobs": 2}
    recorded = row(body, "yes", logprobs=[["yes", [["yes", -0.1], ["no", -2.4]]], ["!", [["?", -0.2]]]])
    with served(recorded) as endpoint:
        first, second = ask(endpoint.base_url, body).choices[0].logprobs.content
    assert (first.token, first.logprob) == ("yes", -0.1)
    assert [(top.token, top.logprob) for top in first.top_logprobs] == [("yes", -0.1), ("no", -2.4)]
    assert second.logprob < -100


def test_an_unknown_request_is_a_404_that_names_it_and_is_kept() -> None:
    server = served(row())
    other = ASK | {"messages": [{"role": "user", "content": "What size?"}]}
    with server as endpoint, pytest.raises(openai.NotFoundError) as caught:
        ask(endpoint.base_url, other)
    assert request_key(other) in str(caught.value)
    assert "What size?" in str(caught.value)
    assert [body["messages"] for body in server.missed] == [other["messages"]]


@pytest.mark.parametrize(
    ("status", "error"), [(401, openai.AuthenticationError), (429, openai.RateLimitError), (500, openai.APIStatusError)]
)
def test_a_recorded_status_is_an_http_error(status: int, error: type[Exception]) -> None:
    recorded = {"request_key": request_key(ASK), "status": status, "reply": {"content": "as recorded"}}
    with served(recorded) as endpoint, pytest.raises(error, match="as recorded"):
        ask(endpoint.base_url)


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": "text"}])
def test_what_is_no_chat_request_is_refused(body: dict[str, Any]) -> None:
    with served(row()) as endpoint, openai.OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError, match="not a chat request"):
            client.post("/chat/completions", body=body, cast_to=object)
        with pytest.raises(openai.NotFoundError, match="no such path"):
            client.post("/embeddings", body=body, cast_to=object)


def test_the_server_is_gone_afterwards() -> None:
    with served(row()) as endpoint:
        ask(endpoint.base_url)
    port = int(endpoint.base_url.rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_the_fingerprint_changes_with_a_reply() -> None:
    one, same, other = (replies_fingerprint({r["request_key"]: r}) for r in (row(), row(), row(content="blue")))
    assert one == same != other


def test_a_file_is_read_and_of_equal_requests_the_last_counts(tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    rows = [row(), row(ASK | {"seed": 1}, "green"), row(content="blue")]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    replies = load_replies(file)
    assert [r["reply"]["content"] for r in replies.values()] == ["blue", "green"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"request_key": "k", "re', "line 2: not JSON"),
        ("[]", "line 2: a recorded reply needs"),
        ('{"request_key": "k"}', "line 2: a recorded reply needs"),
        ('{"request_key": 1, "reply": {"content": ""}}', "line 2: a recorded reply needs"),
        ('{"request_key": "k", "reply": {"content": null}}', "line 2: a recorded reply needs"),
        ("\udcff", "cannot read"),
    ],
)
def test_a_bad_file_is_refused_by_line(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text(json.dumps(row()) + "\n" + line, errors="surrogateescape")
    with pytest.raises(EngineError, match=said):
        load_replies(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nowhere\.jsonl"):
        load_replies(tmp_path / "nowhere.jsonl")


messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": st.text()}), min_size=1
)


@given(messages, st.integers(1, 99), st.dictionaries(st.sampled_from(["model", "user", "stream", "n"]), st.text()))
def test_a_key_depends_on_nothing_but_what_shapes_the_reply(
    turns: list[dict[str, str]], longest: int, others: dict[str, str]
) -> None:
    key = request_key({"messages": turns, "max_tokens": longest})
    assert key == request_key({"max_completion_tokens": longest, "seed": None, "messages": turns} | others)
    assert key != request_key({"messages": turns, "max_tokens": longest + 1})
    assert key != request_key({"messages": [*turns, {"role": "user", "content": ""}], "max_tokens": longest})


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"temperature": 0.5},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
        {"top_logprobs": 3},
        {"stop": ["\n"]},
    ],
)
def test_a_key_changes_with_what_shapes_the_reply(change: dict[str, Any]) -> None:
    assert request_key(ASK | change) != request_key(ASK)
