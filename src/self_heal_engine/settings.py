"""Settings: what an operator may change, by environment variable or config.yaml; all of it stands in this one table."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_text, write_text
from self_heal_engine.markdown import markdown
from self_heal_engine.yaml_file import read_yaml

CONFIG = "config.yaml"
CONFIG_VARIABLE = "SELF_HEAL_CONFIG"
PREFIX = "SELF_HEAL_"

Network = IPv4Network | IPv6Network

# What a value of the file may be, alone or in a list.
PLAIN = (str, bool, int, float, date, NoneType)

# -- the kinds of values ---------------------------------------------------------------------------------------------

DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
SERVICES = ("http://", "https://")
REDISES = ("redis://", "rediss://", "unix://")
RATE = re.compile(r"[1-9]\d{0,8}\s*(?:/|\s+per\s+)\s*(?:[1-9]\d{0,5}\s*)?(?:second|minute|hour|day)s?", re.IGNORECASE)


def given_path(path: Path) -> Path:
    """Return the path; an empty one would mean the working folder, which nobody means."""
    if path == Path() or not str(path).isprintable():
        raise ValueError("a path should be named, in printable characters")
    return path


def url_of(*beginnings: str) -> AfterValidator:
    """Return the check that a URL begins in one of these ways and goes on."""

    def checked(url: str) -> str:
        start = next((start for start in beginnings if url.startswith(start)), None)
        blanks = url != url.strip() or (" " in url and start != "sqlite:///")  # a file may have them in its name
        if start is None or url == start or not url.isprintable() or blanks:
            raise ValueError(f"a URL should begin with {' or '.join(beginnings)} and go on without white space")
        try:
            _ = urlsplit(url).port
        except ValueError:
            raise ValueError("the port of the URL should be a number up to 65535") from None
        return url

    return AfterValidator(checked)


def off_is_a_word(value: object) -> object:
    """Return ``"off"`` for what YAML makes of ``off``, which is False."""
    return "off" if value is False else value


def checked_rate(rate: str) -> str:
    """Return a rate limit as ``limits`` reads it; one only, and never of nothing."""
    if rate != "off" and not RATE.fullmatch(rate):
        raise ValueError("a rate should be like 600/minute, 5/second or 1000 per 2 hours, or off")
    return rate


def networks(value: object) -> tuple[Network, ...]:
    """Return addresses and networks, in a list or separated by commas, as networks."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError("addresses or networks should be in a list, or in a text separated by commas")
    found = []
    for each in value:
        if not isinstance(each, str | IPv4Network | IPv6Network):  # ip_network reads a number as an address
            raise ValueError(f"{quoted(each)} is not an address or a network")
        try:
            found.append(ip_network(each))
        except ValueError as error:
            raise ValueError(f"{quoted(each)} is not an address or a network: {error}") from None
    return tuple(found)


def without_password(url: str) -> str:
    """Return a URL as it may be shown.

    >>> without_password("postgresql://heal:pass@word@db:5432/heal?sslmode=require")
    'postgresql://heal:***@db:5432/heal?sslmode=require'
    >>> without_password("redis://db"), without_password("redis://:pw@db"), without_password("redis://db?password=pw")
    ('redis://db', 'redis://:***@db', 'redis://db?password=***')
    """
    start, separator, rest = url.partition("://")
    who, at, where = rest.rpartition("@")  # the last: a password may hold one
    shown = f"{who.partition(':')[0]}:***@{where}" if at else where
    return start + separator + re.sub(r"(?i)((?:password|passwd|secret|token)=)[^&]*", r"\1***", shown)


FilePath = Annotated[Path, AfterValidator(given_path)]
Word = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]
Shown = PlainSerializer(lambda url: None if url is None else without_password(url))
Rate = Annotated[str, BeforeValidator(off_is_a_word), AfterValidator(checked_rate)]
Auth = Annotated[Literal["token", "off"], BeforeValidator(off_is_a_word)]
Proxies = Annotated[tuple[Network, ...], PlainValidator(networks), PlainSerializer(lambda them: [str(n) for n in them])]


# -- the table -------------------------------------------------------------------------------------------------------


def setting(default: Any, variable: str, key: str | None, *, says: str, **bounds: Any) -> Any:
    """Return a field: its default (a callable makes it of the others), variable, key in the file, and meaning."""
    made = {"default_factory" if callable(default) else "default": default}
    return Field(description=says, json_schema_extra={"variable": variable, "key": key}, **made, **bounds)


def below(name: str) -> Callable[[dict[str, Any]], Path]:
    """Return what makes a default: a name below the data folder."""
    return lambda given: given["data_dir"] / name


class Settings(BaseSettings):
    """Every setting. ``str()`` and ``model_dump()`` show no secret."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=(), allow_inf_nan=False
    )

    # fmt: off
    # healing
    max_candidates: int = setting(5, "MAX_CANDIDATES", "healing.max_candidates", ge=1, le=50,
        says="how many candidates an answer lists, where the request does not say")
    use_llm: bool = setting(False, "SELF_HEAL_USE_LLM", "healing.use_llm",
        says="whether a language model is asked, where the request does not say")
    llm_provider: Literal["mock", "openai"] = setting("mock", "LLM_PROVIDER", "healing.llm_provider",
        says="which language model is asked: `mock` or `openai`")
    openai_api_key: SecretStr | None = setting(None, "OPENAI_API_KEY", None,
        says="the key of the provider `openai`; never shown")
    llm_base_url: Annotated[str, url_of("http://", "https://"), Shown] | None = setting(None,
        "SELF_HEAL_LLM_BASE_URL", "healing.llm_base_url",
        says="where a server speaks OpenAI's protocol; by default OpenAI's own")
    llm_model: Word = setting("gpt-4o-mini", "SELF_HEAL_LLM_MODEL", "healing.llm_model",
        says="the language model that is asked")
    llm_seconds: float = setting(5.0, "SELF_HEAL_LLM_SECONDS", "healing.llm_seconds", gt=0, le=600,
        says="how long a request waits for the language model, retries included")
    llm_retries: int = setting(1, "SELF_HEAL_LLM_RETRIES", "healing.llm_retries", ge=0, le=10,
        says="how often a failed call is tried again")
    llm_budget: Rate = setting("1000/day", "SELF_HEAL_LLM_BUDGET", "healing.llm_budget",
        says="how many calls may be made, or `off` for no bound")
    llm_below: float | None = setting(None, "SELF_HEAL_LLM_BELOW", "healing.llm_below", gt=0, le=1,
        says="the confidence below which the language model is asked without `use_llm`")
    heal_workers: int | None = setting(None, "SELF_HEAL_HEAL_WORKERS", "healing.workers", ge=1, le=256,
        says="processes that heal, in each app process; by default one a core")
    deadline_seconds: float = setting(2.0, "SELF_HEAL_DEADLINE_SECONDS", "healing.deadline_seconds", gt=0, le=600,
        says="how long one heal may take before its process is killed")
    queue_seconds: float = setting(0.4, "SELF_HEAL_QUEUE_SECONDS", "healing.queue_seconds", ge=0, le=600,
        says="how long a heal may wait for a free process before it is refused with 503")
    queue_length: int = setting(32, "SELF_HEAL_QUEUE_LENGTH", "healing.queue_length", ge=0, le=10_000,
        says="how many heals may wait")
    worker_memory_mb: int = setting(1024, "SELF_HEAL_WORKER_MEMORY_MB", "healing.worker_memory_mb",
        ge=256, le=1_048_576, says="address space of a healing process, in MiB")

    # models
    model_path: FilePath = setting(Path("models/ranker.json"), "MODEL_PATH", "models.ranker_path",
        says="the model that serves; without the file the packaged one does")
    challenger_path: FilePath | None = setting(None, "SELF_HEAL_CHALLENGER_PATH", "models.challenger_path",
        says="a second model that answers a share of the requests, to be compared by `self-heal ab report`")
    challenger_share: float = setting(0.5, "SELF_HEAL_CHALLENGER_SHARE", "models.challenger_share", ge=0.01, le=0.99,
        says="the share of test sessions that the challenger answers")
    enable_inference: bool = setting(True, "SELF_HEAL_ENABLE_INFERENCE", "models.enable_inference",
        says="`false`: the weighted ranker answers instead of the trained model")

    # storage
    data_dir: FilePath = setting(Path("data"), "DATA_DIR", "storage.data_dir",
        says="the folder of what the service keeps")
    snapshots_dir: FilePath = setting(below("snapshots"), "SELF_HEAL_SNAPSHOTS_DIR", "storage.snapshots_dir",
        says="the folder of the stored pages (with PostgreSQL they are in the database)")
    training_file: FilePath = setting(below("training.jsonl"), "SELF_HEAL_TRAINING_FILE", "storage.training_file",
        says="where `self-heal feedback export` writes the confirmed heals")
    database_url: Annotated[str, url_of(*DATABASES), Shown] = setting(
        lambda given: f"sqlite:///{given['data_dir']}/self_heal.db", "DATABASE_URL", "storage.database_url",
        says="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`; the password is never shown")
    snapshot_days: float = setting(30.0, "SELF_HEAL_SNAPSHOT_DAYS", "storage.snapshot_days", gt=0, le=36_500,
        says="how long pages are kept")
    storage_seconds: float = setting(0.25, "SELF_HEAL_STORAGE_SECONDS", "storage.storage_seconds", gt=0, le=60,
        says="how long an answer waits for its row to be stored; then it goes out with `confirmable: false`")

    # api
    host: Word = setting("127.0.0.1", "SELF_HEAL_HOST", "api.host",
        says="the address that `self-heal serve` listens on")
    port: int = setting(8000, "SELF_HEAL_PORT", "api.port", ge=0, le=65_535,
        says="its port; 0 takes a free one")
    workers: int = setting(1, "SELF_HEAL_WORKERS", "api.workers", ge=1, le=64,
        says="app processes of `self-heal serve`")
    api_url: Annotated[str, url_of(*SERVICES), Shown] = setting("http://localhost:8000", "HEALING_API_URL", "api.url",
        says="where clients (`self-heal heal --remote`, the scripts) find the service")
    api_token: SecretStr | None = setting(None, "SELF_HEAL_TOKEN", None,
        says="the token that these clients send; never shown")
    redis_url: Annotated[str, url_of(*REDISES), Shown] | None = setting(None, "REDIS_URL", "api.redis_url",
        says="the Redis through which processes share their rate limits, such as `redis://HOST:6379`")
    auth: Auth = setting("token", "AUTH", "api.auth",
        says="`token`: a bearer token is asked for (while there is none, this machine alone may call); `off`: all may")
    tokens_file: FilePath = setting(below("tokens.json"), "SELF_HEAL_TOKENS_FILE", "api.tokens_file",
        says="where `self-heal token create` keeps the hashes of the tokens")
    rate_limit: Rate = setting("600/minute", "SELF_HEAL_RATE_LIMIT", "api.rate_limit",
        says="requests of one token, else of one address: such as `5/second`, `1000 per 2 hours`, `off`")
    trusted_proxies: Proxies = setting((), "SELF_HEAL_TRUSTED_PROXIES", "api.trusted_proxies",
        says="addresses and networks whose `X-Forwarded-For` and `X-Real-IP` are believed, separated by commas"
             " (in the file also a list)")

    # limits
    body_bytes: int = setting(5 * 2**20, "SELF_HEAL_BODY_BYTES", "limits.body_bytes", ge=1024, le=2**30,
        says="the largest request body")
    body_seconds: float = setting(10.0, "SELF_HEAL_BODY_SECONDS", "limits.body_seconds", gt=0, le=3600,
        says="how long a body may take to arrive")
    page_elements: int = setting(60_000, "SELF_HEAL_PAGE_ELEMENTS", "limits.page_elements", ge=1, le=500_000,
        says="the most elements of a page")
    page_depth: int = setting(512, "SELF_HEAL_PAGE_DEPTH", "limits.page_depth", ge=1, le=512,
        says="the most elements inside each other; the parser nests no deeper than 512, as Chromium does")
    element_attributes: int = setting(1000, "SELF_HEAL_ELEMENT_ATTRIBUTES", "limits.element_attributes",
        ge=1, le=1_000_000, says="the most attributes of an element")
    batch_locators: int = setting(100, "SELF_HEAL_BATCH_LOCATORS", "limits.batch_locators", ge=1, le=10_000,
        says="the most locators of a batch")
    concurrent_requests: int = setting(64, "SELF_HEAL_CONCURRENT_REQUESTS", "limits.concurrent_requests",
        ge=1, le=100_000, says="the most requests at once, in each app process")

    # logging
    log_level: Level = setting("INFO", "LOG_LEVEL", "logging.level",
        says="from which level on records are written: DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_format: Literal["json"] = setting("json", "SELF_HEAL_LOG_FORMAT", "logging.format",
        says="`json`: one object a line")
    log_file: FilePath | None = setting(None, "SELF_HEAL_LOG_FILE", "logging.file",
        says="the file to write to, opened again after rotation; by default standard output")
    # fmt: on

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what is given by name, alone: by default the variables HOST and PORT of other programs count too."""
        return (init_settings,)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump(mode="json").items()


def names() -> Iterator[tuple[str, str, str | None]]:
    """Yield each setting's name, its variable, and its key in the file."""
    for name, info in Settings.model_fields.items():
        named = cast(dict[str, Any], info.json_schema_extra)
        yield name, named["variable"], named["key"]


VARIABLES = {variable: name for name, variable, _ in names()}
KEYS = {key: name for name, _, key in names() if key}
SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in KEYS))
SECRET = frozenset(("openai_api_key", "llm_base_url", "api_token", "database_url", "redis_url", "api_url"))


# -- reading ---------------------------------------------------------------------------------------------------------


def read_settings(env: Mapping[str, str] = os.environ, folder: Path = Path()) -> Settings:
    """Return the settings: the environment before the file before the defaults; CannotHeal ``bad_settings``.

    The file is the one that SELF_HEAL_CONFIG names, else config.yaml in the folder, if there is one.
    """
    named = env.get(CONFIG_VARIABLE)
    path = folder / (named or CONFIG)
    of_file = file_values(path) if named or os.path.lexists(path) else {}
    sources = (InitSettingsSource(Settings, environment_values(env)), InitSettingsSource(Settings, of_file))
    return Settings(_build_sources=(sources, {}))


def environment_values(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the environment gives; a variable that is set to nothing is not given."""
    for variable in env:
        known = variable in VARIABLES or variable == CONFIG_VARIABLE
        if variable.upper().startswith(PREFIX) and not known:
            raise CannotHeal(
                "bad_settings",
                f"{quoted(variable)} is not a setting{nearest(variable.upper(), (*VARIABLES, CONFIG_VARIABLE))}",
            )
    return {
        name: checked(name, variable, env[variable], text=True)
        for variable, name in VARIABLES.items()
        if env.get(variable)
    }


def file_values(path: Path) -> dict[str, Any]:
    """Return the settings that a file gives; a key without a value is not given."""
    values = {}
    for section, content in table_of(read_yaml(path, "bad_settings"), quoted(path)).items():
        if section not in SECTIONS:
            near = nearest(section, SECTIONS)
            raise CannotHeal("bad_settings", f"{quoted(path)}: {quoted(section)} is not a section{near}")
        for key, value in table_of(content, f"{quoted(path)}: {section}").items():
            place = f"{section}.{key}"
            if place not in KEYS:
                near = nearest(place, KEYS)
                raise CannotHeal("bad_settings", f"{quoted(path)}: {quoted(place)} is not a setting{near}")
            if value is not None:
                values[KEYS[place]] = checked(KEYS[place], f"{quoted(path)}: {place}", value, text=False)
    return values


def table_of(content: object, place: str) -> dict[str, Any]:
    """Return a table of the file, empty where nothing stands; its keys as texts."""
    if not isinstance(content, dict | None):
        raise CannotHeal("bad_settings", f"{place} holds {kind(content)} where settings should stand")
    return {key if isinstance(key, str) else kind(key): value for key, value in (content or {}).items()}


def checked(name: str, place: str, value: Any, text: bool) -> Any:
    """Return a value as the setting's type; of a text also the number or the truth that it spells."""
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, PLAIN) or (isinstance(each, int) and abs(each) > 2**63):
            raise CannotHeal("bad_settings", f"{place} holds {kind(each)}, which no setting can be")
    form = Settings.model_fields[name].rebuild_annotation()
    adapter: TypeAdapter[Any] = TypeAdapter(form, config=ConfigDict(allow_inf_nan=False))
    try:
        if text:
            return adapter.validate_strings(value)
        return adapter.validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as invalid:
        why = invalid.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        said = "" if name in SECRET else f" {quoted(value)}"
        raise CannotHeal("bad_settings", f"{place} cannot be{said}: {why[:1].lower()}{why[1:]}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to add to a sentence about an unknown name."""
    near = get_close_matches(name[:100], known, n=1, cutoff=0.5)
    return f"; the nearest is {near[0]}" if near else ""


def kind(value: object) -> str:
    """Return what a value of the file is, without showing it: an alias can make it endless."""
    kinds = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "something else")


# -- the page of the docs --------------------------------------------------------------------------------------------

BEGIN, END = "<!-- settings: written by python -m self_heal_engine.settings -->\n", "<!-- end of settings -->"
HEAD = ("variable", "key in config.yaml", "default", "meaning")


def settings_page(page: str) -> str:
    """Return the page with the table of all settings between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(markdown(HEAD, table_rows())) + "\n" + END + after


def table_rows() -> Iterator[tuple[str, ...]]:
    """Yield a row of the table for each setting."""
    defaults = Settings().model_dump(mode="json")
    for name, variable, key in names():
        info = Settings.model_fields[name]
        default = defaults[name]
        shown = (
            f"`{default if isinstance(default, str) else json.dumps(default)}`" if default not in (None, []) else "-"
        )
        says = "; ".join(filter(None, (info.description, bounds(info))))
        yield f"`{variable}`", f"`{key}`" if key else "-", shown, says


def bounds(info: FieldInfo) -> str:
    """Return the range of a setting in words.

    >>> bounds(Settings.model_fields["max_candidates"]), bounds(Settings.model_fields["deadline_seconds"])
    ('1 to 50', 'above 0, to 600')
    """
    by = {
        name: value
        for rule in info.metadata
        for name in ("ge", "gt", "le")
        if (value := getattr(rule, name, None)) is not None
    }
    if "le" not in by:
        return ""
    return f"{by['ge']:,} to {by['le']:,}" if "ge" in by else f"above {by['gt']:,}, to {by['le']:,}"


if __name__ == "__main__":
    PAGE = Path("docs/settings.md")
    write_text(PAGE, settings_page(read_text(PAGE)))
