"""Render the pages of a release of Flask-AppBuilder: the back office of a hardware store.

Called as ``flask_appbuilder.py OUT VERSION [LOCALE]``.
"""

import steady  # isort: skip

import datetime
import logging
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

# This file has the name of the package that it renders, and Python looks into a script's folder first.
sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]
warnings.simplefilter("ignore")  # old releases on new Python
logging.disable()

from freezegun import freeze_time  # noqa: E402

freeze_time(steady.NOW).start()  # accounts show when they were made and last used

from flask import Flask  # noqa: E402
from flask_appbuilder import (  # noqa: E402
    AppBuilder,
    CompactCRUDMixin,
    DirectByChartView,
    GroupByChartView,
    MasterDetailView,
    Model,
    ModelView,
    MultipleView,
    PublicFormView,
    SimpleFormView,
    action,
    aggregate_count,
    aggregate_sum,
)
from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextAreaFieldWidget, BS3TextFieldWidget  # noqa: E402
from flask_appbuilder.forms import DynamicForm  # noqa: E402
from flask_appbuilder.models.sqla.interface import SQLAInterface  # noqa: E402
from flask_appbuilder.widgets import ListBlock, ListItem, ListLinkWidget, ListThumbnail  # noqa: E402
from sqlalchemy import (  # noqa: E402
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
)
from sqlalchemy.orm import relationship, scoped_session, sessionmaker  # noqa: E402
from sqlalchemy.pool import StaticPool  # noqa: E402
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField, TextAreaField  # noqa: E402
from wtforms.validators import DataRequired, EqualTo, Length  # noqa: E402

trades_of_products = Table(
    "trades_of_products",
    Model.metadata,
    Column("product_id", Integer, ForeignKey("product.id"), primary_key=True),
    Column("trade_id", Integer, ForeignKey("trade.id"), primary_key=True),
)


class Trade(Model):
    """Who needs a product."""

    __tablename__ = "trade"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)

    def __repr__(self) -> str:
        return self.name


class Aisle(Model):
    """Where a product lies."""

    __tablename__ = "aisle"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)
    floor = Column(Integer, default=0)
    products = relationship("Product", back_populates="aisle", order_by="Product.id")

    def __repr__(self) -> str:
        return self.name


class Product(Model):
    """What the store sells."""

    __tablename__ = "product"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    article = Column(String(20), unique=True, nullable=False)
    unit = Column(Enum("piece", "box", "metre", "litre", name="unit"), default="piece")
    price = Column(Numeric(8, 2), nullable=False)
    in_stock = Column(Integer, default=0)
    hazardous = Column(Boolean, default=False)
    listed_on = Column(Date)
    counted_at = Column(DateTime)
    description = Column(Text)
    aisle_id = Column(Integer, ForeignKey("aisle.id"), nullable=False)
    aisle = relationship(Aisle, back_populates="products")
    trades = relationship(Trade, secondary=trades_of_products, order_by=Trade.id)

    def __repr__(self) -> str:
        return self.name


class Builder(Model):
    """A customer with an account."""

    __tablename__ = "builder"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    email = Column(String(120), unique=True, nullable=False)
    phone = Column(String(30))
    town = Column(String(60))
    account_since = Column(Date)
    credit_limit = Column(Integer)
    pays_by_invoice = Column(Boolean, default=False)
    remarks = Column(Text)
    orders = relationship("Order", back_populates="builder", order_by="Order.id")

    def __repr__(self) -> str:
        return self.name


class Order(Model):
    """A sale."""

    __tablename__ = "store_order"
    id = Column(Integer, primary_key=True)
    number = Column(String(20), unique=True, nullable=False)
    status = Column(String(20), default="new")
    placed_at = Column(DateTime)
    total = Column(Numeric(8, 2))
    deliver = Column(Boolean, default=False)
    builder_id = Column(Integer, ForeignKey("builder.id"), nullable=False)
    builder = relationship(Builder, back_populates="orders")

    def __repr__(self) -> str:
        return self.number


class Rental(Model):
    """A machine that is lent; none is."""

    __tablename__ = "rental"
    id = Column(Integer, primary_key=True)
    machine = Column(String(80), nullable=False)
    due_back = Column(Date)


TRADES = ("Carpentry", "Plumbing", "Painting", "Masonry", "Gardens")
AISLES = [("Nails and screws", 0), ("Paint", 0), ("Timber", 0), ("Pipes", 1), ("Hand tools", 1)]
PRODUCTS = [
    ("Oval nails 65 mm", "NS-065", "box", "4.20", 140, 0),
    ("Brass hinge", "NS-210", "piece", "3.10", 86, 0),
    ("Exterior white", "PA-001", "litre", "11.50", 48, 1),
    ("Wood stain, walnut", "PA-044", "litre", "14.90", 22, 1),
    ("White spirit", "PA-090", "litre", "5.60", 35, 1),
    ("Planed spruce 38 x 63", "TI-063", "metre", "2.80", 410, 2),
    ("Oak worktop", "TI-500", "piece", "189.00", 6, 2),
    ("Copper pipe 15 mm", "PI-015", "metre", "6.75", 120, 3),
    ("Compression elbow", "PI-215", "piece", "2.35", 95, 3),
    ("Claw hammer", "HT-010", "piece", "18.40", 27, 4),
    ("Block plane", "HT-032", "piece", "42.00", 9, 4),
    ("Spirit level 60 cm", "HT-060", "piece", "23.90", 0, 4),
]
BUILDERS = [
    ("Arden & Daughters", "office@arden.example", "Stafford"),
    ("Bastian Krüger", "b.krueger@example.org", "Kassel"),
    ("Colm Brannigan", "colm.brannigan@example.com", "Sligo"),
    ("Delphine Aubert", "delphine@aubert.example", "Nantes"),
    ("Esra Yildiz", "esra.yildiz@example.net", "Mainz"),
    ("Fletcher Roofing", "hello@fletcher-roofing.example", "Derby"),
    ("Giulia Conti", "giulia.conti@example.com", "Parma"),
    ("Harald Nyberg", "harald@nyberg.example", "Umeå"),
]
STATUSES = ("new", "picked", "delivered", "returned")
ORDERS = 32


class TradeView(CompactCRUDMixin, ModelView):
    """List and form on one page."""

    datamodel = SQLAInterface(Trade)
    list_columns = add_columns = edit_columns = show_columns = ["name"]


class ProductView(ModelView):
    """A form with most types of field, in groups."""

    datamodel = SQLAInterface(Product)
    list_title, show_title, add_title, edit_title = "Products", "Product", "New product", "Change product"
    list_columns = ["name", "article", "aisle", "price", "in_stock", "hazardous"]
    search_columns = ["name", "article", "unit", "price", "in_stock", "hazardous", "listed_on", "aisle", "trades"]
    label_columns = {"article": "Article number", "aisle": "Aisle", "in_stock": "In stock"}
    description_columns = {"article": "Two letters, a dash, three digits", "price": "With tax"}
    base_order = ("name", "asc")
    page_size = 8
    FIELDS = [
        ("Product", {"fields": ["name", "article", "unit", "aisle", "trades"]}),
        ("Sale", {"fields": ["price", "in_stock", "hazardous"], "expanded": True}),
        ("More", {"fields": ["listed_on", "counted_at", "description"], "expanded": False}),
    ]
    show_fieldsets = add_fieldsets = edit_fieldsets = FIELDS

    @action("reorder", "Reorder", "Order these again?", "fa-truck")
    def reorder(self, items: Any) -> None:
        """Stand in for the work."""

    @action("print_labels", "Print labels", "", "fa-print", single=False)
    def print_labels(self, items: Any) -> None:
        """Stand in for the work."""


class AisleView(MasterDetailView):
    """Aisles on the left, their products on the right."""

    datamodel = SQLAInterface(Aisle)
    related_views = [ProductView]
    list_columns = ["name", "floor"]


class AisleTable(ModelView):
    """Aisles in a plain list."""

    datamodel = SQLAInterface(Aisle)
    list_columns = add_columns = edit_columns = show_columns = ["name", "floor"]


class OrderView(ModelView):
    """Sales, a long list."""

    datamodel = SQLAInterface(Order)
    list_columns = ["number", "builder", "status", "placed_at", "total", "deliver"]
    search_columns = ["number", "status", "builder", "placed_at", "total", "deliver"]
    add_columns = edit_columns = show_columns = ["number", "builder", "status", "placed_at", "total", "deliver"]
    base_order = ("placed_at", "desc")
    page_size = 10


class BuilderView(ModelView):
    """Customers, with their orders below."""

    datamodel = SQLAInterface(Builder)
    related_views = [OrderView]
    show_template = "appbuilder/general/model/show_cascade.html"
    edit_template = "appbuilder/general/model/edit_cascade.html"
    list_columns = ["name", "email", "town", "account_since", "pays_by_invoice"]
    search_columns = ["name", "email", "town", "account_since", "credit_limit", "pays_by_invoice"]
    FORM = ["name", "email", "phone", "town", "account_since", "credit_limit", "pays_by_invoice", "remarks"]
    add_columns = edit_columns = show_columns = FORM


class BuilderBlocks(ModelView):
    """Customers in blocks."""

    datamodel = SQLAInterface(Builder)
    list_widget = ListBlock
    list_columns = ["name", "email", "town"]


class BuilderCards(ModelView):
    """Customers on cards."""

    datamodel = SQLAInterface(Builder)
    list_widget = ListThumbnail
    list_columns = ["name", "email", "phone"]


class ProductItems(ModelView):
    """Products as items."""

    datamodel = SQLAInterface(Product)
    list_widget = ListItem
    list_columns = ["name", "article", "price"]


class ProductLinks(ModelView):
    """Products whose names are links."""

    datamodel = SQLAInterface(Product)
    list_widget = ListLinkWidget
    list_columns = ["name", "article", "price"]


class Overview(MultipleView):
    """Two lists on a page."""

    views = [BuilderBlocks, OrderView]


class RentalView(ModelView):
    """An empty list."""

    datamodel = SQLAInterface(Rental)
    list_columns = add_columns = edit_columns = show_columns = ["machine", "due_back"]


class StockChart(GroupByChartView):
    """Stock by aisle."""

    datamodel = SQLAInterface(Product)
    chart_title = "Stock by aisle"
    definitions = [
        {"label": "Products", "group": "aisle.name", "series": [(aggregate_count, "name")]},
        {"label": "In stock", "group": "unit", "series": [(aggregate_sum, "in_stock")]},
    ]


class ProductChart(DirectByChartView):
    """Stock, product by product."""

    datamodel = SQLAInterface(Product)
    chart_title = "Stock by product"
    chart_type = "ColumnChart"
    definitions = [{"label": "In stock", "group": "name", "series": ["in_stock"]}]


class StoreForm(DynamicForm):
    """How the store is run."""

    store_name = StringField(
        "Store name", validators=[DataRequired()], widget=BS3TextFieldWidget(), default="Anvil & Oak"
    )
    currency = SelectField("Currency", choices=[("EUR", "Euro"), ("GBP", "Pound sterling"), ("SEK", "Swedish krona")])
    receipts = RadioField("Receipts", choices=[("paper", "On paper"), ("mail", "By e-mail")], default="mail")
    sundays = BooleanField("Open on Sundays")
    till_code = PasswordField("Code of the till", validators=[Length(min=6)], widget=BS3PasswordFieldWidget())
    repeated = PasswordField("Code again", validators=[EqualTo("till_code")], widget=BS3PasswordFieldWidget())
    notice = TextAreaField("Notice at the door", widget=BS3TextAreaFieldWidget())


class StoreView(SimpleFormView):
    """The settings."""

    form = StoreForm
    form_title = "Store settings"

    def form_post(self, form: StoreForm) -> None:
        """Stand in for the work."""


class ContactForm(DynamicForm):
    """What a visitor writes."""

    name = StringField("Your name", validators=[DataRequired()], widget=BS3TextFieldWidget())
    email = StringField(
        "E-mail", validators=[DataRequired()], widget=BS3TextFieldWidget(), description="For our answer"
    )
    topic = SelectField("Topic", choices=[("order", "An order"), ("return", "A return"), ("advice", "Advice")])
    message = TextAreaField("Message", validators=[DataRequired()], widget=BS3TextAreaFieldWidget())


class ContactView(PublicFormView):
    """A form for everybody."""

    form = ContactForm
    form_title = "Write to us"

    def form_post(self, form: ContactForm) -> None:
        """Stand in for the work."""


MENU = [  # view, its name, symbol, heading
    (ProductView, "Products", "fa-cube", "Store"),
    (AisleView, "Products by aisle", "fa-map", "Store"),
    (AisleTable, "Aisles", "fa-map-o", "Store"),
    (TradeView, "Trades", "fa-tags", "Store"),
    (ProductItems, "Products as items", "fa-list", "Store"),
    (ProductLinks, "Products as links", "fa-link", "Store"),
    (BuilderView, "Builders", "fa-users", "Customers"),
    (BuilderCards, "Cards", "fa-id-card", "Customers"),
    (BuilderBlocks, "Blocks", "fa-th", "Customers"),
    (OrderView, "Orders", "fa-shopping-cart", "Customers"),
    (Overview, "Overview", "fa-eye", "Customers"),
    (RentalView, "Rentals", "fa-wrench", "Customers"),
    (StockChart, "Stock chart", "fa-pie-chart", "Figures"),
    (ProductChart, "Product chart", "fa-bar-chart", "Figures"),
    (StoreView, "Settings", "fa-cog", "Figures"),
    (ContactView, "Write to us", "fa-pencil", "Figures"),
]

# Seen without an account, then with one.
VISITOR = {
    "visitor/index": "/",
    "visitor/sign-in": "/login/",
    "visitor/contact": "/contactview/form",
    "visitor/refused": "/productview/list/",
}
PAGES = {
    "index": "/",
    "products": "/productview/list/",
    "products-page-2": "/productview/list/?page_ProductView=1",
    "products-sorted": "/productview/list/?_oc_ProductView=price&_od_ProductView=desc",
    "products-search": "/productview/list/?_flt_2_name=pipe&_flt_0_hazardous=0",
    "products-search-none": "/productview/list/?_flt_3_article=ZZ",
    "products-larger-pages": "/productview/list/?psize_ProductView=25",
    "product-show": "/productview/show/3",
    "product-edit": "/productview/edit/3",
    "product-new": "/productview/add",
    "aisles-master-detail": "/aisleview/list/",
    "aisles-master-detail-chosen": "/aisleview/list/2",
    "aisles": "/aisletable/list/",
    "aisle-edit": "/aisletable/edit/2",
    "aisle-new": "/aisletable/add",
    "trades-compact": "/tradeview/list/",
    "trades-compact-edit": "/tradeview/edit/2",
    "products-items": "/productitems/list/",
    "products-links": "/productlinks/list/",
    "builders": "/builderview/list/",
    "builders-search": "/builderview/list/?_flt_0_town=a&_flt_1_account_since=2020-01-01",
    "builder-show": "/builderview/show/3",
    "builder-edit": "/builderview/edit/3",
    "builder-new": "/builderview/add",
    "builders-cards": "/buildercards/list/",
    "builders-blocks": "/builderblocks/list/",
    "orders": "/orderview/list/",
    "orders-last-page": "/orderview/list/?page_OrderView=3",
    "order-show": "/orderview/show/5",
    "order-edit": "/orderview/edit/5",
    "order-new": "/orderview/add",
    "overview": "/overview/list/",
    "rentals-empty": "/rentalview/list/",
    "rental-new": "/rentalview/add",
    "chart-stock": "/stockchart/chart/",
    "chart-stock-second": "/stockchart/chart/1",
    "chart-products": "/productchart/chart/",
    "settings": "/storeview/form",
    "contact": "/contactview/form",
    "my-account": "/users/userinfo/",
    "my-account-edit": "/userinfoeditview/form",
    "my-password": "/resetmypassword/form",
    "users": "/users/list/",
    "user-show": "/users/show/2",
    "user-edit": "/users/edit/2",
    "user-new": "/users/add",
    "user-password": "/resetpassword/form?pk=2",
    "roles": "/roles/list/",
    "role-show": "/roles/show/2",
    "role-edit": "/roles/edit/2",
    "role-new": "/roles/add",
    "permissions": "/permissions/list/",
    "permission-views": "/permissionviews/list/",
    "view-menus": "/viewmenus/list/",
    "users-chart": "/userstatschartview/chart/",
}
PRODUCT = {"name": "Rip saw", "article": "", "unit": "piece", "price": "many", "in_stock": "4", "listed_on": "soon"}
ACCOUNT = {
    "first_name": "Pim",
    "last_name": "",
    "username": "kit",
    "email": "pim",
    "password": "a",
    "conf_password": "b",
}
# What is sent, and where: the answer, after redirects, is the page. In this order, for each one changes the rows.
SENT = [
    ("product-new-wrong", "/productview/add", PRODUCT),
    ("product-edit-wrong", "/productview/edit/3", PRODUCT | {"name": ""}),
    ("order-new-wrong", "/orderview/add", {"number": "", "placed_at": "today"}),
    ("settings-wrong", "/storeview/form", {"store_name": "", "till_code": "1", "repeated": "2"}),
    ("contact-wrong", "/contactview/form", {"name": "Lou", "message": ""}),
    ("my-password-wrong", "/resetmypassword/form", {"password": "spruce", "conf_password": "pine"}),
    ("user-new-wrong", "/users/add", ACCOUNT),
    ("message-added", "/rentalview/add", {"machine": "Cement mixer", "due_back": "2024-06-03"}),
    ("message-changed", "/rentalview/edit/1", {"machine": "Small cement mixer", "due_back": "2024-06-03"}),
    ("message-not-unique", "/tradeview/add", {"name": "Painting"}),
    ("message-deleted", "/rentalview/delete/1", {}),
]
# Each has its entry in a menu.
LANGUAGES = {
    "en": {"flag": "gb", "name": "English"},
    "de": {"flag": "de", "name": "German"},
    "fr": {"flag": "fr", "name": "French"},
}


def seed(session: Any) -> None:
    """Fill the store."""
    trades = [Trade(name=name) for name in TRADES]
    aisles = [Aisle(name=name, floor=floor) for name, floor in AISLES]
    session.add_all(trades + aisles)
    session.flush()
    for number, (name, article, unit, price, stock, aisle) in enumerate(PRODUCTS):
        product = Product(
            name=name,
            article=article,
            unit=unit,
            price=Decimal(price),
            in_stock=stock,
            hazardous=article in ("PA-044", "PA-090"),
            listed_on=datetime.date(2021, 1 + number, 14),
            counted_at=datetime.datetime(2024, 5, 3, 17, 10 + number),
            description=f"{name}, kept in {AISLES[aisle][0].lower()}; ask at the counter for larger amounts.",
            aisle=aisles[aisle],
            trades=[trades[number % len(trades)]],
        )
        session.add(product)
        session.flush()
    builders = [add_builder(session, number) for number in range(len(BUILDERS))]
    for number in range(ORDERS):
        add_order(session, number, builders)
    session.commit()


def add_builder(session: Any, number: int) -> Builder:
    """Add a customer of :data:`BUILDERS`."""
    name, email, town = BUILDERS[number]
    builder = Builder(
        name=name,
        email=email,
        phone=f"+49 561 5550 1{number:02}",
        town=town,
        account_since=datetime.date(2017 + number, 2 + number, 20),
        credit_limit=500 * (1 + number % 4),
        pays_by_invoice=number % 2 == 0,
        remarks="Collects before seven in the morning." if number % 3 == 2 else None,
    )
    session.add(builder)
    session.flush()
    return builder


def add_order(session: Any, number: int, builders: list[Builder]) -> None:
    """Add an order whose values follow from its number."""
    order = Order(
        number=f"AO-{5101 + number}",
        status=STATUSES[number % 4],
        placed_at=datetime.datetime(2024, 4, 1, 7, 30) + datetime.timedelta(days=number, minutes=7 * number),
        total=Decimal(f"{25 + number * 13 % 140}.{number % 10}5"),
        deliver=number % 3 == 0,
        builder=builders[number * 3 % len(builders)],
    )
    session.add(order)
    session.flush()


def open_office(locale: str) -> Flask:
    """Return the application with a seeded database in memory."""
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    session = scoped_session(sessionmaker(bind=engine))
    app = Flask("anvil")
    app.config.update(
        SECRET_KEY="a long secret that signs the cookies of one run only",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
        PROPAGATE_EXCEPTIONS=True,
        APP_NAME="Anvil & Oak",
        AUTH_TYPE=1,  # accounts in the database
        BABEL_DEFAULT_LOCALE=locale,
        LANGUAGES=LANGUAGES,
        WTF_CSRF_ENABLED=False,
        FAB_ADD_SECURITY_PERMISSION_VIEW=True,
        FAB_ADD_SECURITY_VIEW_MENU_VIEW=True,
        FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW=True,
    )
    with app.app_context():
        builder = AppBuilder(app, session)
        Model.metadata.create_all(engine)
        seed(session)
        for view, name, symbol, heading in MENU:
            builder.add_view(view, name, icon=symbol, category=heading)
        builder.add_link("Public shop", href="https://anvil.example/", icon="fa-globe")
        for name, first, last in (("kit", "Kit", "Marlowe"), ("pim", "Pim", "Verbeek")):
            role = builder.sm.find_role("Admin" if name == "kit" else "Public")
            builder.sm.add_user(name, first, last, f"{name}@anvil.example", role, password="tenon-saw")
    return app


def render(out: Path, locale: str) -> None:
    """Ask for every page, send every form, and write what comes back."""
    client = open_office(locale).test_client()
    for page, path in VISITOR.items():
        write(out / f"{page}.html", client.get(path, follow_redirects=True))
    wrong = {"username": "kit", "password": "chisel"}
    write(out / "visitor/sign-in-wrong.html", client.post("/login/", data=wrong, follow_redirects=True))
    client.post("/login/", data=wrong | {"password": "tenon-saw"})
    for page, path in PAGES.items():
        write(out / f"{page}.html", client.get(path, follow_redirects=True))
    for page, path, values in SENT:
        # A saved form leads back to the page that was seen before it.
        client.get(f"/{path.split('/')[1]}/list/")
        if "delete" not in path:
            client.get(path)
        write(out / f"{page}.html", client.post(path, data=values, follow_redirects=True))


def write(target: Path, answer: Any) -> None:
    """Write a page that was answered as it should be."""
    if answer.status_code != 200:
        raise RuntimeError(f"{target.stem}: {answer.status_code}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(answer.get_data(as_text=True), encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]).resolve(), sys.argv[3] if len(sys.argv) > 3 else "en")
