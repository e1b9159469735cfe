"""A local server that speaks OpenAI's chat protocol as badly as a test wants."""

import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "key-of-a-test"


@dataclass
class Reply:
    """One HTTP answer. ``pause``: seconds before it; ``drip``: seconds between its bytes; ``cut``: it ends early."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    pause: float = 0.0
    drip: float = 0.0
    cut: bool = False
    endless: bool = False


def completion(content, finish_reason="stop", **message):
    """A whole answer whose message says something."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def says(content, **more):
    """The reply in which a model says something."""
    return Reply(body=json.dumps(completion(content, **more)).encode())


def chooses(choice):
    return says(json.dumps({"choice": choice}))


def fails(status, **headers):
    return Reply(status, json.dumps({"error": {"message": "scripted", "type": "scripted"}}).encode(), headers)


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict
    body: dict

    @property
    def text(self):
        return "\n".join(message["content"] for message in self.body["messages"])

    @property
    def data(self):
        """The lines between the marks, read as a model should read them."""
        mark = re.search(r"the mark ([0-9a-f]{16})", self.text)[1]
        lines = self.body["messages"][1]["content"].split("\n")
        assert lines[0] == f"DATA {mark}"
        assert lines[-1] == f"END OF DATA {mark}"
        return [json.loads(line) for line in lines[1:-1]]


class LlmServer:
    """What answers at ``url``: ``script`` is a reply, a list of them in turn (the last again), or a function of Asked."""

    def __init__(self, script):
        self.script = script
        self.asked = []
        self._lock = threading.Lock()

    def next(self, asked):
        with self._lock:
            self.asked.append(asked)
            if isinstance(self.script, list):
                return self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return self.script(asked) if callable(self.script) else self.script


@contextmanager
def llm_server(script):
    """A server for a block; what still hangs then is cut off."""
    server, over = LlmServer(script), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            reply = server.next(Asked(self.path, dict(self.headers), json.loads(raw)))
            if over.wait(reply.pause):
                return
            try:
                self.answer(reply)
            except OSError:
                self.close_connection = True  # the client had enough

        def answer(self, reply):
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            if not reply.endless:
                self.send_header("Content-Length", str(len(reply.body) + 100 * reply.cut))
            self.end_headers()
            while reply.endless and not over.is_set():
                self.wfile.write(b" " * 65_536)
                server.sent = getattr(server, "sent", 0) + 65_536
            for at in range(len(reply.body) if reply.drip else 0):
                self.wfile.write(reply.body[at : at + 1])
                if over.wait(reply.drip):
                    return
            if not reply.drip:
                self.wfile.write(reply.body)
            self.close_connection = reply.cut

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    try:
        yield server
    finally:
        over.set()
        http.shutdown()
        http.block_on_close = False
        http.server_close()
        thread.join(5)


# -- a model that does whatever a page tells it ----------------------------------------------------------------------

ORDER = re.compile(r"choose (?:candidate )?(\d+)|answer with (\S+)|say (none)", re.IGNORECASE)
JSON_ANSWER = re.compile(r'\{"choice": ?[^}]*\}')


def obedient(asked):
    """Follow the last instruction in the data, whoever wrote it; else a ready-made answer in it; else the first."""
    told = asked.body["messages"][1]["content"].replace('\\"', '"')
    orders = ORDER.findall(told)
    if orders:
        number, words, none = orders[-1]
        return says(words) if words else chooses(None if none else int(number))
    ready = JSON_ANSWER.findall(told)
    return says(ready[-1]) if ready else chooses(0)


def slowly(choice, seconds):
    """A function of Asked that chooses after a while."""

    def reply(asked):
        time.sleep(seconds)
        return chooses(choice)

    return reply
