"""Render the pages of a release of SQLAdmin: the back office of a plant nursery.

Called as ``sqladmin_nursery.py OUT VERSION``. The pages are asked of the application by Starlette's test client.
"""

import steady  # noqa: F401, I001 - first, before the application draws anything at random

import datetime
import enum
import sys
import warnings
from decimal import Decimal
from pathlib import Path

warnings.simplefilter("ignore")  # old releases on new Python

import sqladmin  # noqa: E402
from sqlalchemy import (  # noqa: E402
    JSON,
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
    Time,
    create_engine,
)
from sqlalchemy.orm import Session, declarative_base, relationship  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

Base = declarative_base()
ModelView = getattr(sqladmin, "ModelView", None) or sqladmin.ModelAdmin  # the first name of the class


class Status(enum.Enum):
    """How far an order is."""

    ORDERED = "Ordered"
    POTTED = "Potted"
    SENT = "Sent"
    RETURNED = "Returned"


uses_of_plants = Table(
    "uses_of_plants",
    Base.metadata,
    Column("plant_id", ForeignKey("plant.id"), primary_key=True),
    Column("use_id", ForeignKey("use.id"), primary_key=True),
)


class Use(Base):
    """What a plant is good for."""

    __tablename__ = "use"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), nullable=False)
    plants = relationship("Plant", secondary=uses_of_plants, back_populates="uses", order_by="Plant.id")

    def __str__(self) -> str:
        return self.name


class Grower(Base):
    """Who raises the plants."""

    __tablename__ = "grower"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)
    email = Column(String(120))
    organic = Column(Boolean, default=False)
    plants = relationship("Plant", back_populates="grower", order_by="Plant.id")

    def __str__(self) -> str:
        return self.name


class Plant(Base):
    """What the nursery sells, with a field of every type."""

    __tablename__ = "plant"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    botanical_name = Column(String(80))
    price = Column(Numeric(8, 2), nullable=False)
    in_stock = Column(Integer, default=0)
    evergreen = Column(Boolean, default=False)
    sown_on = Column(Date)
    last_watered = Column(DateTime)
    light_from = Column(Time)
    care = Column(Text)
    measures = Column(JSON)
    grower_id = Column(ForeignKey("grower.id"))
    grower = relationship(Grower, back_populates="plants")
    uses = relationship(Use, secondary=uses_of_plants, back_populates="plants", order_by=Use.id)

    def __str__(self) -> str:
        return self.name


class Gardener(Base):
    """A customer."""

    __tablename__ = "gardener"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    email = Column(String(120), nullable=False)
    town = Column(String(60))
    customer_since = Column(Date)
    catalogue_by_post = Column(Boolean, default=False)
    remarks = Column(Text)
    orders = relationship("PlantOrder", back_populates="gardener", order_by="PlantOrder.id")

    def __str__(self) -> str:
        return self.name


class PlantOrder(Base):
    """A sale."""

    __tablename__ = "plant_order"
    id = Column(Integer, primary_key=True)
    reference = Column(String(20), nullable=False)
    status = Column(Enum(Status), default=Status.ORDERED)
    ordered_at = Column(DateTime)
    total = Column(Numeric(8, 2))
    collect_in_person = Column(Boolean, default=False)
    message = Column(Text)
    gardener_id = Column(ForeignKey("gardener.id"))
    gardener = relationship(Gardener, back_populates="orders")

    def __str__(self) -> str:
        return self.reference


class Complaint(Base):
    """There is none so far."""

    __tablename__ = "complaint"
    id = Column(Integer, primary_key=True)
    subject = Column(String(120), nullable=False)
    received_on = Column(Date)
    settled = Column(Boolean, default=False)


USES = ("Hedge", "Ground cover", "Cut flowers", "Bees", "Shade")
GROWERS = [
    ("Fernhill glasshouse", "glasshouse@fernhill.example", True),
    ("Orchard Lane Plants", "office@orchardlane.example", False),
    ("Sable Brook Perennials", "hello@sablebrook.example", True),
]
PLANTS = [
    ("Common box", "Buxus sempervirens", "6.50", 120, True),
    ("English lavender", "Lavandula angustifolia", "4.80", 210, True),
    ("Wood anemone", "Anemone nemorosa", "3.90", 64, False),
    ("Male fern", "Dryopteris filix-mas", "7.20", 38, False),
    ("Purple coneflower", "Echinacea purpurea", "5.40", 92, False),
    ("Lady's mantle", "Alchemilla mollis", "4.20", 75, False),
    ("Hornbeam", "Carpinus betulus", "11.00", 54, False),
    ("Ivy", "Hedera helix", "2.90", 300, True),
    ("Foxglove", "Digitalis purpurea", "3.60", 0, False),
    ("Sweet pea", "Lathyrus odoratus", "2.40", 18, False),
    ("Rosemary", "Salvia rosmarinus", "4.60", 81, True),
    ("Christmas rose", "Helleborus niger", "8.90", 12, True),
    ("Snowdrop", "Galanthus nivalis", "3.20", 500, False),
]
GARDENERS = [
    ("Agnes Dunmore", "agnes.dunmore@example.com", "Hexham"),
    ("Bilal Rahman", "bilal@rahman.example", "Luton"),
    ("Cosima Albrecht", "cosima.albrecht@example.org", "Weimar"),
    ("Dewi Pritchard", "dewi.p@example.net", "Conwy"),
    ("Estelle Garnier", "estelle@garnier.example", "Tours"),
    ("Frank Osborne", "frank.osborne@example.com", "Ely"),
    ("Gudrun Halvorsen", "gudrun.h@example.org", "Bergen"),
    ("Henrietta Moss", "henrietta@moss.example", "Ludlow"),
    ("Igor Baran", "igor.baran@example.net", "Lublin"),
    ("Joan Castell", "joan.castell@example.com", "Girona"),
    ("Kirsty Lennox", "kirsty@lennox.example", "Stirling"),
]
ORDERS = 24


PLANT_FIELDS = [
    "name",
    "botanical_name",
    "grower",
    "uses",
    "price",
    "in_stock",
    "evergreen",
    "sown_on",
    "last_watered",
    "light_from",
    "care",
]


class PlantAdmin(ModelView, model=Plant):
    """A form with every type of field."""

    icon = "fa-solid fa-seedling"
    category = "Catalogue"
    column_list = [Plant.id, Plant.name, Plant.botanical_name, Plant.price, Plant.in_stock, Plant.evergreen]
    column_searchable_list = [Plant.name, Plant.botanical_name]
    column_sortable_list = [Plant.name, Plant.price, Plant.in_stock]
    column_labels = {Plant.in_stock: "In stock", "sown_on": "Sown on"}
    # Early releases put columns that are not named here into the order of a set of objects: another one on every run.
    column_details_list = [*PLANT_FIELDS, "measures"]
    form_columns = PLANT_FIELDS
    form_widget_args = {"care": {"rows": 5, "placeholder": "Light, water, frost"}}
    export_types = ["csv", "json"]


class UseAdmin(ModelView, model=Use):
    """A short list, no search."""

    icon = "fa-solid fa-tag"
    category = "Catalogue"
    column_list = ["name", "plants"]
    column_details_list = ["name", "plants"]
    form_columns = ["name"]


class GrowerAdmin(ModelView, model=Grower):
    """A list without export, a form with many plants to choose."""

    icon = "fa-solid fa-tractor"
    category = "Catalogue"
    column_list = [Grower.name, Grower.email, Grower.organic]
    column_details_list = form_columns = ["name", "email", "organic", "plants"]
    can_export = False


class GardenerAdmin(ModelView, model=Gardener):
    """People, looked up by name or town."""

    name = "Gardener"
    name_plural = "Gardeners"
    icon = "fa-solid fa-user"
    column_list = [Gardener.name, Gardener.email, Gardener.town, Gardener.customer_since, Gardener.catalogue_by_post]
    column_searchable_list = [Gardener.name, Gardener.town, Gardener.email]
    column_sortable_list = [Gardener.name, Gardener.customer_since]
    column_default_sort = "name"
    page_size = 6
    page_size_options = [6, 12, 24]
    column_details_list = ["name", "email", "town", "customer_since", "catalogue_by_post", "remarks", "orders"]
    form_columns = ["name", "email", "town", "customer_since", "catalogue_by_post", "remarks"]
    form_args = {"email": {"label": "E-mail address"}, "remarks": {"description": "Not seen by customers"}}


class PlantOrderAdmin(ModelView, model=PlantOrder):
    """Sales, by status and date."""

    name = "Order"
    name_plural = "Orders"
    icon = "fa-solid fa-basket-shopping"
    column_list = ["reference", "gardener", "status", "ordered_at", "total", "collect_in_person"]
    column_searchable_list = [PlantOrder.reference]
    column_sortable_list = [PlantOrder.reference, PlantOrder.ordered_at, PlantOrder.total]
    column_default_sort = [("ordered_at", True)]
    column_details_list = form_columns = [
        "reference",
        "gardener",
        "status",
        "ordered_at",
        "total",
        "collect_in_person",
        "message",
    ]
    can_delete = False


class ComplaintAdmin(ModelView, model=Complaint):
    """An empty list."""

    icon = "fa-solid fa-face-frown"
    column_list = form_columns = ["subject", "received_on", "settled"]
    column_searchable_list = [Complaint.subject]


VIEWS = (PlantAdmin, UseAdmin, GrowerAdmin, GardenerAdmin, PlantOrderAdmin, ComplaintAdmin)


def add_later_features() -> None:
    """Give the views what only some releases have; each is an attribute that the older ones do not read."""
    PlantOrderAdmin.form_ajax_refs = {"gardener": {"fields": ("name", "town"), "order_by": "name"}}
    if hasattr(sqladmin, "action"):

        async def stand_in(view, request):
            """Stand in for the work."""

        mark = sqladmin.action("print_labels", "Print labels", "Print a label for each?", add_in_list=True)
        PlantAdmin.print_labels = mark(stand_in)
        mark = sqladmin.action("send_catalogue", "Send catalogue", add_in_detail=True, add_in_list=True)
        GardenerAdmin.send_catalogue = mark(lambda view, request: None)
    if hasattr(ModelView, "column_filters"):
        from sqladmin.filters import AllUniqueStringValuesFilter, BooleanFilter, ForeignKeyFilter

        GardenerAdmin.column_filters = [
            BooleanFilter(Gardener.catalogue_by_post),
            AllUniqueStringValuesFilter(Gardener.town),
        ]
        PlantAdmin.column_filters = [
            BooleanFilter(Plant.evergreen),
            ForeignKeyFilter(Plant.grower_id, Grower.name, title="Grower"),
        ]


PAGES = {
    "index": "/",
    "plants": "/plant/list",
    "plants-page-2": "/plant/list?page=2",
    "plants-sorted": "/plant/list?sortBy=price&sort=desc",
    "plants-search": "/plant/list?search=rose",
    "plants-search-none": "/plant/list?search=cactus",
    "plants-filter": "/plant/list?evergreen=true",
    "plant-details": "/plant/details/2",
    "plant-edit": "/plant/edit/2",
    "plant-new": "/plant/create",
    "uses": "/use/list",
    "use-details": "/use/details/4",
    "use-edit": "/use/edit/4",
    "use-new": "/use/create",
    "growers": "/grower/list",
    "grower-details": "/grower/details/1",
    "grower-edit": "/grower/edit/1",
    "grower-new": "/grower/create",
    "gardeners": "/gardener/list",
    "gardeners-page-2": "/gardener/list?page=2",
    "gardeners-larger-pages": "/gardener/list?pageSize=12",
    "gardeners-sorted": "/gardener/list?sortBy=customer_since&sort=asc",
    "gardeners-search": "/gardener/list?search=example.org",
    "gardener-details": "/gardener/details/3",
    "gardener-edit": "/gardener/edit/3",
    "gardener-new": "/gardener/create",
    "orders": "/plant-order/list",
    "orders-last-page": "/plant-order/list?page=3",
    "orders-all": "/plant-order/list?pageSize=25",
    "orders-search": "/plant-order/list?search=FH-11",
    "order-details": "/plant-order/details/5",
    "order-edit": "/plant-order/edit/5",
    "order-new": "/plant-order/create",
    "complaints-empty": "/complaint/list",
    "complaint-new": "/complaint/create",
    "error-not-found": "/plant/details/999",
    "error-no-such-list": "/shed/list",
}
SLUGS = {"subject": "Slugs in the parcel", "received_on": "2024-05-06", "save": "Save"}
# What is sent, and where: the answer, after redirects, is the page. In this order, for each one changes the rows.
SENT = [
    ("plant-new-wrong", "/plant/create", {"name": "Yarrow", "price": "cheap", "sown_on": "in spring"}),
    ("order-new-wrong", "/plant-order/create", {"reference": "FH-1200", "total": "none", "ordered_at": "today"}),
    ("gardener-edit-wrong", "/gardener/edit/3", {"name": "Cosima Albrecht", "customer_since": "always"}),
    (
        "complaint-saved",
        "/complaint/create",
        {"subject": "Slugs in the parcel", "received_on": "2024-05-06", "save": "Save"},
    ),
    (
        "complaint-changed",
        "/complaint/edit/1",
        SLUGS | {"subject": "Snails"},
    ),
    (
        "complaint-saved-continue",
        "/complaint/create",
        {"subject": "Wrong colour", "save": "Save and continue editing"},
    ),
]


def seed(session: Session) -> None:
    """Fill the nursery."""
    uses = [Use(name=name) for name in USES]
    growers = [Grower(name=name, email=email, organic=organic) for name, email, organic in GROWERS]
    session.add_all(uses + growers)
    session.flush()
    for number, (name, botanical, price, stock, evergreen) in enumerate(PLANTS):
        plant = Plant(
            name=name,
            botanical_name=botanical,
            price=Decimal(price),
            in_stock=stock,
            evergreen=evergreen,
            sown_on=datetime.date(2024, 2, 1 + number),
            last_watered=datetime.datetime(2024, 5, 16, 7, 15 + number),
            light_from=datetime.time(6, 30),
            care=f"{name}: keep moist until rooted, then water once a week." if number % 2 else None,
            measures={"height_cm": 20 + 5 * number, "pot": "9 cm"},
            grower=growers[number % len(growers)],
            uses=[uses[number % len(uses)]],
        )
        session.add(plant)
    session.flush()
    gardeners = [add_gardener(session, number) for number in range(len(GARDENERS))]
    session.flush()
    for number in range(ORDERS):
        add_order(session, number, gardeners)
        session.flush()
    session.commit()


def add_gardener(session: Session, number: int) -> Gardener:
    """Add a customer of :data:`GARDENERS`."""
    name, email, town = GARDENERS[number]
    gardener = Gardener(
        name=name,
        email=email,
        town=town,
        customer_since=datetime.date(2018 + number % 6, 1 + number, 9),
        catalogue_by_post=number % 3 == 0,
        remarks="Clay soil; asks before buying trees." if number % 4 == 2 else None,
    )
    session.add(gardener)
    return gardener


def add_order(session: Session, number: int, gardeners: list[Gardener]) -> None:
    """Add an order whose values follow from its number."""
    order = PlantOrder(
        reference=f"FH-{1101 + number}",
        status=list(Status)[number % len(Status)],
        ordered_at=datetime.datetime(2024, 4, 1 + number, 8 + number % 9, 40),
        total=Decimal(f"{14 + number * 7 % 90}.{number % 10}0"),
        collect_in_person=number % 3 == 1,
        message="Please wrap the roots well." if number % 5 == 4 else None,
        gardener=gardeners[number * 4 % len(gardeners)],
    )
    session.add(order)


def sign_in_backend():
    """Return who may sign in; None before releases could ask."""
    try:
        from sqladmin.authentication import AuthenticationBackend
    except ImportError:
        return None

    class Staff(AuthenticationBackend):
        """One name, one password."""

        async def login(self, request) -> bool:
            form = await request.form()
            if form["password"] != "compost":
                return False
            request.session["staff"] = form["username"]
            return True

        async def logout(self, request) -> bool:
            request.session.clear()
            return True

        async def authenticate(self, request) -> bool:
            return "staff" in request.session

    return Staff(secret_key="trowel")


def open_office(backend) -> Starlette:
    """Return the application over a seeded database in the folder of work."""
    engine = create_engine("sqlite:///nursery.db", connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        seed(session)
    add_later_features()
    app = Starlette()
    asked = {"authentication_backend": backend} if backend else {}
    admin = sqladmin.Admin(app, engine, title="Fernhill Nursery", **asked)
    add = getattr(admin, "add_view", None) or admin.register_model
    for view in VIEWS:
        add(view)
    return app


def render(out: Path) -> None:
    """Ask for every page, send every form, and write what comes back."""
    backend = sign_in_backend()
    client = TestClient(open_office(backend), base_url="http://nursery.example")
    if backend:
        write(out / "sign-in.html", client.get("/admin/login"))
        wrong = {"username": "rosa", "password": "peat"}
        write(out / "sign-in-wrong.html", client.post("/admin/login", data=wrong))
        client.post("/admin/login", data={"username": "rosa", "password": "compost"})
    for page, path in PAGES.items():
        write(out / f"{page}.html", client.get("/admin" + path))
    for page, path, values in SENT:
        write(out / f"{page}.html", client.post("/admin" + path, data=values))


def write(target: Path, answer) -> None:
    """Write a page that was answered as it should be."""
    wanted = (400, 404) if "error" in target.stem or "wrong" in target.stem else (200,)
    if answer.status_code not in wanted:
        raise RuntimeError(f"{target.stem}: {answer.status_code}")
    target.write_text(answer.text, encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]).resolve())
