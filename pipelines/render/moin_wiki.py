"""Render the pages of a release of MoinMoin 2: the staff wiki of a shop, seen by a stranger, a user and the admin.

Called as ``moin_wiki.py OUT VERSION THEME``; THEME is one of those that MoinMoin ships. Pages are asked of the
Flask application through its test client; the wiki lives in memory, its index in the folder of work.
"""

import steady  # isort: skip

import logging
import sys
from io import BytesIO
from pathlib import Path

import moin.user
from flask import Flask, g
from freezegun import freeze_time
from moin.app import create_app_ext
from moin.auth import GivenAuth, MoinAuth
from moin.config.default import DefaultConfig
from moin.items import Item  # noqa: F401  moin's own modules import one another in a circle unless this comes first
from moin.storage import create_simple_mapping

PEOPLE = [
    ("Priya", "priya@shop.example"),
    ("Tom Baker", "tom@shop.example"),
    ("Lucia", "lucia@shop.example"),
]
KNOWN = "copper-kettle-42"  # everybody's password here
ADMIN, USER = "Priya", "Lucia"
MOIN = "text/x.moin.wiki;charset=utf-8"
MARKDOWN = "text/x-markdown;charset=utf-8"

# (name, content type, further metadata, text of each revision, oldest first)
ITEMS: list[tuple[str, str, dict, list[str]]] = [
    ("Home", MOIN, {"summary": "Where to start", "tags": ["start"]}, [
        "= Staff wiki =\nSee [[Products]] and [[Delivery]].\n",
        "= Staff wiki =\n\nNew here? Read [[Opening hours]], [[Products]] and [[Delivery]] first.\n\n"
        " * [[Products/Teapot|The teapot]]\n * [[Suppliers]]\n * [[https://shop.example/|The web shop]]\n\n"
        "== This week ==\n\n1. Count the stock.\n1. Call the printer about labels.\n",
    ]),
    ("Products", MOIN, {"tags": ["stock"]}, [
        "= Products =\n\n|| '''Name''' || '''Price''' || '''Shelf''' ||\n|| [[/Teapot]] || 34.00 || C2 ||\n"
        "|| [[/Mugs]] || 22.00 || C1 ||\n|| [[/Espresso beans]] || 12.00 || A4 ||\n",
    ]),
    ("Products/Teapot", MOIN, {"tags": ["stock", "fragile"], "summary": "Stoneware, holds a litre"}, [
        "Stoneware teapot. Sold since 2019.\n",
        "Stoneware teapot. Sold since 2019. Needs two layers of paper, see [[Delivery]].\n",
        "Stoneware teapot. Sold since 2019. Needs three layers of paper, see [[Delivery]].\n\n"
        "== Care ==\nNo dishwasher.\n",
    ]),
    ("Products/Mugs", MARKDOWN, {"tags": ["stock", "fragile"]}, [
        "# Mugs\n\nSet of four, *glazed by hand*.\n\n- blue\n- green\n\n[Back to the products](Products)\n",
    ]),
    ("Delivery", MOIN, {"tags": ["howto"]}, [
        "= Delivery =\n\n== Parcels ==\nThe van comes at three. Labels are printed by [[Tom Baker]].\n\n"
        "== Abroad ==\nFill in the customs form, see [[Customs]].\n\n"
        "== Returns ==\nWrite the order number on the box.\n",
        "= Delivery =\n\n== Parcels ==\nThe van comes at four. Labels are printed by [[Tom Baker]].\n\n"
        "== Abroad ==\nFill in the customs form, see [[Customs]].\n\n"
        "== Returns ==\nWrite the order number on the box.\n",
    ]),
    ("Opening hours", "text/plain;charset=utf-8", {}, ["Monday to Friday 9-18\nSaturday 10-16\n"]),
    ("Stock list", "text/csv;charset=utf-8", {}, ["name,stock\nTeapot,12\nMugs,40\nCafetiere,9\n"]),
    ("StaffGroup", MOIN, {"usergroup": ["Priya", "Lucia"]}, ["People who may edit prices.\n"]),
]  # fmt: skip

# (page, path); REVISION stands for the first revision of the teapot
READING = [
    ("home", "/Home"),
    ("item", "/Products/Teapot"),
    ("item-markdown", "/Products/Mugs"),
    ("item-table", "/Products"),
    ("item-text", "/Opening%20hours"),
    ("item-csv", "/Stock%20list"),
    ("item-old-revision", "/+show/+REVISION/Products/Teapot"),
    ("item-missing", "/Suppliers"),
    ("item-history", "/+history/Products/Teapot"),
    ("item-difference", "/+diff/Products/Teapot"),
    ("item-meta", "/+meta/Products/Teapot"),
    ("item-source", "/+highlight/Delivery"),
    ("item-back-links", "/+backrefs/Delivery"),
    ("item-links", "/+forwardrefs/Home"),
    ("item-sitemap", "/+sitemap/Home"),
    ("item-similar", "/+similar_names/Products"),
    ("index", "/+index/"),
    ("index-of-item", "/+index/Products"),
    ("index-of-letter", "/+index/?startswith=P"),
    ("changes", "/+history"),
    ("tags", "/+tags"),
    ("tag", "/+tags/fragile"),
    ("wanted", "/+wanteds"),
    ("orphans", "/+orphans"),
    ("search-form", "/+search"),
    ("search", "/+search?q=paper"),
    ("search-none", "/+search?q=submarine"),
]
STRANGER = [
    ("login", "/+login"),
    ("register", "/+register"),
    ("lost-password", "/+lostpass"),
    ("recover-password", "/+recoverpass?username=Lucia&token=wrong"),
]
WRITING = [
    ("item-edit", "/+modify/Delivery"),
    ("item-edit-markdown", "/+modify/Products/Mugs"),
    ("item-edit-csv", "/+modify/Stock%20list"),
    ("item-new-type", "/+modify/Customs"),
    ("item-new-edit", "/+modify/Customs?itemtype=default&contenttype=text%2Fx.moin.wiki%3Bcharset%3Dutf-8&template="),
    ("item-rename", "/+rename/Opening%20hours"),
    ("item-delete", "/+delete/Stock%20list"),
    ("item-revert", "/+revert/+REVISION/Products/Teapot"),
    ("item-convert", "/+convert/Delivery"),
    ("tickets", "/+tickets"),
    ("settings", "/+usersettings"),
    ("my-changes", "/+mychanges"),
]
ADMINISTERING = [
    ("item-destroy", "/+destroy/Stock%20list"),
    ("revision-destroy", "/+destroy/+REVISION/Products/Teapot"),
    ("overview", "/+admin/superuser"),
    ("own", "/+admin/user"),
    ("users", "/+admin/userbrowser"),
    ("user-register", "/+admin/register_new_user"),
    ("groups", "/+admin/groupbrowser"),
    ("group", "/+admin/group_acl_report/StaffGroup"),
    ("item-rights", "/+admin/item_acl_report"),
    ("item-sizes", "/+admin/itemsize"),
    ("trash", "/+admin/trash"),
    ("interwiki-help", "/+admin/interwikihelp"),
]


class Wiki(DefaultConfig):
    """The settings of the wiki."""

    wikiconfig_dir = instance_dir = wiki_local_dir = data_dir = "."
    index_storage = ("FileStorage", ("index",), {})
    interwikiname = sitename = "ShopWiki"
    interwiki_map = {"Self": "http://localhost/", "ShopWiki": "http://localhost/"}
    default_root = "Home"
    email_tracebacks = False
    acl_functions = f"{ADMIN}:superuser"
    auth = [GivenAuth(), MoinAuth()]


def open_wiki(theme: str) -> Flask:
    """Return the application, with people and items in it."""
    rights = {
        "before": "",
        "default": "Known:read,write,create,destroy,admin All:read",
        "after": "",
        "hierarchic": False,
    }
    namespaces, backends, acls = create_simple_mapping("stores:memory:", rights)
    flask = {"SECRET_KEY": "corner-shop", "SERVER_NAME": "localhost", "TESTING": True}
    storage = {"namespace_mapping": namespaces, "backend_mapping": backends, "acl_mapping": acls}
    storage |= {"create_backend": True, "destroy_backend": False, "theme_default": theme}
    wiki = create_app_ext(flask_config_dict=flask, moin_config_class=Wiki, **storage)
    with freeze_time("2024-03-04 08:00:00"), wiki.test_request_context("/"):
        wiki.preprocess_request()
        for name, address in PEOPLE:
            moin.user.create_user(name, KNOWN, address, validate=False)
    for number, item in enumerate(ITEMS):
        add_item(wiki, number, *item)
    return wiki


def add_item(wiki: Flask, number: int, name: str, contenttype: str, meta: dict, texts: list[str]) -> None:
    """Store the revisions of an item, an hour apart, by one person after the other."""
    for step, text in enumerate(texts):
        author = PEOPLE[(number + step) % len(PEOPLE)][0]
        context = wiki.test_request_context("/", environ_base={"REMOTE_USER": author})
        with freeze_time(f"2024-04-{10 + number:02} {9 + step:02}:{7 * number:02}:00"), context:
            wiki.preprocess_request()
            item = g.unprotected_storage.get_item(namespace="", name_exact=name)
            described = {"itemtype": "default", "comment": f"Change {step}" if step else "", **meta}
            described |= {"name": [name], "rev_number": step + 1, "contenttype": contenttype, "userid": g.user.itemid}
            item.store_revision(described, BytesIO(text.encode()), trusted=False)


def first_revision(wiki: Flask, name: str) -> str:
    """Return the id of an item's oldest revision."""
    with wiki.test_request_context("/"):
        wiki.preprocess_request()
        item = g.unprotected_storage.get_item(namespace="", name_exact=name)
        return min(item.iter_revs(), key=lambda revision: revision.meta["rev_number"]).revid


def render(out: Path, theme: str) -> None:
    """Write every page."""
    logging.disable(logging.CRITICAL)
    wiki = open_wiki(theme)
    pages = [(f"anonymous/{page}", "", path) for page, path in READING + STRANGER]
    pages += [(f"user/{page}", USER, path) for page, path in READING + WRITING]
    pages += [(f"admin/{page}", ADMIN, path) for page, path in ADMINISTERING]
    revision = first_revision(wiki, "Products/Teapot")
    with freeze_time(steady.NOW):
        for page, who, path in pages:
            answer = wiki.test_client().get(
                path.replace("REVISION", revision),
                environ_base={"REMOTE_USER": who} if who else {},
                follow_redirects=True,
            )
            if answer.status_code >= 500:
                raise RuntimeError(f"{page}: {answer.status_code}")
            target = out / f"{page}.html"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(answer.text, encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]).resolve(), sys.argv[3])
