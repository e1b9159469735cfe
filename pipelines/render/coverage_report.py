"""Coverage.py's HTML report about a small shop program, of which a till run reaches only a part."""

import steady

# isort: split
import re
import shutil
import sys
from pathlib import Path

import coverage
from freezegun import freeze_time

# The program: a file in each module, at the root, so that the pages of all releases have the same names.
PROGRAM = {
    "catalogue": '''
"""What the shop sells."""


class Product:
    """A thing with a price and a stock."""

    def __init__(self, number, name, price, stock=0):
        self.number = number
        self.name = name
        self.price = price
        self.stock = stock

    def take(self, count):
        if count > self.stock:
            raise ValueError("not enough " + self.name)
        self.stock -= count

    def restock(self, count):
        self.stock += count

    def rename(self, name):
        if not name:
            raise ValueError("a product needs a name")
        self.name = name


class Catalogue:
    """All products, by number."""

    def __init__(self):
        self.products = {}

    def add(self, product):
        if product.number in self.products:
            raise KeyError(product.number)
        self.products[product.number] = product
        return product

    def find(self, word):
        found = []
        for product in self.products.values():
            if word.lower() in product.name.lower():
                found.append(product)
        return found

    def cheapest(self):
        best = None
        for product in self.products.values():
            if best is None or product.price < best.price:
                best = product
        return best

    def sold_out(self):
        return [product for product in self.products.values() if product.stock == 0]
''',
    "basket": '''
"""What a visitor wants to buy."""

import tax


class Basket:
    """Products with a count."""

    def __init__(self, country="GB"):
        self.country = country
        self.lines = []
        self.voucher = None

    def put(self, product, count=1):
        if count < 1:
            raise ValueError("at least one")
        for line in self.lines:
            if line[0] is product:
                line[1] += count
                return
        self.lines.append([product, count])

    def remove(self, product):
        self.lines = [line for line in self.lines if line[0] is not product]

    def use_voucher(self, code):
        if code.startswith("TEN"):
            self.voucher = 0.10
        elif code.startswith("HALF"):
            self.voucher = 0.50
        else:
            raise ValueError("unknown voucher")

    def net(self):
        total = sum(product.price * count for product, count in self.lines)
        if self.voucher:
            total -= total * self.voucher
        return round(total, 2)

    def gross(self):
        return round(self.net() * (1 + tax.rate(self.country)), 2)
''',
    "tax": '''
"""Tax by country."""

RATES = {"GB": 0.20, "DE": 0.19, "FR": 0.20}


def rate(country):
    if country in RATES:
        return RATES[country]
    if country == "CH":
        return 0.081
    return 0.0


def invoice_line(country, net):  # pragma: no cover
    return "%s %.2f" % (country, net * rate(country))


def needs_form(country, total):
    if country in RATES:
        return False
    if total > 150:
        return True
    return country == "US"
''',
    "orders": '''
"""From a paid basket to a delivered parcel."""

import letters

STATES = ["new", "packed", "sent", "delivered"]


class Order:
    """A basket that was paid."""

    next_number = 1

    def __init__(self, customer, basket):
        self.number = Order.next_number
        Order.next_number += 1
        self.customer = customer
        self.lines = list(basket.lines)
        self.total = basket.gross()
        self.state = "new"
        for product, count in self.lines:
            product.take(count)

    def advance(self):
        place = STATES.index(self.state)
        if place + 1 == len(STATES):
            raise ValueError("already delivered")
        self.state = STATES[place + 1]
        return letters.about_state(self)

    def cancel(self):
        if self.state != "new":
            raise ValueError("too late")
        for product, count in self.lines:
            product.restock(count)
        self.state = "cancelled"
        return letters.sorry(self)


def open_orders(orders):
    return [order for order in orders if order.state in ("new", "packed")]


def export(orders):
    rows = []
    for order in orders:
        rows.append([order.number, order.customer, order.total, order.state])
    return rows
''',
    "letters": '''
"""E-mails to customers."""


def about_state(order):
    if order.state == "packed":
        text = "we have packed your parcel"
    elif order.state == "sent":
        text = "your parcel is on its way"
    else:
        text = "we hope that you like it"
    return greeting(order.customer) + text


def sorry(order):
    return greeting(order.customer) + "order %d is cancelled" % order.number


def greeting(customer):
    if not customer:
        return "Hello, "
    return "Dear %s, " % customer


def newsletter(customers, text):
    for customer in customers:
        yield greeting(customer) + text
''',
    "reports": '''
"""Numbers for the owner."""


def turnover(orders):
    return round(sum(order.total for order in orders), 2)


def best_sellers(orders, most=3):
    counts = {}
    for order in orders:
        for product, count in order.lines:
            counts[product.name] = counts.get(product.name, 0) + count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ranked[:most]


def as_text(rows):
    lines = []
    for row in rows:
        lines.append("; ".join(str(cell) for cell in row))
    return lines


def chart(rows):
    widest = max(count for _, count in rows)
    for name, count in rows:
        yield name.ljust(24) + "#" * (20 * count // widest)
''',
    "till": '''
"""One afternoon at the till."""

import basket
import catalogue
import orders
import reports


def run():
    shop = catalogue.Catalogue()
    tea = shop.add(catalogue.Product("TEA-01", "Assam breakfast tea", 6.5, 20))
    mug = shop.add(catalogue.Product("CUP-01", "Mug with a robin", 9.0, 4))
    shop.find("tea")
    chosen = basket.Basket()
    chosen.put(tea, 2)
    chosen.put(mug)
    chosen.put(tea)
    chosen.use_voucher("TEN-2024")
    order = orders.Order("Amina Yusuf", chosen)
    order.advance()
    abroad = basket.Basket("CH")
    abroad.put(mug, 2)
    second = orders.Order("", abroad)
    reports.best_sellers([order, second])
    if order.total > 1000:
        reports.turnover([order])
    return orders.open_orders([order, second])
''',
    "settings": '"""Names that the owner may change."""\n\nNAME = "Corner Tea Shop"\nCURRENCY = "GBP"\nOPENS = 9\n',
    "stock_take": '''
"""Count what is on the shelves. Nobody runs this in the afternoon."""


def compare(catalogue, counted):
    wrong = {}
    for number, product in catalogue.products.items():
        if counted.get(number, 0) != product.stock:
            wrong[number] = (product.stock, counted.get(number, 0))
    return wrong


def correct(catalogue, wrong):
    for number, (_, counted) in wrong.items():
        catalogue.products[number].stock = counted
''',
}
TITLE = "Corner Tea Shop coverage"


def measure(program: Path) -> coverage.Coverage:
    """Run the program's afternoon and return what it reached."""
    measured = coverage.Coverage(branch=True, config_file=False, source=[str(program)])
    sys.path.insert(0, str(program))
    measured.start()
    import settings  # noqa: F401
    import till

    till.run()
    measured.stop()
    return measured


def main(out: Path) -> None:
    """Write the program, measure it, and copy the pages of the report."""
    program, report = Path("program").resolve(), Path("report").resolve()
    program.mkdir()
    for name, text in PROGRAM.items():
        (program / f"{name}.py").write_text(text.lstrip("\n"), encoding="utf-8")
    measured = measure(program)
    measured.save()
    with freeze_time(steady.NOW):
        measured.html_report(directory=str(report), title=TITLE)
    for page in sorted(report.glob("*.html")):
        shutil.copyfile(page, out / plain_name(page.name))


def plain_name(name: str) -> str:
    """Return a page's name without its folder: the name until release 5, then a hash of it."""
    return re.sub(r"^(program|[dz]_[0-9a-f]+)_", "", name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
