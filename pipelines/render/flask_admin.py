"""Render the pages of a release of Flask-Admin: the back office of a bicycle shop.

Called as ``flask_admin.py OUT VERSION BOOTSTRAP [LOCALE]``, where BOOTSTRAP is the set of
templates: bootstrap2, 3 or 4.
"""

import steady  # isort: skip

import datetime
import os
import sys
import warnings
from decimal import Decimal
from pathlib import Path

# This file has the name of the package that it renders, and Python looks into a script's folder first.
sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]
warnings.simplefilter("ignore")  # old releases on new Python, and fields that a view leaves out on purpose

from flask import Flask  # noqa: E402
from flask_admin import Admin, BaseView, expose  # noqa: E402
from flask_admin.actions import action  # noqa: E402
from flask_admin.contrib.fileadmin import FileAdmin  # noqa: E402
from flask_admin.contrib.sqla import ModelView  # noqa: E402
from flask_admin.form import BaseForm, rules  # noqa: E402
from flask_admin.menu import MenuLink  # noqa: E402
from flask_admin.model.template import EndpointLinkRowAction, LinkRowAction  # noqa: E402
from flask_sqlalchemy import SQLAlchemy  # noqa: E402
from jinja2 import DictLoader  # noqa: E402
from wtforms import (  # noqa: E402
    BooleanField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    validators,
)

try:
    from flask_admin.theme import Bootstrap4Theme
except ImportError:  # before release 2 a theme was a word
    Bootstrap4Theme = None

db = SQLAlchemy()

labels_of_bikes = db.Table(
    "labels_of_bikes",
    db.Column("bike_id", db.Integer, db.ForeignKey("bike.id"), primary_key=True),
    db.Column("label_id", db.Integer, db.ForeignKey("label.id"), primary_key=True),
)


class Label(db.Model):
    """A word that bikes are found by."""

    id = db.Column(db.Integer, primary_key=True)
    word = db.Column(db.String(40), unique=True, nullable=False)

    def __str__(self) -> str:
        return self.word


class Supplier(db.Model):
    """A maker of bikes."""

    id = db.Column(db.Integer, primary_key=True)
    company = db.Column(db.String(80), nullable=False)
    website = db.Column(db.String(120))
    phone = db.Column(db.String(30))
    preferred = db.Column(db.Boolean, default=False)

    def __str__(self) -> str:
        return self.company


class Bike(db.Model):
    """What the shop sells, with a field of every type."""

    id = db.Column(db.Integer, primary_key=True)
    model = db.Column(db.String(80), nullable=False)
    sku = db.Column(db.String(20), unique=True, nullable=False)
    kind = db.Column(db.String(20))
    price = db.Column(db.Numeric(8, 2))
    weight_kg = db.Column(db.Numeric(5, 1))
    stock = db.Column(db.Integer, default=0)
    on_sale = db.Column(db.Boolean, default=False)
    released = db.Column(db.Date)
    last_counted = db.Column(db.DateTime)
    test_rides_from = db.Column(db.Time)
    description = db.Column(db.Text)
    supplier_id = db.Column(db.Integer, db.ForeignKey("supplier.id"))
    supplier = db.relationship(Supplier, backref="bikes")
    labels = db.relationship(Label, secondary=labels_of_bikes, backref="bikes", order_by=Label.id)

    def __str__(self) -> str:
        return self.model


class Customer(db.Model):
    """Somebody who buys."""

    id = db.Column(db.Integer, primary_key=True)
    first_name = db.Column(db.String(60), nullable=False)
    last_name = db.Column(db.String(60), nullable=False)
    email = db.Column(db.String(120), unique=True)
    phone = db.Column(db.String(30))
    city = db.Column(db.String(60))
    member_since = db.Column(db.Date)
    newsletter = db.Column(db.Boolean, default=False)
    remarks = db.Column(db.Text)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Order(db.Model):
    """A sale."""

    __tablename__ = "orders"
    id = db.Column(db.Integer, primary_key=True)
    number = db.Column(db.String(20), unique=True, nullable=False)
    customer_id = db.Column(db.Integer, db.ForeignKey("customer.id"), nullable=False)
    customer = db.relationship(Customer, backref="orders")
    placed_at = db.Column(db.DateTime)
    status = db.Column(db.String(20), default="new")
    gift_wrap = db.Column(db.Boolean, default=False)
    delivery_note = db.Column(db.Text)

    def __str__(self) -> str:
        return self.number


class OrderLine(db.Model):
    """One kind of bike in a sale."""

    id = db.Column(db.Integer, primary_key=True)
    order_id = db.Column(db.Integer, db.ForeignKey("orders.id"), nullable=False)
    order = db.relationship(Order, backref="lines")
    bike_id = db.Column(db.Integer, db.ForeignKey("bike.id"), nullable=False)
    bike = db.relationship(Bike)
    quantity = db.Column(db.Integer, default=1)
    unit_price = db.Column(db.Numeric(8, 2))

    def __str__(self) -> str:
        return f"{self.quantity} x {self.bike}"


class Repair(db.Model):
    """A job for the workshop; there is none yet."""

    id = db.Column(db.Integer, primary_key=True)
    customer_id = db.Column(db.Integer, db.ForeignKey("customer.id"))
    customer = db.relationship(Customer)
    fault = db.Column(db.String(200))
    promised_for = db.Column(db.Date)


KINDS = [("city", "City bike"), ("gravel", "Gravel bike"), ("cargo", "Cargo bike"), ("kids", "Children's bike")]
STATUSES = [("new", "New"), ("paid", "Paid"), ("ready", "Ready to collect"), ("handed_over", "Handed over")]
LABELS = ("belt drive", "step-through", "electric", "second hand", "staff favourite")
SUPPLIERS = [
    ("Hallgrim Cycles", "https://hallgrim.example", "+47 22 55 01 40", True),
    ("Two Rivers Frames", "https://tworivers.example", "+44 1865 550 112", True),
    ("Velo Dumont", "https://velodumont.example", "+33 4 55 51 20 08", False),
    ("Ostwind", "https://ostwind.example", "+49 30 5550 174", False),
]
BIKES = [
    ("Commuter 7", "HG-C7", "city", "749.00", 14.2, 6),
    ("Commuter 7 Low", "HG-C7L", "city", "769.00", 14.6, 3),
    ("Ridgeway", "TR-RW", "gravel", "1890.00", 9.4, 2),
    ("Ridgeway Carbon", "TR-RWC", "gravel", "3250.00", 8.1, 1),
    ("Porteur", "VD-P1", "cargo", "4100.00", 32.5, 2),
    ("Porteur Long", "VD-P2", "cargo", "4650.00", 36.0, 0),
    ("Pebble 16", "OW-P16", "kids", "289.00", 7.2, 8),
    ("Pebble 20", "OW-P20", "kids", "329.00", 8.0, 5),
    ("Pebble 24", "OW-P24", "kids", "359.00", 9.1, 4),
    ("Harbour", "HG-HB", "city", "990.00", 13.1, 7),
    ("Harbour Electric", "HG-HBE", "city", "2390.00", 19.8, 2),
    ("Moorland", "TR-ML", "gravel", "1490.00", 10.2, 0),
]
CUSTOMERS = [
    ("Ayo", "Bakare", "ayo.bakare@example.com", "Bristol"),
    ("Beatrix", "Sommer", "b.sommer@example.org", "Freiburg"),
    ("Callum", "Reid", "callum@reid.example", "Glasgow"),
    ("Daniela", "Fuentes", "daniela.f@example.net", "Valencia"),
    ("Emil", "Thorsen", "emil.thorsen@example.com", "Aarhus"),
    ("Fiona", "MacKay", "fiona@mackay.example", "Inverness"),
    ("Goran", "Ilic", "goran.ilic@example.org", "Novi Sad"),
    ("Hana", "Sato", "hana.sato@example.com", "Nagoya"),
    ("Idris", "Evans", "idris@evans.example", "Swansea"),
    ("Judit", "Kovacs", "judit.k@example.net", "Szeged"),
    ("Karim", "Benali", "karim.benali@example.com", "Marseille"),
    ("Lotte", "Jansen", "lotte@jansen.example", "Groningen"),
]
FILES = {
    "opening-hours.txt": "Tuesday to Saturday, nine to six.\nClosed on Mondays.\n",
    "window-display.txt": "Two cargo bikes on the left, children's bikes in front.\n",
    "photos/harbour.jpg": "not really a picture",
    "photos/ridgeway.jpg": "not really a picture either",
}

# The forms of the staff, in the package's own base template and with its own macro for forms.
TEMPLATES = {
    "staff_form.html": """{% extends 'admin/master.html' %}
{% import 'admin/lib.html' as lib with context %}
{% block body %}
<h1>{{ title }}</h1>
<p>{{ hint }}</p>
{{ lib.render_form(form, cancel_url=url_for('admin.index')) }}
{% endblock %}
""",
    "report.html": """{% extends 'admin/master.html' %}
{% block body %}
<h1>Sales by city</h1>
<form method="get" class="form-inline" id="report-filter">
  <label for="from">From</label> <input type="date" id="from" name="from" class="form-control">
  <label for="until">Until</label> <input type="date" id="until" name="until" class="form-control">
  <button type="submit" class="btn btn-primary">Show</button>
  <a class="btn btn-default btn-secondary" href="{{ url_for('.download') }}">Download as CSV</a>
</form>
<table class="table table-striped"><tr><th>City</th><th>Customers</th></tr>
{% for city, count in cities %}
<tr><td><a href="{{ url_for('customer.index_view', search=city) }}">{{ city }}</a></td><td>{{ count }}</td></tr>
{% endfor %}
</table>
{% endblock %}
""",
}


class SignInForm(BaseForm):
    """What the staff sign in with."""

    user_name = StringField("User name", [validators.InputRequired()], description="Your initials will do")
    password = PasswordField("Password", [validators.InputRequired()])
    stay = BooleanField("Stay signed in on this till")


class PasswordForm(BaseForm):
    """A change of password."""

    current = PasswordField("Current password", [validators.InputRequired()])
    wanted = PasswordField("New password", [validators.InputRequired(), validators.Length(min=12)])
    repeated = PasswordField("New password again", [validators.EqualTo("wanted", "The passwords differ.")])


class SettingsForm(BaseForm):
    """How the shop is run."""

    shop_name = StringField("Shop name", [validators.InputRequired()], default="Northwheel")
    currency = SelectField("Currency", choices=[("GBP", "Pound sterling"), ("EUR", "Euro"), ("NOK", "Norwegian krone")])
    open_days = SelectMultipleField("Open on", choices=[(day, day) for day in ("Tue", "Wed", "Thu", "Fri", "Sat")])
    receipts = RadioField("Receipts", choices=[("print", "Printed"), ("mail", "By e-mail")], default="mail")
    low_stock = IntegerField("Warn when fewer are left than", default=2)
    test_rides = BooleanField("Offer test rides", default=True)
    footer = TextAreaField("Text below every invoice")


class StaffForm(BaseView):
    """A page with one form."""

    def __init__(self, form: type[BaseForm], hint: str, **named: str) -> None:
        self.form, self.hint = form, hint
        super().__init__(**named)

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str:
        """Show the form, after a POST with what is wrong in it."""
        from flask import request

        form = self.form(request.form) if request.method == "POST" else self.form()
        if request.method == "POST":
            form.validate()
        return self.render("staff_form.html", form=form, title=self.name, hint=self.hint)


class Report(BaseView):
    """A page that is no form."""

    @expose("/")
    def index(self) -> str:
        """Count the customers of each city."""
        counts = db.session.query(Customer.city, db.func.count()).group_by(Customer.city).order_by(Customer.city)
        return self.render("report.html", cities=counts.all())

    @expose("/download")
    def download(self) -> str:
        """Stand in for the file."""
        return ""


class CustomerAdmin(ModelView):
    """Search, filters, values edited in the list, actions, details."""

    column_list = ("first_name", "last_name", "email", "city", "member_since", "newsletter")
    column_searchable_list = ("first_name", "last_name", "email", "city")
    column_filters = ("city", "member_since", "newsletter", "last_name")
    column_editable_list = ("city", "newsletter")
    column_default_sort = "last_name"
    column_labels = {"member_since": "Customer since"}
    column_descriptions = {"newsletter": "Gets the letter of spring and autumn"}
    can_view_details = True
    can_export = True
    named_filter_urls = True
    can_set_page_size = True
    page_size = 8
    form_excluded_columns = ("orders",)
    form_args = {"first_name": {"description": "As on the membership card", "label": "Given name"}}
    form_widget_args = {"remarks": {"rows": 6, "placeholder": "What the whole team should know"}}
    column_extra_row_actions = [
        LinkRowAction("fa fa-envelope glyphicon glyphicon-envelope icon-envelope", "mailto:?customer={row_id}"),
        EndpointLinkRowAction("fa fa-star glyphicon glyphicon-star icon-star", "customer.merge_view"),
    ]

    @action("subscribe", "Subscribe to newsletter", "Subscribe the chosen customers?")
    def subscribe(self, ids: list[str]) -> None:
        """Stand in for the work."""

    @action("print_cards", "Print membership cards")
    def print_cards(self, ids: list[str]) -> None:
        """Stand in for the work."""

    @expose("/merge")
    def merge_view(self) -> str:
        """Stand in for the page."""
        return ""


class BikeAdmin(ModelView):
    """A form with every type of field."""

    column_list = ("model", "sku", "kind", "price", "stock", "on_sale", "supplier", "labels")
    column_searchable_list = ("model", "sku")
    column_filters = ("kind", "price", "stock", "on_sale", "supplier.company", "released", "last_counted")
    column_choices = {"kind": KINDS}
    column_sortable_list = ("model", "sku", "price", "stock", ("supplier", "supplier.company"))
    form_choices = {"kind": KINDS}
    form_create_rules = [
        rules.FieldSet(("model", "sku", "kind", "labels"), "The bike"),
        rules.FieldSet(("price", "stock", "on_sale"), "Sale"),
        rules.HTML("<hr>"),
        rules.Header("Facts"),
        "weight_kg",
        "released",
        "last_counted",
        "test_rides_from",
        "supplier",
        "description",
    ]
    named_filter_urls = True
    can_view_details = True
    can_export = True
    export_types = ["csv", "xlsx", "json"]


class OrderAdmin(ModelView):
    """Lines inside the form, customers looked up as one types."""

    column_list = ("number", "customer", "placed_at", "status", "gift_wrap", "lines")
    column_searchable_list = ("number", Customer.last_name)
    column_filters = ("status", "placed_at", "gift_wrap")
    column_editable_list = ("status",)
    column_default_sort = ("placed_at", True)
    form_columns = ("number", "customer", "placed_at", "status", "gift_wrap", "delivery_note")
    form_choices = {"status": STATUSES}
    form_ajax_refs = {"customer": {"fields": ("first_name", "last_name"), "page_size": 10}}
    inline_models = (OrderLine,)
    can_view_details = True
    column_display_pk = True
    column_display_actions = True
    can_delete = False


class SupplierAdmin(ModelView):
    """Forms in dialogs over the list."""

    create_modal = True
    edit_modal = True
    details_modal = True
    can_view_details = True
    column_exclude_list = ("phone",)
    form_columns = ("company", "website", "phone", "preferred")


class LabelAdmin(ModelView):
    """The plainest list there is."""

    form_columns = ("word",)


class LineAdmin(ModelView):
    """A list to read only, in pages."""

    can_create = can_edit = can_delete = False
    can_view_details = True
    page_size = 10
    column_list = ("order", "bike", "quantity", "unit_price")


class Shelf(FileAdmin):
    """Files of the shop window."""

    editable_extensions = ("txt",)
    rename_modal = upload_modal = mkdir_modal = edit_modal = False


# Every page by its name and path; the forms further down are sent to such paths.
PAGES = {
    "index": "/admin/",
    "customers": "/admin/customer/",
    "customers-page-2": "/admin/customer/?page=1",
    "customers-sorted": "/admin/customer/?sort=3&desc=1",
    "customers-search": "/admin/customer/?search=example.com",
    "customers-search-none": "/admin/customer/?search=unicycle",
    "customers-filter": "/admin/customer/?flt0_city_equals=Bristol&flt1_newsletter_equals=1",
    "customers-filter-date": "/admin/customer/?flt0_customer_since_greater_than=2021-06-01&page_size=20",
    "customer-details": "/admin/customer/details/?id=3",
    "customer-edit": "/admin/customer/edit/?id=3",
    "customer-new": "/admin/customer/new/",
    "bikes": "/admin/bike/",
    "bikes-search": "/admin/bike/?search=Porteur",
    "bikes-filter": "/admin/bike/?flt0_price_greater_than=1000&flt1_kind_equals=gravel",
    "bike-details": "/admin/bike/details/?id=5",
    "bike-edit": "/admin/bike/edit/?id=5",
    "bike-new": "/admin/bike/new/",
    "orders": "/admin/order/",
    "orders-search": "/admin/order/?search=Reid",
    "order-details": "/admin/order/details/?id=4",
    "order-edit": "/admin/order/edit/?id=4",
    "order-new": "/admin/order/new/",
    "order-lines": "/admin/orderline/",
    "order-lines-last-page": "/admin/orderline/?page=3",
    "order-line-details": "/admin/orderline/details/?id=2",
    "suppliers-in-dialogs": "/admin/supplier/",
    "supplier-edit": "/admin/supplier/edit/?id=2",
    "supplier-new": "/admin/supplier/new/",
    "supplier-details": "/admin/supplier/details/?id=2",
    "labels": "/admin/label/",
    "label-new": "/admin/label/new/",
    "label-edit": "/admin/label/edit/?id=1",
    "repairs-empty": "/admin/repair/",
    "repair-new": "/admin/repair/new/",
    "files": "/admin/shelf/?sort=name",
    "files-folder": "/admin/shelf/b/photos?sort=name",
    "files-upload": "/admin/shelf/upload/",
    "files-new-folder": "/admin/shelf/mkdir/",
    "files-rename": "/admin/shelf/rename/?path=opening-hours.txt",
    "files-edit": "/admin/shelf/edit/?path=opening-hours.txt",
    "sign-in": "/admin/sign-in/",
    "password": "/admin/password/",
    "settings": "/admin/settings/",
    "report": "/admin/report/",
    "message-no-such-record": "/admin/customer/edit/?id=999",
}
# What is sent, and where: the answer, after redirects, is the page. In this order, for each one changes the rows.
SENT = [
    ("sign-in-wrong", "/admin/sign-in/", {"user_name": "", "password": ""}),
    ("password-wrong", "/admin/password/", {"current": "old", "wanted": "short", "repeated": "other"}),
    ("customer-new-wrong", "/admin/customer/new/", {"first_name": "", "last_name": "Osei", "member_since": "soon"}),
    ("bike-new-wrong", "/admin/bike/new/", {"model": "Tandem", "sku": "", "price": "a lot", "kind": "city"}),
    ("order-new-wrong", "/admin/order/new/", {"number": "", "status": "new"}),
    ("message-saved", "/admin/customer/new/", {"first_name": "Mina", "last_name": "Osei", "city": "Accra"}),
    (
        "message-saved-add-another",
        "/admin/label/new/",
        {"word": "folding", "_add_another": "Save and Add Another"},
    ),
    ("message-saved-continue", "/admin/label/edit/?id=2", {"word": "low step", "_continue_editing": "1"}),
    ("message-deleted", "/admin/label/delete/", {"id": "5", "url": "/admin/label/"}),
    ("message-deleted-many", "/admin/label/action/", {"action": "delete", "rowid": "4", "url": "/admin/label/"}),
]


def seed() -> None:
    """Fill the shop."""
    labels = [Label(word=word) for word in LABELS]
    db.session.add_all(labels)
    db.session.add_all(
        Supplier(company=company, website=website, phone=phone, preferred=preferred)
        for company, website, phone, preferred in SUPPLIERS
    )
    db.session.flush()
    for number, bike in enumerate(BIKES):
        add_bike(number, [labels[number % len(labels)]], *bike)
    for number, (first, last, email, city) in enumerate(CUSTOMERS):
        joined = datetime.date(2019 + number % 5, 1 + number, 3 + 2 * number)
        remarks = "Rides in all weathers; asks for wide tyres." if number % 4 == 2 else None
        db.session.add(
            Customer(
                first_name=first,
                last_name=last,
                email=email,
                phone=f"+44 7700 9001{number:02}",
                city=city,
                member_since=joined,
                newsletter=number % 3 != 1,
                remarks=remarks,
            )
        )
    db.session.flush()
    for number in range(16):
        add_order(number)
    db.session.commit()


def add_bike(
    number: int, labels: list[Label], model: str, sku: str, kind: str, price: str, weight: float, stock: int
) -> None:
    """Add a bike; its number says what the row of :data:`BIKES` does not."""
    db.session.add(
        Bike(
            model=model,
            sku=sku,
            kind=kind,
            price=Decimal(price),
            weight_kg=Decimal(str(weight)),
            stock=stock,
            on_sale=number % 4 == 1,
            released=datetime.date(2022, 1 + number, 15),
            last_counted=datetime.datetime(2024, 5, 2, 8, 30 + number),
            test_rides_from=datetime.time(10, 0),
            description=f"{model}: a {kind} bike of {weight} kilos, built up and adjusted in our workshop.",
            supplier_id=1 + number % len(SUPPLIERS),
            labels=labels,
        )
    )


def add_order(number: int) -> None:
    """Add an order of one to three lines."""
    order = Order(
        number=f"NW-{2401 + number}",
        customer_id=1 + number * 5 % len(CUSTOMERS),
        placed_at=datetime.datetime(2024, 4, 1 + number, 9 + number % 8, 20),
        status=STATUSES[number % 4][0],
        gift_wrap=number % 5 == 0,
        delivery_note="Please ring before you come." if number % 3 == 0 else None,
    )
    db.session.add(order)
    db.session.flush()
    for step in range(1 + number % 3):
        bike = (number * 2 + step * 5) % len(BIKES)
        db.session.add(
            OrderLine(order_id=order.id, bike_id=1 + bike, quantity=1 + step, unit_price=Decimal(BIKES[bike][3]))
        )


def lay_out_files(folder: Path) -> None:
    """Write the files of the shop window, all of the same age."""
    moment = datetime.datetime.fromisoformat(steady.NOW).timestamp()
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        os.utime(file, (moment, moment))
    os.utime(folder / "photos", (moment, moment))


def open_office(bootstrap: str, locale: str | None) -> Flask:
    """Return the application, with a seeded database in memory."""
    app = Flask("northwheel")
    app.config.update(
        SECRET_KEY="bicycle bell",
        PROPAGATE_EXCEPTIONS=True,
        SQLALCHEMY_DATABASE_URI="sqlite://",
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
    )
    app.jinja_loader = DictLoader(TEMPLATES)
    db.init_app(app)
    if locale:
        from flask_babel import (
            Babel,
        )  # installed only where it is asked for: its presence alone switches translation on

        Babel(app, default_locale=locale)
    look = {"template_mode": bootstrap} if Bootstrap4Theme is None else {"theme": Bootstrap4Theme()}
    admin = Admin(app, name="Northwheel", **look)
    session = db.session
    admin.add_view(CustomerAdmin(Customer, session, name="Customers"))
    admin.add_view(BikeAdmin(Bike, session, name="Bikes", category="Catalogue"))
    admin.add_view(SupplierAdmin(Supplier, session, name="Suppliers", category="Catalogue"))
    admin.add_view(LabelAdmin(Label, session, name="Labels", category="Catalogue"))
    admin.add_view(OrderAdmin(Order, session, name="Orders", category="Sales"))
    admin.add_view(LineAdmin(OrderLine, session, name="Order lines", category="Sales"))
    admin.add_view(ModelView(Repair, session, name="Repairs"))
    shelf = Path("shelf").resolve()
    lay_out_files(shelf)
    admin.add_view(Shelf(str(shelf), "/shelf/", name="Shop window", endpoint="shelf"))
    admin.add_view(Report(name="Sales by city", endpoint="report", category="Sales"))
    hint = "The till locks itself after ten minutes."
    admin.add_view(StaffForm(SignInForm, hint, name="Sign in", endpoint="sign-in", category="Staff"))
    hint = "At least twelve characters; a sentence is easy to remember."
    admin.add_view(StaffForm(PasswordForm, hint, name="Change password", endpoint="password", category="Staff"))
    admin.add_view(StaffForm(SettingsForm, "Seen by everybody.", name="Settings", endpoint="settings"))
    admin.add_link(MenuLink(name="Public shop", url="https://northwheel.example/"))
    admin.add_link(MenuLink(name="Rota", url="/rota", category="Staff"))
    with app.app_context():
        db.create_all()
        seed()
    return app


def render(out: Path, bootstrap: str, locale: str | None = None) -> None:
    """Ask for every page, send every form, and write what comes back."""
    client = open_office(bootstrap, locale).test_client()
    for page, path in PAGES.items():
        write(out / f"{page}.html", client.get(path, follow_redirects=True))
    for page, path, values in SENT:
        write(out / f"{page}.html", client.post(path, data=values, follow_redirects=True))


def write(target: Path, answer) -> None:
    """Write a page that was answered as it should be."""
    if answer.status_code != 200:
        raise RuntimeError(f"{target.stem}: {answer.status_code}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(answer.get_data(as_text=True), encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]).resolve(), *sys.argv[3:])
