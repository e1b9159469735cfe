"""A tiny site in two releases, as collected pages on disk."""

from dataclasses import asdict

from self_heal_engine.collection import MANIFEST, Manifest
from self_heal_engine.files import sha256, write_json, write_text
from self_heal_engine.params import Cases, Label

OLD = """<!doctype html><html><head><title>Shop</title></head><body><nav><a href="/home" class="on">Home</a>
<a href="/orders">Orders</a> <a href="/legacy">Fax us</a></nav><main><h1>Your orders</h1><form id="find"><label for="q">Search orders</label>
<input id="q" name="q" placeholder="Number"><button id="go" class="btn">Search</button></form>
<table><tr><td>17</td><td><button name="pay" title="Pay now">Pay order</button></td></tr></table></main></body></html>"""
NEW = """<!doctype html><html><head><title>Shop</title></head><body><header><div class="bar"><nav><a href="/home" class="on">Home</a>
<a href="/orders">Orders</a></nav></div></header><main><div class="inner"><h1>Your orders</h1><form id="find"><div><label for="query">Search orders</label>
<input id="query" name="q" placeholder="Number"></div><button id="go" class="button">Find</button></form>
<table><tr><td>17</td><td><button name="pay" title="Pay now" class="x">Pay order</button></td></tr></table></div></main></body></html>"""

LABEL = Label(seed=1, most_per_step=150, most_removed_per_step=15, most_per_source=400, most_per_family=400)

RATES = {
    "id_regenerated": 0.5,
    "class_replaced": 0.5,
    "wrapper_inserted": 0.5,
    "text_reworded": 0.2,
    "test_id_changed": 0.9,
}
CASES = Cases(
    seed=1,
    natural=2,
    masked=1,
    mutated=2,
    deleted=1,
    targets_per_page=3,
    deleted_per_page=2,
    test_id_share=1.0,
    confirmed_weight=2.0,
    masks={"1": 1.0, "2": 1.0, "3": 1.0},
    severities={"1": 1.0, "2": 1.0},
    knowledge={"locator": 1.0, "text": 1.0, "anchors": 1.0, "baseline": 1.0, "fingerprint": 1.0},
    fewest_operators={"1": 1, "2": 2},
    rates={"1": RATES, "2": RATES},
)


def write_release(pages, version, html, source="shop", locale="en"):
    """Write one release of a site with one page, and its manifest."""
    folder = pages / source / version
    write_text(folder / "orders.html", html)
    manifest = Manifest(source, source, source, version, locale, "MIT", "recipe", {"orders": sha256(html)})
    write_json(folder / MANIFEST, asdict(manifest))


def write_pages(data, source="shop"):
    """Write both releases below ``<data>/pages``."""
    write_release(data / "pages", "1.0", OLD, source)
    write_release(data / "pages", "2.0", NEW, source)
