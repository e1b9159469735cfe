"""The pages of Django's admin for a small shop, asked for through Django's own test client.

Options: the language of the admin, English if none is given.
"""

# isort: off
import steady
# isort: on

import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import django
import freezegun
from django.apps import AppConfig
from django.conf import settings
from django.http import HttpRequest, HttpResponse

OUT = Path(sys.argv[1])
LANGUAGE = sys.argv[3] if len(sys.argv) > 3 else "en-us"
HERE = sys.modules["__main__"]
PASSWORD = "teapot-and-kettle-7"


class Shop(AppConfig):
    """The shop as an application: its models are in this very file."""

    name = label = "shop"
    verbose_name = "Tea shop"
    path = "."

    def import_models(self) -> None:
        """Say where the models are: Django would look for a sub-module, and make no tables without one."""
        super().import_models()
        self.models_module = HERE


settings.configure(
    SECRET_KEY="only for rendering",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    MIGRATION_MODULES={"shop": None},
    LANGUAGE_CODE=LANGUAGE,
    TIME_ZONE="UTC",
    USE_TZ=True,
    STATIC_URL="/static/",
    MEDIA_URL="/media/",
    SITE_ID=1,
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    INSTALLED_APPS=[
        *(f"django.contrib.{app}" for app in "admin auth contenttypes sessions messages staticfiles sites".split()),
        "django.contrib.flatpages",
        "django.contrib.redirects",
        Shop("shop", HERE),
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    # Formats follow the language in every release: always so since 5.0, and a warning to say so since 4.0.
    **({"USE_L10N": True} if django.VERSION < (4, 0) else {}),
)
# The frozen clock patches the modules that are loaded when it starts; Django loads most of its own in setup().
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry  # noqa: E402
from django.contrib.auth import views as auth_views  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.flatpages.models import FlatPage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import models  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

# The models.


class Category(models.Model):
    """A shelf of the shop."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(unique=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers come first in the menu.")

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name_plural = "categories"
        ordering = ("position",)

    def __str__(self) -> str:
        return self.name


class Supplier(models.Model):
    """Whom the shop buys from."""

    company = models.CharField("company name", max_length=80)
    website = models.URLField(blank=True)
    email = models.EmailField("contact e-mail", blank=True)
    terms = models.DurationField("payment terms", default=timedelta(days=30))
    server = models.GenericIPAddressField("order server", null=True, blank=True)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"

    def __str__(self) -> str:
        return self.company


class Tag(models.Model):
    """A word to find products by."""

    word = models.CharField(max_length=30)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"

    def __str__(self) -> str:
        return self.word


class Product(models.Model):
    """Something on the shelf."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    sku = models.UUIDField("stock number", unique=True)
    category = models.ForeignKey(Category, models.PROTECT)
    suppliers = models.ManyToManyField(Supplier, blank=True)
    tags = models.ManyToManyField(Tag, blank=True)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    weight = models.FloatField("weight in kg", null=True, blank=True)
    stock = models.IntegerField(default=0)
    available = models.BooleanField("on sale", default=True)
    organic = models.BooleanField("certified organic", null=True)
    leaflet = models.FileField(upload_to="leaflets", blank=True)
    since = models.DateField("sold since", null=True, blank=True)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return its address in the shop, for the admin's «view on site»."""
        return f"/products/{self.slug}/"


class Customer(models.Model):
    """Who buys."""

    first_name = models.CharField(max_length=40)
    last_name = models.CharField(max_length=40)
    email = models.EmailField("e-mail address", unique=True)
    phone = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=40)
    born = models.DateField("date of birth", null=True, blank=True)
    newsletter = models.BooleanField("wants the newsletter", default=False)
    level = models.CharField(max_length=1, choices=(("b", "Bronze"), ("s", "Silver"), ("g", "Gold")), default="b")
    call_at = models.TimeField("best time to call", null=True, blank=True)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        ordering = ("last_name",)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Order(models.Model):
    """What a customer asked for."""

    STATES = (("new", "New"), ("paid", "Paid"), ("sent", "Sent"), ("back", "Returned"))

    customer = models.ForeignKey(Customer, models.CASCADE)
    placed = models.DateTimeField("placed at")
    state = models.CharField(max_length=4, choices=STATES, default="new")
    gift = models.BooleanField("gift wrapping", default=False)
    handled_by = models.ForeignKey("auth.User", models.SET_NULL, null=True, blank=True)
    remarks = models.TextField(blank=True)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        ordering = ("-placed",)

    def __str__(self) -> str:
        return f"Order {1000 + self.pk}"


class Line(models.Model):
    """A product in an order."""

    order = models.ForeignKey(Order, models.CASCADE)
    product = models.ForeignKey(Product, models.PROTECT)
    quantity = models.PositiveIntegerField(default=1)
    discount = models.DecimalField("discount in %", max_digits=4, decimal_places=1, default=0)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name = "order line"

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"


class Note(models.Model):
    """What a colleague wrote about a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE)
    text = models.TextField()
    pinned = models.BooleanField(default=False)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"

    def __str__(self) -> str:
        return self.text[:30]


# The admin.


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    """A list that can be edited in place."""

    list_display = ("name", "slug", "parent", "position")
    list_editable = ("position",)
    prepopulated_fields = {"slug": ("name",)}
    search_fields = ("name",)


@admin.register(Supplier)
class SupplierAdmin(admin.ModelAdmin):
    """A list with links in it."""

    list_display = ("company", "website", "email")
    search_fields = ("company", "email")
    save_as = True


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """Many kinds of fields, in groups."""

    list_display = ("name", "category", "price", "stock", "available")
    list_filter = ("available", "organic", "category", "tags")
    list_per_page = 10
    search_fields = ("name", "description")
    date_hierarchy = "since"
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("category",)
    filter_horizontal = ("suppliers",)
    save_on_top = True
    fieldsets = (
        (None, {"fields": ("name", "slug", "sku", "category", "description")}),
        ("Selling", {"fields": (("price", "stock"), "available", "since")}),
        ("Details", {"classes": ("collapse",), "fields": ("weight", "organic", "leaflet", "suppliers", "tags")}),
    )


class NoteInline(admin.StackedInline):
    """The notes about a customer."""

    model = Note
    extra = 1


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    """Radio buttons, and other models stacked below."""

    list_display = ("last_name", "first_name", "email", "city", "level", "newsletter")
    list_filter = ("level", "newsletter", "city")
    search_fields = ("first_name", "last_name", "email")
    radio_fields = {"level": admin.HORIZONTAL}
    inlines = (NoteInline,)


class LineInline(admin.TabularInline):
    """The lines of an order."""

    model = Line
    extra = 2
    autocomplete_fields = ("product",)


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Dates to walk through, an action, a table of other models below."""

    list_display = ("__str__", "customer", "placed", "state", "gift", "number_of_lines")
    list_filter = ("state", "gift", "placed", "handled_by")
    list_select_related = ("customer",)
    list_per_page = 10
    date_hierarchy = "placed"
    search_fields = ("customer__last_name", "remarks")
    raw_id_fields = ("customer",)
    readonly_fields = ("number_of_lines",)
    inlines = (LineInline,)
    actions = ("mark_sent",)

    def number_of_lines(self, order: Order) -> int:
        """Return how many products were ordered."""
        return order.line_set.count() if order.pk else 0

    def mark_sent(self, request: HttpRequest, orders: models.QuerySet) -> None:
        """Note that the parcels have left."""
        self.message_user(request, f"{orders.update(state='sent')} orders were marked as sent.")

    number_of_lines.short_description = "lines"
    mark_sent.short_description = "Mark selected orders as sent"


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    """The plainest of lists: no columns and no filters."""


@admin.register(LogEntry)
class LogEntryAdmin(admin.ModelAdmin):
    """What was done, to be read only."""

    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_filter = ("action_flag", "user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody writes history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        """Nobody rewrites history."""
        return False


NAMES = {"site_header": "Leaf & Kettle", "site_title": "Leaf & Kettle"}
admin.site.site_header = NAMES["site_header"]
admin.site.site_title = NAMES["site_title"]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer with the admin's own page for what is not there."""
    return render(request, "admin/404.html", admin.site.each_context(request), status=404)


urlpatterns = [
    path(
        "admin/password_reset/", auth_views.PasswordResetView.as_view(extra_context=NAMES), name="admin_password_reset"
    ),
    path("admin/", admin.site.urls),
]

# The rows.

CATEGORIES = ("Black tea", "Green tea", "Herbal infusions", "Teapots", "Kettles", "Gift boxes")
SUPPLIERS = ("Highland Gardens Ltd", "Porto Ceramics", "Nordic Kettle Works", "Sunrise Herbs", "Paper & Twine")
WORDS = ("strong", "mild", "caffeine free", "handmade", "bestseller", "limited")
PRODUCTS = (
    ("Assam breakfast", 0, "8.90"),
    ("Darjeeling spring", 0, "14.50"),
    ("Smoky caravan", 0, "9.75"),
    ("Earl Grey with cornflower", 0, "10.20"),
    ("Sencha of the valley", 1, "12.80"),
    ("Jasmine pearls", 1, "18.40"),
    ("Roasted rice tea", 1, "7.95"),
    ("Camomile blossoms", 2, "5.60"),
    ("Mint and lemongrass", 2, "6.10"),
    ("Rooibos orange", 2, "6.80"),
    ("Cast iron pot", 3, "64.00"),
    ("Glass pot with strainer", 3, "38.50"),
    ("Gooseneck kettle", 4, "89.00"),
    ("Whistling kettle", 4, "45.00"),
    ("Tasting box of twelve", 5, "29.90"),
)
CUSTOMERS = (
    ("Ingrid", "Ahlgren", "Uppsala"),
    ("Marcus", "Bello", "Leeds"),
    ("Chiara", "Conti", "Bologna"),
    ("Tomasz", "Dudek", "Gdansk"),
    ("Amina", "El Idrissi", "Leeds"),
    ("Rosa", "Fuentes", "Valencia"),
    ("Owen", "Griffiths", "Cardiff"),
    ("Hana", "Horvat", "Zagreb"),
    ("Priya", "Iyer", "Leeds"),
    ("Lukas", "Jansen", "Utrecht"),
    ("Mei", "Kwan", "Manchester"),
    ("Noah", "Lindqvist", "Uppsala"),
)
NOTES = ("Prefers parcels on Fridays.", "Asked for a printed invoice.", "Allergic to hibiscus.", "Ring the side door.")
REMARKS = ("", "Please leave it with the neighbour.", "No plastic, please.", "A birthday card goes in the box.")


def seed_products() -> None:
    """Fill the shelves."""
    for number, name in enumerate(CATEGORIES):
        Category.objects.create(name=name, slug=name.lower().replace(" ", "-"), position=10 * number)
    for number, company in enumerate(SUPPLIERS):
        host = company.lower().split()[0] + ".example"
        Supplier.objects.create(
            company=company, website=f"https://{host}/", email=f"orders@{host}", server=f"192.0.2.{10 + number}"
        )
    tags = [Tag.objects.create(word=word) for word in WORDS]
    for number, (name, category, price) in enumerate(PRODUCTS):
        product = Product.objects.create(
            name=name,
            slug=name.lower().replace(" ", "-"),
            sku=UUID(int=0x5EED << 96 | number),
            category_id=category + 1,
            description=f"{name}: from our {CATEGORIES[category].lower()} shelf, packed by hand.",
            price=Decimal(price),
            weight=0.1 + number / 20,
            stock=7 * number % 40,
            available=number % 5 != 4,
            organic=(True, False, None)[number % 3],
            leaflet=f"leaflets/{number}.pdf" if number % 2 else "",
            since=date(2022 + number % 3, 1 + number % 12, 1 + number),
        )
        product.suppliers.add(1 + number % 5, 1 + (number + 2) % 5)
        product.tags.add(tags[number % 6])


def seed_customers() -> None:
    """Let customers in, and write down what is known of them."""
    for number, (first, last, city) in enumerate(CUSTOMERS):
        customer = Customer.objects.create(
            first_name=first,
            last_name=last,
            email=f"{first}.{last}@mail.example".lower().replace(" ", "-"),
            phone=f"+44 20 7946 {900 + number:04}",
            city=city,
            born=date(1958 + 3 * number, 1 + number, 2 * number + 1),
            newsletter=number % 2 == 0,
            level="bsg"[number % 3],
            call_at=time(9 + number % 8, 30),
        )
        if number % 2 == 0:
            Note.objects.create(customer=customer, text=NOTES[number // 2 % 4], pinned=number == 0)


def seed_orders() -> None:
    """Take two orders from every customer."""
    for number in range(2 * len(CUSTOMERS)):
        order = Order.objects.create(
            customer_id=1 + number % len(CUSTOMERS),
            placed=datetime(2024, 3 + number // 10, 1 + number, 8 + number % 9, 15, tzinfo=UTC),
            state=Order.STATES[number % 4][0],
            gift=number % 6 == 0,
            handled_by_id=1 + number % 2,
            remarks=REMARKS[number % 4],
        )
        for line in range(1 + number % 3):
            order.line_set.create(product_id=1 + (number + 4 * line) % len(PRODUCTS), quantity=1 + line)


def seed_staff() -> None:
    """Hire an owner, who may do all, and a clerk, who may only look at the shop."""
    User.objects.create_superuser("mara", "mara@leaf-and-kettle.example", PASSWORD, first_name="Mara", last_name="Voss")
    clerk = User.objects.create_user("jonas", "jonas@leaf-and-kettle.example", PASSWORD, is_staff=True)
    clerks = Group.objects.create(name="Clerks")
    clerks.permissions.set(Permission.objects.filter(codename__startswith="view", content_type__app_label="shop"))
    clerk.groups.add(clerks)


def seed_site() -> None:
    """Write a page for visitors, and keep a record of what was done to a product."""
    about = FlatPage.objects.create(url="/about/", title="About us", content="We sell tea and what belongs to it.")
    about.sites.add(1)
    changes = '[{"added": {}}]', '[{"changed": {"fields": ["Price", "Stock"]}}]'
    product = {"content_type_id": ContentType.objects.get_for_model(Product).pk, "object_id": 1}
    for flag, change in zip((ADDITION, CHANGE), changes, strict=True):
        LogEntry.objects.create(
            user_id=1, object_repr=PRODUCTS[0][0], action_flag=flag, change_message=change, **product
        )


# The pages.

PAGES = {
    "index": "",
    "shop/index": "shop/",
    "shop/categories": "shop/category/",
    "shop/category-add": "shop/category/add/",
    "shop/category-delete-protected": "shop/category/1/delete/",
    "shop/suppliers": "shop/supplier/",
    "shop/supplier-add-popup": "shop/supplier/add/?_to_field=id&_popup=1",
    "shop/supplier-change": "shop/supplier/3/change/",
    "shop/supplier-delete": "shop/supplier/3/delete/",
    "shop/tags": "shop/tag/",
    "shop/products": "shop/product/",
    "shop/products-page-2": "shop/product/?p={second}",
    "shop/products-search": "shop/product/?q=pot",
    "shop/products-nothing-found": "shop/product/?q=espresso",
    "shop/product-add": "shop/product/add/",
    "shop/product-change": "shop/product/2/change/",
    "shop/product-history": "shop/product/1/history/",
    "shop/customers-filtered": "shop/customer/?city=Leeds&newsletter__exact=1",
    "shop/customer-change": "shop/customer/1/change/",
    "shop/orders-month": "shop/order/?placed__year=2024&placed__month=4",
    "shop/order-add": "shop/order/add/",
    "shop/order-change": "shop/order/7/change/",
    "auth/users": "auth/user/",
    "auth/user-add": "auth/user/add/",
    "auth/user-change": "auth/user/2/change/",
    "auth/user-password": "auth/user/2/password/",
    "auth/group-change": "auth/group/1/change/",
    "site/flatpage-change": "flatpages/flatpage/1/change/",
    "site/redirects-empty": "redirects/redirect/",
    "site/redirect-add": "redirects/redirect/add/",
    "log/entries": "admin/logentry/",
    "password-change": "password_change/",
    "not-found": "shop/parrot/",
}
CLERK_PAGES = {
    "clerk/order-view": "shop/order/7/change/",
}
STRANGER_PAGES = {
    "login": "login/",
    "password-reset": "password_reset/",
}
NEW_CUSTOMER = {
    "first_name": "Zoe",
    "last_name": "Adler",
    "email": "zoe.adler@mail.example",
    "city": "Basel",
    "level": "s",
    "note_set-TOTAL_FORMS": "0",
    "note_set-INITIAL_FORMS": "0",
}
# Answers to forms; the one without mistakes changes the rows.
OWNER_FORMS = {
    "shop/product-add-with-mistakes": ("shop/product/add/", {"name": "Oolong", "price": "cheap", "since": "May"}),
    "shop/orders-delete-selected": (
        "shop/order/",
        {"action": "delete_selected", "index": "0", "_selected_action": ["3", "4"]},
    ),
    "shop/customer-added": ("shop/customer/add/", NEW_CUSTOMER),
}
STRANGER_FORMS = {
    "login-with-mistakes": ("login/", {"username": "mara", "password": "forgotten"}),
}


def visitor(name: str = "") -> Client:
    """Return a browser in which a member of the staff is signed in, or nobody."""
    client = Client()
    if name:
        client.force_login(User.objects.get(username=name))
    return client


def get(client: Client, pages: dict[str, str]) -> None:
    """Write the pages at these addresses."""
    # The second page of a list is ?p=1 up to 3.1, ?p=2 from 3.2 on.
    second = 1 if django.VERSION < (3, 2) else 2
    for name, address in pages.items():
        write(name, client.get("/admin/" + address.format(second=second), follow=True))


def post(client: Client, forms: dict[str, tuple[str, dict]]) -> None:
    """Write the pages that these forms lead to."""
    for name, (address, answers) in forms.items():
        write(name, client.post("/admin/" + address, answers, follow=True))


def write(name: str, response: HttpResponse) -> None:
    """Write one page, which is an error page only if it is meant to be one."""
    expected = 404 if name == "not-found" else 200
    if response.status_code != expected:
        raise ValueError(f"{name} answers {response.status_code}, not {expected}")
    file = OUT / f"{name}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(response.content)


def main() -> None:
    """Build the shop, and walk through its admin as owner, clerk and stranger."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    seed_staff()
    seed_products()
    seed_customers()
    seed_orders()
    seed_site()
    get(visitor("mara"), PAGES)
    get(visitor("jonas"), CLERK_PAGES)
    get(visitor(), STRANGER_PAGES)
    post(visitor(), STRANGER_FORMS)
    post(visitor("mara"), OWNER_FORMS)


if __name__ == "__main__":
    with freezegun.freeze_time(steady.NOW):
        main()
