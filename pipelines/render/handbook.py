"""The handbook of an invented web shop program, the text that documentation themes are fed with.

Written in the Markdown that MkDocs reads; :func:`to_rst` turns it into what Sphinx reads.
"""

import re

PAGES = {
    "index": """
# Stallholder

Stallholder is a small program that runs a web shop: a catalogue, a basket, orders and letters to customers.

!!! note
    This handbook is about release 2.4. Older shops should read [the release notes](changelog.md) first.

## Where to begin

- New here? [Install the program](guide/install.md), then follow the [first hour](guide/first-hour.md).
- Already selling? See [orders](shop/orders.md) and [refunds](shop/refunds.md).
- Building on top? The [Python interface](reference/python.md) and the [web interface](reference/web.md) are stable.

## What is in the box

| Part | What it does | Since |
| --- | --- | --- |
| Catalogue | Products, prices and pictures | 1.0 |
| Basket | What a visitor wants to buy | 1.0 |
| Letters | E-mails that customers get | 1.3 |
| Till | Sales over the counter | 2.0 |

## Getting help

Ask on the [forum](https://forum.stallholder.example/), or write to [the makers](https://stallholder.example/contact).
Report a fault in the [issue tracker](https://code.stallholder.example/issues).
""",
    "guide/install": """
# Installing

Stallholder needs Python and a database. A shop with a few hundred products is happy with a small machine.

## Requirements

- Python 3.8 or later
- SQLite, PostgreSQL or MariaDB
- a mail server that accepts your letters

## Install from a package

Make a virtual environment and install into it:

```bash
python -m venv shop
shop/bin/pip install stallholder
shop/bin/stallholder init corner-shop
```

## Install from the repository

```bash
git clone https://code.stallholder.example/stallholder.git
cd stallholder
pip install -e .
```

## Check the installation

Start the server and open the address that it prints.

```console
$ stallholder serve --port 8080
Serving corner-shop on http://localhost:8080
```

!!! warning
    The built-in server is for trying things out. Read [running a shop](guide/running.md) before customers come.

Next: [your first hour](guide/first-hour.md).
""",
    "guide/first-hour": """
# Your first hour

At the end of this page you have a shop with three products and one order.

## Add a product

1. Sign in as the owner.
2. Choose *Catalogue* and then *New product*.
3. Give it a name, a price and a picture.
4. Press *Save*.

The same from Python:

```python
from stallholder import Catalogue

catalogue = Catalogue.open("corner-shop")
catalogue.add("Assam breakfast tea", price="6.50", stock=120)
```

## Place an order

Open the shop as a visitor, put the tea into the basket and go through [the checkout](shop/checkout.md).
Pay with the test card `4000 0000 0000 0002`.

## Send the parcel

Open [the order](shop/orders.md), press *Packed*, then *Sent*. The customer gets a letter each time.

## What next

- [Change how the shop looks](guide/themes.md)
- [Set up payment](shop/payment.md)
- [Read the glossary](glossary.md)
""",
    "guide/running": """
# Running a shop

What to do before the first real customer.

## Behind a web server

Put a web server in front that speaks HTTPS.

```nginx
location / {
    proxy_pass http://127.0.0.1:8080;
    proxy_set_header Host $host;
}
```

## Backups

Copy the database and the folder of pictures every night.

| What | Where | How often |
| --- | --- | --- |
| Database | `var/shop.db` | every night |
| Pictures | `var/pictures` | every night |
| Settings | `shop.toml` | after a change |

## Logs

Each request is one line. [Settings](reference/settings.md) tells how to change the level.

## Updating

Read the [release notes](changelog.md), take a backup, then run `stallholder migrate`.
""",
    "guide/themes": """
# Changing the look

A theme is a folder of templates. A shop uses its own templates first.

## Start a theme

```bash
stallholder theme new market-day
```

## Templates

| Template | Page |
| --- | --- |
| `home.html` | the front page |
| `product.html` | one product |
| `basket.html` | the basket |
| `letter.html` | every letter |

## Colours and fonts

Set them in [the settings](reference/settings.md), under `[theme]`.

!!! note
    A theme made for release 1 needs the new basket template. See the [release notes](changelog.md).
""",
    "shop/catalogue": """
# Catalogue

Products, categories and prices.

## Products

Each product has a number, a name and at least one price. A product without stock can be shown or hidden.

## Categories

A category holds products and other categories. Use few of them: visitors prefer [searching](shop/search.md).

## Prices

Prices include tax. Different prices for different countries are set in [payment](shop/payment.md).

## Importing a list

Read a spreadsheet with one product in each row:

```bash
stallholder import products.csv --dry-run
```

| Column | Meaning | Needed |
| --- | --- | --- |
| `number` | the product's number | yes |
| `name` | what customers see | yes |
| `price` | with tax, in the shop's currency | yes |
| `stock` | pieces on the shelf | no |
""",
    "shop/search": """
# Searching

The search box looks into names, descriptions and numbers.

## Words with the same meaning

Write them into `synonyms.txt`, one group in each line.

```text
teapot, tea pot, pot for tea
mug, cup
```

## Filters

Visitors narrow the results by category, price and colour. [Catalogue](shop/catalogue.md) explains categories.

## Rebuilding the index

Run `stallholder index` after an import. See also the function in [the Python interface](reference/python.md).
""",
    "shop/checkout": """
# Checkout

From the basket to the confirmation in four steps.

## Steps

1. Address
2. Delivery
3. [Payment](shop/payment.md)
4. Confirmation

## Guests

Visitors may order without an account. They get a link to follow [the order](shop/orders.md).

## Extra questions

Add a field to the checkout:

```toml
[[checkout.field]]
name = "gift_note"
label = "A note for the gift"
required = false
```

!!! warning
    Ask only what you need. Each question costs you customers.
""",
    "shop/payment": """
# Payment

Cards, transfers and invoices.

## Ways to pay

| Way | Fee | Ready in |
| --- | --- | --- |
| Card | 1.4 % | seconds |
| Transfer | none | two days |
| Invoice | none | thirty days |

## Connect a provider

Create a key at your provider and write it into [the settings](reference/settings.md).

## Test payments

Use the test cards of [the first hour](guide/first-hour.md). No money moves.

## Money back

Read [refunds](shop/refunds.md).
""",
    "shop/orders": """
# Orders

An order goes from new to packed to sent to delivered.

## States

- **New**: the customer has paid.
- **Packed**: the parcel is closed.
- **Sent**: the carrier has it.
- **Delivered**: the customer has it.

## Printing

Print a packing slip, a label or an invoice from the order's page.

## Changing an order

Until it is packed, you can change the address and add products. Afterwards make a [refund](shop/refunds.md).

## Exporting

```bash
stallholder export orders --since 2024-01-01 > orders.csv
```

The same through [the web interface](reference/web.md).
""",
    "shop/refunds": """
# Refunds

Give back all or a part of the money.

## A full refund

Open [the order](shop/orders.md) and press *Refund*. Stock goes back to [the catalogue](shop/catalogue.md).

## A partial refund

Choose the lines and the amount. The customer gets a letter.

## Rules

| Case | Until |
| --- | --- |
| Changed their mind | 14 days |
| Damaged parcel | 30 days |
| Wrong product | 60 days |
""",
    "shop/customers": """
# Customers

Who buys, and what you may know about them.

## Accounts

A customer signs in with an e-mail address. Accounts are made at [the checkout](shop/checkout.md).

## Notes

Staff can leave notes on a customer. Customers can ask to read them.

## Deleting

Deleting a customer keeps the orders but removes the name. See [privacy](shop/privacy.md).
""",
    "shop/privacy": """
# Privacy

What the program stores, and for how long.

## Stored data

- orders, for ten years
- baskets, for thirty days
- logs, for one week

## Requests

A customer may ask for a copy. Run:

```bash
stallholder customers export hugh.obrien@example.com
```

## Cookies

One cookie for the basket, one for signing in. More in [the settings](reference/settings.md).
""",
    "reference/settings": """
# Settings

All settings are in `shop.toml`.

## Shop

| Name | Meaning | Default |
| --- | --- | --- |
| `name` | shown at the top | `My shop` |
| `currency` | three letters | `EUR` |
| `language` | of pages and letters | `en` |

## Theme

| Name | Meaning | Default |
| --- | --- | --- |
| `colour` | buttons and links | `#336655` |
| `font` | all text | `serif` |

## Logging

| Name | Meaning | Default |
| --- | --- | --- |
| `level` | how much is written | `info` |
| `file` | where it goes | `var/shop.log` |

## An example

```toml
[shop]
name = "Corner Tea Shop"
currency = "GBP"

[theme]
colour = "#225577"
```

Read more on [themes](guide/themes.md) and [running a shop](guide/running.md).
""",
    "reference/python": """
# Python interface

Everything here stays the same within a release series.

## Catalogue functions

### `stallholder.open_shop(folder)`

Return the shop in a folder. See [installing](guide/install.md).

### `stallholder.add_product(shop, name, price, stock=0)`

Add a product and return its number.

### `stallholder.find_products(shop, words, limit=20)`

Search as the [search box](shop/search.md) does.

## Order functions

### `stallholder.place_order(shop, basket, address)`

Turn a basket into an order.

### `stallholder.refund(order, lines=None)`

Give money back, as told in [refunds](shop/refunds.md).

### `stallholder.export_orders(shop, since)`

Return orders as rows, newest last.

## Errors

### `stallholder.out_of_stock(product)`

Raise the error that means that nothing is left.
""",
    "reference/web": """
# Web interface

JSON over HTTP, with a key.

## Keys

Create a key in the shop under *Staff*. Send it with each request:

```http
GET /api/orders?state=new HTTP/1.1
Authorization: Bearer KEY
```

## Addresses

| Address | Method | What |
| --- | --- | --- |
| `/api/products` | GET | list products |
| `/api/products` | POST | add a product |
| `/api/orders` | GET | list orders |
| `/api/orders/{number}` | PATCH | change a state |

## Errors

An error has a `code` and a `message`. The codes are those of [the Python interface](reference/python.md).
""",
    "reference/commands": """
# Commands

Run `stallholder COMMAND --help` for the options.

## init

Make a new shop in a folder. Used in [installing](guide/install.md).

## serve

Start the built-in server.

## import

Read products from a file. See [the catalogue](shop/catalogue.md).

## export

Write orders or customers to a file. See [orders](shop/orders.md).

## migrate

Bring the database to the current release. See [running a shop](guide/running.md).
""",
    "glossary": """
# Glossary

Words that this handbook uses in one sense only.

## Basket

What a visitor has chosen but not paid. It becomes an order at [the checkout](shop/checkout.md).

## Letter

An e-mail that the shop sends.

## Owner

The person who may change [the settings](reference/settings.md).

## Parcel

What is sent. One [order](shop/orders.md) can have several parcels.
""",
    "contributing": """
# Contributing

Faults, ideas and translations are welcome.

## Reporting a fault

Tell what you did, what you saw and what you expected, in the [tracker](https://code.stallholder.example/issues).

## Sending a change

1. Fork the [repository](https://code.stallholder.example/stallholder).
2. Write a test.
3. Run `make check`.
4. Open a request.

## Translating

Translations are made at [our site for translators](https://translate.stallholder.example/).
""",
    "changelog": """
# Release notes

## 2.4

- Partial [refunds](shop/refunds.md)
- A faster [search](shop/search.md)

## 2.3

- Extra questions at [the checkout](shop/checkout.md)
- Keys for [the web interface](reference/web.md) can expire

## 2.0

- A till for sales over the counter
- New templates for [themes](guide/themes.md)

## 1.0

- The first release
""",
}

SECTIONS = {
    "Guide": ["guide/install", "guide/first-hour", "guide/running", "guide/themes"],
    "The shop": [
        "shop/catalogue",
        "shop/search",
        "shop/checkout",
        "shop/payment",
        "shop/orders",
        "shop/refunds",
        "shop/customers",
        "shop/privacy",
    ],
    "Reference": ["reference/settings", "reference/python", "reference/web", "reference/commands"],
    "More": ["glossary", "contributing", "changelog"],
}

UNDERLINES = {1: "=", 2: "-", 3: "~"}
LANGUAGES = {"http": "http", "toml": "ini"}  # Pygments learnt TOML late


def to_rst(markdown: str) -> str:
    """Return a page of this handbook in reStructuredText."""
    return "\n\n".join(block_to_rst(block) for block in blocks(markdown)) + "\n"


def blocks(markdown: str) -> list[str]:
    """Split a page at empty lines, but not inside of code."""
    parts = re.findall(r"^```.*?^```$|(?:^[^\n]+\n?)+", markdown, re.MULTILINE | re.DOTALL)
    return [part.strip("\n") for part in parts]


def block_to_rst(block: str) -> str:
    """Return one block: a heading, code, a table, a remark, a function, or text."""
    first, _, rest = block.partition("\n")
    if first.startswith("```"):
        language = LANGUAGES.get(first[3:], first[3:])
        return f".. code-block:: {language}\n\n" + indent(rest.removesuffix("```"))
    if first.startswith("### `"):
        return f".. py:function:: {first[5:-1]}"
    if first.startswith("#"):
        marks, _, title = first.partition(" ")
        return f"{title}\n{UNDERLINES[len(marks)] * len(title)}"
    if first.startswith("!!! "):
        return f".. {first[4:]}::\n\n{indent(inline(' '.join(rest.split())))}"
    if first.startswith("|"):
        return table(block.splitlines())
    return inline(block)


def table(lines: list[str]) -> str:
    """Return a table as a list of rows."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]
    items = ["\n".join(f"{'* ' if n == 0 else '  '}- {inline(cell)}" for n, cell in enumerate(row)) for row in rows]
    return ".. list-table::\n   :header-rows: 1\n\n" + indent("\n".join(items))


def inline(text: str) -> str:
    """Return text with its code and its links."""
    text = re.sub(r"`([^`]+)`", r"``\1``", text)
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\.md\)", r":doc:`\1 </\2>`", text)
    return re.sub(r"\[([^]]+)\]\((https?:[^)]+)\)", r"`\1 <\2>`__", text)


def indent(text: str) -> str:
    """Return text moved to the right."""
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())
