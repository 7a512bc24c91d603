"""Agents that people write themselves: a prompt file, what fills it, a reply of a known form, and the claims that come
of it.

    class ComplianceChecker(Agent):
        name = "compliance_checker"
        Reply = Flags

        def conclude(self, product, reply):
            for flag in reply.flags:
                yield product.claim("compliance", flag.kind, quote=flag.quote, reason=flag.reason)

An agent's claims carry its name, its model and its prompt's fingerprint. Words that it quotes must stand in the
product's text; where they do not, the reply goes back to the model.
"""

import hashlib
import inspect
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ValidationError

from reaseq import ReaseqError
from reaseq.agents.agent import Findings, ProductAgent, ReadProduct, Setup
from reaseq.agents.claims import AGENT, Claim
from reaseq.agents.product_text import shown
from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.llm.chat import Reply as ChatReply
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Given, Prompt
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import attribute_name
from reaseq.taxonomy.units import canonical

_MOST_PROBLEMS = 5
_LONGEST_TOLD, _LONGEST_LISTED = 80, 400
_LONGEST_NAME = 40
_THEIRS = ("applies", "read", "conclude")
"""The methods that people write; what calls them waits for nothing."""


class CodeFailed(Exception):
    """An agent's own code failed, in words: its name, the error, and where."""


class ShownProduct(BaseModel):
    """What fills a user text by default: the product's texts, a line each."""

    product: str


class OwnProduct:
    """A product as one's own agent sees it: `id`, `category`, `texts` by field (title, description, brand,
    attributes.NAME, as received)."""

    def __init__(self, product: ReadProduct, claims: Sequence[Claim], agent: "Agent") -> None:
        self.id = product.id
        self.category = agent.lexicon.schema.category
        self.texts: Mapping[str, str] = product.text.sources
        rejected = {
            (claim["attribute"], claim["value"].casefold())
            for claim in product.decided
            if claim["status"] == "rejected"
        }
        self._claims = [one for one in claims if (one["attribute"], one["value"].casefold()) not in rejected]
        self._document = product.text
        self._agent = agent

    @property
    def claims(self) -> Sequence[Claim]:
        """What was found before, but for what people rejected.

        Raises:
            ReaseqError: the agent does not say that it reads them.
        """
        if not self._agent.reads_claims:
            raise ReaseqError(
                f"agent {self._agent.name} reads claims, and its class does not say so",
                hint="reads_claims = True in the class; it is then asked anew when agents before it change",
            )
        return self._claims

    @property
    def shown(self) -> str:
        """Its texts as prompts show them: a line each, each value a JSON string, without what speaks to a machine."""
        first = self._agent.lexicon.known_columns(self._document)
        return shown(self._document, first=first, most=self._agent.columns)

    def claim(
        self,
        attribute: str,
        value: str,
        *,
        quote: str | None = None,
        reason: str | None = None,
        status: Literal["proposed", "verified", "rejected"] = "proposed",
        confidence: float | None = None,
        facet: Literal["supply", "demand"] = "supply",
    ) -> Claim:
        """A claim of this agent. attribute: its name, which is kept in small letters, words joined by underscores.
        quote: words of the product's text that say so; without one it is inferred, and a reason is asked for.
        confidence: in [0, 1].

        Raises:
            ReaseqError: an argument is none of these.
            ReplyError: the quote does not stand in the text, or there is neither quote nor reason. It goes back to the
                model.
        """
        if status not in ("proposed", "verified", "rejected"):
            raise ReaseqError(f"status {status!r}: an agent says proposed, verified or rejected")
        if facet not in ("supply", "demand"):
            raise ReaseqError(f"facet {facet!r}: it is supply (what a product is) or demand (whom and what for)")
        for name, said in (("quote", quote), ("reason", reason)):
            if said is not None and not isinstance(said, str):
                raise ReaseqError(f"{name} {said!r}: it is a text")
        if confidence is not None:
            if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0 <= confidence <= 1:
                raise ReaseqError(f"confidence {confidence!r} is not a number between 0 and 1")
            confidence = float(confidence)
        if not isinstance(value, str) or not isinstance(attribute, str) or not attribute.strip():
            raise ReaseqError(f"attribute {attribute!r}, value {value!r}: both are texts, and an attribute has a name")
        if not any(one.isalnum() for one in attribute) or len(attribute) > _LONGEST_NAME:
            raise ReaseqError(
                f"attribute {attribute!r}: a name has letters or digits, of any script, and {_LONGEST_NAME} at most"
            )
        attribute, value = attribute_name(attribute), value.strip()
        if not value:
            raise ReplyError(f"The value of {attribute} is empty.")
        place = None if quote is None else _place(self._document, quote)
        if quote is not None and place is None:
            raise ReplyError(
                f"{quote[:_LONGEST_TOLD]!r} does not stand in the product's text. Quote its words exactly."
            )
        if quote is None and not reason:
            raise ReplyError(
                f"{attribute}: {value[:_LONGEST_TOLD]!r} needs a quote of the product's text, or a reason."
            )
        field, start, end = place or (None, None, None)
        return Claim(
            attribute=attribute,
            value=value,
            facet=facet,
            claim_type="demand" if facet == "demand" else "inferred" if quote is None else "stated",
            status=status,
            verdict=f"{self._agent.name} says so",
            found_by=self._agent.name,
            field=field,
            start=start,
            end=end,
            quote=None if field is None else self.texts[field][start:end],
            reason=reason,
            confidence=confidence,
            evidence=None,
        )


class Agent(ProductAgent):
    """Base class of one's own agents. A class says:

    - `name`: its own, in small letters and underscores. Its prompt is NAME.yaml beside the class's file, or
      `prompt_file`.
    - `Reply`: a pydantic model of its replies, whose JSON Schema the endpoint is sent; None, where the prompt says
      `reply: text`: then a reply is text.
    - `Input`: a pydantic model whose fields fill the prompt's user text, which `read` returns; by default it has
      `product` alone.
    - `categories`: those that it is for; none means all.
    - `applies(texts)`: is it for the product with these texts? By default it is.
    - `reads_claims`: does it look at `product.claims`? Then it is asked anew when agents before it change.
    - `conclude(product, reply)`: the claims that come of a reply.

    The system text is given `category`.
    """

    prompt_file: ClassVar[str | Path] = ""
    Input: ClassVar[type[BaseModel]] = ShownProduct
    Reply: ClassVar[type[BaseModel] | None] = None
    categories: ClassVar[Collection[str]] = ()

    def __init_subclass__(cls, **named: Any) -> None:
        """Raises:
        ReaseqError: one of its methods is a coroutine, which nobody would wait for.
        """
        super().__init_subclass__(**named)
        for name in _THEIRS:
            _is_waited_for(vars(cls).get(name), f"{name} of {cls.__name__}")

    def __init__(self, prompt: Prompt, lexicon: Lexicon, columns: int) -> None:
        self.lexicon = lexicon
        self.columns = columns
        self.expects = prompt.reply
        if (self.expects == "json") != (self.Reply is not None):
            raise ReaseqError(
                f"agent {self.name}: its prompt says `reply: {prompt.reply}`, and its class has "
                f"{'a Reply' if self.Reply is not None else 'no Reply'}",
                hint="reply: json with a Reply (a pydantic model), or reply: text without",
            )
        self.prompt = prompt.bind(system={"category": lexicon.schema.category.replace("_", " ")})

    @classmethod
    def build(cls, setup: Setup) -> Self:
        return cls(setup.prompts[cls.name], setup.lexicon, setup.columns)

    @classmethod
    def own_categories(cls) -> list[str]:
        """The categories, as they are called in a store.

        Raises:
            ReaseqError: one is no name.
        """
        several = category_list(cls.categories)
        if not all(isinstance(one, str) and re.search(r"[^\W_]", one) for one in several):
            raise ReaseqError(
                f"agent {cls.name}: categories = {cls.categories!r}: they are names of categories, as texts",
                hint='categories = ("supplements",)',
            )
        return ["_".join(re.findall(r"[^\W_]+", one.casefold())) for one in several]

    def is_for(self, sources: Mapping[str, str]) -> bool:
        try:
            return bool(self.applies(sources))
        except Exception:
            return True  # `work` asks once more, and says of its product what is wrong

    @classmethod
    def given(cls) -> Given:
        """Where its prompt is, and what fills it."""
        file = Path(cls.prompt_file or f"{cls.name}.yaml")
        return Given(file if file.is_absolute() else _folder_of(cls) / file, {"category"}, set(cls.Input.model_fields))

    def read(self, product: OwnProduct) -> BaseModel | Mapping[str, Any]:
        """What fills the user text: an `Input`, or a dictionary of its fields."""
        return self.Input(product=product.shown)

    def conclude(self, product: OwnProduct, reply: Any) -> Iterable[Claim]:
        """The claims that come of a reply: made by `product.claim`."""
        raise ReaseqError(
            f"agent {self.name} does not say what comes of a reply",
            hint="def conclude(self, product, reply) in its class",
        )

    @property
    def parts(self) -> dict[str, str]:
        return super().parts | {f"{AGENT}{self.name}": _code_of(type(self))}

    async def work(
        self, chat: Chat, product: ReadProduct, found: Findings, *, repair: tuple[Message, ...] = ()
    ) -> Findings:
        """The product's `claims`, with its own among them."""
        own = OwnProduct(product, found["claims"], self)
        with _their_code("in applies: "):
            bool(self.applies(own.texts))
        with _their_code():
            values = self._filled(self.read(own))
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", self.prompt.user(**values)), *repair),
                max_tokens=self.prompt.max_tokens * (2 if repair else 1),
                response_format=None if self.Reply is None else _response_format(self.name, self.Reply),
                product_id=product.id,
            )
        )
        read = reply.text if self.Reply is None else _parsed(self.Reply, reply)
        others = [claim for claim in found["claims"] if claim["found_by"] != self.name]
        try:
            with _their_code():
                mine = self._made(self.conclude(own, read))
            return {"claims": others + _distinct(self._fitting(claim, others) for claim in mine)}
        except ReplyError as error:
            raise ReplyError(str(error), error.reply or reply) from error

    def _filled(self, read: Any) -> dict[str, str]:
        """What fills the user text, of what `read` gives: an `Input`, or a dictionary of its fields; None is nothing.

        Raises:
            ReaseqError: it is neither.
        """
        fields = ", ".join(self.Input.model_fields)
        if isinstance(read, Mapping):
            try:
                read = self.Input.model_validate(dict(read))
            except ValidationError as error:
                raise ReaseqError(
                    f"read gives a dictionary that is no {self.Input.__name__}: {_issues(error)}"
                ) from error
        if not isinstance(read, BaseModel):
            raise ReaseqError(f"read gives {type(read).__name__}, and no {self.Input.__name__} ({fields})")
        values = read.model_dump()
        if values.keys() != self.Input.model_fields.keys():
            raise ReaseqError(
                f"read gives {type(read).__name__} ({', '.join(values)}), and no {self.Input.__name__} ({fields})"
            )
        return {name: "" if value is None else str(value) for name, value in values.items()}

    def _made(self, concluded: Any) -> list[Claim]:
        """The claims that `conclude` yields; None is none.

        Raises:
            ReaseqError: they are no claims.
        """
        if concluded is None:
            return []
        several = isinstance(concluded, Iterable) and not isinstance(concluded, Mapping)
        listed = list(concluded) if several else [concluded]
        for one in listed:
            if not isinstance(one, Mapping) or one.get("found_by") != self.name:
                if inspect.iscoroutine(one):
                    one.close()
                raise ReaseqError(f"conclude gives {type(one).__name__}, and no claim that product.claim made")
        return listed

    def _fitting(self, claim: Claim, others: Sequence[Claim]) -> Claim:
        """The claim in the words of the schema, if that has its attribute; proposed, if another value is verified of
        one that takes one value."""
        attribute = self.lexicon.schema.get(claim["attribute"])
        if attribute is None:
            return claim
        value: str | None = claim["value"]
        if attribute.kind == "closed":
            value = attribute.value_of(claim["value"])
        elif attribute.kind == "measure":
            made = canonical(claim["value"], attribute.units)
            value = made if made.partition(" ")[2] in attribute.units else None
        if value is None:
            takes = ", ".join(attribute.values or (f"a number and {unit}" for unit in attribute.units))
            said = claim["value"][:_LONGEST_TOLD]
            raise ReplyError(f"{said!r} is not one of the values of {attribute.name!r}: {takes[:_LONGEST_LISTED]}.")
        rivals = [
            other["value"]
            for other in others
            if other["attribute"] == attribute.name
            and other["status"] in ("verified", "approved", "edited")
            and other["value"].casefold() != value.casefold()
        ]
        fitted = claim.copy()
        fitted["value"], fitted["facet"] = value, attribute.facet
        if rivals and not attribute.multiple and claim["status"] == "verified":
            fitted["status"], fitted["verdict"] = "proposed", f"{claim['verdict']}, and {rivals[0]!r} is verified"
        return fitted


def agent(
    reply: type[BaseModel] | None = None,
    *,
    prompt: str | Path = "",
    categories: Collection[str] = (),
    applies: Callable[[Mapping[str, str]], bool] | None = None,
    reads_claims: bool = False,
) -> Callable[[Callable[[OwnProduct, Any], Iterable[Claim]]], type[Agent]]:
    """Make an `Agent` of a function of a product and a reply, which yields claims; it is called as the function is.

    reply: the pydantic model of its replies; none means text. prompt: its file, NAME.yaml beside the function's by
    default. categories, applies: see `Agent`.
    """

    if reply is not None and not (isinstance(reply, type) and issubclass(reply, BaseModel)):
        raise ReaseqError(
            f"@reaseq.agent takes the pydantic model of replies, and was given {reply!r}",
            hint="@reaseq.agent(Flags)   (or, for replies of text: @reaseq.agent())",
        )

    def made(function: Callable[[OwnProduct, Any], Iterable[Claim]]) -> type[Agent]:
        _takes(function, 2, "a product and a reply", "def my_agent(product, reply)")
        members: dict[str, Any] = {
            "name": function.__name__,
            "__module__": function.__module__,
            "__doc__": function.__doc__,
            "Reply": reply,
            "prompt_file": prompt,
            "categories": category_list(categories),
            "reads_claims": reads_claims,
            "conclude": lambda self, product, reply: function(product, reply),
            "_source": staticmethod(function),
        }
        if applies is not None:
            _takes(applies, 1, "a product's texts", 'applies=lambda texts: "wine" in texts["title"]')
            members["applies"] = lambda self, sources: applies(sources)
        return type(function.__name__, (Agent,), members)

    return made


def _takes(function: Any, count: int, what: str, hint: str) -> None:
    """Raises:
    ReaseqError: it is no function that takes so many arguments, or a coroutine.
    """
    name = getattr(function, "__name__", repr(function))
    if isinstance(function, type) or not hasattr(function, "__name__"):
        raise ReaseqError(f"{function!r} is no function of {what}", hint=hint)
    _is_waited_for(function, name)
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError as error:
        raise ReaseqError(
            f"{name}{inspect.signature(function)} is no function of {what}: {error}", hint=hint
        ) from error
    except ValueError:
        return  # of C, which has no signature


def _is_waited_for(function: Any, what: str) -> None:
    """Raises:
    ReaseqError: it is a coroutine, or gives its results one after the other as one.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ReaseqError(
            f"{what} is `async`, and nobody waits for it",
            hint="def, without async; what is slow is the model's reply, which it has",
        )


def category_list(categories: Collection[str]) -> tuple[str, ...]:
    """One text is one category."""
    return (categories,) if isinstance(categories, str) or not isinstance(categories, Iterable) else tuple(categories)


def _source_of(kind: type[Agent]) -> Any:
    """What people wrote: the class, or the function that it was made of."""
    source = vars(kind).get("_source", kind)
    return source.__func__ if isinstance(source, staticmethod) else source


def _folder_of(kind: type[Agent]) -> Path:
    try:
        return Path(inspect.getfile(_source_of(kind))).parent
    except (OSError, TypeError):
        return Path()  # a class of a notebook: beside it


def _code_of(kind: type[Agent]) -> str:
    """Fingerprint of what the class does with replies, as far as its source can be had."""
    try:
        text = inspect.getsource(_source_of(kind))
    except (OSError, TypeError):
        text = ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _place(document: Document, quote: str) -> tuple[str, int, int] | None:
    """Where the words of a quote stand one after the other, in the text as it is shown; of signs alone, where they
    do."""
    wanted = stems(quote)
    for name, field in document.fields.items():
        said = [token.stem for token in field.tokens]
        for first in range(len(said) - len(wanted) + 1 if wanted else 0):
            if tuple(said[first : first + len(wanted)]) == tuple(wanted):
                return name, field.tokens[first].start, field.tokens[first + len(wanted) - 1].end
        start = -1 if wanted or not quote.strip() else field.visible.text.find(quote)
        if start >= 0:
            return name, *field.visible.place(start, start + len(quote))
    return None


@contextmanager
def _their_code(where: str = "") -> Iterator[None]:
    """Around code that somebody else wrote; `where` comes before what it says.

    Raises:
        CodeFailed: it fails otherwise than by a `ReplyError`.
    """
    try:
        yield
    except ReplyError:
        raise
    except Exception as error:
        raise CodeFailed(f"{where}{_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """What went wrong, and in which line of which file, of the last that is not ours."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename) != Path(__file__)]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    what = str(error) if isinstance(error, ReaseqError) else f"{type(error).__name__}: {error}"
    return f"{what}{where}"


def _parsed(form: type[BaseModel], reply: ChatReply) -> BaseModel:
    try:
        return form.model_validate(json_of(reply))
    except ValidationError as error:
        raise ReplyError(f"Your reply breaks the schema: {_issues(error)}.", reply) from error


def _issues(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, issue['loc'])) or 'the whole'}: {issue['msg']}"
        for issue in error.errors()[:_MOST_PROBLEMS]
    )


def _response_format(name: str, form: type[BaseModel]) -> Mapping[str, Any]:
    # LangChain writes what strict mode wants, but for defaults
    # (https://platform.openai.com/docs/guides/structured-outputs).
    from langchain_core.utils.function_calling import convert_to_openai_function

    body = _without_defaults(convert_to_openai_function(form, strict=True)["parameters"])
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": body}}


def _without_defaults(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_defaults(one) for name, one in value.items()}
        if key == "properties"
        else _without_defaults(value)
        for key, value in schema.items()
        if key != "default"
    }


def _distinct(claims: Iterable[Claim]) -> list[Claim]:
    """One of each value: models like to say a thing twice."""
    first: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        first.setdefault((claim["attribute"], claim["value"].casefold()), claim)
    return list(first.values())
