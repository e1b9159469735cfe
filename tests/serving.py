"""A service in this process for tests: its settings in a temporary folder, its answers as JSON."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from self_heal_engine.app import create_app
from self_heal_engine.settings import read_settings

EXAMPLES = Path(__file__).parents[1] / "src/self_heal_engine/examples"

# The guide's config.yaml, as printed there.
CONFIG = """\
api:
  host: "0.0.0.0"
  port: 8000
  workers: 4

healing:
  max_candidates: 5
  use_llm: false
  llm_provider: "mock"

storage:
  data_dir: "data/"
  snapshots_dir: "data/snapshots/"
  training_file: "data/training.jsonl"

models:
  ranker_path: "models/ranker.json"
  enable_inference: true

logging:
  level: "INFO"
  format: "json"
  file: "logs/self_heal_engine.log"
"""

# The guide's body, as printed there.
GUIDE = {
    "html": "<html><body><h1>Login</h1><button class='go'>Sign In</button><button>Help</button></body></html>",
    "original_locator": "#login-btn",
    "locator_type": "css",
    "context": {"anchors": ["Login"], "visible_text": "Sign In"},
    "max_candidates": 5,
    "use_llm": False,
}


def settings_in(folder, **env):
    """The defaults, everything kept in the folder, one healing process."""
    return read_settings({"DATA_DIR": str(folder / "data"), "SELF_HEAL_HEAL_WORKERS": "1", **env}, folder)


def awaited(work):
    """What a coroutine returns, run in a thread of its own: Playwright leaves a loop running in the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def service(folder, client=("127.0.0.1", 50000), **env):
    """A running service and a client on this machine; SELF_HEAL_... and the others as keyword arguments."""
    app = create_app(settings_in(folder, **env))
    with TestClient(app, base_url="http://127.0.0.1:8000", client=client, raise_server_exceptions=False) as asked:
        yield asked


def post(client, path, body, **headers):
    """POST plain data, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=raw, headers={"Content-Type": "application/json", **headers})
