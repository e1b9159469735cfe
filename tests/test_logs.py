"""Logs: whatever is logged, by whomever, is one line of JSON; none is lost when the file is renamed."""

import io
import json
import logging
import logging.config
import math
import re
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bind_contextvars, clear_contextvars

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service import logs

log = logs.get("tests")


@pytest.fixture(autouse=True)
def as_before():
    """Leave logging as it was: it is the whole process's."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.access")
    handlers, level, propagates = root.handlers[:], root.level, uvicorn.propagate
    yield
    for handler in root.handlers:
        if isinstance(handler, logs.LogFile):
            with suppress(OSError):
                handler.close()
    root.handlers[:], root.level, uvicorn.propagate = handlers, level, propagates
    logging.captureWarnings(False)
    clear_contextvars()


def written(folder):
    """Set up a log at INFO, in the test itself: pytest adds handlers of its own before each. Return its lines as data."""
    file = folder / "logs" / "log"
    logs.set_up("INFO", file)
    return lambda: [
        json.loads(line, parse_constant=refuse) for line in file.read_bytes().decode("ascii").split("\n")[:-1]
    ]


def refuse(word):
    raise AssertionError(f"{word} is not JSON")


class Hostile:
    """It cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


def test_a_heal_is_the_guides_line(tmp_path):
    lines = written(tmp_path)
    with logs.bound(request_id="3f0e8f2c-8c9e-4a3f-9c3e-0d5b8f6a1b2c", trace_id="4bf92f3577b34da6a3ce929d0e0e4736"):
        log.info("Healing completed", candidates_found=3, top_score=0.95, duration_ms=150)
    log.info("afterwards")
    line, after = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(line.pop("timestamp"))).total_seconds()) < 10
    assert line == {
        "level": "INFO", "message": "Healing completed", "logger": "tests", "candidates_found": 3, "top_score": 0.95,
        "duration_ms": 150, "request_id": "3f0e8f2c-8c9e-4a3f-9c3e-0d5b8f6a1b2c",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }  # fmt: skip
    assert "trace_id" not in after


def test_what_is_bound_is_on_the_records_of_libraries_too(tmp_path):
    lines = written(tmp_path)
    bind_contextvars(trace_id="abc")
    logging.getLogger("sqlalchemy.pool").warning("connection %s is lost", "x")
    (line,) = lines()
    assert (line["message"], line["logger"], line["trace_id"]) == ("connection x is lost", "sqlalchemy.pool", "abc")


def test_what_one_task_binds_is_not_on_anothers_records(tmp_path):
    lines = written(tmp_path)

    def other():
        bind_contextvars(trace_id="other")
        log.info("other")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    log.info("mine")
    assert [line.get("trace_id") for line in lines()] == ["other", None]


@pytest.mark.parametrize(("value", "shown"), [
    ("two\nlines\r\n\x1b[31m\0\u2028\x85", "two\nlines\r\n\x1b[31m\0\u2028\x85"),
    ("\ud800 alone", "\\ud800 alone"), ("ü✓", "ü✓"),
    (math.nan, None), (math.inf, None), (1e400, None), (0.95, 0.95), (np.float32("nan"), None), (np.float64(0.5), 0.5),
    (np.float32(0.5), 0.5), (np.int64(3), 3), (True, True), (np.bool_(True), "np.True_"), (None, None),
    (2**63 - 1, 2**63 - 1), (2**64, "0x10000000000000000"), (-(10**5000), "-0x"),
    (b"a\xff\n", "a\\xff\n"), (bytearray(b"x" * 5000), "x"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"), (Path("/a"), "/a"), (datetime(2025, 1, 15), "2025-01-15 00:00:00"),
    ({"a": {1: (2, {3})}}, {"a": {"1": [2, "{3}"]}}), ([math.nan, b"\xff"], [None, "\\xff"]), ({}, {}),
    (Hostile(), "<Hostile instance at "), ([Hostile()], ["<Hostile instance at "]), (object, "<class 'object'>"),
    ("x" * 5000, "x" * 2000 + "…"), ("✓" * 5000, "✓" * 2000 + "…"),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_a_field_may_be_anything(tmp_path, value, shown):
    lines = written(tmp_path)
    log.info("told", field=value)
    (line,) = lines()
    if isinstance(shown, str):
        assert line["field"].startswith(shown)
        assert len(line["field"]) <= 2001
    elif shown == ["<Hostile instance at "]:
        assert line["field"][0].startswith(shown[0])
    else:
        assert line["field"] == shown


def test_what_holds_itself_or_multiplies_is_cut_at_once(tmp_path):
    lines = written(tmp_path)
    endless = []
    endless.append(endless)
    laughs = "lol"
    for _ in range(60):
        laughs = [laughs] * 9
    began = time.perf_counter()
    log.info(
        "told",
        endless=endless,
        laughs=laughs,
        table={"t": {"t": {"t": {"t": laughs}}}},
        many=dict.fromkeys(range(10_000)),
    )
    assert time.perf_counter() - began < 1
    (line,) = lines()
    assert all(len(json.dumps(value)) < 2100 for value in line.values())
    assert len(line["many"]) == 20


def test_a_line_is_never_huge(tmp_path):
    lines = written(tmp_path)
    log.info("x" * 10**7, **{f"field{n}": "\ud800" * 10_000 for n in range(200)})
    (line,) = lines()
    assert len(line["message"]) == 2001
    assert len(line) == 50


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=())), st.binary(),
        st.uuids(), st.datetimes(), st.decimals(), st.fractions(), st.complex_numbers(), st.builds(Hostile), st.just(...),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.tuples(inner, inner), st.dictionaries(st.one_of(st.text(), st.integers(), st.none(), st.binary()), inner, max_size=5),
    ),
    max_leaves=20,
)  # fmt: skip
KEYS = st.one_of(st.text(st.characters(exclude_categories=()), max_size=120), st.integers(), st.none(), st.floats(), st.binary())  # fmt: skip


@given(st.dictionaries(KEYS, ANYTHING, max_size=60))
def test_any_mapping_of_anything_is_one_line_of_json(fields):
    line = logs.as_line(fields)
    assert line.isascii()
    assert line.isprintable()
    assert isinstance(json.loads(line, parse_constant=refuse), dict)
    assert "\\ud8" not in line or json.loads(line)  # surrogates come in pairs alone
    json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8")


@given(
    ANYTHING,
    st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=20).filter(lambda key: key not in ("self", "event")), ANYTHING, max_size=8),
    st.lists(ANYTHING, max_size=3),
)  # fmt: skip
def test_any_call_of_the_logger_writes_one_line(message, fields, arguments):
    out, root = io.StringIO(), logging.getLogger()
    kept, sys.stdout = sys.stdout, out
    try:
        logs.set_up("INFO", None)
        log.info(message, *arguments, **fields)
        logging.getLogger("foreign").info(message, *arguments)
    finally:
        sys.stdout = kept
    ours, foreign, rest = out.getvalue().split("\n")
    assert rest == ""
    for line in (ours, foreign):
        assert {"timestamp", "level", "message", "logger"} <= set(json.loads(line, parse_constant=refuse))
    assert root.handlers


def test_a_field_that_is_called_as_one_of_ours_does_not_displace_it(tmp_path):
    lines = written(tmp_path)
    log.info("told", message="other", level="HIGH", timestamp="never", logger="x")
    (line,) = lines()
    assert (line["message"], line["level"], line["logger"]) == ("told", "INFO", "tests")
    assert (line["message_"], line["level_"], line["timestamp_"], line["logger_"]) == ("other", "HIGH", "never", "x")


def test_an_exception_is_one_field(tmp_path):
    lines = written(tmp_path)
    try:
        raise ValueError("two\nlines \ud800 " + "x" * 20_000)
    except ValueError:
        log.exception("failed")
        logging.getLogger("uvicorn.error").error("failed too", exc_info=True)
    ours, foreign = lines()
    for line in (ours, foreign):
        assert line["exception"].startswith("…")
        assert len(line["exception"]) == 8001
        assert line["level"] == "ERROR"
    try:
        raise ValueError(Hostile())
    except ValueError:
        log.exception("failed")
    assert lines()[-1]["exception"].startswith("Traceback (most recent call last):\n")
    assert "ValueError" in lines()[-1]["exception"]


@pytest.mark.parametrize(("message", "arguments", "said"), [
    ("%s and %s", ("one", "two"), "one and two"),
    ("%d", ("x",), "%d ('x',)"),
    ("%s %s", ("one",), "%s %s ('one',)"),
    ("none", ("one",), "none ('one',)"),
    ("100 %", (), "100 %"),
    ("%(name)s", ({"name": "x"},), "x"),
    ("%(name)s", ({},), "%(name)s"),
    (ValueError("an exception"), (), "ValueError('an exception')"),
    ({"a": 1}, (), "{'a': 1}"),
    (Hostile(), (), "<Hostile instance at "),
])  # fmt: skip
def test_a_library_may_call_as_it_likes(tmp_path, message, arguments, said):
    lines = written(tmp_path)
    logging.getLogger("foreign").info(message, *arguments)
    assert lines()[0]["message"].startswith(said)


def test_an_argument_that_cannot_be_shown_costs_neither_the_request_nor_the_line(tmp_path, capsys):
    lines = written(tmp_path)
    logging.getLogger("foreign").info("%s", Hostile())
    log.info("next")
    assert lines()[-1]["message"] == "next"
    elsewhere = capsys.readouterr().err.splitlines()
    assert len(lines()) + len(elsewhere) == 2
    assert all(json.loads(line)["level"] == "INFO" for line in elsewhere)


@pytest.mark.parametrize(("level", "written"), [
    ("DEBUG", ["debug", "info", "warning", "error"]),
    ("INFO", ["info", "warning", "error"]),
    ("WARNING", ["warning", "error"]),
    ("CRITICAL", []),
])  # fmt: skip
@pytest.mark.parametrize("name", ["ours", "foreign", "uvicorn.error"])
def test_the_level_decides(tmp_path, level, written, name):
    logs.set_up(level, tmp_path / "log")
    source = logs.get(name) if name == "ours" else logging.getLogger(name)
    for word in ("debug", "info", "warning", "error"):
        getattr(source, word)(word)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["message"] for line in lines] == written
    assert [line["level"] for line in lines] == [word.upper() for word in written]


def test_uvicorns_own_handlers_and_access_lines_are_gone(tmp_path, capsys):
    from uvicorn.config import LOGGING_CONFIG

    logging.config.dictConfig(LOGGING_CONFIG)
    logs.set_up("INFO", tmp_path / "log")
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "x", "GET", "/", "1.1", 200)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra={"color_message": "x"})
    assert [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()] == ["Started server process [7]"]  # fmt: skip
    assert capsys.readouterr() == ("", "")
    assert not logging.getLogger("uvicorn.access").hasHandlers(), "uvicorn asks that before it makes a line"


def test_sqlalchemys_statements_are_not_in_the_log(tmp_path):
    lines = written(tmp_path)
    import sqlalchemy

    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    assert lines() == []


def test_a_warning_is_a_line(tmp_path):
    lines = written(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = lines()
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "old\nways" in line["message"]


def test_set_up_twice_writes_each_line_once(tmp_path):
    for name in ("one", "two", "two"):
        logs.set_up("INFO", tmp_path / name)
    log.info("told")
    assert (tmp_path / "one").read_text() == ""
    assert len((tmp_path / "two").read_text().splitlines()) == 1


def test_standard_output_takes_it_in_any_locale():
    script = "from self_heal_engine.service import logs; logs.set_up('INFO', None); logs.get('x').info('\\u2713\\ud800\\u2028', page='\\u65e5\\u672c')"
    for locale in ("C", "C.UTF-8"):
        said = subprocess.run([sys.executable, "-c", script], capture_output=True, env={"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})  # fmt: skip
        assert said.stderr == b""
        assert json.loads(said.stdout)["page"] == "日本"


def test_a_file_that_cannot_be_written_stops_the_start_with_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for file in (tmp_path, tmp_path / "file" / "log"):
        with pytest.raises(CannotHeal) as refusal:
            logs.set_up("INFO", file)
        assert str(refusal.value) == "bad_settings"
        assert refusal.value.sentence.startswith(f"the log file '{file}' cannot be written: ")


def test_a_full_disk_loses_no_line_and_breaks_nothing(tmp_path, capsys):
    logs.set_up("INFO", Path("/dev/full"))
    log.info("told")
    assert json.loads(capsys.readouterr().err)["message"] == "told"


def test_a_folder_that_went_away_is_made_again_and_one_that_cannot_be_breaks_nothing(tmp_path, capsys):
    folder = tmp_path / "logs"
    logs.set_up("INFO", folder / "log")
    log.info("one")
    folder.rename(tmp_path / "old")
    log.info("two")
    assert json.loads((folder / "log").read_text())["message"] == "two"
    folder.rename(tmp_path / "older")
    folder.write_text("now a file")
    log.info("three")
    log.info("four")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["three", "four"]
    folder.unlink()
    log.info("five")
    assert json.loads((folder / "log").read_text())["message"] == "five"


WRITER = """
import sys
from pathlib import Path
from self_heal_engine.service import logs
logs.set_up("INFO", Path(sys.argv[1]))
log = logs.get("writer")
for n in range(int(sys.argv[3])):
    log.info("line", writer=sys.argv[2], n=n, page="x" * (n * 37 % 1900), more=["y" * 900] * (n % 3), last="\\u2713" * (n % 1500))
"""


def test_a_file_that_is_renamed_under_two_writing_processes_loses_and_tears_no_line(tmp_path):
    file, each = tmp_path / "log", 4000
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(n), str(each)]) for n in range(2)]
    moved = 0
    while any(writer.poll() is None for writer in writers):
        if file.exists() and file.stat().st_size > 200_000:
            subprocess.run(["mv", str(file), str(tmp_path / f"log.{moved}")], check=True)
            moved += 1
        time.sleep(0.02)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert moved >= 3
    read = [json.loads(line) for part in tmp_path.iterdir() for line in part.read_text().splitlines()]
    assert sorted((line["writer"], line["n"]) for line in read) == [(w, n) for w in "01" for n in range(each)]


def test_a_logger_may_be_used_before_the_logs_are_set_up():
    script = (
        "from self_heal_engine.service import logs; logs.get('x').info('quiet'); logs.get('x').warning('told', n=3)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout == ""
    assert "quiet" not in said.stderr
    assert "told" in said.stderr
