"""`reaseq prompts`: look at the prompts, check them, take a copy to edit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reaseq.cli.prompt_edit import LocaleOption, edit, examples, new, written_locale
from reaseq.cli.prompt_improve import improve
from reaseq.cli.prompt_tests import run_cases
from reaseq.cli.prompt_trials import OtherArgument, VersionArgument, compare, try_
from reaseq.cli.tables import Column, LinesOption, Row, Telling

if TYPE_CHECKING:
    from collections import Counter

    from rich.console import Console

    from reaseq.api.settings import Settings
    from reaseq.prompts.library import Given, Prompt, PromptLibrary

app = typer.Typer(no_args_is_help=True, help="The agents' prompts: look at them, check, edit, try, compare, improve.")
app.command("try")(try_)
app.command()(compare)
app.command()(improve)
app.command("test")(run_cases)
app.command()(new)
app.command()(edit)
app.add_typer(examples, name="examples")


@app.command("list")
def list_(json_: LinesOption = False) -> None:
    """List the prompts: where each comes from, its fingerprint, its variables.

    Example: reaseq prompts list
    """
    from reaseq.prompts.library import BUNDLED

    library = _library()
    Telling(json_).rows(
        [
            {
                "agent": name,
                "path": library.path(name),
                "bundled": library.path(name).parent == BUNDLED,
                "fingerprint": library[name].fingerprint,
                "variables": library[name].variables,
                "examples": len(library[name].examples),
                "overlays": library.overlays(name),
                "locales": [
                    {"category": category, "locale": locale, "path": path}
                    for category, locale, path in library.of_locales(name)
                ],
                "description": library[name].description.strip(),
            }
            for name in library
        ],
        Column("agent", "agent"),
        Column("from", _origin),
        Column("fingerprint", "fingerprint"),
        Column("variables", lambda row: ", ".join(row["variables"])),
        Column("examples", "examples"),
        Column("what it is for", "description"),
        title="Prompts",
        narrow=True,
    )


def _origin(row: Row) -> str:
    overlays = [f"{category}: {path}" for category, path in row["overlays"].items()]
    for one in row["locales"]:
        overlays.append(f"{', '.join(filter(None, (one['category'], one['locale'])))}: {one['path']}")
    return "\n".join(["bundled" if row["bundled"] else str(row["path"]), *overlays])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The agent.")],
    category: Annotated[
        str | None,
        typer.Option("--category", "-c", help="Show what the model is sent for this category, with a sample product."),
    ] = None,
    locale: LocaleOption = None,
    product: Annotated[
        str | None, typer.Option("--product", "-p", help="Show what the model is asked about this product.")
    ] = None,
) -> None:
    """Show a prompt's file, or what becomes of it for a category, for products of a locale, or for a product; and of
    which files that is made, the one that overrides first.

    Examples:

        reaseq prompts show verifier

        reaseq prompts show attribute_extractor --category shoes

        reaseq prompts show verifier --category shoes --locale de-AT

        reaseq prompts show verifier --product AH2430
    """
    from rich.console import Console
    from rich.rule import Rule
    from rich.syntax import Syntax
    from rich.text import Text

    library = _library()
    console = Console()
    prompt = library[name]
    if product is not None:
        _show_request(console, name, product)
        return
    locale = written_locale(locale)
    if category is None:
        mine = library.of("", locale)
        console.print(Text(", over ".join(map(str, reversed(mine.overlaid(name)))), style="dim"))
        console.print(Syntax(mine.text(name), "yaml", word_wrap=True, background_color="default"))
        return
    from reaseq import ReaseqError
    from reaseq.api.engine import pipeline_of
    from reaseq.api.settings import load
    from reaseq.graphs.options import starting_schema
    from reaseq.graphs.product_graph import ProductAgents

    settings = load()
    schema = starting_schema(category, str(settings.schemas_dir))
    pipeline = pipeline_of(settings)
    agents = ProductAgents.build(schema, library, grammar=False, pipeline=pipeline)
    bound = {agent.name: agent.prompt for agent in agents.of(locale)}.get(name)
    if bound is None and name in pipeline.names:
        raise ReaseqError(f"agent {name} is not for {category}", hint=f"reaseq prompts show {name}")
    mine = library.of(schema.category, locale)
    _print_files(console, mine, name)
    for role, content in bound.messages if bound else prompt.bind(system={}).messages:
        console.print(Rule(role, align="left"))
        console.print(Text(content))
    console.print(Rule("user (each request)", align="left"))
    console.print(Text(mine[name].user.strip()))


def _print_files(console: Console, library: PromptLibrary, name: str) -> None:
    """Of which files a prompt is made, where there are several."""
    from rich.text import Text

    made_of = library.overlaid(name)
    if len(made_of) > 1:
        console.print(Text(", over ".join(map(str, reversed(made_of))), style="dim"), soft_wrap=True)


def _show_request(console: Console, name: str, product: str) -> None:
    """What an agent is asked about a product, whole."""
    import asyncio

    from rich.rule import Rule
    from rich.text import Text

    from reaseq.api.prompt_trials import bench_of, request_for
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.graphs.comparison import subjects_of
    from reaseq.knowledge_store.feeds.rows import identifier
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.budget import estimate_tokens

    settings = load()
    with Store.open(settings.store_url) as store:
        found = find_product(store, identifier(product))
        bench = bench_of(store, settings, found["category"] or "general")
        (subject,) = subjects_of(store, [found["id"]])
        request = asyncio.run(request_for(bench, name, subject))
    if request is None:
        console.print(f"{name} is not asked about {found['id']}: there is nothing for it to do.", highlight=False)
        return
    _print_files(console, bench.library.of(bench.library.category, subject.locale), name)
    messages = [*request.prefix, *request.turns]
    for role, content in messages:
        console.print(Rule(role, align="left"))
        console.print(Text(printable(content)))
    console.print(Rule(align="left"))
    told = f"About {estimate_tokens(messages):,} tokens; the reply may have {request.max_tokens:,}."
    console.print(told, highlight=False)


@app.command()
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Prompt files or folders; none means your prompts_dir and the bundled ones."),
    ] = None,
) -> None:
    """Check prompts: unknown keys, missing or unused variables, examples that break the schema or that the agent could
    not use, folders of categories that there are not.

    Every error comes with file and line; the exit status is 1 if there are any.

    Example: reaseq prompts lint my-prompts/
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq.api.engine import pipeline_of
    from reaseq.api.settings import load
    from reaseq.graphs.prompt_lint import misplaced, of_no_product, unusable_examples
    from reaseq.prompts.library import (
        BUNDLED,
        PromptError,
        PromptLibrary,
        agent_in,
        doubts,
        files_in,
        load_prompt,
        locale_in,
        misnamed_in,
        parse_prompt,
        read_text,
    )

    console = Console(soft_wrap=True)
    settings = load()
    own, agents = settings.prompts_dir, pipeline_of(settings).prompts
    library = PromptLibrary(own=agents)
    given = files or ([own] if own and own.is_dir() else [])
    folders = [file for file in given if file.is_dir()]
    misnamed = dict(one for folder in folders for one in misnamed_in(folder, agents))
    paths = [path for file in given for path in (files_in(file) if file in folders else [file])]
    of_categories = [path for folder in folders for path in sorted(folder.glob("*/*.y*ml"))]
    misnamed |= dict(one for folder in {path.parent for path in of_categories} for one in misnamed_in(folder, agents))
    paths += of_categories
    if not files:
        if own and not given:
            _library()  # says that the folder is not there
        there = {path.stem for path in paths}
        paths += [path for path in files_in(BUNDLED) if path.stem not in there]
        paths += [one.path for name, one in agents.items() if name not in there]
    if not paths:
        raise PromptError(f"no prompt files in {', '.join(map(str, files or ()))}", hint="reaseq prompts eject DIR")
    of_file = {one.path: one for one in agents.values()}
    categories = _categories(settings) if of_categories else set()
    locales = _locales(settings) if any(map(locale_in, paths)) else None
    wrong = 0
    for path in paths:
        try:
            if not path.read_bytes().strip():
                console.print(Text(f"{path}: empty, passed over", style="yellow"))
                continue
            if path in misnamed:
                raise PromptError(f"{path}:1: {misnamed[path]}")
            takes = of_file.get(path) or library.given(agent_in(path))
            odd = misplaced(path.parent, categories) if path in of_categories else None
            breaches = [(1, odd.what)] if odd is not None and odd.sure else []
            overrides = path in of_categories or bool(locale_in(path))
            if (base := _beneath(path, library, agents, always=overrides, within=path in of_categories)) is not None:
                prompt = parse_prompt(read_text(path), path, given=takes, base=base)
            else:
                prompt = load_prompt(path, given=takes)
            breaches += unusable_examples(path, prompt)
            if breaches:
                raise PromptError("\n".join(f"{path}:{line}: {what}" for line, what in breaches))
            console.print(Text(f"{path}: ok", style="green"))
            unmet = None if locales is None or not locale_in(path) else of_no_product(locale_in(path), locales)
            for line, doubt in [*((1, one) for one in (odd and odd.what, unmet) if one), *doubts(path)]:
                console.print(Text(f"{path}:{line}: warning: {doubt}", style="yellow"))
        except OSError as error:
            wrong += 1
            console.print(Text(f"{path}: {error.strerror or error}", style="red"))
        except PromptError as error:
            wrong += 1
            console.print(Text(str(error), style="red"))
    if not files:
        _lint_examples(console, settings.schemas_dir)
    if wrong:
        raise typer.Exit(1)


def _categories(settings: Settings) -> set[str]:
    """Those of the store, and those that have a schema."""
    from contextlib import suppress

    from reaseq.knowledge_store.store import Store, StoreError
    from reaseq.taxonomy.schema import starters

    known = {schema.category for _, schema in starters(settings.schemas_dir)}
    if Store.is_there(settings.store_url):
        # Where prompts are checked, the store may be out of reach.
        with suppress(StoreError), Store.open(settings.store_url) as store:
            known |= set(filter(None, store.categories()))
    return known


def _locales(settings: Settings) -> Counter[str | None] | None:
    """How many products of the store there are of each; None: the store cannot be asked."""
    from contextlib import suppress

    from reaseq.knowledge_store.locales import locales_in
    from reaseq.knowledge_store.store import Store, StoreError

    if Store.is_there(settings.store_url):
        with suppress(StoreError), Store.open(settings.store_url) as store:
            return locales_in(store)
    return None


def _lint_examples(console: Console, schemas: Path) -> None:
    """Warn of examples of one's own schemas, which the extractor shows, that teach to invent."""
    from rich.text import Text

    from reaseq.graphs.examples import ungrounded
    from reaseq.taxonomy.schema import starters

    for path, schema in starters(schemas):
        if path.parent == schemas:
            for one in ungrounded(schema):
                said = f"{path}: warning: example {one.example}, {one.attribute}: {one.value!r}: {one.why}"
                console.print(Text(said, style="yellow"))


def _beneath(
    path: Path, bundled: PromptLibrary, agents: Mapping[str, Given], *, always: bool, within: bool
) -> Prompt | None:
    """What a category's or locale's file is laid over: the prompt of the folder, or the bundled one. always: is it one
    whether it says so or not? within: does it stand in a category's folder?"""
    from reaseq.prompts.library import PromptError, PromptLibrary, agent_in

    name = agent_in(path) if always and agent_in(path) in set(bundled) else None
    folder = path.absolute().parent
    try:
        library = PromptLibrary(folder.parent if within or not always else folder, agents)
        return library.under(path)[name] if name else library.beneath(path)
    except PromptError:
        return bundled[name] if name else bundled.beneath(path)


@app.command()
def versions(
    name: Annotated[str | None, typer.Argument(metavar="[AGENT]", help="Of this agent; none means all.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON each, with the text.")] = False,
) -> None:
    """List the versions of prompts that something was made with: how many products stand on each, and what it cost.

    Example: reaseq prompts versions verifier
    """
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store import prompt_versions
    from reaseq.knowledge_store.store import Store

    library = _library()
    if name is not None:
        library[name]
    with Store.open(load().store_url) as store:
        found = prompt_versions.versions(store, name)
    if json_:
        for one in found:
            typer.echo(json.dumps(asdict(one), default=str, ensure_ascii=False))
        return
    console = Console()
    if not found:
        console.print("Nothing was made with a prompt yet. Next: reaseq distill --category NAME")
        return
    table = Table(title="Versions of prompts, newest first", title_justify="left")
    for column in ("agent", "version", "first used", "products", "calls", "tokens", "cost"):
        named = column in ("agent", "version", "first used")
        table.add_column(column, justify="left" if named else "right", overflow="fold")
    for one in found:
        in_force = one.agent in set(library) and library[one.agent].fingerprint == one.fingerprint
        called = f"{one.fingerprint[:8]}{f' {one.name}' if one.name else ''}{' (in force)' if in_force else ''}"
        table.add_row(
            one.agent,
            Text(printable(called)),
            f"{one.created_at:%Y-%m-%d %H:%M}",
            f"{one.products:,}",
            f"{one.calls:,}",
            f"{one.tokens:,}",
            "-" if one.cost is None else f"{one.cost:.4f}",
        )
    console.print(table)
    console.print("Next: reaseq prompts diff VERSION   (what is otherwise in the one in force)", highlight=False)


@app.command()
def name(
    version: Annotated[str, typer.Argument(help="The version: the beginning of its fingerprint, or its name.")],
    called: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
) -> None:
    """Give a version of a prompt a name.

    Example: reaseq prompts name 1a2b3c4d before-summer
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.knowledge_store import prompt_versions
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        found = prompt_versions.find(store, version)
        if called in set(_library()):
            raise ReaseqError(f"{called!r} is an agent's name", hint=f"reaseq prompts name {version} before-summer")
        prompt_versions.call_it(store, found, called)
    typer.echo(f"{found.agent}: version {found.fingerprint[:8]} is called {called}")


@app.command()
def diff(prompt: VersionArgument, other: OtherArgument = None) -> None:
    """Show what is otherwise in another version of a prompt, or in a file. What is named alone is held against another
    as compare does it: a file or a version against the prompt in force, an agent's against what its products stand on.

    Examples:

        reaseq prompts diff 1a2b3c4d

        reaseq prompts diff bundled verifier

        reaseq prompts diff my-prompts/verifier.yaml
    """
    from difflib import unified_diff

    from rich.console import Console
    from rich.text import Text

    from reaseq.api.prompt_trials import candidates
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.store import Store

    library, console = _library(), Console(soft_wrap=True, highlight=False)
    with Store.open(load().store_url) as store:
        before, after = candidates(store, library, prompt, other)
    if before is None:
        alone = f"{after.agent}: the prompt in force is the bundled one, and products stand on no other."
        console.print(alone if prompt in set(library) else "They are the same.")
        return
    was, now = (one.label if Path(one.label).suffix else f"{one.agent}, {one.label}" for one in (before, after))
    lines = list(unified_diff(before.text.splitlines(), after.text.splitlines(), was, now, lineterm=""))
    if not lines:
        console.print("They are the same.")
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        console.print(Text(printable(line), style=colours.get(line[:1], "")))


@app.command()
def eject(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; none means all.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Copy bundled prompts into a folder, to edit them there.

    Example: reaseq prompts eject my-prompts verifier
    """
    import shutil

    from reaseq.prompts.library import PromptError, PromptLibrary

    library = PromptLibrary()
    wanted = names or list(library)
    sources = [library.path(name) for name in wanted if library[name]]
    there = [folder / source.name for source in sources if (folder / source.name).exists()]
    if there and not force:
        raise PromptError(
            f"there already: {', '.join(map(str, there))}", hint=f"reaseq prompts eject {folder} --force   (overwrites)"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            typer.echo(shutil.copyfile(source, folder / source.name))
    except OSError as error:
        raise PromptError(f"{folder}: {error.strerror or error}", hint="name another place") from error
    typer.echo(f'They count once reaseq.toml says: prompts_dir = "{folder}"')


def _library() -> PromptLibrary:
    from reaseq.api.engine import prompts_of
    from reaseq.api.settings import load

    return prompts_of(load())
