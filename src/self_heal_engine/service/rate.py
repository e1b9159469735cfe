"""Rate: how often a caller may call, counted in Redis for all processes together, else by each for itself."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import floor
from typing import Any
from urllib.parse import urlsplit

from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256

# Redis answers in a millisecond; what takes this long would cost more than a count for each process.
SOCKET_SECONDS = 0.2
REDIS_SECONDS = 0.25  # with connecting and greeting
ASK_AGAIN = 5.0

# What comes of a Redis that is down, hangs, is full, or is no Redis at all: its answers do not fit then.
NO_REDIS = (RedisError, OSError, TimeoutError, ValueError, TypeError, IndexError, RecursionError)

# Callers that are counted in this process; of more, those seen longest ago begin anew.
MOST_CALLERS = 10_000

# Clocks and Redis round: a moment more than the sum says.
MOMENT = 0.005

Address = IPv4Address | IPv6Address
Networks = Iterable[IPv4Network | IPv6Network]


class Limiter:
    """A rate limit, such as ``600/minute`` for each key, over a sliding window.

    ``configured`` is whether Redis should be used, ``shared`` whether it was the last time. While it is not there,
    each process counts for itself, and Redis is asked again every five seconds.
    """

    def __init__(self, rate: str, redis_url: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = None if rate == "off" else parse(rate)
        self._own = Counts(MOST_CALLERS)
        self._clock = clock
        self._ask_at = 0.0
        self._redis = redis_storage(redis_url) if redis_url and self._rate else None
        self._strategy = SlidingWindowCounterRateLimiter(self._redis) if self._redis else None
        self.configured = self._redis is not None
        self.shared = self.configured

    async def hit(self, key: str) -> float | None:
        """Count a call; return None if it may pass, else in how many seconds one may."""
        if self._rate is None:
            return None
        hashed = sha256(key)[:32]  # neither addresses nor names of tokens lie in Redis
        if self._asks():
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    wait = await self._shared_hit(hashed)
            except NO_REDIS:
                self._lost()
            else:
                self.shared = True
                return wait
        return self._own.hit(hashed, self._rate.amount, self._rate.get_expiry(), self._clock())

    async def check(self) -> bool:
        """Return whether Redis answers now, for a health check; False also where none is configured."""
        if self._redis is None:
            return False
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.bridge.get_connection().ping()  # type: ignore[attr-defined]
        except NO_REDIS:
            self._lost()
        else:
            self.shared = True
        return self.shared

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    def _asks(self) -> bool:
        """Return whether this call asks Redis; of many at once after a pause only the first."""
        if self._redis is None or (not self.shared and self._clock() < self._ask_at):
            return False
        if not self.shared:
            self._ask_at = self._clock() + ASK_AGAIN
        return True

    def _lost(self) -> None:
        self.shared = False
        self._ask_at = self._clock() + ASK_AGAIN

    async def _shared_hit(self, key: str) -> float | None:
        assert self._strategy is not None
        assert self._redis is not None
        assert self._rate is not None
        if await self._strategy.hit(self._rate, key):
            return None
        expiry = self._rate.get_expiry()
        counted = await self._redis.get_sliding_window(self._rate.key_for(key), expiry)
        previous, previous_rest, current, current_rest = counted  # the current window is kept for two
        rest = previous_rest if previous else max(current_rest - expiry, 0.0)
        return seconds_to_wait(previous, current, rest, self._rate.amount, expiry)


def redis_storage(url: str) -> RedisStorage:
    """Return where the counts lie, not yet connected; CannotHeal ``bad_settings`` if the URL cannot be one."""
    options: dict[str, Any] = {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # three times with pauses, otherwise
        "max_connections": 1000,
    }
    address = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
    try:
        return RedisStorage(f"async+{address}", implementation="redispy", key_prefix="self-heal", **options)
    except (ValueError, ConfigurationError) as error:
        raise CannotHeal("bad_settings", "REDIS_URL cannot be read: redis://USER:PASSWORD@HOST:PORT/NUMBER") from error


# -- counting in this process ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Window:
    """The calls of one key: in the window that began then, and in the one before."""

    began: float
    previous: int = 0
    current: int = 0


class Counts:
    """Sliding windows as ``limits`` keeps them in Redis: the window before counts with the share that still reaches in.

    limits' own storage in memory looks at every key with every call, and its size has no bound.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: str, amount: int, expiry: float, now: float) -> float | None:
        """Count a call; return None if it may pass, else in how many seconds one may."""
        window = self._windows.setdefault(key, Window(now))
        self._windows.move_to_end(key)
        if len(self._windows) > self._most:
            self._windows.popitem(last=False)
        if now >= window.began + 2 * expiry:
            window.began, window.previous, window.current = now, 0, 0
        elif now >= window.began + expiry:
            window.began, window.previous, window.current = window.began + expiry, window.current, 0
        rest = window.began + expiry - now
        if floor(window.previous * rest / expiry) + window.current < amount:
            window.current += 1
            return None
        return seconds_to_wait(window.previous, window.current, rest, amount, expiry)


def seconds_to_wait(previous: int, current: int, rest: float, amount: int, expiry: float) -> float:
    """Return when a call may pass: ``rest`` is what is left of the current window.

    >>> seconds_to_wait(previous=0, current=10, rest=40, amount=10, expiry=60)  # the window must end
    40.005
    >>> seconds_to_wait(previous=10, current=5, rest=40, amount=10, expiry=60)  # 10 * 30 / 60 + 5 is 10
    10.005
    """
    if current >= amount or not previous:
        return rest + MOMENT
    return max(rest - (amount - current) * expiry / previous, 0.0) + MOMENT


# -- who calls -------------------------------------------------------------------------------------------------------

FORWARDED = ("x-forwarded-for", "x-real-ip")
OF_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "client-ip")


def client_address(peer: str | None, headers: Mapping[str, str], trusted: Networks) -> str:
    """Return who calls: the peer, or whom it names if it is a trusted proxy; ``unknown`` over a Unix socket.

    X-Forwarded-For counts from the right up to the first address that is no trusted proxy: what stands left of it, the
    caller may have written. Where X-Real-IP names somebody else, one of the two was written by the caller and passed
    on by a proxy that sets only the other: then it is the proxy who calls. Nothing raises, whatever the headers hold.
    """
    client = read_address(peer)
    if client is None:
        return "unknown"
    known = list(trusted)
    if not within(client, known):
        return str(client)
    hops = ",".join(value for name, value in headers.items() if name.lower() == FORWARDED[0]).split(",")
    told = client
    for hop in reversed(hops):
        address = read_address(hop)
        if address is None:
            break
        told = address
        if not within(address, known):
            break
    real = read_address(next((value for name, value in headers.items() if name.lower() == FORWARDED[1]), None))
    if real is None or within(real, known) or real == told:
        return str(told)
    return str(real if told == client else client)


def limit_key(address: str) -> str:
    """Return by what an address is counted: a subscriber has 2^64 addresses of IPv6.

    >>> limit_key("203.0.113.7"), limit_key("2001:db8:1:2:3::4"), limit_key("unknown")
    ('203.0.113.7', '2001:db8:1:2::/64', 'unknown')
    """
    read = read_address(address)
    return str(ip_network((read, 64), strict=False)) if isinstance(read, IPv6Address) else address


def is_loopback(peer: str | None, headers: Mapping[str, str]) -> bool:
    """Return whether a program on this machine calls, for itself.

    Not so with any header that proxies add: one on this machine calls for others. Not so either with a Host or an
    Origin that is not this machine: a proxy again, or a web page that makes a browser here call us.
    """
    address = read_address(peer)
    if address is None or not address.is_loopback:
        return False
    for name, value in headers.items():
        low = name.lower()
        if low in OF_PROXIES or low.startswith("x-forwarded-"):
            return False
        if low == "host" and not names_loopback(f"//{value}"):
            return False
        if low == "origin" and not names_loopback(value):
            return False
        if low == "sec-fetch-site" and value not in ("same-origin", "none"):
            return False
    return True


def names_loopback(url: str) -> bool:
    """Return whether a URL is of this machine."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    address = read_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def read_address(text: str | None) -> Address | None:
    """Return an address as headers write it, a port and a zone left out, one of IPv4 in IPv6 as itself; else None.

    >>> [str(read_address(text)) for text in ("10.0.0.1:80", " [::1]:80", "fe80::1%eth0", "::ffff:10.0.0.1", "me")]
    ['10.0.0.1', '::1', 'fe80::1', '10.0.0.1', 'None']
    """
    text = (text or "")[:100].strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def within(address: Address, networks: Networks) -> bool:
    """Return whether an address is in one of the networks."""
    return any(address in network for network in networks)
