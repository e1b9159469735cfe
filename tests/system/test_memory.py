"""Ten thousand heals over pages that are all different: the service does not grow."""

import random
import time

import numpy as np
import psutil
import pytest

MEGABYTE = 1024 * 1024
WORDS = "account add amount back basket buy cancel card cart close city code confirm country date delete detail edit help home item list login menu name new next note open order pay phone price save search send shop show sign status street total user view year".split()  # fmt: skip


class Chance(random.Random):
    """Chance with words and numbers: of the words one in three is new if ``new``, and of the numbers every one."""

    def __init__(self, new):
        super().__init__(5)
        self.new = new

    def word(self):
        return f"w{self.randrange(10**9):x}" if self.new and self.random() < 0.33 else self.choice(WORDS)

    def words(self, many):
        return " ".join(self.word() for _ in range(many))

    def number(self):
        return self.randrange(10**9 if self.new else 50)


def page(chance):
    """Return a page of its own: a navigation, a table and a form of any size."""
    parts = [f"<html><head><title>{chance.words(3)}</title></head><body><h1>{chance.words(4)}</h1><nav>"]
    parts += [f'<a class="c{chance.number()}" href="/{chance.word()}">{chance.words(2)}</a>' for _ in range(8)]
    parts.append('</nav><main class="box"><table>')
    for row in range(chance.randrange(10, 60)):
        cells = "".join(f"<td>{chance.words(2)}</td>" for _ in range(4))
        parts.append(f'<tr id="row-{chance.number()}">{cells}<td><button data-n="{row}">Edit</button></td></tr>')
    parts.append('</table><form action="/save"><fieldset>')
    for _ in range(chance.randrange(3, 15)):
        name = f"{chance.word()}_{chance.number()}"
        parts.append(f'<label for="{name}">{chance.words(2)}</label><input id="{name}" name="{name}">')
    parts.append(f'</fieldset><button class="b-{chance.number()}">Sign {chance.word()}</button></form></main>')
    return "".join(parts) + "</body></html>"


def resident(app):
    """Return the megabytes that the app and its workers have in memory, each with what it shares."""
    every = [psutil.Process(app.process.pid), *sorted(app.workers(), key=lambda one: one.pid)]
    return [one.memory_info().rss / MEGABYTE for one in every]


def heal(app, chance, number, most):
    """Heal on a page of its own, in one case of five with an older page to learn from."""
    asked = {"html": page(chance), "original_locator": f"#{chance.word()}-{number}", "max_candidates": most}
    context = {"visible_text": f"Sign {chance.word()}"}
    if chance.random() < 0.2:
        asked["original_locator"], context["baseline_html"] = "form button", page(chance)
    answer = app.post("/heal", {**asked, "context": context})
    assert answer.status == 200, answer.text
    return answer.json["request_id"]


def growth(app, heals, every, new):
    """Heal so often, and return by how many megabytes each process grows with a thousand heals, and every sample."""
    chance = Chance(new)
    # The largest cache keeps what was found out about 20,000 ids and classes; long lists of candidates have many.
    for number in range(heals // 10):
        heal(app, chance, number, most=50)
    samples = [(0, *resident(app))]
    for done in range(1, heals + 1):
        request_id = heal(app, chance, done, most=5)
        if done % 5 == 0:
            app.confirm(request_id)
        if done % every == 0:
            samples.append((done, *resident(app)))
    at, *used = np.array(samples[len(samples) // 5 :]).T  # without the first fifth: caches fill, pages are kept
    return [1_000 * np.polyfit(at, one, 1)[0] for one in used], samples


# The caches hold tens of thousands of words, and a short run would see nothing but how they fill: its pages are of few
# words. It finds what keeps every page, and not less.
SHORT = pytest.param(600, 20, False, 42.0, id="600 heals")
LONG = pytest.param(10_000, 100, True, 1.0, id="10000 heals", marks=[pytest.mark.long, pytest.mark.timeout(1_800)])


@pytest.mark.parametrize(("heals", "every", "new", "most"), [SHORT, LONG])
def test_the_service_does_not_grow_with_the_heals_that_it_answers(start, heals, every, new, most):
    # A deadline that a busy machine does not reach either: it would kill a worker.
    settled = {"SELF_HEAL_RATE_LIMIT": "off", "SELF_HEAL_DEADLINE_SECONDS": "30"}
    app = start(env={**settled, "SELF_HEAL_HEAL_WORKERS": "2"})
    workers, began = {one.pid for one in app.workers()}, time.monotonic()
    slopes, samples = growth(app, heals, every, new)
    totals = [(at, sum(used)) for at, *used in samples]
    print(
        f"\n{heals} heals in {time.monotonic() - began:.0f} s: {totals[0][1]:.0f} MB at first, {totals[-1][1]:.0f} MB at "
        f"the end; for each 1,000 heals after the first fifth {sum(slopes):+.2f} MB, of them the app {slopes[0]:+.2f} MB"
    )
    print("  " + " ".join(f"{at}:{used:.0f}" for at, used in totals[:: max(1, len(totals) // 20)]))
    assert {one.pid for one in app.workers()} == workers, "a worker that ended would take its memory along"
    assert sum(slopes) <= most
