"""Prompt files: what is refused and in which words, rendering, fingerprints, overriding."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reaseq.prompts.library import (
    BUNDLED,
    Example,
    PromptError,
    PromptLibrary,
    doubts,
    load_prompt,
    neutral,
    parse_prompt,
    written,
)

GOOD = """\
name: verifier
description: Checks.
variables:
  category: The category.
  claims: The claims.
system: |
  Check {{category}}. Answer {"1": "yes"}.
user: |
  {{ claims }}
examples:
  - input: {claims: 1. red}
    reply: {"1": "yes"}
reply: json
reply_schema:
  type: object
  additionalProperties: {enum: ["yes", "no"]}
max_tokens: 40
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "verifier.yaml"


@pytest.mark.parametrize(
    ("change", "breaches"),
    [
        (("max_tokens: 40", "max_token: 40"), ["17: unknown key 'max_token'; do you mean 'max_tokens'?", "1: key"]),
        (("max_tokens: 40", "max_tokens: 0"), ["17: max_tokens: Input should be greater than 0"]),
        (("max_tokens: 40", "max_tokens: many"), ["17: max_tokens: Input should be a valid integer"]),
        (("description: Checks.\n", ""), ["1: key 'description' is missing"]),
        (("name: verifier", "name: verfier"), ["1: name 'verfier' differs from the file's name 'verifier'"]),
        (
            ("Check {{category}}", "Check {{categry}}"),
            ["6: system uses 'categry'", "4: variable 'category' is declared"],
        ),
        (("{{ claims }}", "{{ claims"), ["8: user: a placeholder is not of the form", "5: variable 'claims'"]),
        (("{{ claims }}", "{{ claims }} {{}}"), ["8: user: a placeholder is not of the form {{name}}"]),
        (("{claims: 1. red}", "{claim: 1. red}"), ["11: example 1 lacks the variable 'claims'", "no variable 'claim'"]),
        (
            ('reply: {"1": "yes"}', 'reply: {"1": "maybe"}'),
            ["12: example 1 breaks reply_schema: 'maybe' is not one of"],
        ),
        (('reply: {"1": "yes"}', "reply: yes indeed"), ["12: example 1: the reply is not JSON"]),
        (("  type: object", "  type: thing"), ["14: reply_schema is not a JSON Schema"]),
        (("reply: json", "reply: json\nreply: text"), ["14: key 'reply' stands here twice"]),
        (("reply: json", "reply: poem"), ["13: reply: Input should be 'json' or 'text'"]),
        (("reply: json", "reply: text"), ["12: example 1: the reply must be text"]),
        (("variables:", "variables: ["), ["not valid YAML"]),
        ((GOOD, "- a list"), ["1: a prompt is a mapping with the keys name, description"]),
    ],
)
def test_a_broken_prompt_says_where(path: Path, change: tuple[str, str], breaches: list[str]) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    path.write_text(text)
    with pytest.raises(PromptError) as caught:
        load_prompt(path)
    message = str(caught.value)
    for breach in breaches:
        assert breach in message
    assert all(line.startswith(f"{path}:") for line in message.splitlines() if not line.startswith(" "))


def test_several_errors_are_told_at_once(path: Path) -> None:
    path.write_text(GOOD.replace("max_tokens", "max_token").replace("{{category}}", "{{kind}}"))
    with pytest.raises(PromptError) as caught:
        load_prompt(path)
    assert len(str(caught.value).splitlines()) >= 2


def test_render(path: Path) -> None:
    path.write_text(GOOD)
    bound = load_prompt(path).bind(system={"category": "shoes"})
    assert bound.messages == (
        ("system", 'Check shoes. Answer {"1": "yes"}.'),
        ("user", "1. red"),
        ("assistant", '{"1": "yes"}'),
    )
    assert bound.user(claims="1. {{category}}") == "1. {{category}}"
    with pytest.raises(PromptError, match="lacks claims; has no claim"):
        bound.user(claim="x")
    with pytest.raises(PromptError, match="system text: lacks category"):
        load_prompt(path).bind(system={})


def test_given_examples_replace_the_files_own(path: Path) -> None:
    path.write_text(GOOD)
    bound = load_prompt(path).bind(system={"category": "x"}, examples=[Example(input={"claims": "a"}, reply="b")])
    assert bound.messages[1:] == (("user", "a"), ("assistant", "b"))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("description: Checks.", "description: Checks well."), True),
        (("category: The category.", "category: Its kind."), True),
        (("Check {{category}}", "Judge {{category}}"), False),
        (("1. red", "1. blue"), False),
        (("max_tokens: 40", "max_tokens: 50"), False),
    ],
)
def test_the_fingerprint_changes_with_what_shapes_a_request(path: Path, change: tuple[str, str], same: bool) -> None:
    path.write_text(GOOD)
    before = load_prompt(path).fingerprint
    path.write_text(GOOD.replace(*change))
    assert (load_prompt(path).fingerprint == before) is same


def test_the_bound_fingerprint_counts_what_was_filled_in(path: Path) -> None:
    path.write_text(GOOD)
    prompt = load_prompt(path)
    assert prompt.bind(system={"category": "a"}).fingerprint != prompt.bind(system={"category": "b"}).fingerprint


def test_a_users_file_replaces_the_bundled_one(path: Path) -> None:
    with_product = GOOD.replace("{{ claims }}", "{{product}} {{claims}}")
    with_product = with_product.replace("{claims: 1. red}", "{claims: x, product: y}")
    path.write_text(with_product.replace("  claims: The", "  product: A.\n  claims: The"))
    library = PromptLibrary(path.parent)
    assert library.path("verifier") == path
    assert library["verifier"].max_tokens == 40
    assert library["summarizer"].reply == "text"
    path.with_name("sumarizer.yaml").write_text(GOOD)
    with pytest.raises(PromptError, match="no agent has this name") as caught:
        PromptLibrary(path.parent)
    assert "sumarizer.yaml:1: " in str(caught.value)
    assert "do you mean summarizer.yaml?" in str(caught.value)
    path.with_name("sumarizer.yaml").unlink()
    path.with_name("verifier.yml").write_text(GOOD)
    with pytest.raises(PromptError, match=r"verifier\.yml:1: verifier\.yaml is there too"):
        PromptLibrary(path.parent)


def test_bundled_prompts_are_sound() -> None:
    library = PromptLibrary()
    assert list(library) == [
        "attribute_extractor",
        "beyond_log",
        "categorizer",
        "category_analyst",
        "prompt_proposer",
        "summarizer",
        "verifier",
    ]
    for name in library:
        assert library[name].name == name
    with pytest.raises(PromptError, match="no prompt 'poet'"):
        library["poet"]


_TOKENS = (
    "<|im_end|>",
    "<|im_start|>",
    "</s>",
    "<s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "\x1b[2J",
    "\u202e",
)


@given(st.lists(st.one_of(st.text(max_size=6), st.sampled_from(_TOKENS)), max_size=12).map("".join))
def test_no_control_token_survives(value: str) -> None:
    shown = neutral(value)
    for token in _TOKENS:
        assert token.casefold() not in shown.casefold()
    assert not any(char < " " and char not in "\n\t" for char in shown)
    assert neutral("plain text, <b>bold</b> [1] {{x}} 100 %") == "plain text, <b>bold</b> [1] {{x}} 100 %"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("user: |\n  {{ claims }}", "user: {{claims}}"),
            "8: a value that begins with a brace must be quoted",
        ),
        (GOOD.replace("Answer", "Ans\x0bwer"), "7: holds the control character U+000B"),
        (GOOD.replace("description: Checks.", f"description: {'9' * 5000}"), "2: "),
        (GOOD.replace("Checks.", "&a [*a]"), "1: not valid YAML"),
        (GOOD.replace("Checks.", "[" * 2000), "not valid YAML"),
        ("\x00", "holds the control character U+0000"),
        ("", "a prompt is a mapping"),
        ("? [1, 2]\n: x\n", "must be quoted"),
    ],
)
def test_whatever_stands_in_a_file_is_told_with_its_place(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(PromptError) as caught:
        load_prompt(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


def test_a_prompt_of_an_agent_uses_what_that_is_given(path: Path) -> None:
    path.write_text(GOOD)
    load_prompt(path)
    with pytest.raises(PromptError, match=r"8: user has no \{\{product\}\}, which it is given"):
        load_prompt(path, given=PromptLibrary().given(path.stem))
    more = GOOD.replace("{{ claims }}", "{{claims}} {{product}} {{brand}}")
    more = more.replace("claims: 1. red", "claims: x, product: y, brand: z")
    path.write_text(more.replace("  claims: The", "  product: A.\n  brand: B.\n  claims: The"))
    with pytest.raises(PromptError, match="10: user uses 'brand'; what it is given there: claims, product"):
        load_prompt(path, given=PromptLibrary().given(path.stem))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Check {{", "{% if x %} {{"), [(6, "system holds a block of Jinja, of which nothing is interpreted")]),
        (
            ("system: |\n  Check", "system: Rule # 1"),
            [(6, "system ends before '# 1")],
        ),
        (("max_tokens: 40", "max_tokens: 40 # enough"), []),
        (("Check {{", 'Reply like {"1": {"a": {}}}. Check {{'), []),
        (("  Check", "  # A heading\n  Check"), []),
    ],
)
def test_what_is_probably_not_meant_is_doubted(
    path: Path, change: tuple[str, str], said: list[tuple[int, str]]
) -> None:
    path.write_text(GOOD.replace(*change))
    found = doubts(path)
    assert [line for line, _ in found] == [line for line, _ in said]
    assert all(text.startswith(start) for (_, text), (_, start) in zip(found, said, strict=True))


def test_a_schema_is_looked_at_without_examples_too(path: Path) -> None:
    start, _, rest = GOOD.partition("examples:")
    path.write_text(start + "reply:" + rest.rpartition("reply:")[2].replace("type: object", "type: thing"))
    with pytest.raises(PromptError, match="reply_schema is not a JSON Schema"):
        load_prompt(path)


_SIGNS = ["", "\n", ":", "{", "}", "[", "'", '"', "&", "*", "!", "|", "\t", "\x07", "%", "é", "- "]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutants_are_told_or_usable(path: Path, data: st.DataObject) -> None:
    signs = list(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(signs) - 1))
        signs[at] = data.draw(st.sampled_from(_SIGNS))
    path.write_text("".join(signs))
    try:
        prompt = load_prompt(path)
    except PromptError as error:
        told = str(error)
    else:
        told = f"{path}:"
        system = dict.fromkeys(re.findall(r"\{\{\s*(\w+)\s*\}\}", prompt.system), "x")
        assert prompt.bind(system=system).messages
    assert told.startswith(f"{path}:")


@pytest.mark.parametrize("reply", ["{1: yes, 2: no}", "{1: 'yes', '2': no}", '{"1": "yes", "2": "no"}'])
def test_words_of_an_example_are_taken_as_they_are_written(path: Path, reply: str) -> None:
    text = (BUNDLED / "verifier.yaml").read_text()
    made = text.replace('{"1": "yes", "2": "no", "3": "no"}', reply)
    assert made != text
    prompt = parse_prompt(made, path.with_name("verifier.yaml"))
    assert prompt.examples[0].reply == {"1": "yes", "2": "no"}
    assert parse_prompt(written(prompt), path.with_name("verifier.yaml")) == prompt
