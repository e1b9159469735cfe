"""Render the pages of a release of Roundup: the issues of a small shop, seen by its admin, a user and a stranger.

Called as ``roundup_tracker.py OUT VERSION TEMPLATE``; TEMPLATE names one of the trackers that Roundup ships with the
same schema: ``classic`` or ``jinja2``. Pages are asked of Roundup's own WSGI application.
"""

import steady  # isort: skip

import io
import os
import sys
from pathlib import Path
from urllib.parse import urlencode

import roundup.init
import roundup.instance
from freezegun import freeze_time
from roundup.cgi.wsgi_handler import RequestDispatcher
from roundup.password import Password

SITE = "http://tracker.example/shop/"
SETTINGS = {
    "rdbms_backend": "sqlite",
    "admin_email": "help@shop.example",
    "mail_domain": "shop.example",
    "mail_host": "localhost",
    "tracker_name": "Corner shop tracker",
    "tracker_web": SITE,
}
KNOWN = "kettle-42"  # everybody's password here

USERS = [
    ("priya", "Priya Nair", "priya@shop.example", "+44 113 496 0101", "Shop floor"),
    ("tom", "Tom Baker", "tom@shop.example", "+44 113 496 0102", "Warehouse"),
    ("lucia", "Lucia Fernandez", "lucia@shop.example", "+34 955 55 01 03", "Web shop"),
    ("henrik", "Henrik Dahl", "henrik@shop.example", "", "Accounts"),
]
KEYWORDS = ["checkout", "delivery", "invoices", "stock", "website"]
# (title, priority, status, keywords, assigned to, messages)
ISSUES = [
    ("Card payment is refused for orders over 500", "critical", "in-progress", "checkout", "lucia", 3),
    ("Customers cannot change their delivery address", "urgent", "chatting", "checkout delivery", "lucia", 2),
    ("Teapots arrive chipped, better padding needed", "bug", "need-eg", "delivery", "tom", 4),
    ("Invoice shows the wrong VAT for Ireland", "urgent", "testing", "invoices", "henrik", 1),
    ("Print packing lists sorted by shelf", "feature", "unread", "stock", "tom", 1),
    ("Gift wrapping as an option of the basket", "wish", "deferred", "checkout website", "", 1),
    ("Stock of jasmine tea is negative", "bug", "resolved", "stock", "tom", 2),
    ("Product photos are blurred on phones", "bug", "unread", "website", "", 1),
    ("Monthly coffee subscription", "feature", "chatting", "checkout invoices", "priya", 2),
    ("Search finds nothing for 'cafetiere'", "bug", "in-progress", "website", "lucia", 1),
    ("Reminder mail for unpaid invoices", "feature", "unread", "invoices", "henrik", 1),
    ("Scanner in the warehouse loses its connection", "urgent", "done-cbb", "stock", "tom", 1),
]
TALK = [
    "A customer called about this today. I could see it happen on the till as well.",
    "I tried again with another browser and it looks the same to me.\n\nCould somebody check the log?",
    "Fixed on the test site. Please have a look before Friday.",
    "Works now, thank you!",
]
QUERIES = [
    ("Urgent and open", "@columns=id,title,status,assignedto&@filter=priority,status&priority=1,2&status=-1,1,2,3,4,5"),
    ("About stock", "@columns=id,activity,title,status&@sort=-activity&@filter=keyword&keyword=4"),
]
COLUMNS = "id,activity,title,creator,assignedto,status"
SHOW_ALL = {"@sort": "-activity", "@group": "priority", "@filter": "status", "@columns": COLUMNS,
            "status": "-1,1,2,3,4,5,6,7", "@dispname": "Show All"}  # fmt: skip
HELP = {"@template": "help", "@startwith": "0", "@pagesize": "50", "form": "itemSynopsis", "type": "checkbox"}

# (page, path, arguments): what everybody may see, and what one must log in for
PUBLIC: list[tuple[str, str, dict]] = [
    ("home", "", {}),
    ("issue-list", "issue", {}),
    ("issue-list-grouped", "issue", SHOW_ALL),
    ("issue", "issue1", {}),
    ("issue-with-files", "issue3", {}),
    ("issue-search", "issue", {"@template": "search"}),
    ("issue-new", "issue", {"@template": "item"}),
    ("message", "msg2", {}),
    ("file", "file1", {}),
    ("user", "user4", {}),
    ("keyword", "keyword2", {}),
]
LOGGED_IN: list[tuple[str, str, dict]] = [
    ("keyword-new", "keyword", {"@template": "item"}),
    ("user-list", "user", {}),
    ("user-details", "user3", {}),  # her own for Priya
    ("query-edit", "query", {"@template": "edit"}),
    ("query-list", "query", {}),
]
# (page, who, path, arguments, fields to post)
PAGES: list[tuple[str, str, str, dict, dict]] = [
    *[(f"admin/{page}", "admin", path, arguments, {}) for page, path, arguments in PUBLIC + LOGGED_IN],
    *[(f"priya/{page}", "priya", path, arguments, {}) for page, path, arguments in PUBLIC + LOGGED_IN],
    *[(f"anonymous/{page}", "", path, arguments, {}) for page, path, arguments in PUBLIC],
    ("admin/issue-list-filtered", "admin", "issue", {"@columns": COLUMNS, "@filter": "keyword,assignedto",
                                                    "keyword": "4", "assignedto": "4", "@sort": "title"}, {}),
    ("admin/issue-list-empty", "admin", "issue", {"@columns": COLUMNS, "@filter": "title", "title": "submarine"}, {}),
    ("admin/issue-list-found", "admin", "issue", {"@columns": COLUMNS, "@search_text": "customer"}, {}),
    ("admin/issue-list-page-two", "admin", "issue", {"@columns": COLUMNS, "@pagesize": "5", "@startwith": "5"}, {}),
    ("admin/issue-list-unassigned", "admin", "issue", {"@columns": "id,title,status", "@filter": "assignedto",
                                                      "assignedto": "-1", "@dispname": "Show Unassigned"}, {}),
    ("admin/issue-search-filled", "admin", "issue", {"@template": "search", "title": "invoice", "status": "4",
                                                    "@columns": "id,title", "@sort": "title", "@group": "status"}, {}),
    ("admin/class-list", "admin", "home", {"@template": "classlist"}, {}),
    ("admin/user-new", "admin", "user", {"@template": "item"}, {}),
    ("admin/message-list", "admin", "msg", {}, {}),
    ("admin/file-list", "admin", "file", {}, {}),
    ("admin/file-new", "admin", "file", {"@template": "item"}, {}),
    ("admin/keyword-list", "admin", "keyword", {}, {}),
    ("admin/priority-list", "admin", "priority", {}, {}),
    ("admin/status-list", "admin", "status", {}, {}),
    ("admin/priority", "admin", "priority2", {}, {}),
    ("admin/status", "admin", "status3", {}, {}),
    ("admin/query", "admin", "query1", {}, {}),
    ("admin/help-issue", "admin", "issue", {**HELP, "properties": "id,title", "property": "superseder"}, {}),
    ("admin/help-user", "admin", "user", {**HELP, "properties": "username,realname,address", "property": "nosy"}, {}),
    ("admin/help-user-choose", "admin", "user", {**HELP, "@template": "help-list", "property": "nosy",
                                                "properties": "username,realname"}, {}),
    ("admin/help-user-search", "admin", "user", {**HELP, "@template": "help-search", "property": "nosy"}, {}),
    ("admin/help-calendar", "admin", "issue", {"@template": "calendar", "property": "creation",
                                               "form": "itemSynopsis"}, {}),
    ("admin/help-keyword-expression", "admin", "issue", {"@template": "keywords_expr", "property": "keyword",
                                                        "form": "itemSynopsis"}, {}),
    ("admin/not-found", "admin", "issue999", {}, {}),
    ("anonymous/register", "", "user", {"@template": "register"}, {}),
    ("anonymous/forgotten", "", "user", {"@template": "forgotten"}, {}),
    ("anonymous/not-allowed", "", "user", {}, {}),
    ("anonymous/login-failed", "", "", {}, {"@action": "login", "__login_name": "tom", "__login_password": "wrong",
                                            "__came_from": SITE}),
    ("anonymous/forgotten-unknown", "", "user", {}, {"@action": "passrst", "@template": "forgotten",
                                                     "username": "nobody"}),
    ("priya/issue-new-refused", "priya", "issue", {}, {"@action": "new", "@template": "item", "title": "",
                                                      "@required": "title,priority", "@note": "The bell is broken."}),
    ("priya/issue-changed", "priya", "issue8", {}, {"@action": "edit", "@template": "item", "priority": "2",
                                                   "@note": "Two more people wrote about the photos."}),
]  # fmt: skip


def start_tracker(template: str) -> RequestDispatcher:
    """Install a shipped tracker in the folder of work, fill it and return it as an application."""
    engine = {"template_engine": "jinja2", "static_files": "static"} if template == "jinja2" else {}
    roundup.init.install("tracker", str(shipped(template)), settings=SETTINGS | engine)
    tracker = roundup.instance.open("tracker")
    with freeze_time("2024-03-04 08:00:00"):
        tracker.init(Password(KNOWN, config=tracker.config))
        add_people(tracker)
    for number, issue in enumerate(ISSUES):
        add_issue(tracker, number, issue)
    return RequestDispatcher("tracker")


def shipped(template: str) -> Path:
    """Return the folder of a template, wherever it is: some releases install it below the prefix of the build."""
    site = Path(roundup.__file__).parent.parent
    return sorted(site.rglob(f"roundup/templates/{template}/TEMPLATE-INFO.txt"))[0].parent


def add_people(tracker: roundup.instance.Tracker) -> None:
    """Add the users, keywords and saved searches."""
    shop = tracker.open("admin")
    for name, realname, address, phone, team in USERS:
        shop.user.create(username=name, realname=realname, address=address, phone=phone, organisation=team,
                         roles="User", password=Password(KNOWN, config=tracker.config))  # fmt: skip
    for name in KEYWORDS:
        shop.keyword.create(name=name)
    for owner in ("admin", "priya"):
        ids = [shop.query.create(klass="issue", name=name, url=url, private_for=None) for name, url in QUERIES]
        shop.user.set(shop.user.lookup(owner), queries=ids)
    shop.commit()
    shop.close()


def add_issue(tracker: roundup.instance.Tracker, number: int, issue: tuple[str, str, str, str, str, int]) -> None:
    """Add an issue by one of the users; each message comes hours later, and moves the issue on."""
    title, priority, status, keywords, assigned, messages = issue
    author = USERS[number % len(USERS)][0]
    for step in range(messages):
        with freeze_time(f"2024-04-{10 + number:02} {9 + 2 * step:02}:{5 * number:02}:00"):
            shop = tracker.open(author if step % 2 == 0 else "admin")
            if step == 0:
                words = [shop.keyword.lookup(word) for word in keywords.split()]
                urgency = shop.priority.lookup(priority)
                issue_id = shop.issue.create(title=title, priority=urgency, status="1", keyword=words)
            said = shop.msg.create(
                content=TALK[step], author=shop.getuid(), date=roundup.date.Date("."), summary=TALK[step][:40]
            )
            changes = {"messages": [*shop.issue.get(issue_id, "messages"), said]}
            if step == messages - 1:
                changes["status"] = shop.status.lookup(status)
                changes["assignedto"] = shop.user.lookup(assigned) if assigned else None
            if number == 2 and step < 2:
                photo = shop.file.create(name=f"teapot-{step + 1}.txt", type="text/plain", content="A photo, in words.")
                changes["files"] = [*shop.issue.get(issue_id, "files"), photo]
            if number == 3:
                changes["superseder"] = ["1"]
            shop.issue.set(issue_id, **changes)
            shop.commit()
            shop.close()


def ask(tracker: RequestDispatcher, who: str, path: str, arguments: dict, fields: dict) -> str:
    """Ask for a page as the user that the web server says has logged in."""
    body = urlencode(fields).encode()
    environ = {
        "REQUEST_METHOD": "POST" if fields else "GET",
        "SCRIPT_NAME": "/shop",
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": urlencode(arguments),
        "HTTP_HOST": "tracker.example",
        "HTTP_REFERER": SITE,
        "HTTP_ORIGIN": "http://tracker.example",
        "SERVER_NAME": "tracker.example",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "TRACKER_NAME": "shop",
    }
    if who:
        environ["REMOTE_USER"] = who
    answer = io.BytesIO()
    states = []

    def start_response(status: str, headers: list, exc_info: object = None):
        states.append((int(status.split()[0]), dict(headers)))
        return answer.write

    answer.writelines(tracker(environ, start_response))
    state, headers = states[-1]
    if state in (301, 302, 303):
        where, _, query = headers["Location"].removeprefix(SITE).partition("?")
        return ask(tracker, who, where, dict(pair.split("=", 1) for pair in query.split("&")), {})
    if state >= 500 or b"An error has occurred" in answer.getvalue():
        raise RuntimeError(f"{path} {arguments} as {who or 'a stranger'}: {state} {answer.getvalue()[-600:]!r}")
    return answer.getvalue().decode()


def render(out: Path, template: str) -> None:
    """Write every page."""
    os.environ["SENDMAILDEBUG"] = "mail.txt"  # mail to the nosy list goes into a file
    tracker = start_tracker(template)
    with freeze_time(steady.NOW):
        for page, who, path, arguments, fields in PAGES:
            text = ask(tracker, who, path, arguments, fields)
            if "<html" not in text and template != "classic":
                continue  # a line of text: this tracker has no such page (pop-up helps, lists of files, priorities)
            target = out / f"{page}.html"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]).resolve(), sys.argv[3])
