"""Render the pages of a release of Datasette: a shop's SQLite file, browsed by a visitor and by the administrator.

Called as ``datasette_site.py OUT VERSION``. Every page is asked of Datasette's own application, by its internal client.
"""

import steady  # isort: skip

import asyncio
import datetime
import io
import sqlite3
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from pathlib import Path


class Stopped(datetime.datetime):
    """A clock that stands still, for the page of permission checks."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        """Return the fixed moment."""
        return cls.fromisoformat(steady.NOW).replace(tzinfo=tz)

    utcnow = now


# The footer says how long the queries took, and slow queries are given up: with the clock stopped, neither varies.
FIXED = Stopped.now().timestamp()
time.time = lambda: FIXED
time.perf_counter = lambda: FIXED
datetime.datetime = Stopped

from datasette.app import Datasette  # noqa: E402

SCHEMA = """
create table customers (id integer primary key, name text not null, email text, town text, country text, joined text,
  newsletter integer);
create table products (sku text primary key, name text not null, category text, price real, stock integer, tags text,
  page text);
create table orders (id integer primary key, customer_id integer references customers(id), placed text, status text,
  payment text, total real);
create table order_items (order_id integer references orders(id), sku text references products(sku), quantity integer,
  price real, primary key (order_id, sku));
create table notes (id integer primary key, customer_id integer references customers(id), written text, author text,
  body text);
create table returns (id integer primary key, order_id integer references orders(id), reason text, refunded integer);
create table stores (code text primary key, town text, opened text, photo blob);
create view sales_by_product as select p.sku, p.name, sum(i.quantity) as sold, round(sum(i.quantity * i.price), 2)
  as revenue from products p join order_items i on i.sku = p.sku group by p.sku;
create view open_orders as select o.id, c.name as customer, o.placed, o.total from orders o
  join customers c on c.id = o.customer_id where o.status in ('new', 'packed');
create virtual table notes_fts using fts4(body, content='notes');
"""

CUSTOMERS = [
    ("Amina Yusuf", "amina.yusuf@example.com", "Leeds", "United Kingdom"),
    ("Bruno Keller", "b.keller@example.org", "Basel", "Switzerland"),
    ("Chloe Martin", "chloe@martin.example", "Lyon", "France"),
    ("Daan de Vries", "daan.devries@example.net", "Utrecht", "Netherlands"),
    ("Elena Rossi", "elena.rossi@example.com", "Turin", "Italy"),
    ("Farid Haddad", "farid@haddad.example", "Lille", "France"),
    ("Greta Lindqvist", "greta.l@example.org", "Uppsala", "Sweden"),
    ("Hugh O'Brien", "hugh.obrien@example.com", "Cork", "Ireland"),
    ("Ines Carvalho", "ines.carvalho@example.net", "Porto", "Portugal"),
    ("Jonas Weber", "jonas.weber@example.com", "Bremen", "Germany"),
    ("Katya Novak", "katya@novak.example", "Brno", "Czechia"),
    ("Liam Walsh", "liam.walsh@example.org", "Galway", "Ireland"),
]
PRODUCTS = [
    ("TEA-01", "Assam breakfast tea", "Tea", 6.5, 120, '["loose leaf", "black"]'),
    ("TEA-02", "Jasmine green tea", "Tea", 8.2, 64, '["loose leaf", "green"]'),
    ("TEA-03", "Peppermint infusion", "Tea", 4.9, 0, '["bags", "herbal"]'),
    ("COF-01", "House espresso beans", "Coffee", 12.0, 85, '["beans", "dark"]'),
    ("COF-02", "Decaf filter grind", "Coffee", 11.4, 31, '["ground"]'),
    ("POT-01", "Stoneware teapot", "Crockery", 34.0, 12, '["gift"]'),
    ("POT-02", "Glass cafetiere", "Crockery", 27.5, 9, '["gift", "glass"]'),
    ("CUP-01", "Set of four mugs", "Crockery", 22.0, 40, '["gift"]'),
    ("FIL-01", "Paper filters, size 4", "Accessories", 3.2, 300, "[]"),
    ("SCO-01", "Measuring scoop", "Accessories", 5.0, 75, "[]"),
]
NOTES = [
    "Asked for delivery after six in the evening.",
    "Prefers the loose leaf tea; never send bags.",
    "Parcel left with the neighbour at number 12.",
    "Wants an invoice with the VAT number of the cafe.",
    "Complained about a chipped mug, sent a replacement.",
    "Delivery address changes in June, check before sending.",
    "Interested in a monthly coffee subscription.",
    "Called to praise the teapot. Might write a review.",
]
STATUSES = ("new", "packed", "shipped", "delivered", "cancelled")
PAYMENTS = ("card", "invoice", "transfer")
ORDERS = 60
SIGNED_WITH = "corner-tea-shop"

QUERIES = {
    "orders_of_customer": {
        "title": "Orders of a customer",
        "description": "All orders placed by one person, newest first.",
        "sql": "select o.id, o.placed, o.status, o.total from orders o join customers c on c.id = o.customer_id "
        "where c.name like '%' || :name || '%' order by o.placed desc",
    },
    "stock_between": {
        "title": "Products by stock",
        "sql": "select sku, name, stock from products where stock >= :lowest and stock <= :highest "
        "and category = :category order by stock",
    },
    "low_stock": {"sql": "select sku, name, stock from products where stock < 15", "title": "Reorder soon"},
    "add_note": {
        "title": "Add a note",
        "description": "Write down what a customer said.",
        "sql": "insert into notes (customer_id, written, author, body) values (:customer_id, :written, :author, :body)",
        "write": True,
        "on_success_message": "Note saved",
        "allow": {"id": "root"},
    },
}
TABLES = {
    "orders": {
        "description": "Every order since the shop opened",
        "facets": ["status"],
        "size": 20,
        "sort_desc": "placed",
    },
    "products": {"sortable_columns": ["name", "price", "stock"]},
    "customers": {"label_column": "name", "title": "Our customers", "source": "Shop till", "license": "Internal"},
    "stores": {"hidden": False},
}
METADATA = {
    "title": "Corner Tea Shop",
    "description": "Orders, products and customers",
    "license": "CC BY 4.0",
    "license_url": "https://creativecommons.org/licenses/by/4.0/",
    "source": "Shop till",
    "source_url": "https://shop.example/data",
    "databases": {"shop": {"description": "The shop's own records", "tables": TABLES}},
}

# (page, path): what a visitor sees. Underscore prefixes are Datasette's own arguments.
VISITOR = [
    ("index", "/"),
    ("database", "/shop"),
    ("database-hidden-tables", "/shop?_show_hidden=1"),
    ("table-customers", "/shop/customers"),
    ("table-products", "/shop/products"),
    ("table-orders", "/shop/orders"),
    ("table-order-items", "/shop/order_items?_size=12"),
    ("table-notes", "/shop/notes"),
    ("table-stores", "/shop/stores"),
    ("table-empty", "/shop/returns"),
    ("table-facets", "/shop/orders?_facet=status&_facet=payment&_facet=customer_id&_facet_date=placed&_size=10"),
    ("table-facet-array", "/shop/products?_facet_array=tags&_facet=category"),
    ("table-filter", "/shop/orders?status__exact=shipped&total__gte=20&_size=10"),
    ("table-filter-none", "/shop/orders?status__exact=lost"),
    ("table-filter-foreign-key", "/shop/orders?customer_id=3"),
    ("table-where", "/shop/orders?_where=total+%3E+100"),
    ("table-sort", "/shop/products?_sort=price"),
    ("table-sort-descending", "/shop/products?_sort_desc=stock"),
    ("table-columns-hidden", "/shop/customers?_nocol=email&_nocol=country"),
    ("table-search", "/shop/notes?_search=delivery"),
    ("table-search-none", "/shop/notes?_search=submarine"),
    ("table-next-page", "/shop/order_items?_size=12&_next=5%2CTEA-02"),
    ("view-sales", "/shop/sales_by_product"),
    ("view-open-orders", "/shop/open_orders?_size=8"),
    ("row-customer", "/shop/customers/3"),
    ("row-order", "/shop/orders/7"),
    ("row-product", "/shop/products/TEA-01"),
    ("row-compound-key", "/shop/order_items/5,TEA-01"),
    ("row-store", "/shop/stores/N1"),
    ("query-orders-of-customer", "/shop/orders_of_customer?name=Rossi"),
    ("query-unfilled", "/shop/orders_of_customer"),
    ("query-parameters", "/shop/stock_between?lowest=10&highest=100&category=Crockery"),
    ("query-plain", "/shop/low_stock"),
    ("query-hidden-sql", "/shop/low_stock?_hide_sql=1"),
    ("sql", "/shop?sql=select+town%2C+count(*)+as+people+from+customers+group+by+town"),
    (
        "sql-parameters",
        "/shop?sql=select+*+from+orders+where+status+%3D+%3Astatus+and+total+%3E+%3Atotal&status=new&total=40",
    ),
    ("sql-error", "/shop?sql=select+nothing+from+nowhere"),
    ("error-no-table", "/shop/suppliers"),
    ("error-no-row", "/shop/customers/999"),
    ("error-forbidden", "/-/permissions"),
    ("patterns", "/-/patterns"),
    ("allow-debug", "/-/allow-debug"),
    ("allow-debug-filled", "/-/allow-debug?actor=%7B%22id%22%3A+%22root%22%7D&allow=%7B%22id%22%3A+%22*%22%7D"),
    ("actor", "/-/actor"),
    ("metadata", "/-/metadata"),
    ("auth-token", "/-/auth-token"),
]
ADMINISTRATOR = [
    ("admin/permissions", "/-/permissions"),  # first: it lists every check made so far
    ("admin/index", "/"),
    ("admin/database", "/shop"),
    ("admin/table-customers", "/shop/customers"),
    ("admin/table-filter", "/shop/orders?status__exact=new&_sort=total&_size=10"),
    ("admin/row-order", "/shop/orders/7"),
    ("admin/query-write", "/shop/add_note"),
    ("admin/query-write-filled", "/shop/add_note?customer_id=4&author=Priya&body=Likes+the+scoop"),
    ("admin/messages", "/-/messages"),
    ("admin/logout", "/-/logout"),
    ("admin/create-token", "/-/create-token"),
    ("admin/api", "/-/api"),
]
NOT_IN_EVERY_RELEASE = {"metadata", "admin/create-token", "admin/api"}


def seed(path: Path) -> None:
    """Write the shop's database."""
    shop = sqlite3.connect(path)
    shop.executescript(SCHEMA)
    for number, row in enumerate(CUSTOMERS):
        joined = f"20{20 + number % 4}-0{1 + number % 9}-1{number % 10}"
        shop.execute("insert into customers values (?, ?, ?, ?, ?, ?, ?)", (number + 1, *row, joined, number % 2))
    for row in PRODUCTS:
        shop.execute(
            "insert into products values (?, ?, ?, ?, ?, ?, ?)", (*row, f"https://shop.example/{row[0].lower()}")
        )
    for order in range(1, ORDERS + 1):
        add_order(shop, order)
    for number, body in enumerate(NOTES):
        written = f"2024-04-{10 + number}T09:{10 + number}:00"
        author = ("Priya", "Tom")[number % 2]
        shop.execute("insert into notes values (?, ?, ?, ?, ?)", (number + 1, number % 5 + 1, written, author, body))
    shop.execute("insert into notes_fts (docid, body) select id, body from notes")
    shop.execute("insert into stores values ('N1', 'Leeds', '2019-03-01', x'89504e470d0a1a0a00')")
    shop.execute("insert into stores values ('S1', 'Lyon', '2022-09-15', null)")
    shop.commit()
    shop.close()


def add_order(shop: sqlite3.Connection, order: int) -> None:
    """Add an order of one to three products, chosen by its number."""
    chosen = sorted({(order * 3 + step) % len(PRODUCTS) if order != 5 else step for step in range(1 + order % 3)})
    lines = [(PRODUCTS[index][0], 1 + (order + index) % 3, PRODUCTS[index][3]) for index in chosen]
    placed = datetime.datetime(2024, 1, 3, 8, 15) + datetime.timedelta(days=2 * order // 3, hours=order % 11)
    total = round(sum(quantity * price for _, quantity, price in lines), 2)
    status, payment = STATUSES[order % 5], PAYMENTS[order % 3]
    row = (order, order * 5 % len(CUSTOMERS) + 1, placed.isoformat(), status, payment, total)
    shop.execute("insert into orders values (?, ?, ?, ?, ?, ?)", row)
    shop.executemany("insert into order_items values (?, ?, ?, ?)", [(order, *line) for line in lines])


def open_site(version: str) -> Datasette:
    """Return the application over the shop's database, in the folder of work."""
    seed(Path("shop.db"))
    metadata = deepcopy(METADATA)
    if version.startswith("0."):
        metadata["databases"]["shop"]["queries"] = QUERIES
        return Datasette(["shop.db"], metadata=metadata, secret=SIGNED_WITH)
    config = {"databases": {"shop": {"queries": QUERIES}}}
    site = Datasette(["shop.db"], metadata=metadata, config=config, secret=SIGNED_WITH)
    site.root_enabled = True  # late 1.0 asks for it before the actor "root" may do everything
    return site


async def render(out: Path, version: str) -> None:
    """Ask for every page and write what comes back."""
    site = open_site(version)
    if hasattr(site, "invoke_startup"):
        await site.invoke_startup()
    root = {"ds_actor": site.sign({"a": {"id": "root"}}, "actor")}
    pages = [(page, path, root) for page, path in ADMINISTRATOR] + [(page, path, {}) for page, path in VISITOR]
    for page, path, cookies in pages:
        answer = await ask(site, path, cookies)
        if answer.status_code in (400, 404) and page in NOT_IN_EVERY_RELEASE:
            continue
        if answer.status_code not in expected(page):
            raise RuntimeError(f"{page}: {answer.status_code} for {path}")
        target = out / f"{page}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(answer.text, encoding="utf-8")


def expected(page: str) -> set[int]:
    """Return the HTTP states that are right for a page."""
    if page == "auth-token" or "error" in page:
        return {200, 400, 403, 404}  # 1.0 answers 200 to a query that cannot be run
    return {200}


async def ask(site: Datasette, path: str, cookies: dict[str, str]):
    """Get a page, following redirects (1.0 moved ``?sql=`` to a path of its own)."""
    answer = await site.client.get(path, cookies=cookies)
    while answer.status_code in (301, 302, 307):
        answer = await site.client.get(answer.headers["location"], cookies=cookies)
    return answer


if __name__ == "__main__":
    heap = io.StringIO()
    with redirect_stdout(heap), redirect_stderr(heap):  # Datasette reports the query that is wrong on purpose
        asyncio.run(render(Path(sys.argv[1]).resolve(), sys.argv[2]))
