"""Prompts are YAML files that people edit: loaded, checked, rendered and fingerprinted here.

A template holds `{{name}}` placeholders and nothing else that is interpreted, so JSON braces are
safe. Values are strangers' text: they are never expanded again, and what could be read as a chat
template's control token, a terminal sequence or hidden text is taken out of them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reaseq import ReaseqError
from reaseq.documents.locales import locale_of, steps_of
from reaseq.documents.plain_yaml import FastLoader, PlainLoader, plain_load

BUNDLED = Path(__file__).parent

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
_IN_BRACES = re.compile(r"\{\{\{\s*[a-z][a-z0-9_]*\s*\}\}\}")
EXTENDS = "extends"
"""The key of a category's file, and the placeholder of the text beneath."""
_OF_NO_PRODUCT = frozenset(("beyond_log", "categorizer", "category_analyst", "prompt_proposer"))
"""Agents that read no products one by one, so that no product's locale tells which prompt is theirs."""
_BENEATH = re.compile(r"\{\{\s*extends\s*\}\}")
_JINJA = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_MALFORMED = re.compile(r"\{\{|(?<!\{)\{?\s*\b[a-z][a-z0-9_]*\s*\}\}(?!\})")
"""Half a placeholder; two brackets that end JSON are none."""
# Control characters but for newline and tab, zero-width and bidirectional marks, tag characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_CONTROL_TOKEN = re.compile(
    r"<(?=\|)|<(?=/?(?:s|bos|eos|pad|unk|think|tool_call|start_of_turn|end_of_turn|sys)>)|<<(?=/?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\])",
    re.IGNORECASE,
)


class PromptError(ReaseqError):
    """A prompt that cannot be used. The message gives file and line of every breach."""


class Message(NamedTuple):
    """One turn of a chat: role (system, user or assistant) and content."""

    role: str
    content: str


class Example(BaseModel):
    """A worked request: `input` fills the user template, `reply` is what a good model answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: dict[str, str]
    reply: str | dict[str, Any]

    @property
    def reply_text(self) -> str:
        return self.reply if isinstance(self.reply, str) else json.dumps(self.reply, ensure_ascii=False)


class Prompt(BaseModel):
    """One agent's prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(description="The agent's name; equals the file's stem.")]
    description: Annotated[str, Field(description="What it is for, for people.")]
    variables: Annotated[dict[str, str], Field(description="Every variable of the texts, and what it holds.")]
    system: Annotated[str, Field(description="The system text.", min_length=1)]
    user: Annotated[str, Field(description="The template of a request.", min_length=1)]
    protected: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(description="Texts that must stand in the system text, word for word, whoever edits it."),
    ] = ()
    examples: Annotated[tuple[Example, ...], Field(description="Worked requests.")] = ()
    reply: Annotated[Literal["json", "text"], Field(description="What is expected back.")]
    reply_schema: Annotated[
        dict[str, Any] | None, Field(description="JSON Schema that each example's reply must satisfy.")
    ] = None
    max_tokens: Annotated[int, Field(gt=0, strict=True, description="The longest reply, in tokens.")]

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the SHA-256 of all that shapes a request; not the description."""
        shaping = self.model_dump(mode="json", exclude={"name", "description", "variables", "protected"})
        return _hash(shaping)

    def bind(self, *, system: Mapping[str, str], examples: Sequence[Example] | None = None) -> "BoundPrompt":
        """Fill in what all requests of a run share. `examples`, if given, replace the file's own.

        Raises:
            PromptError: `system` lacks a variable of the system text, or an example one of the user text.
        """
        user = _Template(self.user, f"{self.name}: user text")
        messages = [Message("system", _Template(self.system, f"{self.name}: system text").render(system))]
        for example in self.examples if examples is None else examples:
            messages += [Message("user", user.render(example.input)), Message("assistant", example.reply_text)]
        return BoundPrompt(self, tuple(messages), user)


class BoundPrompt:
    """A prompt whose shared part is rendered: `messages` is the prefix, `user(...)` one request's text."""

    def __init__(self, prompt: Prompt, messages: tuple[Message, ...], template: "_Template") -> None:
        self.name = prompt.name
        self.max_tokens = prompt.max_tokens
        self.messages = messages
        self.version = prompt.fingerprint
        self.fingerprint = _hash([prompt.fingerprint, messages])
        self._template = template
        self.template = prompt.user

    def user(self, **values: str) -> str:
        """The user text of one request.

        Raises:
            PromptError: a variable is missing or unknown.
        """
        return self._template.render(values)


class Given(NamedTuple):
    """The prompt's file of an agent of one's own, and the variables that fill its system and its user text."""

    path: Path
    system: set[str]
    user: set[str]


class PromptLibrary:
    """The bundled prompts and those of people's own agents, overridden by files of the same name in the user's
    directory."""

    def __init__(self, user_dir: Path | None = None, own: Mapping[str, Given] | None = None) -> None:
        self._own = own or {}
        self._user_dir = user_dir
        self._tried: set[str] = set()
        self._paths = {path.stem: path for path in sorted(BUNDLED.glob("*.yaml"))}
        self._paths |= {name: given.path for name, given in self._own.items()}
        if user_dir is not None:
            if not user_dir.is_dir():
                raise PromptError(f"{user_dir}: no such directory", hint=f"reaseq prompts eject {user_dir}")
            if misnamed := misnamed_in(user_dir, self._own):
                raise PromptError(
                    "\n".join(f"{path}:1: {what}" for path, what in misnamed), hint="rename it, or move it elsewhere"
                )
            self._paths |= {path.stem: path for path in files_in(user_dir) if not locale_in(path)}
        self._loaded: dict[str, Prompt] = {}
        self._layers: tuple[tuple[str, str], ...] = ()
        """Category and locale (or "") of the files that are laid over, the last over all others."""
        self._beneath: PromptLibrary | None = None
        """The same without the last of them."""

    def __getitem__(self, name: str) -> Prompt:
        """The prompt of agent `name`.

        Raises:
            PromptError: there is none, or its file is wrong.
        """
        if name not in self._paths:
            raise PromptError(f"no prompt {name!r}; known: {', '.join(self._paths)}", hint="reaseq prompts list")
        if name not in self._loaded:
            path = self._paths[name]
            if name in self._own and not path.is_file():
                raise PromptError(
                    f"agent {name}: its prompt is not there: {path}",
                    hint='write it beside the agent (docs/agents.md), or name its file: prompt_file = "..."',
                )
            self._loaded[name] = load_prompt(path, given=self.given(name))
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def path(self, name: str) -> Path:
        return self._paths[name]

    def text(self, name: str) -> str:
        """The file of agent `name`; where it is made of several, what they come to."""
        if len(self.overlaid(name)) > 1:
            return written(self[name])
        return self._paths[name].read_text(encoding="utf-8")

    def with_prompt(self, prompt: Prompt) -> "PromptLibrary":
        """The same with another prompt for one agent, for all categories."""
        made = copy(self)
        made._loaded = self._loaded | {prompt.name: prompt}
        made._tried = self._tried | {prompt.name}
        return made

    def of(self, category: str, locale: str | None = None) -> "PromptLibrary":
        """The same for a category: files of the user's folder for it, `CATEGORY/AGENT.yaml`, override parts of the
        others. For products of a locale `AGENT.de.yaml` lies over these, and `CATEGORY/AGENT.de.yaml` over all; for
        de-AT, which is one of de, `AGENT.de-AT.yaml` over `AGENT.de.yaml`.

        Raises:
            PromptError: one of them is wrong.
        """
        steps = steps_of(locale) if locale else []
        return self._with((category, ""), *(("", one) for one in steps), *((category, one) for one in steps))

    def _with(self, *layers: tuple[str, str]) -> "PromptLibrary":
        made = self
        for category, locale in layers:
            if category or locale:
                made = made._laid_over(category, locale)
        return made

    @property
    def category(self) -> str:
        """Whose prompts these are; "": of none in particular."""
        return next((category for category, _ in self._layers if category), "")

    def _laid_over(self, category: str, locale: str) -> "PromptLibrary":
        if self._user_dir is None or (category, locale) in self._layers:
            return self
        made = copy(self)
        made._loaded, made._paths, made._beneath = dict(self._loaded), dict(self._paths), self
        made._layers = (*self._layers, (category, locale))
        folder = self._user_dir / category
        if misnamed := misnamed_in(folder, self._own) if category else []:
            raise PromptError("\n".join(f"{path}:1: {what}" for path, what in misnamed), hint="reaseq prompts list")
        for path in files_in(folder):
            name = agent_in(path)
            if locale_in(path) == locale and name not in self._tried:
                made._loaded[name] = parse_prompt(read_text(path), path, given=self.given(name), base=self[name])
                made._paths[name] = path
        return made

    def beneath(self, path: Path) -> Prompt | None:
        """The prompt of which the file overrides parts, if it says that it does: for a file of a locale, that of this
        library's category."""
        with suppress(yaml.YAMLError, ValueError, RecursionError, TypeError, PromptError):
            raw = plain_load(read_text(path))
            under = self.under(path)
            if isinstance(raw, dict) and raw.get(EXTENDS) in under._paths:
                return under[raw[EXTENDS]]
        return None

    def under(self, path: Path) -> "PromptLibrary":
        """The prompts over which the file of a category or of a locale is laid."""
        root = self
        while root._beneath is not None:
            root = root._beneath
        steps = steps_of(locale_in(path)) if locale_in(path) else []
        if not steps or self._user_dir is None:
            return root
        folder = path.absolute().parent
        mine = folder.name if folder.parent == self._user_dir.absolute() else ""
        category = (mine or self.category, "")
        if not mine:
            return root._with(category, *(("", one) for one in steps[:-1]))
        return root._with(category, *(("", one) for one in steps), *((mine, one) for one in steps[:-1]))

    def overlays(self, name: str) -> dict[str, Path]:
        """The files that override parts of the prompt of agent `name`, by category."""
        found = sorted(self._user_dir.glob(f"*/{name}.y*ml")) if self._user_dir else []
        return {path.parent.name: path for path in found}

    def of_locales(self, name: str) -> list[tuple[str | None, str, Path]]:
        """The files that override parts of the prompt of agent `name` for products of a locale, each with its category
        (None: it is for all) and its locale."""
        if self._user_dir is None:
            return []
        found: list[tuple[str | None, Path]] = [(None, path) for path in sorted(self._user_dir.glob(f"{name}.*.y*ml"))]
        found += [(path.parent.name, path) for path in sorted(self._user_dir.glob(f"*/{name}.*.y*ml"))]
        return [(category, locale_in(path), path) for category, path in found]

    def locales(self, name: str, category: str) -> list[str]:
        """Those for which the prompt of agent `name` is another, in a category."""
        return sorted({locale for of, locale, _ in self.of_locales(name) if of in (None, category)})

    def overlaid(self, name: str) -> list[Path]:
        """The files of which the prompt of agent `name` is made: the last overrides parts of the one before."""
        paths = self._beneath.overlaid(name) if self._beneath is not None else []
        return paths if self._paths[name] in paths else [*paths, self._paths[name]]

    def given(self, name: str) -> Given | None:
        """What the agent of that name fills into its texts; None: there is no such agent."""
        return self._own.get(name) or _given(name)


def agent_in(path: Path) -> str:
    """The agent that a prompt's file is named after: `verifier.yaml`, and `verifier.de.yaml`."""
    return path.stem.partition(".")[0]


def locale_in(path: Path) -> str:
    """The locale that a prompt's file is named after, if it is: `verifier.de.yaml`."""
    return path.stem.partition(".")[2]


def files_in(folder: Path) -> list[Path]:
    """The prompt files of a folder."""
    return sorted(folder.glob("*.y*ml"))


def misnamed_in(folder: Path, own: Iterable[str] = ()) -> list[tuple[Path, str]]:
    """The files of a folder that no agent's prompt can be, by their names, each with why. own: names of one's own
    agents."""
    known = [*(path.stem for path in files_in(BUNDLED)), *own]
    found: list[tuple[Path, str]] = []
    first: dict[str, Path] = {}
    for path in files_in(folder):
        other = first.setdefault(path.stem, path)
        name, locale = agent_in(path), locale_in(path)
        if name not in known:
            near = get_close_matches(name, known, 1)
            rest = path.name.removeprefix(name)
            told = f" (do you mean {near[0]}{rest}?)" if near else ""
            found.append((path, f"no agent has this name{told}; known: {', '.join(known)}"))
        elif locale and (written := locale_of(locale)) != locale:
            told = f"{locale!r} is no locale" if written is None else f"the locale is written {written}"
            found.append((path, f"{told}: {name}.de{path.suffix} is for products in German, {name}.de-AT{path.suffix} "
                                "for those of Austria"))  # fmt: skip
        elif locale and name in _OF_NO_PRODUCT:
            found.append((path, f"{name} reads no products one by one, so it has no prompt of a locale"))
        elif other != path:
            found.append((path, f"{other.name} is there too, and only one can count"))
    return found


def load_prompt(path: Path, *, given: Given | None = None) -> Prompt:
    """Read and check one prompt file. given: what it must use, and nothing else.

    Raises:
        PromptError: the file is wrong; the message holds a `FILE:LINE: what` for every breach.
    """
    return parse_prompt(read_text(path), path, given=given)


def read_text(path: Path) -> str:
    """The text of a prompt file.

    Raises:
        PromptError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(f"{path}: {error.strerror or error}", hint="reaseq prompts list") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PromptError(f"{path}:{line}: not UTF-8", hint="save it as UTF-8") from error


def written(prompt: Prompt) -> str:
    """A prompt as a file holds it."""
    said = prompt.model_dump(mode="json", exclude_none=True, exclude=None if prompt.protected else {"protected"})
    return yaml.dump(said, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _over(raw: Mapping[str, Any], base: Prompt) -> dict[str, Any]:
    """What a file's parts make of the prompt beneath it; `{{extends}}` in its texts is the text there."""
    made = base.model_dump(mode="json", exclude_none=True) | {key: raw[key] for key in raw if key != EXTENDS}
    for part in ("system", "user"):
        if isinstance(raw.get(part), str):
            made[part] = getattr(base, part).rstrip("\n").join(_BENEATH.split(raw[part]))
    return made


def parse_prompt(text: str, path: Path, *, given: Given | None = None, base: Prompt | None = None) -> Prompt:
    """Check the text of a prompt file, which stands at `path`, or stood there. base: the prompt of which it overrides
    parts."""
    raw, lines, twice = read_yaml(text, path)
    breaches = [(lines.get(place, 1), f"key {place[-1]!r} stands here twice") for place in twice]
    if not isinstance(raw, dict):
        raise PromptError(f"{path}:1: a prompt is a mapping with the keys {', '.join(Prompt.model_fields)}")
    if base is None and EXTENDS in raw:
        where = f"{path}:{lines.get((EXTENDS,), 1)}"
        raise PromptError(
            f"{where}: only a prompt of a category or of a locale extends another",
            hint=f"put it at CATEGORY/{path.name} in that folder, or call it {agent_in(path)}.de.yaml",
        )
    if base is not None:
        if raw.get(EXTENDS) != base.name:
            whose = "locale" if locale_in(path) else "category"
            breaches.append((lines.get((EXTENDS,), 1), f"a {whose}'s file says {EXTENDS}: {base.name}"))
        raw = _over(raw, base)
    prompt = None
    try:
        prompt = Prompt.model_validate(raw)
    except ValidationError as error:
        breaches += [breach_of(issue, lines, _keys_at) for issue in error.errors()]
        # An unknown key must not hide what else is wrong.
        with suppress(ValidationError):
            prompt = Prompt.model_validate({key: raw[key] for key in Prompt.model_fields if key in raw})
    if prompt is not None:
        breaches += _check(prompt, path, lines)
        breaches += _check_given(prompt, given, lines) if given else ()
    if breaches or prompt is None:
        raise PromptError(
            "\n".join(f"{path}:{line}: {what}" for line, what in sorted(breaches)), hint="reaseq prompts lint"
        )
    return prompt


Place = tuple[str | int, ...]
_NO_YAML = "reaseq prompts show NAME"


def read_yaml(text: str, path: Path, *, quick: bool = False) -> tuple[Any, dict[Place, int], list[Place]]:
    """What the YAML text of a file holds, the line of every key and item, and the keys that stand twice in one mapping.
    quick: by libyaml, if it is there, of what is sound; it is ten times as fast.

    Raises:
        PromptError: it is no YAML; the message holds `FILE:LINE: what`.
    """
    try:
        root = _quickly(text) if quick else None
        root = yaml.compose(text, Loader=PlainLoader) if root is None else root
        lines, twice, bare = located(root)
        if bare:
            raise PromptError(
                "\n".join(f"{path}:{line}: a value that begins with a brace must be quoted" for line in bare),
                hint='write it between quotes, or below "|" on lines of its own',
            )
        return PlainLoader("").construct_document(root) if root is not None else None, lines, twice
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        told = "a tab stands there: take it out, or quote the value" if "'\\t'" in str(error.problem) else ""
        raise PromptError(f"{path}:{line}: not valid YAML: {error.problem}", hint=told or _NO_YAML) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PromptError(
            f"{path}:{line}: holds the control character U+{error.character:04X}, which YAML does not allow",
            hint="take it out, or write it as an escape between double quotes",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        # Dates of no calendar, numbers too long, anchors within themselves
        line = _line_of_unreadable(text)
        raise PromptError(f"{path}:{line}: not valid YAML: {error}", hint=_NO_YAML) from error


def _quickly(text: str) -> yaml.Node | None:
    with suppress(AttributeError, yaml.YAMLError, ValueError, RecursionError):
        return yaml.compose(text, Loader=FastLoader)
    return None


def located(root: yaml.Node | None) -> tuple[dict[Place, int], list[Place], list[int]]:
    """Of a YAML text the line of every key and item, the keys that stand twice in one mapping, and the lines of keys
    that are no words, as `{{product}}` without quotes makes them."""
    lines: dict[Place, int] = {}
    twice: list[Place] = []
    bare: list[int] = []

    def walk(node: yaml.Node | None, place: Place) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    bare.append(key.start_mark.line + 1)
                    continue
                here = (*place, str(key.value))
                if key.value in seen:
                    twice.append(here)
                seen.add(key.value)
                lines[here] = key.start_mark.line + 1
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                lines[(*place, index)] = item.start_mark.line + 1
                walk(item, (*place, index))

    walk(root, ())
    return lines, twice, bare


def _line_of_unreadable(text: str) -> int:
    """The line of the first value that YAML parses and cannot make."""
    loader: Any = PlainLoader("")
    with suppress(yaml.YAMLError, RecursionError):
        for event in yaml.parse(text, Loader=PlainLoader):
            if isinstance(event, yaml.ScalarEvent) and event.style is None:
                tag = loader.resolve(yaml.ScalarNode, event.value, (True, False))
                try:
                    loader.construct_object(yaml.ScalarNode(tag, event.value))
                except (yaml.YAMLError, ValueError):
                    return event.start_mark.line + 1 if event.start_mark else 1
    return 1


def line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """The line of what stands at `place`, or of what holds it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def breach_of(issue: Any, lines: Mapping[Place, int], keys_at: Callable[[Place], Iterable[str]]) -> tuple[int, str]:
    """The line of what pydantic found wrong, and what that is. keys_at: the keys that may stand at a place."""
    place = tuple(part for part in issue["loc"] if (part in ("str",) or str(part).startswith("dict[")) is False)
    name = ".".join(map(str, place))
    if issue["type"] == "extra_forbidden":
        near = get_close_matches(str(place[-1]), list(keys_at(place)), 1)
        return line_of(place, lines), f"unknown key {name!r}" + (f"; do you mean {near[0]!r}?" if near else "")
    if issue["type"] == "missing":
        return line_of(place, lines), f"key {name!r} is missing"
    return line_of(place, lines), f"{name}: {issue['msg']}"


def _keys_at(place: Place) -> Iterable[str]:
    return Example.model_fields if place[0] == "examples" else Prompt.model_fields


def _check(prompt: Prompt, path: Path, lines: Mapping[Place, int]) -> Iterator[tuple[int, str]]:
    """What pydantic cannot check: names, placeholders, examples."""
    if prompt.name != agent_in(path):
        yield line_of(("name",), lines), f"name {prompt.name!r} differs from the file's name {agent_in(path)!r}"
    if prompt.reply_schema is not None:
        import jsonschema

        try:
            jsonschema.Draft202012Validator.check_schema(prompt.reply_schema)
        except jsonschema.SchemaError as error:
            yield line_of(("reply_schema",), lines), f"reply_schema is not a JSON Schema: {error.message}"
            prompt = prompt.model_copy(update={"reply_schema": None})
    used: dict[str, set[str]] = {}
    for part, template in (("system", prompt.system), ("user", prompt.user)):
        if _MALFORMED.search(_PLACEHOLDER.sub("", template)):
            yield line_of((part,), lines), f"{part}: a placeholder is not of the form {{{{name}}}}"
        used[part] = set(_PLACEHOLDER.findall(template))
        for name in sorted(used[part] - set(prompt.variables)):
            yield line_of((part,), lines), f"{part} uses {name!r}, which `variables` does not declare"
    for index, text in enumerate(prompt.protected):
        if text.strip() not in prompt.system:
            place: Place = ("protected", index)
            said = f"the system text lacks what is protected: {text.strip()!r}"
            yield line_of(place if place in lines else ("system",), lines), said
    for name in prompt.variables:
        if name not in used["system"] | used["user"]:
            yield line_of(("variables", name), lines), f"variable {name!r} is declared and never used"
    for index, example in enumerate(prompt.examples):
        here: Place = ("examples", index)
        for name in sorted(used["user"] - set(example.input)):
            yield line_of((*here, "input"), lines), f"example {index + 1} lacks the variable {name!r}"
        for name in sorted(set(example.input) - used["user"]):
            yield line_of((*here, "input", name), lines), f"example {index + 1}: the user text has no variable {name!r}"
        yield from _check_reply(prompt, example, (*here, "reply"), index + 1, lines)


def _check_given(prompt: Prompt, given: Given, lines: Mapping[Place, int]) -> Iterator[tuple[int, str]]:
    """What would fail when the first product is asked for."""
    for part, names in (("system", given.system), ("user", given.user)):
        used = set(_PLACEHOLDER.findall(getattr(prompt, part)))
        for name in sorted(used - names):
            told = ", ".join(sorted(names)) or "nothing"
            yield line_of((part,), lines), f"{part} uses {name!r}; what it is given there: {told}"
        for name in sorted(names - used):
            yield line_of((part,), lines), f"{part} has no {{{{{name}}}}}, which it is given"


@lru_cache
def _given(name: str) -> Given | None:
    """What a bundled agent fills into its texts: what the bundled prompt holds."""
    path = BUNDLED / f"{name}.yaml"
    if not path.is_file():
        return None
    raw = plain_load(path.read_text(encoding="utf-8"))
    return Given(path, *(set(_PLACEHOLDER.findall(raw[part])) for part in ("system", "user")))


def doubts(path: Path) -> list[tuple[int, str]]:
    """What a sound prompt file may well say, and probably does not mean, each with its line: it is sent as it
    stands."""
    return doubts_of(path.read_text(encoding="utf-8"))


def doubts_of(text: str) -> list[tuple[int, str]]:
    """The same of a text."""
    lines = text.splitlines()
    root = yaml.compose(text, Loader=PlainLoader)
    found = []
    for place, node in _scalars(root):
        if place in (("system",), ("user",)) and _JINJA.search(node.value):
            line = node.start_mark.line + 1
            found.append((line, f"{place[0]} holds a block of Jinja, of which nothing is interpreted"))
        if place in (("system",), ("user",)) and (braces := _IN_BRACES.search(node.value)):
            line = node.start_mark.line + 1
            found.append((line, f"{place[0]} holds {braces[0]}, which sends the value between braces"))
        line = node.end_mark.line
        rest = lines[line][node.end_mark.column :].strip() if line < len(lines) else ""
        is_prose = " " in node.value or place[0] in ("system", "user")
        if node.style is None and is_prose and rest.startswith("#"):
            name = ".".join(map(str, place))
            found.append((line + 1, f"{name} ends before {rest[:40]!r}, which is a comment; quote it, if it is text"))
    return found


def _scalars(node: yaml.Node | None, place: Place = ()) -> Iterator[tuple[Place, yaml.ScalarNode]]:
    if isinstance(node, yaml.ScalarNode):
        yield place, node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _scalars(item, (*place, index))


def _check_reply(
    prompt: Prompt, example: Example, place: Place, number: int, lines: Mapping[Place, int]
) -> Iterator[tuple[int, str]]:
    if prompt.reply == "text":
        if not isinstance(example.reply, str):
            yield line_of(place, lines), f"example {number}: the reply must be text"
        return
    try:
        reply = json.loads(example.reply_text)
    except ValueError as error:
        yield line_of(place, lines), f"example {number}: the reply is not JSON: {error}"
        return
    if prompt.reply_schema is not None:
        import jsonschema

        for breach in jsonschema.Draft202012Validator(prompt.reply_schema).iter_errors(reply):
            inner = (*place, *breach.absolute_path)
            yield line_of(inner, lines), f"example {number} breaks reply_schema: {breach.message}"


def neutral(value: str) -> str:
    """`value` as data: no control or hidden characters, and no chat template's control tokens."""
    return _CONTROL_TOKEN.sub(lambda match: match.group() + " ", _HIDDEN.sub("", value))


class _Template:
    """A text with placeholders, taken apart once."""

    def __init__(self, text: str, where: str) -> None:
        parts = _PLACEHOLDER.split(text.rstrip("\n"))
        self._texts, self._names = parts[::2], parts[1::2]
        self._wanted = set(self._names)
        self._where = where

    def render(self, values: Mapping[str, str]) -> str:
        if values.keys() != self._wanted:
            missing, unknown = sorted(self._wanted - values.keys()), sorted(values.keys() - self._wanted)
            what = [f"lacks {', '.join(missing)}"] if missing else []
            what += [f"has no {', '.join(unknown)}"] if unknown else []
            raise PromptError(f"{self._where}: {'; '.join(what)}", hint="reaseq prompts lint")
        pieces = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            pieces += (neutral(values[name]), text)
        return "".join(pieces)


def _hash(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]
