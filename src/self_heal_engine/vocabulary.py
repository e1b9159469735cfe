"""Words for edited pages: how else a thing is said, and words that say something else."""

from __future__ import annotations

import random
import re

# Each line says one thing; a rewording takes another word of the same line. Not the table of ``words``, on which the
# engine relies: what it has learnt by heart would then look like skill.
SAME = [
    line.split(", ")
    for line in (
        "save, save changes, apply, store, keep",
        "delete, remove, discard, erase, trash",
        "add, new, create, insert",
        "edit, change, modify, update",
        "search, find, look up, filter",
        "log in, sign in, login, sign on",
        "log out, sign out, logout, sign off",
        "sign up, register, create account, join",
        "cancel, dismiss, never mind, abort",
        "close, hide, dismiss",
        "submit, send, confirm, go",
        "next, continue, forward, proceed",
        "previous, back, earlier",
        "settings, preferences, options, configuration",
        "profile, account, my account, user",
        "home, start, overview, dashboard, main page",
        "messages, inbox, mail, conversations",
        "help, support, assistance, faq",
        "download, export, get",
        "upload, import, attach",
        "view, show, see, open, details",
        "view all, see all, show more, more",
        "read more, learn more, more info, details",
        "contact, contact us, get in touch",
        "about, about us, who we are",
        "cart, basket, bag",
        "buy, order, purchase, check out",
        "price, cost, amount",
        "password, passphrase, secret",
        "username, user name, login name, user",
        "email, e-mail, e-mail address, mail",
        "phone, telephone, mobile",
        "name, full name, title",
        "description, details, notes, summary",
        "comment, remark, note, message",
        "date, day, when",
        "category, group, type, section",
        "documentation, docs, guide, manual",
        "notifications, alerts, news",
        "friends, contacts, people",
        "picture, photo, image",
        "table, list, grid",
        "charts, graphs, statistics, reports",
        "users, members, people, accounts",
    )
]
MEANINGS: dict[str, list[str]] = {}
for _line in SAME:
    for _words in _line:
        MEANINGS.setdefault(_words, _line)

# Words that say something else than what they replace.
OTHERS = (
    "archive award banner batch branch budget calendar campus carrier channel chapter client cluster coupon course "
    "credit desk device district draft engine event factory feature finance fleet forum garden gallery harbour history "
    "hotel index invoice island journal kitchen label ledger library lounge market matrix meadow menu museum network "
    "office orbit outlet panel partner patient pillar planet pocket policy project quarter radio receipt region ribbon "
    "river route sample season segment shelter signal station stock studio summit survey target team theme ticket "
    "timeline topic tower traffic trial unit valley vendor village voucher wallet warehouse weather window workshop"
).split()

UTILITY_CLASSES = (
    "flex block inline-flex items-center justify-between px-4 py-2 p-3 m-2 mt-4 mb-2 gap-2 rounded rounded-lg shadow "
    "text-sm text-lg font-medium font-bold bg-white bg-blue-600 text-white text-gray-700 border border-gray-200 "
    "hover:underline w-full max-w-md c-action o-item u-push is-active has-icon e-control v-field b-link"
).split()
CONTAINER_CLASSES = (
    "wrapper",
    "inner",
    "box",
    "content-area",
    "c-group",
    "flex gap-2",
    "row",
    "cell",
    "o-layout__item",
)

ENDINGS = ("now", "here", "…", "→")
OPENINGS = ("your", "the", "go to", "my")


def reworded(text: str, chance: random.Random) -> str:
    """Return a text that says the same in other words; white space around it is kept.

    >>> reworded(" Sign in ", random.Random(1)).strip() in {"Log in", "Login", "Sign on"}
    True
    """
    core = " ".join(text.split())
    if not core:
        return text
    known = MEANINGS.get(core.lower())
    if known:
        new = chance.choice([words for words in known if words != core.lower()])
    else:
        new = reworded_in_part(core, chance)
    return text.replace(text.strip(), as_written(new, core))


def reworded_in_part(core: str, chance: random.Random) -> str:
    """Return a phrase with one known word replaced; with none known, with words added or left out."""
    words = core.split(" ")
    known = [at for at, word in enumerate(words) if word.lower() in MEANINGS]
    if known and len(words) <= 12:
        at = chance.choice(known)
        old = words[at].lower()
        words[at] = chance.choice([new for new in MEANINGS[old] if new != old])
        return " ".join(words)
    if len(words) >= 3 and chance.random() < 0.5:
        del words[chance.randrange(1, len(words))]
        return " ".join(words)
    if chance.random() < 0.5:
        return f"{core} {chance.choice(ENDINGS)}"
    return f"{chance.choice(OPENINGS)} {core[:1].lower()}{core[1:]}"


def unrelated(text: str, chance: random.Random, spelled: bool = False) -> str:
    """Return other words in place of a text, about as many; ``spelled`` as ids and file names are.

    >>> unrelated("first name", random.Random(1), spelled=True).count("-")
    1
    """
    if not text.strip():
        return text
    count = min(max(len(re.findall(r"[^\W_]+", text)), 1), 6)
    words = chance.sample(OTHERS, count)
    if spelled:
        return "-".join(words[:3])
    return text.replace(text.strip(), as_written(" ".join(words), text.strip()))


def as_written(new: str, old: str) -> str:
    """Return words in the capitals of those that they replace."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    if old.istitle():
        return new.title()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new
