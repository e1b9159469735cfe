"""JupyterHub's own templates, filled with the people and servers of an invented chemistry course.

The hub itself needs a proxy and starts processes, so the templates are rendered alone, with what its handlers give
them. A page that only later releases have is left out of the earlier ones, and the administrators' page from release 2
on: a script draws it there, so that in what the hub sends all of its elements would look removed.
"""

import steady

# isort: split
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateNotFound

BASE = "/hub/"
NOW = datetime.fromisoformat(steady.NOW)


@dataclass
class Spawner:
    """A server of one person; the default one has no name."""

    name: str = ""
    active: bool = False
    last_activity: datetime | None = None
    options_form: str = ""
    pending: str = ""

    @property
    def ready(self) -> bool:
        """Return whether the server answers."""
        return self.active

    @property
    def display_name(self) -> str:
        """Return what people read."""
        return self.name


@dataclass
class User:
    """A person with servers."""

    name: str
    admin: bool = False
    spawners: list[Spawner] = field(default_factory=lambda: [Spawner()])

    @property
    def spawner(self) -> Spawner:
        """Return the default server."""
        return self.spawners[0]

    @property
    def json_escaped_name(self) -> str:
        """Return the name as it stands in a script."""
        return self.name

    @property
    def active(self) -> bool:
        """Return whether any server runs."""
        return any(spawner.active for spawner in self.spawners)

    running = active

    @property
    def last_activity(self) -> datetime | None:
        """Return when the default server was used last."""
        return self.spawner.last_activity

    def all_spawners(self, include_default: bool = True) -> list[Spawner]:
        """Return the servers."""
        return self.spawners if include_default else self.spawners[1:]

    def server_url(self, server_name: str = "") -> str:
        """Return the address of a server."""
        return f"/user/{self.name}/{server_name}"


def ago(**time: int) -> datetime:
    """Return a time before now."""
    return NOW - timedelta(**time)


STOPPED = User("amina.yusuf")
RUNNING = User("bruno.keller", spawners=[Spawner(active=True, last_activity=ago(minutes=4))])
MANY = User(
    "chloe.martin",
    admin=True,
    spawners=[
        Spawner(active=True, last_activity=ago(hours=1)),
        Spawner("titration", active=True, last_activity=ago(minutes=20)),
        Spawner("spectra", last_activity=ago(days=3)),
        Spawner("exam-2024"),
    ],
)
PEOPLE = [
    STOPPED,
    RUNNING,
    MANY,
    User("daan.devries", spawners=[Spawner(last_activity=ago(days=12))]),
    User("elena.rossi", admin=True, spawners=[Spawner(active=True, last_activity=ago(minutes=1))]),
    User("farid.haddad"),
]
SERVICES = [
    {"name": "course-files", "href": "/services/course-files/"},
    {"name": "marking", "href": "/services/marking/"},
    {"name": "idle-stopper", "href": "/services/idle-stopper/"},
]
READ = {"scope": "read:users:name", "description": "Read the name of a user", "filter": "chloe.martin"}
ACCESS = {"scope": "access:services", "description": "Open a service", "filter": "service marking"}


@dataclass
class Token:
    """A key to the hub's interface."""

    api_id: str
    note: str
    created: datetime
    last_activity: datetime | None = None
    expires_at: datetime | None = None
    scopes: list[str] = field(default_factory=lambda: ["read:users", "servers!user"])


TOKENS = [
    Token("a11", "Backup script", ago(days=90), ago(hours=9)),
    Token("a12", "Marking tool", ago(days=40), expires_at=NOW + timedelta(days=50)),
    Token("a13", "Laptop at home", ago(days=2), ago(minutes=50)),
]
CLIENTS = [
    {"token_id": "o21", "description": "Server at /user/chloe.martin/", "created": ago(days=9), "tokens": TOKENS[:1]},
    {"token_id": "o22", "description": "Service marking", "created": ago(days=7), "tokens": TOKENS[1:]},
]
for client in CLIENTS:
    client["last_activity"] = client["created"] + timedelta(days=1)

EXPIRES = """<option value="3600">1 Hour</option><option value="86400">1 Day</option>
<option value="604800">1 Week</option><option value="" selected="selected">Never</option>"""
OPTIONS = """<label for="image">Software</label>
<select class="form-control" name="image" id="image"><option value="basic">Basic</option>
<option value="quantum">Quantum chemistry</option></select>
<label for="memory">Memory in GB</label>
<input class="form-control" type="number" name="memory" id="memory" value="2" min="1" max="16">
<label><input type="checkbox" name="course_files" value="1" checked> Mount the course files</label>
<label for="reason">What is it for?</label>
<textarea class="form-control" name="reason" id="reason" placeholder="optional"></textarea>"""

SIGN_IN = {"authenticator_login_url": "/hub/login?next=%2Fhub%2F", "username": "", "custom_html": ""}
SPAWN = {"spawner_options_form": OPTIONS, "url": "/hub/spawn"}
OAUTH = {
    "oauth_client": {"description": "Service marking", "redirect_uri": "/services/marking/oauth_callback"},
    "scopes": ["identify"],
    "allowed_scopes": ["read:users:name", "access:services"],
    "scope_descriptions": [READ, ACCESS],
}
TOKEN = {"token_expires_in_options_html": EXPIRES, "api_tokens": TOKENS, "oauth_clients": CLIENTS}
NAMED = {"allow_named_servers": True, "named_server_limit_per_user": 5, "url": "/user/chloe.martin/"}
ADMIN = {
    "users": PEOPLE,
    "running": [person for person in PEOPLE if person.running],
    "sort": {"name": "asc"},
    "admin_access": True,
    "pagination": {"links": "", "info": {"start": 1, "end": 6, "total": 6}},
    "api_page_limit": 50,
}

# (page, template, who is signed in, what else the handler gives)
PAGES = [
    ("login", "login", None, SIGN_IN),
    ("login-error", "login", None, {**SIGN_IN, "username": "bruno", "login_error": "Invalid username or password"}),
    ("login-terms", "login", None, {**SIGN_IN, "login_term_url": "/terms", "announcement_login": "Closed on Sunday"}),
    ("login-code", "login", None, {**SIGN_IN, "authenticator": {"request_otp": True, "otp_prompt": "Code:"}}),
    ("login-service", "login", None, {**SIGN_IN, "login_service": "University account"}),
    ("home-stopped", "home", STOPPED, {"url": "/hub/spawn/amina.yusuf"}),
    ("home-running", "home", RUNNING, {"url": "/user/bruno.keller/", "announcement_home": "New: quantum chemistry"}),
    ("home-named-servers", "home", MANY, NAMED),
    ("token", "token", MANY, TOKEN),
    ("token-none", "token", STOPPED, {**TOKEN, "api_tokens": [], "oauth_clients": []}),
    ("token-no-applications", "token", RUNNING, {**TOKEN, "oauth_clients": []}),
    ("spawn", "spawn", STOPPED, SPAWN),
    ("spawn-error", "spawn", RUNNING, {**SPAWN, "error_message": "Memory must be at most 8"}),
    ("spawn-for-other", "spawn", MANY, {**SPAWN, "for_user": STOPPED, "url": "/hub/spawn/amina.yusuf"}),
    ("spawn-pending", "spawn_pending", STOPPED, {"progress_url": "/hub/api/users/amina.yusuf/server/progress"}),
    ("stop-pending", "stop_pending", RUNNING, {}),
    ("not-running", "not_running", STOPPED, {"spawn_url": "/hub/spawn/amina.yusuf", "server_name": ""}),
    (
        "not-running-failed",
        "not_running",
        MANY,
        {
            "spawn_url": "/hub/spawn/chloe.martin/spectra",
            "server_name": "spectra",
            "failed": True,
            "failed_message": "The disk is full.",
        },
    ),
    ("oauth", "oauth", MANY, OAUTH),
    (
        "accept-share",
        "accept-share",
        STOPPED,
        {
            "owner": MANY,
            "spawner": MANY.spawners[1],
            "spawner_url": "/user/chloe.martin/titration",
            "code": "share-41",
            "scope_descriptions": [READ],
            "next_url": "/user/chloe.martin/titration",
            "spawner_ready": True,
        },
    ),
    ("admin", "admin", MANY, ADMIN),
    ("logout", "logout", None, {}),
    (
        "error-not-allowed",
        "error",
        RUNNING,
        {"status_code": 403, "status_message": "Forbidden", "message": "For staff only"},
    ),
    ("error-not-found", "404", MANY, {"status_code": 404, "status_message": "Not Found", "message": "No such page"}),
    (
        "error-server",
        "error",
        None,
        {
            "status_code": 500,
            "status_message": "Internal Server Error",
            "message_html": '<a href="/hub/home">Your servers</a>, <a href="mailto:help@course.example">write</a>',
        },
    ),
]


def static_url(path: str, include_version: bool = True) -> str:
    """Return the address of a file of the hub."""
    return f"{BASE}static/{path}" + ("?v=1" if include_version else "")


def shared(user: User | None) -> dict[str, object]:
    """Return what every page is given."""
    return {
        "base_url": BASE,
        "prefix": "/",
        "user": user,
        "current_user": user,
        "default_server": user.spawner if user else None,
        "login_url": "/hub/login",
        "logout_url": "/hub/logout",
        "login_service": None,
        "static_url": static_url,
        "version_hash": "",
        "services": SERVICES if user else [],
        "parsed_scopes": {"admin-ui": {}} if user and user.admin else {},
        "admin_access": bool(user and user.admin),
        "authenticator": {"request_otp": False},
        "no_spawner_check": user is None,
        "xsrf": "token",
        "xsrf_token": "token",
    }


def main(out: Path, version: str, templates: Path) -> None:
    """Write every page whose template this release has."""
    environment = Environment(loader=FileSystemLoader(str(templates)), autoescape=True)
    drawn_by_script = () if version.startswith(("0.", "1.")) else ("admin",)
    for page, name, user, more in PAGES:
        if name in drawn_by_script:
            continue
        try:
            template = environment.get_template(f"{name}.html")
        except TemplateNotFound:
            continue
        (out / f"{page}.html").write_text(template.render({**shared(user), **more}), encoding="utf-8")


def templates_folder() -> Path:
    """Return where the package put its templates: beside the modules, as data of the installation."""
    for entry in sys.path:
        folder = Path(entry) / "share" / "jupyterhub" / "templates"
        if folder.is_dir():
            return folder
    raise FileNotFoundError("share/jupyterhub/templates")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], templates_folder())
