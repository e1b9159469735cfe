"""Settings: the environment before the file before the defaults, and every wrong one is a sentence."""

import pickle
import re
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from self_heal_engine.errors import CannotHeal
from self_heal_engine.settings import KEYS, SECRET, VARIABLES, Settings, names, read_settings, settings_page
from serving import CONFIG

NOWHERE = Path("/nonexistent")
ROOT = Path(__file__).parents[1]

# Every setting: its variable, its key, its default, another value as text and as what the settings hold.
TABLE = [
    ("max_candidates", "MAX_CANDIDATES", "healing.max_candidates", 5, "7", 7),
    ("use_llm", "SELF_HEAL_USE_LLM", "healing.use_llm", False, "true", True),
    ("llm_provider", "LLM_PROVIDER", "healing.llm_provider", "mock", "openai", "openai"),
    ("openai_api_key", "OPENAI_API_KEY", None, None, "abc", "abc"),
    ("llm_base_url", "SELF_HEAL_LLM_BASE_URL", "healing.llm_base_url", None, "http://llm:1/v1", "http://llm:1/v1"),
    ("llm_model", "SELF_HEAL_LLM_MODEL", "healing.llm_model", "gpt-4o-mini", "own-7b", "own-7b"),
    ("llm_seconds", "SELF_HEAL_LLM_SECONDS", "healing.llm_seconds", 5.0, "2", 2.0),
    ("llm_retries", "SELF_HEAL_LLM_RETRIES", "healing.llm_retries", 1, "0", 0),
    ("llm_budget", "SELF_HEAL_LLM_BUDGET", "healing.llm_budget", "1000/day", "off", "off"),
    ("llm_below", "SELF_HEAL_LLM_BELOW", "healing.llm_below", None, "0.7", 0.7),
    ("heal_workers", "SELF_HEAL_HEAL_WORKERS", "healing.workers", None, "3", 3),
    ("deadline_seconds", "SELF_HEAL_DEADLINE_SECONDS", "healing.deadline_seconds", 2.0, "3.5", 3.5),
    ("queue_seconds", "SELF_HEAL_QUEUE_SECONDS", "healing.queue_seconds", 0.4, "0", 0.0),
    ("queue_length", "SELF_HEAL_QUEUE_LENGTH", "healing.queue_length", 32, "0", 0),
    ("worker_memory_mb", "SELF_HEAL_WORKER_MEMORY_MB", "healing.worker_memory_mb", 1024, "2048", 2048),
    ("model_path", "MODEL_PATH", "models.ranker_path", Path("models/ranker.json"), "/m.json", Path("/m.json")),
    ("challenger_path", "SELF_HEAL_CHALLENGER_PATH", "models.challenger_path", None, "/c.json", Path("/c.json")),
    ("challenger_share", "SELF_HEAL_CHALLENGER_SHARE", "models.challenger_share", 0.5, "0.1", 0.1),
    ("enable_inference", "SELF_HEAL_ENABLE_INFERENCE", "models.enable_inference", True, "false", False),
    ("data_dir", "DATA_DIR", "storage.data_dir", Path("data/"), "/srv/heal/", Path("/srv/heal")),
    ("snapshots_dir", "SELF_HEAL_SNAPSHOTS_DIR", "storage.snapshots_dir", Path("data/snapshots"), "s/", Path("s")),
    ("training_file", "SELF_HEAL_TRAINING_FILE", "storage.training_file", Path("data/training.jsonl"), "t", Path("t")),
    ("database_url", "DATABASE_URL", "storage.database_url", "sqlite:///data/self_heal.db", "postgresql://db/heal", "postgresql://db/heal"),
    ("snapshot_days", "SELF_HEAL_SNAPSHOT_DAYS", "storage.snapshot_days", 30.0, "0.5", 0.5),
    ("storage_seconds", "SELF_HEAL_STORAGE_SECONDS", "storage.storage_seconds", 0.25, "1", 1.0),
    ("host", "SELF_HEAL_HOST", "api.host", "127.0.0.1", "::", "::"),
    ("port", "SELF_HEAL_PORT", "api.port", 8000, "80", 80),
    ("workers", "SELF_HEAL_WORKERS", "api.workers", 1, "4", 4),
    ("api_url", "HEALING_API_URL", "api.url", "http://localhost:8000", "https://heal/x", "https://heal/x"),
    ("api_token", "SELF_HEAL_TOKEN", None, None, "she_x", "she_x"),
    ("redis_url", "REDIS_URL", "api.redis_url", None, "redis://redis:6379", "redis://redis:6379"),
    ("auth", "AUTH", "api.auth", "token", "off", "off"),
    ("tokens_file", "SELF_HEAL_TOKENS_FILE", "api.tokens_file", Path("data/tokens.json"), "/k", Path("/k")),
    ("rate_limit", "SELF_HEAL_RATE_LIMIT", "api.rate_limit", "600/minute", "5/second", "5/second"),
    ("trusted_proxies", "SELF_HEAL_TRUSTED_PROXIES", "api.trusted_proxies", (), "10.0.0.0/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("body_bytes", "SELF_HEAL_BODY_BYTES", "limits.body_bytes", 5_242_880, "1048576", 1_048_576),
    ("body_seconds", "SELF_HEAL_BODY_SECONDS", "limits.body_seconds", 10.0, "3", 3.0),
    ("page_elements", "SELF_HEAL_PAGE_ELEMENTS", "limits.page_elements", 60_000, "9", 9),
    ("page_depth", "SELF_HEAL_PAGE_DEPTH", "limits.page_depth", 512, "10", 10),
    ("element_attributes", "SELF_HEAL_ELEMENT_ATTRIBUTES", "limits.element_attributes", 1000, "5", 5),
    ("batch_locators", "SELF_HEAL_BATCH_LOCATORS", "limits.batch_locators", 100, "5", 5),
    ("concurrent_requests", "SELF_HEAL_CONCURRENT_REQUESTS", "limits.concurrent_requests", 64, "5", 5),
    ("log_level", "LOG_LEVEL", "logging.level", "INFO", "debug", "DEBUG"),
    ("log_format", "SELF_HEAL_LOG_FORMAT", "logging.format", "json", "json", "json"),
    ("log_file", "SELF_HEAL_LOG_FILE", "logging.file", None, "logs/x.log", Path("logs/x.log")),
]  # fmt: skip
EACH = pytest.mark.parametrize(("name", "variable", "key", "default", "text", "value"), TABLE, ids=[row[0] for row in TABLE])  # fmt: skip
IN_FILE = pytest.mark.parametrize(("name", "variable", "key", "default", "text", "value"), [row for row in TABLE if row[2]], ids=[row[0] for row in TABLE if row[2]])  # fmt: skip


def plain(settings, name):
    value = getattr(settings, name)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def by_file(folder, text, env=None):
    (folder / "config.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings(env or {}, folder)


def line(key, value):
    section, _, name = key.partition(".")
    return f"{section}:\n  {name}: {value}\n"


def quoted(name, text):
    """A value as YAML: numbers and truths bare, texts in quotation marks."""
    return text if text in ("true", "false") or re.fullmatch(r"[\d.]+", text) else f'"{text}"'


def refused(env, folder=NOWHERE):
    with pytest.raises(CannotHeal) as refusal:
        read_settings(env, folder)
    assert str(refusal.value) == "bad_settings"
    assert "\n" not in refusal.value.sentence
    return refusal.value.sentence


def refused_file(folder, text):
    with pytest.raises(CannotHeal) as refusal:
        by_file(folder, text)
    assert str(refusal.value) == "bad_settings"
    assert "config.yaml" in refusal.value.sentence
    assert "\n" not in refusal.value.sentence
    assert len(refusal.value.sentence) < 800
    return refusal.value.sentence


def test_the_table_here_is_whole():
    assert [row[:3] for row in TABLE] == list(names())
    assert len(VARIABLES) == len(TABLE)
    assert len(KEYS) == sum(row[2] is not None for row in TABLE)


@EACH
def test_a_default_is_as_promised(name, variable, key, default, text, value):
    assert plain(read_settings({}, NOWHERE), name) == default


@EACH
def test_a_variable_sets_it(name, variable, key, default, text, value):
    assert plain(read_settings({variable: text}, NOWHERE), name) == value


@IN_FILE
def test_the_file_sets_it(name, variable, key, default, text, value, tmp_path):
    assert plain(by_file(tmp_path, line(key, quoted(name, text))), name) == value


@IN_FILE
def test_the_variable_counts_more_than_the_file(name, variable, key, default, text, value, tmp_path):
    said = {
        "heal_workers": "9", "redis_url": "redis://other", "trusted_proxies": "10.9.9.9", "log_file": "other.log",
        "llm_base_url": "http://other", "llm_below": "0.9", "challenger_path": "other.json",
    }  # fmt: skip
    shown = said.get(name, str(default))
    by_both = by_file(tmp_path, line(key, quoted(name, text)), {variable: shown})
    assert plain(by_both, name) == plain(read_settings({variable: shown}, NOWHERE), name)
    assert str(plain(by_both, name)) != str(value) or name == "log_format"  # there is but one


@EACH
def test_a_variable_that_is_set_to_nothing_is_not_given(name, variable, key, default, text, value):
    assert plain(read_settings({variable: ""}, NOWHERE), name) == default


@IN_FILE
def test_a_key_without_a_value_is_not_given(name, variable, key, default, text, value, tmp_path):
    assert plain(by_file(tmp_path, line(key, "")), name) == default


@IN_FILE
def test_a_table_is_no_value(name, variable, key, default, text, value, tmp_path):
    assert f"{key} holds a table" in refused_file(tmp_path, line(key, "{a: 1}"))


BAD = {
    "max_candidates": ["0", "51", "5.5", "many", "1e999"],
    "use_llm": ["maybe", "2"],
    "llm_provider": ["claude", "MOCK"],
    "heal_workers": ["0", "none"],
    "deadline_seconds": ["0", "-1", "nan", "inf", "601"],
    "queue_seconds": ["-0.1", "nan"],
    "queue_length": ["-1"],
    "worker_memory_mb": ["255"],
    "model_path": ["."],
    "enable_inference": ["perhaps"],
    "snapshot_days": ["0", "-3"],
    "storage_seconds": ["0"],
    "host": ["two words"],
    "port": ["-1", "65536", "http"],
    "workers": ["0", "65"],
    "auth": ["basic", "on", "none"],
    "rate_limit": ["600", "0/minute", "600/fortnight", "1/second;5/minute", "a/second", "-5/second"],
    "trusted_proxies": ["localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1 10.0.0.2", "proxy,::1"],
    "body_bytes": ["1023", "1G"],
    "body_seconds": ["0"],
    "page_elements": ["0", "500001"],
    "page_depth": ["0", "513"],
    "challenger_share": ["0", "1", "half"],
    "llm_model": ["two words"],
    "llm_seconds": ["0"],
    "llm_retries": ["-1"],
    "llm_budget": ["1000"],
    "llm_below": ["0", "1.1"],
    "element_attributes": ["0"],
    "batch_locators": ["0"],
    "concurrent_requests": ["0"],
    "log_level": ["LOUD", "10"],
    "log_format": ["text"],
}
SECRETS = {
    "database_url": ["postgres://heal:s3cr3t@db/heal", "sqlite://", "sqlite:///", "mysql://u:s3cr3t@h/d", "postgresql://heal:s3cr3t@db:port/heal"],
    "redis_url": ["http://:s3cr3t@redis", "redis://", "s3cr3t", "redis://:s3cr3t@h:99999"],
    "llm_base_url": ["llm:1", "http://", "http://u:s3cr3t@h:x"],
    "api_url": ["localhost:8000", "ftp://h", "http://", "http://u:s3cr3t@h:x"],
}  # fmt: skip


def test_every_setting_with_bounds_has_a_bad_value_here():
    anything = {
        "data_dir",
        "snapshots_dir",
        "training_file",
        "tokens_file",
        "log_file",
        "openai_api_key",
        "api_token",
        "challenger_path",
    }
    assert set(BAD) | set(SECRETS) | anything == {row[0] for row in TABLE}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_value_in_a_variable_is_a_sentence_that_quotes_it(name, text):
    variable = next(row[1] for row in TABLE if row[0] == name)
    sentence = refused({variable: text})
    assert sentence.startswith(f"{variable} cannot be '{text}': ")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_value_in_the_file_is_a_sentence_that_names_the_key(name, text, tmp_path):
    key = next(row[2] for row in TABLE if row[0] == name)
    bare = f'"{text}"' if ";" in text or "," in text or text in ("on", "none", ".", "inf", "nan") else text
    assert f"{key} cannot be" in refused_file(tmp_path, line(key, bare))


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SECRETS.items() for text in texts])
def test_a_bad_url_is_a_sentence_without_its_password(name, text, tmp_path):
    _, variable, key, *_ = next(row for row in TABLE if row[0] == name)
    for sentence in (refused({variable: text}), refused_file(tmp_path, line(key, f'"{text}"'))):
        assert "cannot be: " in sentence
        assert "s3cr3t" not in sentence


def test_the_guides_file_is_taken_as_printed(tmp_path):
    settings = by_file(tmp_path, CONFIG)
    assert (settings.host, settings.workers, settings.log_file) == ("0.0.0.0", 4, Path("logs/self_heal_engine.log"))
    assert settings.snapshots_dir == Path("data/snapshots")


def test_the_guides_variables_are_taken_with_its_defaults():
    guide = {
        "PYTHONPATH": "src", "HEALING_API_URL": "http://localhost:8000", "LLM_PROVIDER": "mock", "MAX_CANDIDATES": "5",
        "MODEL_PATH": "models/ranker.json", "LOG_LEVEL": "INFO", "DATA_DIR": "data/",
    }  # fmt: skip
    assert read_settings(guide, NOWHERE) == read_settings({}, NOWHERE)


def test_variables_of_other_programs_change_nothing():
    others = {"HOST": "0.0.0.0", "PORT": "1", "WORKERS": "9", "USE_LLM": "true", "BODY_BYTES": "1", "host": "::", "TOKEN": "x"}  # fmt: skip
    assert read_settings(others, NOWHERE) == read_settings({}, NOWHERE)


def test_settings_made_by_name_read_no_environment(monkeypatch):
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("MAX_CANDIDATES", "9")
    assert (Settings(workers=2).port, Settings(workers=2).max_candidates) == (8000, 5)


def test_what_lies_below_the_data_folder_moves_with_it():
    settings = read_settings({"DATA_DIR": "/srv/heal", "SELF_HEAL_TOKENS_FILE": "/run/tokens"}, NOWHERE)
    assert settings.database_url == "sqlite:////srv/heal/self_heal.db"
    assert settings.snapshots_dir == Path("/srv/heal/snapshots")
    assert settings.training_file == Path("/srv/heal/training.jsonl")
    assert settings.tokens_file == Path("/run/tokens")


@pytest.mark.parametrize(("unknown", "near"), [
    ("SELF_HEAL_PROT", "SELF_HEAL_PORT"),
    ("SELF_HEAL_MAX_CANDIDATES", "MAX_CANDIDATES"),
    ("SELF_HEAL_CONFG", "SELF_HEAL_CONFIG"),
    ("self_heal_port", "SELF_HEAL_PORT"),
])  # fmt: skip
def test_an_unknown_variable_of_ours_is_a_sentence_with_the_nearest(unknown, near):
    assert refused({unknown: "s3cr3t"}) == f"'{unknown}' is not a setting; the nearest is {near}"


@pytest.mark.parametrize(("text", "said"), [
    ("api:\n  hots: x", "'api.hots' is not a setting; the nearest is api.host"),
    ("healing:\n  max_candidate: 5", "the nearest is healing.max_candidates"),
    ("max_candidates: 5", "'max_candidates' is not a section"),
    ("healng:\n  use_llm: true", "the nearest is healing"),
    ("api: 8000", "api holds a number where settings should stand"),
    ("api: [host]", "api holds a list"),
    ("- api", "holds a list where"),
    ("just a text", "holds a text where"),
    ("api:\n  port: 80\n  port: 81", "'port' stands twice"),
    ("api:\n  port: 80\napi:\n  host: x", "'api' stands twice"),
    ('api:\n  port: "80"', "api.port cannot be '80': input should be a valid integer"),
    ('healing:\n  use_llm: "false"', "input should be a valid boolean"),
    ("healing:\n  use_llm: 1", "input should be a valid boolean"),
    ("api:\n  host: 127", "input should be a valid string"),
    ("api:\n  port: true", "input should be a valid integer"),
    ("api:\n  trusted_proxies: [10.0.0.1, [x]]", "holds a list, which"),
    ("api:\n  trusted_proxies: [167772161]", "'167772161' is not an address"),
    ("api:\n  port: 0x" + "f" * 5000, "api.port holds a number, which"),
    ("api:\n  port: " + "9" * 5000, "not YAML"),
    ("? 0x" + "f" * 5000 + "\n: 3", "'a number' is not a section"),
    ("api:\n  3: 3", "'api.a number' is not a setting"),
    ("api:\n  host: !!binary aGk=", "api.host holds something else"),
    ("api:\n  host: !!python/object/apply:os.system [id]", "not YAML"),
    ("api: &a\n  host: *a", "api.host holds a table"),
    ("a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]", "'a' is not a section"),
    ("api:\n  host: 2025-99-99", "not YAML"),
    ("api: [", "not YAML"),
    ("\tapi: x", "not YAML"),
    ("? [a]\n: b", "not YAML"),
    ("[" * 50_000, "nested too deeply"),
    ("#" * 200_001, "at most 200000 are read"),
    (b"\xff\xfeapi", "not UTF-8"),
    (b"api:\n  host: \x00", "not YAML"),
    ("---\napi: {}\n---\napi: {}", "not YAML"),
    ("storage:\n  openai_api_key: s3cr3t", "'storage.openai_api_key' is not a setting"),
    ('api:\n  host: "a\\ud800"', "api.host cannot be"),
])  # fmt: skip
def test_a_wrong_file_is_one_sentence(text, said, tmp_path):
    sentence = refused_file(tmp_path, text)
    assert said in sentence
    assert "s3cr3t" not in sentence


def test_what_aliases_multiply_is_refused_at_once(tmp_path):
    laughs = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'lol'}]" for n in range(30))
    refused_file(tmp_path, f"{laughs}\napi:\n  host: *x29")
    refused_file(tmp_path, "api:\n  host: &a [&b [*a, *b]]")


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "api:\n", "api: {}\nlogging: null\n", "\ufeffapi: {}"])
def test_a_file_without_settings_changes_nothing(text, tmp_path):
    assert by_file(tmp_path, text) == read_settings({}, NOWHERE)


def test_off_means_off_in_the_file_too(tmp_path):
    settings = by_file(tmp_path, "api:\n  auth: off\n  rate_limit: off\n")
    assert (settings.auth, settings.rate_limit) == ("off", "off")


def test_proxies_may_be_a_list_or_a_text_in_the_file(tmp_path):
    listed = by_file(tmp_path, "api:\n  trusted_proxies: [10.0.0.0/8, '::1']\n")
    assert listed == by_file(tmp_path, "api:\n  trusted_proxies: 10.0.0.0/8, ::1\n")
    assert listed.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


def test_a_whole_number_will_do_for_seconds(tmp_path):
    assert by_file(tmp_path, "healing:\n  deadline_seconds: 3\n").deadline_seconds == 3.0


def test_a_file_may_be_named(tmp_path):
    (tmp_path / "other.yaml").write_text("api:\n  port: 1234\n")
    assert by_file(tmp_path, "api:\n  port: 99\n", {"SELF_HEAL_CONFIG": "other.yaml"}).port == 1234
    assert read_settings({"SELF_HEAL_CONFIG": str(tmp_path / "other.yaml")}, NOWHERE).port == 1234


def test_a_named_file_that_is_not_there_is_a_sentence(tmp_path):
    assert "nope.yaml' cannot be read: No such file" in refused({"SELF_HEAL_CONFIG": "nope.yaml"}, tmp_path)


def test_a_folder_or_a_lost_link_called_config_yaml_is_a_sentence(tmp_path):
    (tmp_path / "config.yaml").mkdir()
    assert "cannot be read" in refused({}, tmp_path)
    (tmp_path / "config.yaml").rmdir()
    (tmp_path / "config.yaml").symlink_to(tmp_path / "gone")
    assert "cannot be read" in refused({}, tmp_path)


def test_the_settings_cannot_be_changed():
    with pytest.raises(ValueError):
        read_settings({}, NOWHERE).port = 1


def test_the_settings_go_to_another_process_whole():
    settings = read_settings({"OPENAI_API_KEY": "s3cr3t", "DATABASE_URL": "postgresql://u:pw@h/d"}, NOWHERE)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_no_secret_is_shown_anywhere():
    given = {
        "OPENAI_API_KEY": "s3cr3t", "SELF_HEAL_TOKEN": "s3cr3t", "DATABASE_URL": "postgresql://heal:s3cr3t@p@db/heal",
        "REDIS_URL": "redis://:s3cr3t@redis:6379", "HEALING_API_URL": "https://me:s3cr3t@heal", "SELF_HEAL_LLM_BASE_URL": "https://me:s3cr3t@llm",
    }  # fmt: skip
    settings = read_settings(given, NOWHERE)
    assert {VARIABLES[variable] for variable in given} == SECRET
    for shown in (str(settings), repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "s3cr3t" not in shown
        assert "postgresql://heal:***@db/heal" in shown
    assert settings.database_url == given["DATABASE_URL"]


@pytest.mark.parametrize("url", ["sqlite:////srv/my data/heal.db", "postgresql+psycopg://u:p%40@[::1]:5432/d?sslmode=require"])  # fmt: skip
def test_a_database_url_may_be(url):
    assert read_settings({"DATABASE_URL": url}, NOWHERE).database_url == url


@pytest.mark.parametrize(("rate", "amount", "seconds"), [
    ("600/minute", 600, 60), ("5/second", 5, 1), ("1000 per 2 hours", 1000, 7200), ("7/2days", 7, 172_800),
    ("5 / 30 Seconds", 5, 30),
])  # fmt: skip
def test_a_rate_means_the_same_to_the_library(rate, amount, seconds):
    assert read_settings({"SELF_HEAL_RATE_LIMIT": rate}, NOWHERE).rate_limit == rate
    assert (parse(rate).amount, parse(rate).get_expiry()) == (amount, seconds)


@given(st.sampled_from([row[1] for row in TABLE]), st.text(max_size=60))
def test_any_text_in_a_variable_is_a_setting_or_a_sentence(variable, text):
    try:
        settings = read_settings({variable: text}, NOWHERE)
    except CannotHeal as refusal:
        assert str(refusal) == "bad_settings"
        assert refusal.sentence.isprintable()
    else:
        str(settings)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_or_a_sentence(tmp_path_factory, raw):
    folder = tmp_path_factory.getbasetemp()
    try:
        by_file(folder, raw)
    except CannotHeal as refusal:
        assert str(refusal) == "bad_settings"
    finally:
        (folder / "config.yaml").unlink()


def test_the_docs_have_every_setting_as_it_is():
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    assert settings_page(page) == page, "run python -m self_heal_engine.settings"
    for name, variable, key, default, *_ in TABLE:
        row = next(row for row in page.splitlines() if row.startswith(f"| `{variable}` |"))
        assert f"| `{key}` |" in row if key else "| - |" in row, name
        if isinstance(default, int | str) and not isinstance(default, bool):
            assert f"| `{default}` |" in row, name


def test_the_package_alone_does_not_read_settings():
    ask = "import sys, self_heal_engine, self_heal_engine.cli; print([m for m in ('pydantic_settings', 'yaml') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip() == "[]"
