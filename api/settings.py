"""Settings: `reaseq.toml` in the working directory, overridden by `REASEQ_*` environment variables."""

import tomllib
from difflib import get_close_matches
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from reaseq import ReaseqError
from reaseq.llm.endpoint import Address, said_of

FILE = "reaseq.toml"
EngineName = Literal["embedded", "openai", "vllm", "replay", "none"]


class Prices(BaseModel):
    """Price of a million tokens."""

    model_config = ConfigDict(extra="forbid")

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class Settings(BaseSettings):
    """Few keys, each with a default. A key's description is what `reaseq config` prints."""

    model_config = SettingsConfigDict(
        env_prefix="REASEQ_",
        env_nested_delimiter="__",
        env_parse_none_str="none",
        toml_file=FILE,
        extra="forbid",
        frozen=True,
    )

    state_dir: Path = Field(Path(".reaseq"), description="Where store, models and logs live.")
    runs_dir: Path = Field(Path("runs"), description="Where trained rankers live, a folder a run.")
    models_dir: Path | None = Field(
        None,
        description="Where model weights live, several projects may share them; none means in the state directory.",
    )
    store: str | None = Field(None, description="Database URL; none means SQLite in the state directory.")
    prompts_dir: Path | None = Field(
        None, description="Your prompts; a file here replaces the bundled one of its name."
    )
    pipeline: Path | None = Field(
        None,
        description="Which agents read a product, in which order, and by which model: a YAML file; none: as shipped.",
    )
    schemas_dir: Path = Field(
        Path("schemas"), description="Your category schemas; a file here replaces the bundled one of its category."
    )
    engine: EngineName = Field(
        "embedded",
        description="Where replies come from: embedded, openai, vllm or replay; none: code alone reads products.",
    )
    model: str | None = Field(
        None, description="Model name; for the embedded engine also a GGUF file or hub id. None: the engine's default."
    )
    encoder: str = Field(
        "all-MiniLM-L6-v2",
        description="Text encoder: all-MiniLM-L6-v2 (English), multilingual-e5-small, or one of your own.",
    )
    base_url: Address = Field("https://api.openai.com/v1", description="Address of the openai engine.")
    api_key_env: str = Field("OPENAI_API_KEY", description="Name of the environment variable that holds the key.")
    replay_file: Path | None = Field(None, description="Recorded replies (JSONL) of the replay engine.")
    vllm_args: list[str] = Field([], description="Further arguments for `vllm serve`.")
    concurrency: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        None, description="Model calls at a time. None: 4 for the embedded engine, 32 for the others."
    )
    timeout: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Seconds one model call may take. None: 600 for the embedded engine, 120 for the others."
    )
    retries: Annotated[int, Field(ge=0)] = Field(6, description="How often a failed HTTP request is sent again.")
    repairs: Annotated[int, Field(ge=0)] = Field(2, description="How often an unusable reply goes back with its error.")
    votes: Annotated[int, Field(ge=1, le=15)] = Field(
        1,
        description="How often a product is read; later readings vary, and what most agree on counts.",
    )
    columns: Annotated[int, Field(ge=0)] = Field(
        12,
        description="How many other columns of a feed prompts show, at most; those that the schema knows come first.",
    )
    temperature: float | None = Field(
        0.0, description="Sampling temperature. None (REASEQ_TEMPERATURE=none) leaves it to the endpoint."
    )
    seed: int = Field(0, description="Seed of everything random.")
    leave_off: list[Literal["json_schema", "response_format", "seed", "temperature", "logprobs", "top_logprobs",
                            "max_completion_tokens"]] = Field(
        [], description="What requests leave off, where an endpoint refuses it; else it is found out by asking."
    )  # fmt: skip
    prices: dict[str, Prices] = Field({}, description="Per model: price of a million input and output tokens.")

    @field_validator("engine", mode="before")
    @classmethod
    def _none_is_an_engine(cls, value: Any) -> Any:
        return "none" if value is None else value  # which "none" in the environment stands for elsewhere

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:///{self.state_dir / 'store.sqlite'}"

    @property
    def students_dir(self) -> Path:
        return self.state_dir / "students"

    @property
    def weights_dir(self) -> Path:
        return self.models_dir or self.state_dir / "models"

    @property
    def beyond_log_dir(self) -> Path:
        return self.state_dir / "beyond_log"

    @property
    def calls_at_a_time(self) -> int:
        return self.concurrency or (4 if self.engine == "embedded" else 32)

    @property
    def seconds_a_call(self) -> float:
        # On a busy machine without a GPU a reply may well take minutes, and asking again would only add to it.
        return self.timeout or (600.0 if self.engine == "embedded" else 120.0)

    @property
    def logs_dir(self) -> Path:
        return self.state_dir / "logs"


def load(**overrides: Any) -> Settings:
    """The settings in force. `overrides` are a command's options, or what Python gives; those that are None do not
    count, but where None is something else than the default.

    Raises:
        ReaseqError: a key or value is wrong; the message names where it came from.
    """
    given = {key: value for key, value in overrides.items() if value is not None or _takes_nothing(key)}
    for key, value in given.items():
        if _is_number(key) and (isinstance(value, bool) or not isinstance(value, Real | None)):
            raise ReaseqError(f"option: {key}: {value!r} is not a number", hint="reaseq config --help")
    try:
        return Settings(**given)
    except tomllib.TOMLDecodeError as error:
        raise ReaseqError(f"{FILE}: not valid TOML: {error}") from error
    except ValidationError as error:
        from_file = _keys_in_file()
        lines, near = [], None
        for issue in error.errors():
            key = ".".join(map(str, issue["loc"]))
            top = str(issue["loc"][0]) if issue["loc"] else ""
            where = "option" if top in given else FILE if top in from_file else "environment"
            told = said_of(issue)
            if issue["type"] == "extra_forbidden" and len(issue["loc"]) == 1:
                near = next(iter(get_close_matches(top, Settings.model_fields, 1)), None)
                told = "no such setting" + (f"; did you mean {near}?" if near else "")
            lines.append(f"{where}: {key}: {told}")
        raise ReaseqError("\n".join(lines), hint="reaseq config --help") from error


def _takes_nothing(key: str) -> bool:
    """Is None a value of a setting, other than its default?"""
    field = Settings.model_fields.get(key)
    return field is not None and field.default is not None and type(None) in get_args(field.annotation)


def _is_number(key: str) -> bool:
    field = Settings.model_fields.get(key)
    return field is not None and _among((int, float), field.annotation)


def _among(wanted: tuple[type, ...], annotation: Any) -> bool:
    return annotation in wanted or any(_among(wanted, one) for one in get_args(annotation))


def origins(settings: Settings) -> dict[str, str]:
    """For each key where its value comes from: default, the file's name, or the variable's."""
    from_env = EnvSettingsSource(Settings)()
    from_file = _keys_in_file()
    return {
        key: f"REASEQ_{key.upper()}" if key in from_env else FILE if key in from_file else "default"
        for key in type(settings).model_fields
    }


def _keys_in_file() -> set[str]:
    path = Path(FILE)
    if not path.is_file():
        return set()
    try:
        return set(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError:
        return set()
