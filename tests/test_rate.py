"""Rate limits: shared through a real Redis; killed, frozen or no Redis at all, each process still limits."""

import asyncio
import socket
import threading
import time
from contextlib import closing, contextmanager
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

import redis_server
from self_heal_engine.errors import CannotHeal
from self_heal_engine.service.rate import (
    ASK_AGAIN,
    MOST_CALLERS,
    Counts,
    Limiter,
    client_address,
    is_loopback,
    limit_key,
)
from serving import awaited

redis, redis_session = redis_server.redis, redis_server.redis_session  # fixtures
needs_redis = pytest.mark.needs("redis")

# However Redis is, a call is answered within half a second.
PROMPT = 0.5


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


async def passed(limiter, calls, key="ci"):
    """Return how many of so many calls pass."""
    return [await limiter.hit(key) for _ in range(calls)].count(None)


async def timed(limiter, key="ci"):
    began = time.perf_counter()
    wait = await limiter.hit(key)
    took = time.perf_counter() - began
    assert took < PROMPT
    return wait


async def seconds(limiter, key):
    """Return how long a call takes that passes."""
    began = time.perf_counter()
    assert await limiter.hit(key) is None
    return time.perf_counter() - began


def run(story):
    return awaited(story)


# -- in this process -------------------------------------------------------------------------------------------------


def test_of_ten_a_minute_the_eleventh_has_to_wait():
    async def story():
        clock = Clock()
        limiter = Limiter("10/minute", None, clock)
        assert await passed(limiter, 10) == 10
        assert await limiter.hit("ci") == pytest.approx(60, abs=0.1)
        clock.now += 20
        assert await limiter.hit("ci") == pytest.approx(40, abs=0.1)
        assert await limiter.hit("other") is None
        assert not limiter.configured
        assert not limiter.shared

    run(story())


def test_off_limits_nothing():
    async def story():
        limiter = Limiter("off", "redis://127.0.0.1:1", Clock())
        assert await passed(limiter, 1000) == 1000
        assert not limiter.configured

    run(story())


@given(st.integers(1, 20), st.integers(1, 100), st.lists(st.floats(0, 50, allow_nan=False), min_size=1, max_size=80))
def test_after_the_time_that_was_said_a_call_passes_and_never_too_many_do(amount, expiry, pauses):
    counts, now, let = Counts(10), 0.0, []
    for pause in pauses:
        now += pause
        wait = counts.hit("k", amount, expiry, now)
        if wait is not None:
            assert 0 < wait <= 2 * expiry + 1
            assert counts.hit("k", amount, expiry, now) is not None, "a refused call does not count"
            now += wait
            assert counts.hit("k", amount, expiry, now) is None
        let.append(now)
        assert sum(now - expiry < then <= now for then in let) <= 2 * amount


def test_the_rate_is_kept_over_a_long_time():
    counts, let = Counts(10), 0
    for step in range(100_000):
        let += counts.hit("k", 10, 60, step / 10) is None
    assert 0.9 * 10 * 10_000 / 60 < let < 1.1 * 10 * 10_000 / 60


def test_as_many_callers_as_there_may_be_take_no_more_room():
    counts = Counts(MOST_CALLERS)
    for caller in range(3 * MOST_CALLERS):
        counts.hit(str(caller), 1, 60, 0.0)
    assert len(counts) == MOST_CALLERS
    assert counts.hit(str(3 * MOST_CALLERS - 1), 1, 60, 0.0) is not None, "the last is remembered"


# -- through Redis ---------------------------------------------------------------------------------------------------


@needs_redis
def test_two_processes_share_one_limit(redis):
    async def story():
        one, other = Limiter("10/minute", redis.url), Limiter("10/minute", redis.url)
        assert await passed(one, 6) + await passed(other, 6) == 10
        wait = await other.hit("ci")
        assert 58 < wait <= 60.1
        assert one.shared
        assert other.shared
        assert await other.check()
        await one.close()
        await other.close()

    run(story())


@needs_redis
def test_after_the_time_that_was_said_redis_lets_one_pass(redis):
    async def story():
        limiter = Limiter("3/second", redis.url)
        for _ in range(4):
            while (wait := await limiter.hit("ci")) is None:
                pass
            assert 0 < wait < 1.1
            await asyncio.sleep(wait)
            assert await limiter.hit("ci") is None
        await limiter.close()

    run(story())


@needs_redis
def test_no_name_and_no_address_lies_in_redis(redis):
    async def story():
        limiter = Limiter("10/minute", redis.url)
        await limiter.hit("203.0.113.7")
        await limiter.close()

    run(story())
    keys = redis.says("KEYS *")
    assert "self-heal" in keys
    assert "203.0.113.7" not in keys


@needs_redis
def test_redis_killed_and_started_again(redis):
    async def story():
        clock = Clock()
        limiter, other = Limiter("10/minute", redis.url, clock), Limiter("10/minute", redis.url, clock)
        assert await passed(limiter, 3) == 3
        redis.kill()
        assert await timed(limiter) is None
        assert not limiter.shared
        assert await passed(limiter, 20) == 9, "still limited, by this process alone"
        assert await timed(limiter) > 0
        redis.start()
        assert await timed(limiter) > 0
        assert not limiter.shared, "it is not asked with every call"
        clock.now += ASK_AGAIN
        assert await timed(limiter) is None
        assert limiter.shared
        assert await passed(other, 20) == 9, "and the limit is one again"
        await limiter.close()
        await other.close()

    run(story())


@needs_redis
def test_redis_that_hangs_costs_one_call_a_moment_and_the_others_nothing(redis):
    async def story():
        clock = Clock()
        limiter = Limiter("10/minute", redis.url, clock)
        assert await passed(limiter, 1) == 1
        redis.freeze()
        try:
            assert await timed(limiter) is None
            assert not limiter.shared
            began = time.perf_counter()
            assert await passed(limiter, 100) == 9
            assert time.perf_counter() - began < 0.1
            clock.now += ASK_AGAIN
            took = await asyncio.gather(*(seconds(limiter, f"caller {n}") for n in range(50)))
            assert max(took) < PROMPT
            assert sum(each > 0.1 for each in took) == 1, "after the pause one call asks Redis, for all"
            assert not await limiter.check()
        finally:
            redis.thaw()
        await asyncio.sleep(0.05)
        assert await limiter.check()
        assert limiter.shared
        assert await passed(limiter, 20) <= 9
        await limiter.close()

    run(story())


@needs_redis
def test_many_calls_at_once_while_redis_hangs_are_all_prompt(redis):
    async def story():
        limiter = Limiter("10/minute", redis.url)
        await limiter.hit("ci")
        redis.freeze()
        try:
            began = time.perf_counter()
            waits = await asyncio.gather(*(limiter.hit("ci") for _ in range(100)))
            assert time.perf_counter() - began < PROMPT
            assert waits.count(None) == 10
        finally:
            redis.thaw()
        await limiter.close()

    run(story())


@needs_redis
def test_redis_in_which_something_else_lies_under_our_key(redis):
    async def story():
        limiter = Limiter("10/minute", redis.url)
        await limiter.hit("ci")
        for key in redis.says("KEYS *").split():
            if "self-heal" in key:
                redis.says(f"DEL {key}")
                redis.says(f"LPUSH {key} x")
        assert await passed(limiter, 20) == 10
        assert not limiter.shared
        await limiter.close()

    run(story())


@needs_redis
def test_redis_that_is_full_or_takes_no_writes(redis):
    async def story():
        limiter = Limiter("10/minute", redis.url)
        redis.says("CONFIG SET maxmemory 1")
        try:
            assert await passed(limiter, 20) == 10
            assert not limiter.shared
        finally:
            redis.says("CONFIG SET maxmemory 0")
        await limiter.close()

    run(story())


@contextmanager
def server(answer):
    """A server that greets everybody with the same bytes, or with silence, and then closes or not."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=speak, args=(connection,), daemon=True).start()

    def speak(connection):
        try:
            while connection.recv(65_536):
                if answer is None:
                    continue
                connection.sendall(answer)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    with closing(listener):
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
    for connection in held:
        connection.close()


GARBAGE = [
    None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff\r\n" * 20, b"-ERR no\r\n", b"-NOAUTH Authentication required.\r\n",
    b":abc\r\n", b"$-5\r\n", b"$999999999\r\nx", b"*3\r\n:1\r\n", b"*1\r\n" * 5000, b"\r\n",
]  # fmt: skip


@pytest.mark.parametrize("answer", GARBAGE)
def test_what_answers_garbage_or_nothing_is_no_redis(answer):
    async def story():
        limiter = Limiter("3/minute", url)
        assert await timed(limiter) is None
        assert not limiter.shared
        assert await passed(limiter, 10) == 2
        assert not await limiter.check()
        await limiter.close()

    with server(answer) as url:
        run(story())


@pytest.mark.parametrize("answer", [b":0\r\n", b"*0\r\n", b"_\r\n", b"+OK\r\n", b"$-1\r\n", b"%1\r\n+a\r\n+b\r\n"])
def test_what_answers_everything_alike_breaks_nothing(answer):
    async def story():
        limiter = Limiter("3/minute", url)
        for _ in range(5):
            await timed(limiter)
        await limiter.close()

    with server(answer) as url:
        run(story())


@pytest.mark.parametrize("where", ["redis://127.0.0.1:{port}", "redis://no-such-host.invalid:6379", "unix:///nonexistent/redis.sock", "rediss://127.0.0.1:{port}"])  # fmt: skip
def test_no_redis_at_the_address_from_the_beginning(where):
    async def story():
        limiter = Limiter("3/minute", where.format(port=redis_server.free_port()))
        assert limiter.configured
        assert await passed(limiter, 10) == 3
        assert not limiter.shared
        await limiter.close()

    run(story())


def test_a_url_that_cannot_be_is_refused_without_its_password():
    with pytest.raises(CannotHeal) as refusal:
        Limiter("3/minute", "redis://:s3cr3t@host:port")
    assert str(refusal.value) == "bad_settings"
    assert "s3cr3t" not in refusal.value.sentence


@needs_redis
def test_a_call_that_is_given_up_leaves_no_answer_for_the_next(redis):
    async def story():
        limiter = Limiter("1000/minute", redis.url)
        await limiter.hit("ci")
        for _ in range(50):
            given_up = asyncio.create_task(limiter.hit("ci"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            given_up.cancel()
            assert await limiter.hit("ci") is None
        assert limiter.shared
        await limiter.close()

    run(story())


# -- who calls -------------------------------------------------------------------------------------------------------

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.mark.parametrize(("peer", "headers", "who"), [
    ("203.0.113.7", {}, "203.0.113.7"),
    ("203.0.113.7", {"X-Forwarded-For": "1.1.1.1", "X-Real-IP": "1.1.1.1"}, "203.0.113.7"),  # no proxy of ours
    ("10.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ("10.0.0.1", {"x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"),  # the left one is made up
    ("10.0.0.1", {"X-Forwarded-For": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"),  # one of our own
    ("10.0.0.1", {"X-Forwarded-For": "203.0.113.7:4711"}, "203.0.113.7"),
    ("10.0.0.1", {"X-Forwarded-For": '[2001:db8::1]:4711'}, "2001:db8::1"),
    ("10.0.0.1", {"X-Forwarded-For": "203.0.113.7, nonsense, 10.0.0.2"}, "10.0.0.2"),
    ("10.0.0.1", {"X-Forwarded-For": ""}, "10.0.0.1"),
    ("10.0.0.1", {"X-Real-IP": "203.0.113.7"}, "203.0.113.7"),  # the guide's nginx.conf
    ("10.0.0.1", {"X-Real-IP": "nonsense"}, "10.0.0.1"),
    ("10.0.0.1", {"X-Real-IP": "203.0.113.7", "X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ("10.0.0.1", {"X-Real-IP": "203.0.113.7", "X-Forwarded-For": "6.6.6.6"}, "10.0.0.1"),  # one of the two is made up
    ("10.0.0.1", {"X-Real-IP": "203.0.113.7", "X-Forwarded-For": "nonsense"}, "203.0.113.7"),
    ("10.0.0.1", {"X-Real-IP": "10.0.0.2", "X-Forwarded-For": "203.0.113.7, 10.0.0.2"}, "203.0.113.7"),  # two proxies
    ("::ffff:10.0.0.1", {"X-Forwarded-For": "::ffff:203.0.113.7"}, "203.0.113.7"),
    ("::1", {"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ("fe80::1%eth0", {}, "fe80::1"),
    (None, {"X-Forwarded-For": "203.0.113.7"}, "unknown"),
    ("testclient", {}, "unknown"),
])  # fmt: skip
def test_who_calls(peer, headers, who):
    assert client_address(peer, headers, PROXIES) == who


@given(
    st.one_of(st.none(), st.text(max_size=50), st.ip_addresses().map(str)),
    st.dictionaries(
        st.sampled_from(["X-Forwarded-For", "X-Real-IP", "Host", "Origin", "Forwarded"]),
        st.one_of(st.text(max_size=200), st.lists(st.ip_addresses().map(str)).map(",".join), st.just("http://[::1")),
    ),
)
def test_whatever_the_headers_hold_nothing_raises(peer, headers):
    assert client_address(peer, headers, PROXIES)
    assert is_loopback(peer, headers) in (True, False)
    assert limit_key(client_address(peer, headers, PROXIES))


def test_a_very_long_header_is_read_at_once():
    began = time.perf_counter()
    assert client_address("10.0.0.1", {"X-Forwarded-For": "10.0.0.1," * 7000}, PROXIES) == "10.0.0.1"
    assert time.perf_counter() - began < 0.5


HERE = {"Host": "127.0.0.1:8000", "User-Agent": "curl/8"}


@pytest.mark.parametrize(("peer", "headers"), [
    ("127.0.0.1", {}), ("127.0.0.53", HERE), ("::1", HERE), ("::ffff:127.0.0.1", HERE),
    ("127.0.0.1", {"Host": "localhost"}), ("::1", {"Host": "[::1]:8000"}), ("127.0.0.1", {"Host": "LOCALHOST:1"}),
    ("127.0.0.1", {**HERE, "Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}),
])  # fmt: skip
def test_this_machine_calls(peer, headers):
    assert is_loopback(peer, headers)


@pytest.mark.parametrize(("peer", "headers"), [
    ("203.0.113.7", HERE), ("10.0.0.1", {}), ("::", {}), ("0.0.0.0", {}), (None, HERE), ("", {}), ("localhost", {}),
    *[("127.0.0.1", {**HERE, name: value}) for name, value in [
        ("X-Forwarded-For", "127.0.0.1"), ("x-real-ip", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 p"),
        ("X-Forwarded-Proto", "https"), ("X-FORWARDED-HOST", "x"), ("True-Client-IP", ""), ("X-Real-IP", ""),
    ]],
    ("127.0.0.1", {"Host": "healing_api"}),  # nginx with no proxy_set_header sends the name of its upstream
    ("127.0.0.1", {"Host": "attacker.example:8000"}),  # a name that a web page's server lets point to 127.0.0.1
    ("127.0.0.1", {"Host": "127.0.0.1.attacker.example"}),
    ("127.0.0.1", {"Host": ""}), ("127.0.0.1", {"Host": "[::1"}),
    ("127.0.0.1", {**HERE, "Origin": "https://attacker.example"}), ("127.0.0.1", {**HERE, "Origin": "null"}),
    ("127.0.0.1", {**HERE, "Sec-Fetch-Site": "cross-site"}),
])  # fmt: skip
def test_it_is_not_this_machine_for_itself(peer, headers):
    assert not is_loopback(peer, headers)
