"""The command that starts the service."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from self_heal_engine.errors import CannotHeal

if TYPE_CHECKING:
    import uvicorn

# How long a busy machine may take to start an app process: uvicorn's own 5 s gave up on a reload (SIGHUP).
START_SECONDS = 60

app = typer.Typer(rich_markup_mode=None)


def need_service() -> None:
    """Raise CannotHeal ``no_serve`` where only what the command line needs is installed."""
    if find_spec("fastapi") is None or find_spec("sqlalchemy") is None:
        raise CannotHeal("no_serve", "the service is not installed: `pip install 'self-heal-engine[serve]'`")


@app.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="How many app processes answer.")] = None,
) -> None:
    """Serve POST /heal and all that belongs to it; by default where the settings say."""
    serve(host, port, workers)


def serve(
    host: str | None = None, port: int | None = None, workers: int | None = None,
    then: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Serve until interrupted; by default where the settings say. ``then`` is called with the URL once it serves."""
    need_service()
    import uvicorn

    from self_heal_engine.app import create_app
    from self_heal_engine.settings import read_settings

    settings = read_settings()
    at, on = host or settings.host, settings.port if port is None else port
    many = 1 if then else workers or settings.workers
    os.environ["SELF_HEAL_WORKERS"] = str(many)  # the app shares the cores among so many
    app = "self_heal_engine.app:app"
    where: dict[str, Any] = {"host": at, "port": on, "log_config": None}
    where["proxy_headers"] = False  # who calls through which proxy is said by our own settings alone
    if many > 1:
        create_app(settings).state.service.store.close()  # what cannot start is refused here, and not again and again
        with tempfile.TemporaryDirectory(prefix="self-heal-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # else each process would tell its own counts
            uvicorn.run(app, workers=many, timeout_worker_healthcheck=START_SECONDS, **where)
    else:
        server = uvicorn.Server(uvicorn.Config(app, **where))
        if then:
            Thread(target=announce, args=(server, then, f"http://{at}:{on}"), daemon=True).start()
        server.run()


def announce(server: uvicorn.Server, then: Callable[[str], None], url: str) -> None:
    """Call a function with the URL once the server answers."""
    while not server.started:
        sleep(0.05)
    then(url)
