"""Render Swagger UI, a single-page application, in headless Chromium: the tree after its scripts ran, and its layout.

Unlike the other renderers this one runs in our own environment, which has Playwright; the package comes from npm.
"""

import functools
import http.server
import json
import os
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1"]  # fmt: skip

ID, TEXT = {"type": "integer"}, {"type": "string"}
ORDER = {
    "type": "object",
    "properties": {"id": ID, "customer": TEXT, "state": {"type": "string", "enum": ["new", "sent"]}},
}


def operation(summary: str, tag: str, **more: object) -> dict[str, object]:
    """Return one operation of the interface that is shown."""
    return {"summary": summary, "tags": [tag], "responses": {"200": {"description": "Done"}}, **more}


def parameter(name: str, place: str, schema: dict[str, object], text: str) -> dict[str, object]:
    """Return one parameter of an operation."""
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": text}


BODY = {"content": {"application/json": {"schema": ORDER}}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
NAME = parameter("name", "query", TEXT, "A part of the name")
WHICH = parameter("id", "path", ID, "The number of the order")
SHOP = {
    "openapi": "3.0.0",
    "info": {"title": "A small shop", "version": "1.0", "description": "Orders and customers of a shop."},
    "servers": [{"url": "/api"}, {"url": "/test-api"}],
    "components": {"securitySchemes": {"key": KEY}, "schemas": {"Order": ORDER}},
    "paths": {
        "/orders": {
            "get": operation("List orders", "orders", parameters=[parameter("state", "query", TEXT, "Only these")]),
            "post": operation("Place an order", "orders", requestBody=BODY, security=[{"key": []}]),
        },
        "/orders/{id}": {
            "get": operation("Show an order", "orders", parameters=[WHICH]),
            "delete": operation("Cancel an order", "orders", parameters=[WHICH], security=[{"key": []}]),
        },
        "/customers": {"get": operation("Find customers", "customers", parameters=[NAME])},
    },
}  # fmt: skip

INDEX = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A small shop</title>
<link rel="stylesheet" href="swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script><script src="swagger-ui-standalone-preset.js"></script><script>
window.ui = SwaggerUIBundle({ url: "shop.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: "StandaloneLayout" });
</script></body></html>"""

# What the browser measured of every element, in document order.
MEASURE = """() => { const all = [...document.querySelectorAll('*')];
return { rectangles: all.map(e => { const r = e.getBoundingClientRect();
  return [r.x + scrollX, r.y + scrollY, r.width, r.height].map(n => Math.round(n)); }),
visible: all.map(e => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().height > 0) }; }"""

# What a visitor opens, and the page's name then.
VISITS = {
    "home": [],
    "operation": ["#operations-orders-get_orders, [id*='get_orders'] >> nth=0"],
    "authorize": [".btn.authorize >> nth=0"],
    "schemas": [".models >> css=button, .models h4 >> nth=0"],
}


def save(page: Page, folder: Path, name: str) -> None:
    """Write the tree as it is now, and its layout, which must be of the same elements."""
    (folder / f"{name}.html").write_text(
        "<!DOCTYPE html>\n" + page.evaluate("document.documentElement.outerHTML"), "utf-8"
    )
    layout = json.dumps(page.evaluate(MEASURE), separators=(",", ":"))
    (folder / f"{name}.layout.json").write_text(layout + "\n", "utf-8")


def main(folder: Path, site: Path) -> None:
    """Serve the application on this machine and visit its pages."""
    shutil.copytree(os.environ["PACKAGE"], site, dirs_exist_ok=True)
    (site / "shop.html").write_text(INDEX, "utf-8")
    (site / "shop.json").write_text(json.dumps(SHOP), "utf-8")
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, clicks in VISITS.items():
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{server.server_port}/shop.html")
            page.wait_for_selector(".opblock")
            for selector in clicks:
                page.locator(selector).first.click()
            page.wait_for_timeout(500)
            save(page, folder, name)
            page.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("site"))
