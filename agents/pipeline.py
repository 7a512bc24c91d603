"""Which agents read a product, in which order, and by which model: as shipped, or as a YAML file says.

agents: [compliance.py]          # where agents of one's own are: a file, a module, an entry point
pipeline: [category_analyst, attribute_extractor, verifier, compliance_checker, summarizer]
repairs: {compliance_checker: 1}
models:
  verifier: {engine: openai, model: gpt-4o-mini}
"""

import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reaseq import ReaseqError
from reaseq.agents.agent import ProductAgent
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.category_analyst import CategoryAnalyst
from reaseq.agents.claims import FOUND_BY
from reaseq.agents.own import Agent, category_list
from reaseq.agents.summarizer import Summarizer
from reaseq.agents.verifier import Verifier
from reaseq.documents.plain_yaml import PlainLoader, plain_load
from reaseq.llm.endpoint import Address, said_of
from reaseq.prompts.library import Given, line_of, located
from reaseq.taxonomy.schema import Name

ENTRY_POINTS = "reaseq.agents"
_AS_SHIPPED: tuple[type[ProductAgent], ...] = (AttributeExtractor, Verifier, Summarizer)
BUNDLED = {kind.name: kind for kind in _AS_SHIPPED}
ANALYST = CategoryAnalyst.name
"""The agent that is asked once a category."""
_HINT = "see docs/agents.md"


class ModelChoice(BaseModel):
    """By which model an agent is answered; what is left out is as the settings say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["embedded", "openai", "vllm", "replay"] | None = None
    model: str | None = None
    base_url: Address | None = None
    api_key_env: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings that it replaces."""
        return self.model_dump(exclude_none=True)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agents: list[str] = []
    pipeline: list[str] | None = None
    repairs: dict[str, Annotated[int, Field(ge=0, strict=True)]] = {}
    models: dict[str, ModelChoice] = {}


class PipelineError(ReaseqError):
    """A pipeline that cannot be used."""


class Pipeline:
    """The agents that read a product, in their order.

    agents: names of bundled agents, and classes of one's own; None: the bundled ones. The category's analyst is one of
    them. repairs: of an agent, how often a reply that cannot be used goes back to it, instead of as the settings say.
    models: of an agent, what replaces the settings engine, model, base_url and api_key_env. beside: agents of one's own
    that are known and switched off.

    Raises:
        PipelineError: there is no such agent, or it cannot stand there.
    """

    def __init__(
        self,
        agents: Sequence[str | type[ProductAgent]] | None = None,
        *,
        repairs: Mapping[str, int] = MappingProxyType({}),
        models: Mapping[str, ModelChoice | Mapping[str, str]] = MappingProxyType({}),
        beside: Iterable[type[Agent]] = (),
    ) -> None:
        if isinstance(agents, str | type):
            agents = [agents]
        if agents is not None and (not isinstance(agents, Iterable) or isinstance(agents, set | frozenset | Mapping)):
            hint = 'reaseq.Pipeline(["attribute_extractor", "verifier", MyAgent])'
            raise PipelineError(f"{agents!r} is no list of agents: their order counts", hint=hint)
        repairs, models = _by_name(repairs, "repairs", "1"), _by_name(models, "models", '{"model": "gpt-4o"}')
        agents = None if agents is None else list(agents)
        own: dict[str, type[Agent]] = {}
        for kind in [*beside, *(one for one in agents or () if not isinstance(one, str))]:
            checked = _checked(kind, own)
            own[checked.name] = checked
        if agents is None:
            agents = [ANALYST, *(name for name in BUNDLED if name != Summarizer.name), *own, Summarizer.name]
        names = [one if isinstance(one, str) else one.name for one in agents]
        known = [ANALYST, *BUNDLED, *own]
        for name in names:
            if name not in known:
                raise PipelineError(f"no agent {name!r}{_nearest(name, known)}", hint=_HINT)
            if names.count(name) > 1:
                raise PipelineError(f"agent {name!r} stands in the pipeline twice", hint=_HINT)
        self.analyst = ANALYST in names
        self.names = [name for name in names if name != ANALYST]
        if AttributeExtractor.name in self.names[1:]:
            raise PipelineError(
                f"{AttributeExtractor.name} comes after {self.names[0]}; what others judge is what it has found",
                hint=f"put {AttributeExtractor.name} first",
            )
        self.own = own
        self.repairs: dict[str, int] = dict(repairs)
        for name, often in self.repairs.items():
            if isinstance(often, bool) or not isinstance(often, int) or often < 0:
                hint = f"repairs={{{name!r}: 1}}"
                raise PipelineError(f"repairs: {name}: {often!r} is not a whole number from 0 on", hint=hint)
        self.models = {name: _choice(name, one) for name, one in models.items()}
        for what, given in (("repairs", self.repairs), ("models", self.models)):
            for name in given:
                if name not in names:
                    raise PipelineError(f"{what}: no agent {name!r} in the pipeline{_nearest(name, names)}", hint=_HINT)

    def __repr__(self) -> str:
        names = [*([ANALYST] if self.analyst else []), *self.names]
        return f"<Pipeline: {', '.join(names) or 'no agents'}>"

    @classmethod
    def load(cls, path: Path) -> Self:
        """That of a YAML file.

        Raises:
            PipelineError: it is wrong; the message names file and line.
        """
        try:
            text = path.read_text(encoding="utf-8")
            root = yaml.compose(text, Loader=PlainLoader)
            raw = plain_load(text) or {}
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or error
            raise PipelineError(f"{path}: cannot be read: {said}", hint=_HINT) from error
        except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or error
            raise PipelineError(
                f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {problem}", hint=_HINT
            ) from error
        lines, twice, _ = located(root)
        if twice:
            raise PipelineError(f"{path}:{lines[twice[0]]}: {twice[0][-1]!r} stands here twice", hint=_HINT)
        if not isinstance(raw, dict):
            raise PipelineError(f"{path}:1: a mapping with the keys {', '.join(_File.model_fields)}", hint=_HINT)
        try:
            said = _File.model_validate(raw)
        except ValidationError as error:
            issue = error.errors()[0]
            raise PipelineError(f"{path}:{line_of(issue['loc'], lines)}: {_in_words(error)}", hint=_HINT) from error
        own: dict[str, type[Agent]] = {}
        for number, where in enumerate(said.agents):
            try:
                for kind in found_in(where, path.parent):
                    own[_checked(kind, own).name] = kind
            except PipelineError as error:
                line = line_of(("agents", number), lines)
                raise PipelineError(f"{path}:{line}: {error}", hint=error.hint or _HINT) from error
        try:
            return cls(said.pipeline, repairs=said.repairs, models=said.models, beside=own.values())
        except PipelineError as error:
            raise PipelineError(f"{path}: {error}", hint=error.hint) from error

    def agents_of(self, category: str | None) -> list[type[ProductAgent]]:
        """Those that are for a category, in their order; None: for any."""
        kinds = [self.own.get(name) or BUNDLED[name] for name in self.names]
        return [kind for kind in kinds if category is None or _is_for(kind, category)]

    def doubts(self, categories: Collection[str]) -> list[str]:
        """Which agents are for none of the categories that there are, in words: nobody would ask them."""
        told = []
        for name, kind in self.own.items():
            if name in self.names and kind.categories and not set(categories) & set(kind.own_categories()):
                near = get_close_matches(kind.own_categories()[0], sorted(categories), 1)
                mean = f" (do you mean {near[0]}?)" if near else ""
                for_ = ", ".join(category_list(kind.categories))
                told.append(f"agent {name} is for {for_}, of which there are no products{mean}")
        return told

    @property
    def prompts(self) -> dict[str, Given]:
        """Of each agent of one's own, switched on or off, what its prompt is given."""
        return {name: kind.given() for name, kind in self.own.items()}


def _is_for(kind: type[ProductAgent], category: str) -> bool:
    return not issubclass(kind, Agent) or not kind.categories or category in kind.own_categories()


def found_in(where: str, folder: Path) -> list[type[Agent]]:
    """The agents of a Python file (relative to `folder`), a module, or an entry point of the group `reaseq.agents`.

    Raises:
        PipelineError: there are none, or it cannot be imported.
    """
    try:
        if where.endswith(".py"):
            module = _file(folder / where)
        else:
            for point in entry_points(group=ENTRY_POINTS, name=where):
                loaded = point.load()
                return [loaded] if isinstance(loaded, type) else _agents_of(loaded)
            module = importlib.import_module(where)
    except PipelineError:
        raise
    except Exception as error:  # whatever somebody's module raises
        raise PipelineError(f"{where} cannot be imported: {type(error).__name__}: {error}", hint=_HINT) from error
    if not (found := _agents_of(module)):
        raise PipelineError(f"{where} has no agent: a class made of reaseq.Agent, or a function under @reaseq.agent")
    return found


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PipelineError(f"no such file: {path}")
    name = f"reaseq_agents_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "the file is there, and ends in .py"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # what pydantic and `inspect` look classes up in
    spec.loader.exec_module(module)
    return module


def _agents_of(module: Any) -> list[type[Agent]]:
    return [
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, Agent)
        and one.__module__ == module.__name__
        and hasattr(one, "name")
    ]


def _checked(kind: Any, others: Mapping[str, Any]) -> type[Agent]:
    """An agent of one's own whose name can be used.

    Raises:
        PipelineError: it is none, or its name cannot be used.
    """
    if not isinstance(kind, type) or not issubclass(kind, Agent):
        told = "a class made of reaseq.Agent, or a function under @reaseq.agent"
        raise PipelineError(f"{kind!r} is no agent: {told}", hint=_HINT)
    name: Any = getattr(kind, "name", None)
    try:
        _Named(name=name)
    except ValidationError:
        raise PipelineError(
            f"{kind.__name__}: name is {name!r}; small letters, digits and underscores, forty at most",
            hint=f'name = "my_agent" in the class {kind.__name__}',
        ) from None
    beside = "categorizer", "beyond_log", "prompt_proposer"
    if name in (*BUNDLED, ANALYST, *beside, "ground", "escalation", "person", *FOUND_BY):
        raise PipelineError(f"{kind.__name__}: the name {name!r} is taken", hint="give the agent another name")
    if name in others and others[name] is not kind:
        raise PipelineError(f"two agents are called {name!r}", hint="give one of them another name")
    try:
        kind.own_categories()
    except ReaseqError as error:
        raise PipelineError(str(error), hint=error.hint) from error
    return kind


def _by_name(given: Any, what: str, example: str) -> dict[str, Any]:
    """What is said of agents, by their names; None is nothing."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        hint = f'{what}={{"verifier": {example}}}'
        raise PipelineError(f"{what} = {given!r}: of which agents? It is a dictionary by their names", hint=hint)
    return {str(getattr(name, "name", name)): one for name, one in given.items()}


def _choice(name: str, given: Any) -> ModelChoice:
    if isinstance(given, ModelChoice):
        return given
    if not isinstance(given, Mapping):
        hint = f'models={{{name!r}: {{"model": "gpt-4o"}}}}'
        raise PipelineError(f"models: {name}: {given!r} is no dictionary of engine, model, base_url", hint=hint)
    try:
        return ModelChoice.model_validate(dict(given))
    except ValidationError as error:
        raise PipelineError(f"models: {name}: {_in_words(error)}", hint=_HINT) from error


class _Named(BaseModel):
    name: Name


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(str(name), known, 1)
    return f" (do you mean {near[0]!r}?)" if near else f"; known: {', '.join(known)}"


def _in_words(error: ValidationError) -> str:
    issue = error.errors()[0]
    place = ".".join(map(str, issue["loc"]))
    return f"{place}: " + ("no such key" if issue["type"] == "extra_forbidden" else said_of(issue))
