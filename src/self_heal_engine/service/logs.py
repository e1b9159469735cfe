"""Logs: every record, ours and the libraries', is one line with one JSON object, whatever is in it."""

from __future__ import annotations

import json
import logging
import math
import reprlib
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime
from logging.handlers import WatchedFileHandler
from numbers import Integral
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import structlog
from numpy import float32
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import BoundLogger, ProcessorFormatter, filter_by_level
from structlog.typing import EventDict, Processor

from self_heal_engine.errors import CannotHeal, ascii_safe, quoted

MOST_CHARACTERS = 2000
MOST_TRACEBACK = 8000  # its end says what happened
MOST_FIELDS = 50
MOST_ITEMS = 20  # of a list or table in a field
MOST_DEPTH = 3
MOST_INTEGER = 2**63  # what readers of JSON hold without loss ends below; so do their columns

# What each line begins with; a field of a record that is called the same gets an underscore.
OURS = ("timestamp", "level", "message", "logger")
UNWANTED = ("event", "positional_args", "exc_info", "_record", "_from_structlog")

# Spelt out, as structlog.configure() would change every other user of structlog in the process.
CHAIN: list[Processor] = [filter_by_level, merge_contextvars, ProcessorFormatter.wrap_for_formatter]

SAFE = reprlib.Repr()  # it says so where an object cannot even be shown, and raises nothing
SAFE.maxother = MOST_CHARACTERS
SAFE.maxlevel = 2


def get(name: str) -> BoundLogger:
    """Return a logger: ``log.info("Healing completed", candidates_found=3)``; usable before ``set_up``."""
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name), processors=CHAIN, wrapper_class=BoundLogger, cache_logger_on_first_use=True
    )
    return logger


def bound(**fields: object) -> AbstractContextManager[None]:
    """Return a context in which every record of this task has these fields."""
    context: Callable[..., AbstractContextManager[None]] = bound_contextvars
    return context(**fields)


def set_up(level: str, file: Path | None) -> None:
    """Send all records from a level on to a file, or to standard output; CannotHeal ``bad_settings`` if that cannot be.

    The file is opened again when it was renamed (logrotate needs no signal and no restart). May be called again.
    """
    handler: logging.Handler = LogFile(file) if file else LogStream(sys.stdout)
    handler.setFormatter(
        Lines(
            processors=[rendered],
            foreign_pre_chain=[merge_contextvars],
            pass_foreign_args=True,
            use_get_message=False,  # it raises where the arguments do not fit the message
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        if isinstance(old, LogFile):
            with suppress(OSError):  # the disk is full: what it did not take went to standard error
                old.close()
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every plugin at every start
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.NOTSET)
        library.propagate = name != "uvicorn.access"  # the service writes its own line for each request


# -- where the lines go ----------------------------------------------------------------------------------------------


class LogStream(logging.StreamHandler[TextIO]):
    """Standard output; what it does not take goes to standard error."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say it elsewhere: a full disk must neither lose the line nor break a request."""
        to_standard_error(self, record)


class LogFile(WatchedFileHandler):
    """A file, opened again after rotation; what it does not take goes to standard error."""

    def __init__(self, file: Path) -> None:
        try:
            super().__init__(file, encoding="utf-8")
        except OSError as error:
            raise CannotHeal(
                "bad_settings", f"the log file {quoted(file)} cannot be written: {error.strerror}"
            ) from error

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, into the file that has the name now."""
        try:
            super().emit(record)
        except OSError:  # the standard library lets through that a file cannot be opened again
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say it elsewhere."""
        to_standard_error(self, record)

    def _open(self) -> TextIO:  # type: ignore[override]
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()


def to_standard_error(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Write what a handler failed to write to standard error, if only where it came from."""
    if isinstance(sys.exception(), OSError):
        line = handler.format(record)
    else:  # an object in it raised when it was to be shown, and would again
        place = f"{record.pathname}:{record.lineno}"
        line = as_line({"level": record.levelname, "message": "a record could not be written", "place": place})
    with suppress(OSError, ValueError):  # closed or full too: nothing is left to say so
        sys.stderr.write(line + "\n")


class Lines(ProcessorFormatter):
    """structlog's formatter; of a record whose message is no text, such as an exception, it says what it is."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as its line."""
        if not isinstance(record.msg, str) and not hasattr(record, "_logger"):  # _logger: it comes from structlog
            record = logging.makeLogRecord({**record.__dict__, "msg": SAFE.repr_instance(record.msg, 1)})
        return super().format(record)


def rendered(_logger: Any, _name: str, event: EventDict) -> str:
    """Return a record as its line."""
    record: logging.LogRecord = event["_record"]
    line: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "level": record.levelname,
        "message": message(event.get("event"), event.get("positional_args")),
        "logger": record.name,
    }
    line |= {name: value for name, value in event.items() if name not in UNWANTED and name not in OURS}
    line |= {f"{name}_": event[name] for name in OURS if name in event}
    if trace := traceback_of(event.get("exc_info")):
        line["exception"] = trace
    return as_line(line, longest={"exception": MOST_TRACEBACK + 1})


def message(text: object, arguments: object) -> object:
    """Return a message with its arguments; both beside each other where they do not fit."""
    if not arguments or not isinstance(text, str):
        return text
    try:
        return text % arguments
    except (TypeError, ValueError, KeyError):
        return f"{text} {SAFE.repr_instance(arguments, 1)}"


def traceback_of(given: object) -> str | None:
    """Return the traceback of an ``exc_info``, its end if it is long."""
    if not given:
        return None
    found = {"exc_info": given}
    text = str(structlog.processors.format_exc_info(None, "", found).get("exception", ""))
    return "…" + text[-MOST_TRACEBACK:] if len(text) > MOST_TRACEBACK else text


def as_line(fields: Mapping[Any, object], longest: Mapping[str, int] | None = None) -> str:
    """Return a mapping of anything as one line of JSON, in ASCII; what is too long is cut.

    >>> as_line({"message": "two\\nlines", "top_score": float("nan"), "page": b"\\xff", 3: {"a": ("b",)}})
    '{"message": "two\\\\nlines", "top_score": null, "page": "\\\\\\\\xff", "3": {"a": ["b"]}}'
    """
    longest = longest or {}
    line = {}
    for field in list(fields)[:MOST_FIELDS]:
        name, value = key_of(field), plain(fields[field])
        most = longest.get(name, MOST_CHARACTERS)
        if isinstance(fields[field], str):
            value = cut(str(fields[field]), most)
        elif isinstance(value, dict | list) and len(told := json.dumps(value)) > most:
            value = cut(told, most)
        line[name] = value
    return json.dumps(line, allow_nan=False)


def key_of(key: object) -> str:
    """Return a key as text."""
    return cut(key if isinstance(key, str) else SAFE.repr_instance(key, 1), 100)


def plain(value: object, depth: int = 0) -> Any:
    """Return a value as what JSON knows: NaN and infinities as null, bytes and objects as text."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Integral):  # NumPy's are too
        whole = int(value)
        return whole if abs(whole) < MOST_INTEGER else cut(f"{whole:#x}", MOST_CHARACTERS)
    if isinstance(value, float | float32):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return cut(value, MOST_CHARACTERS)
    if isinstance(value, bytes | bytearray):
        return cut(value[:MOST_CHARACTERS].decode("utf-8", "backslashreplace"), MOST_CHARACTERS)
    if isinstance(value, UUID | date | Path):
        return cut(str(value), MOST_CHARACTERS)
    if depth < MOST_DEPTH and isinstance(value, dict):
        return {key_of(key): plain(value[key], depth + 1) for key in list(value)[:MOST_ITEMS]}
    if depth < MOST_DEPTH and isinstance(value, list | tuple | set | frozenset):
        return [plain(each, depth + 1) for each in list(value)[:MOST_ITEMS]]
    # What is nested deeper is shown in outline: it may hold itself, or the same things very often.
    shown = SAFE.repr(value) if type(value) in (dict, list, tuple, set, frozenset) else SAFE.repr_instance(value, 1)
    return cut(shown, MOST_CHARACTERS)


def cut(text: str, most: int) -> str:
    """Return a text of so many characters at most, that any reader of JSON takes."""
    return ascii_safe(str(text[:most]) + ("…" if len(text) > most else ""))
