"""The pages of Wagtail's admin for the site of a small shop, asked for through Django's own test client.

Options: the language of the admin, English if none is given.
"""

# isort: off
import steady
# isort: on

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import django
import freezegun
import wagtail
from django.apps import AppConfig, apps
from django.conf import settings
from django.http import HttpResponse
from PIL import Image as Picture

OUT = Path(sys.argv[1])
LANGUAGE = sys.argv[3] if len(sys.argv) > 3 else "en"
HERE = sys.modules["__main__"]
PASSWORD = "teapot-and-kettle-7"
# Wagtail 3 moved its core, and joined the panels for images, documents, snippets and pages into one.
OLD = wagtail.VERSION < (3, 0)
CONTRIB = "forms redirects search_promotions settings styleguide".split()
DJANGO = "auth contenttypes sessions messages staticfiles".split()


class Shop(AppConfig):
    """The site as an application: its models are in this very file."""

    name = "__main__"
    label = "shop"
    path = "."

    def import_models(self) -> None:
        """Say where the models are: Django would look for a sub-module, and make no tables without one."""
        super().import_models()
        self.models_module = HERE


# A package of migrations with none in it: models that build upon Wagtail's cannot do without.
sys.path.append(".")
Path("none_yet").mkdir()
Path("none_yet/__init__.py").touch()
settings.configure(
    SECRET_KEY="only for rendering",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    MIGRATION_MODULES={"shop": "none_yet"},
    LANGUAGE_CODE=LANGUAGE,
    TIME_ZONE="UTC",
    USE_TZ=True,
    STATIC_URL="/static/",
    MEDIA_URL="/media/",
    MEDIA_ROOT="media",
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    WAGTAIL_SITE_NAME="Leaf & Kettle",
    WAGTAILADMIN_BASE_URL="https://leaf-and-kettle.example",
    WAGTAIL_ENABLE_UPDATE_CHECK=False,
    WAGTAIL_ENABLE_WHATS_NEW_BANNER=False,
    INSTALLED_APPS=[
        "__main__.Shop",
        *(f"wagtail.contrib.{app}" for app in CONTRIB),
        *(f"wagtail.{app}" for app in "embeds sites users snippets documents images search admin".split()),
        "wagtail.core" if OLD else "wagtail",
        "modelcluster",
        "taggit",
        *(f"django.contrib.{app}" for app in DJANGO),
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
    # Formats follow the language in every release: always so since Django 5.0, and a warning to say so since 4.0.
    **({"USE_L10N": True} if django.VERSION < (4, 0) else {}),
)
django.setup()

from django.contrib.auth.management import create_permissions  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.files.images import ImageFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path, reverse  # noqa: E402
from modelcluster.contrib.taggit import ClusterTaggableManager  # noqa: E402
from modelcluster.fields import ParentalKey  # noqa: E402
from taggit.models import TaggedItemBase  # noqa: E402
from wagtail.contrib.forms.models import AbstractEmailForm, AbstractFormField, FormSubmission  # noqa: E402
from wagtail.contrib.redirects.models import Redirect  # noqa: E402
from wagtail.contrib.settings.models import register_setting  # noqa: E402
from wagtail.documents import urls as document_urls  # noqa: E402
from wagtail.documents.models import Document  # noqa: E402
from wagtail.images.models import Image  # noqa: E402
from wagtail.snippets.models import register_snippet  # noqa: E402

if OLD:
    from wagtail.admin.edit_handlers import FieldPanel, InlinePanel, MultiFieldPanel, PageChooserPanel
    from wagtail.contrib.settings.models import BaseSetting as BaseSiteSetting
    from wagtail.core import urls as site_urls
    from wagtail.core.fields import RichTextField
    from wagtail.core.models import Collection, Orderable, Page, Site, Workflow
    from wagtail.documents.edit_handlers import DocumentChooserPanel
    from wagtail.images.edit_handlers import ImageChooserPanel
    from wagtail.snippets.edit_handlers import SnippetChooserPanel
else:
    from wagtail import urls as site_urls
    from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
    from wagtail.contrib.settings.models import BaseSiteSetting
    from wagtail.fields import RichTextField
    from wagtail.models import Collection, Orderable, Page, Site, Workflow

    PageChooserPanel = DocumentChooserPanel = ImageChooserPanel = SnippetChooserPanel = FieldPanel

# The models.


@register_snippet
class Category(models.Model):
    """A shelf of the shop."""

    name = models.CharField(max_length=60)
    colour = models.CharField(max_length=7, default="#557a46", help_text="Shown beside the name in the menu.")
    position = models.PositiveSmallIntegerField(default=0)

    panels = (FieldPanel("name"), FieldPanel("colour"), FieldPanel("position"))

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name_plural = "categories"
        ordering = ("position",)

    def __str__(self) -> str:
        return self.name


@register_setting
class Opening(BaseSiteSetting):
    """What the footer says."""

    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField("e-mail address", blank=True)
    map = models.URLField("address on a map", blank=True)
    open_on_sunday = models.BooleanField(default=False)
    holiday_until = models.DateField(null=True, blank=True)

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name = "opening hours"


class ShelfPage(Page):
    """A page with the pages of products below it."""

    intro = RichTextField(blank=True)

    content_panels = [*Page.content_panels, FieldPanel("intro")]

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name = "shelf page"


class ProductTag(TaggedItemBase):
    """A word to find a product by."""

    content_object = ParentalKey("shop.ProductPage", on_delete=models.CASCADE, related_name="tagged_items")

    class Meta:
        """Where it belongs."""

        app_label = "shop"


class ProductPage(Page):
    """The page of something on the shelf."""

    KINDS = (("tea", "Tea"), ("ware", "Teaware"), ("gift", "Gift"))

    description = RichTextField(blank=True)
    teaser = models.TextField(blank=True, max_length=200)
    kind = models.CharField(max_length=4, choices=KINDS, default="tea")
    category = models.ForeignKey(Category, models.SET_NULL, null=True, blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    stock = models.IntegerField(default=0)
    organic = models.BooleanField("certified organic", default=False)
    since = models.DateField("sold since", null=True, blank=True)
    tasting = models.DateTimeField("next tasting", null=True, blank=True)
    maker = models.URLField("website of the maker", blank=True)
    photo = models.ForeignKey("wagtailimages.Image", models.SET_NULL, null=True, blank=True, related_name="+")
    leaflet = models.ForeignKey("wagtaildocs.Document", models.SET_NULL, null=True, blank=True, related_name="+")
    goes_with = models.ForeignKey("wagtailcore.Page", models.SET_NULL, null=True, blank=True, related_name="+")
    tags = ClusterTaggableManager(through=ProductTag, blank=True)

    content_panels = [
        *Page.content_panels,
        FieldPanel("teaser"),
        FieldPanel("description"),
        MultiFieldPanel([FieldPanel("kind"), SnippetChooserPanel("category"), FieldPanel("tags")], "Shelf"),
        MultiFieldPanel([FieldPanel("price"), FieldPanel("stock"), FieldPanel("organic")], "Selling"),
        FieldPanel("since"),
        FieldPanel("tasting"),
        FieldPanel("maker"),
        ImageChooserPanel("photo"),
        DocumentChooserPanel("leaflet"),
        PageChooserPanel("goes_with"),
        InlinePanel("reviews", label="Reviews"),
    ]

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name = "product page"


class Review(Orderable):
    """What a customer said of a product."""

    page = ParentalKey(ProductPage, on_delete=models.CASCADE, related_name="reviews")
    author = models.CharField(max_length=60)
    stars = models.PositiveSmallIntegerField(default=5)
    text = models.TextField(blank=True)

    class Meta(Orderable.Meta):
        """Where it belongs."""

        app_label = "shop"


class Question(AbstractFormField):
    """A field of a form for visitors."""

    page = ParentalKey("shop.QuestionsPage", on_delete=models.CASCADE, related_name="form_fields")

    class Meta(AbstractFormField.Meta):
        """Where it belongs."""

        app_label = "shop"


class QuestionsPage(AbstractEmailForm):
    """A page with a form for visitors."""

    thanks = models.CharField(max_length=100, blank=True)

    content_panels = [
        *Page.content_panels,
        InlinePanel("form_fields", label="Form fields"),
        FieldPanel("thanks"),
        MultiFieldPanel([FieldPanel("to_address"), FieldPanel("from_address"), FieldPanel("subject")], "E-mail"),
    ]

    class Meta:
        """How the admin calls it."""

        app_label = "shop"
        verbose_name = "form page"


# The routes are imported last: those of snippets are made once, for the models that are there by then.
from wagtail.admin import urls as admin_urls  # noqa: E402

urlpatterns = [
    path("admin/", include(admin_urls)),
    path("documents/", include(document_urls)),
    path("", include(site_urls)),
]

# The rows.

CATEGORIES = ("Black tea", "Green tea", "Herbal infusions", "Teapots", "Gift boxes")
PRODUCTS = (
    ("Assam breakfast", 1, "tea", "8.90"),
    ("Darjeeling spring", 1, "tea", "14.50"),
    ("Smoky caravan", 1, "tea", "9.75"),
    ("Sencha of the valley", 2, "tea", "12.80"),
    ("Jasmine pearls", 2, "tea", "18.40"),
    ("Camomile blossoms", 3, "tea", "5.60"),
    ("Cast iron pot", 4, "ware", "64.00"),
    ("Tasting box of twelve", 5, "gift", "29.90"),
)
PICTURES = (("Tea field at dawn", "#446644"), ("Cast iron pot", "#222222"), ("The shop window", "#aa7744"))
DOCUMENTS = ("Brewing guide", "Price list", "Allergens")
LETTERS = (
    ("Ingrid Ahlgren", "Do you ship to Sweden?"),
    ("Marcus Bello", "The lid of my pot is broken."),
    ("Chiara Conti", "When is the next tasting?"),
)


def seed_staff() -> None:
    """Hire an owner, who may do all, and an editor."""
    User.objects.create_superuser("mara", "mara@leaf-and-kettle.example", PASSWORD, first_name="Mara", last_name="Voss")
    editor = User.objects.create_user("jonas", "jonas@leaf-and-kettle.example", PASSWORD)
    editor.groups.add(Group.objects.get(name="Editors"))


def seed_media() -> None:
    """Put pictures and papers into the library, and make a drawer for more."""
    Collection.get_first_root_node().add_child(name="Press")
    for title, colour in PICTURES:
        file = io.BytesIO()
        Picture.new("RGB", (640, 480), colour).save(file, "PNG")
        name = title.lower().replace(" ", "-") + ".png"
        picture = Image.objects.create(title=title, file=ImageFile(file, name), uploaded_by_user_id=1)
        picture.tags.add("shop")
    for title in DOCUMENTS:
        file = ContentFile(title.encode(), title.lower().replace(" ", "-") + ".pdf")
        Document.objects.create(title=title, file=file, uploaded_by_user_id=1)


def seed_pages() -> None:
    """Replace the page that Wagtail comes with by the pages of the shop."""
    for number, name in enumerate(CATEGORIES):
        Category.objects.create(name=name, position=10 * number)
    home = ShelfPage(title="Leaf & Kettle", slug="shop", intro="<p>Tea, and what belongs to it.</p>")
    Page.get_first_root_node().add_child(instance=home)
    Site.objects.all().delete()
    Page.objects.get(slug="home").delete()
    Site.objects.create(hostname="leaf-and-kettle.example", root_page=home, is_default_site=True, site_name="Shop")
    shelf = home.add_child(instance=ShelfPage(title="Products", slug="products"))
    for number, product in enumerate(PRODUCTS):
        seed_product(shelf, number, *product)
    form = home.add_child(instance=QuestionsPage(title="Ask us", slug="ask-us", subject="A question from the site"))
    form.form_fields.create(label="Your name", field_type="singleline", required=True, sort_order=0)
    form.form_fields.create(label="Your question", field_type="multiline", required=True, sort_order=1)
    form.save()
    for name, question in LETTERS:
        data = {"your_name": name, "your_question": question}
        # Wagtail 2.15 keeps the answers as text, later releases as JSON.
        FormSubmission.objects.create(page=form, form_data=json.dumps(data) if OLD else data)
    Redirect.objects.create(old_path="/contact", redirect_page=form)
    Redirect.objects.create(old_path="/wholesale", redirect_link="https://wholesale.example/")


def seed_product(shelf: Page, number: int, title: str, category: int, kind: str, price: str) -> None:
    """Put up the page of one product, with a review."""
    page = ProductPage(
        title=title,
        slug=title.lower().replace(" ", "-"),
        teaser=f"{title}, packed by hand.",
        description=f"<p>{title} from our shelf of {CATEGORIES[category - 1].lower()}.</p>",
        category_id=category,
        kind=kind,
        price=Decimal(price),
        stock=7 * number % 40,
        organic=number % 3 == 0,
        since=date(2022 + number % 3, 1 + number, 1 + number),
        tasting=datetime(2024, 6, 1 + number, 17, 0, tzinfo=UTC),
        photo_id=1 + number % len(PICTURES),
        leaflet_id=1 + number % len(DOCUMENTS),
        live=number % 4 != 3,
        owner_id=1 + number % 2,
        search_description=f"Buy {title.lower()} from Leaf & Kettle.",
    )
    shelf.add_child(instance=page)
    page.tags.add("strong", "bestseller")
    page.reviews.create(author="Hana Horvat", stars=4, text="Came quickly and tastes of summer.", sort_order=0)
    page.save()


def seed_history() -> None:
    """Change a page twice, lock another, and hand a third to the moderators."""
    mara, jonas = User.objects.order_by("pk")
    changed, locked, waiting = ProductPage.objects.order_by("pk")[:3]
    for stock in (12, 3):
        changed.stock = stock
        changed.save_revision(user=mara, log_action=True).publish(user=mara)
    locked.locked, locked.locked_by, locked.locked_at = True, mara, datetime(2024, 5, 2, 9, 0, tzinfo=UTC)
    locked.save()
    waiting.stock = 20
    waiting.save_revision(user=jonas)
    Workflow.objects.get().start(waiting, jonas)


# The pages: by the name of their route, as its address is not the same in all releases, or else by their address.

PAGES = {
    "home": "wagtailadmin_home",
    "pages/list": "wagtailadmin_explore 4",
    "pages/search": "wagtailadmin_pages:search ?q=pot",
    "pages/choose-type": "wagtailadmin_pages:add_subpage 4",
    "pages/product-add": "wagtailadmin_pages:add shop productpage 4",
    "pages/product-edit": "wagtailadmin_pages:edit 5",
    "pages/product-edit-waiting": "wagtailadmin_pages:edit 7",
    "pages/form-edit": "wagtailadmin_pages:edit 13",
    "pages/delete": "wagtailadmin_pages:delete 5",
    "pages/unpublish": "wagtailadmin_pages:unpublish 5",
    "pages/copy": "wagtailadmin_pages:copy 5",
    "pages/history": "wagtailadmin_pages:history 5",
    "pages/compare": "wagtailadmin_pages:revisions_compare 5 earliest latest",
    "images/list": "wagtailimages:index",
    "images/add": "wagtailimages:add",
    "images/edit": "wagtailimages:edit 1",
    "documents/list": "wagtaildocs:index",
    "documents/edit": "wagtaildocs:edit 1",
    "snippets/list": "/admin/snippets/shop/category/",
    "snippets/add": "/admin/snippets/shop/category/add/",
    "snippets/edit": "/admin/snippets/shop/category/edit/2/",
    "forms/submissions": "wagtailforms:list_submissions 13",
    "reports/locked": "wagtailadmin_reports:locked_pages",
    # Not the site history: 8.0 calls its entries "page" or "model" log entries as a set of classes happens to lie.
    "settings/opening": "/admin/settings/shop/opening/",
    "settings/users": "wagtailusers_users:index",
    "settings/user-edit": "wagtailusers_users:edit 2",
    "settings/group-edit": "wagtailusers_groups:edit 1",
    "settings/site-edit": "wagtailsites:edit {site}",
    "settings/collection-edit": "wagtailadmin_collections:edit 2",
    "settings/workflow-edit": "wagtailadmin_workflows:edit 1",
    "settings/redirects": "wagtailredirects:index",
    "settings/redirect-edit": "wagtailredirects:edit 1",
    "settings/search-pick-add": "wagtailsearchpromotions:add",
    "account": "wagtailadmin_account",
    "styleguide": "wagtailstyleguide",
    "not-found": "/admin/parrot/",
}
STRANGER_PAGES = {
    "login": "wagtailadmin_login",
    "password-reset": "wagtailadmin_password_reset",
}


def address(page: str) -> str:
    """Return the address of a page, which is the name of a route and what fills its gaps."""
    if page.startswith("/"):
        return page
    page, _, query = page.format(site=Site.objects.get().pk).partition(" ?")
    route, *gaps = page.split()
    return reverse(route, args=gaps) + (query and f"?{query}")


def write(name: str, response: HttpResponse) -> None:
    """Write one page, which is an error page only if it is meant to be one."""
    expected = 404 if name == "not-found" else 200
    if response.status_code != expected:
        raise ValueError(f"{name} answers {response.status_code}, not {expected}")
    file = OUT / f"{name}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(response.content)


def main() -> None:
    """Build the site, and walk through its admin as a stranger and as owner."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as tables:
        for model in apps.get_app_config("shop").get_models():
            tables.create_model(model)
    # Without a migration Django makes no permissions for these models, and Wagtail misses them.
    create_permissions(apps.get_app_config("shop"), verbosity=0)
    seed_staff()
    seed_media()
    seed_pages()
    seed_history()
    # Pages that are saved find their way into the index only where their models came before django.setup().
    call_command("update_index", verbosity=0, stdout=io.StringIO())
    client = Client()
    for name, page in STRANGER_PAGES.items():
        write(name, client.get(address(page)))
    client.force_login(User.objects.get(username="mara"))
    for name, page in PAGES.items():
        write(name, client.get(address(page), follow=True))
    mistakes = {"username": "mara", "email": "nobody", "password1": "1", "password2": "2"}
    write("settings/user-add-with-mistakes", client.post(address("wagtailusers_users:add"), mistakes))
    added = {"name": "Kettles", "colour": "#c08040", "position": "60"}
    write("snippets/added", client.post("/admin/snippets/shop/category/add/", added, follow=True))


if __name__ == "__main__":
    with freezegun.freeze_time(steady.NOW):
        main()
