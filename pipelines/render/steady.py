"""Make what a release renders the same on every run: import this first, before the application.

Randomness is seeded at its sources, so that tokens, nonces and salts are drawn alike. Time is the renderer's business:
seeded rows carry fixed dates; an application that prints "now" runs under ``freezegun``, at ``NOW``.
"""

import os
import random
import uuid

NOW = "2024-05-17 10:30:00"

_seeded = random.Random(2024)


def _bytes(count: int) -> bytes:
    return _seeded.randbytes(count)


os.urandom = _bytes
random._urandom = _bytes  # what SystemRandom and so ``secrets`` draw from
random.seed(2024)
uuid.uuid1 = lambda *_: uuid.UUID(bytes=_bytes(16), version=4)
