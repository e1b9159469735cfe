"""Access tokens: created once, kept as hashes, recognised, expired, revoked; a damaged file lets nobody in."""

import json
import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from self_heal_engine import cli_tokens
from self_heal_engine.access_tokens import LOOK_EVERY, Tokens, create, read_tokens, revoke
from self_heal_engine.errors import CannotHeal


class Clock:
    """Seconds as a test wants them."""

    now = 0.0

    def __call__(self):
        return self.now

    def tick(self):
        self.now += LOOK_EVERY


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "tokens.json"


@pytest.fixture
def clock():
    return Clock()


def expire(file, seconds=1):
    """Let every token of a file have expired so long ago."""
    content = json.loads(file.read_text())
    for token in content["tokens"]:
        token["expires"] = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    file.write_text(json.dumps(content))


def refused(word, call):
    with pytest.raises(CannotHeal) as refusal:
        call()
    assert str(refusal.value) == word
    return refusal.value.sentence


def test_a_token_is_recognised_and_its_scopes_are_known(file):
    text = create(file, "ci", ["confirm", "heal", "heal"], 90)
    token = Tokens(file).holder(text)
    assert (token.name, token.scopes) == ("ci", ("heal", "confirm"))
    assert token.expires - token.created == timedelta(days=90)


def test_a_token_has_256_bits_and_no_two_are_the_same(file):
    texts = {create(file, "ci", ["heal"], 1) for _ in range(20)}
    assert len(texts) == 20
    assert all(re.fullmatch(r"she_[\w-]{43}", text) for text in texts)
    assert len({token.id for token in read_tokens(file)}) == 20


def test_the_file_holds_no_token_and_is_its_owners_alone(file):
    text = create(file, "ci", ["heal"], 1)
    assert text not in file.read_text()
    assert text.removeprefix("she_") not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    os.chmod(file, 0o644)
    create(file, "ci", ["heal"], 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in file.parent.iterdir() if not found.name.endswith(".lock")] == ["tokens.json"]


@pytest.mark.parametrize("text", ["", "she_", "she_" + "A" * 43, "x" * 10_000, "\udcff", "ü", "\0", "Bearer x"])
def test_what_is_no_token_is_nobodys(file, text):
    create(file, "ci", ["heal"], 1)
    tokens = Tokens(file)
    assert tokens.holder(text) is None
    assert not tokens.expired(text)


def test_neither_a_part_nor_the_hash_of_a_token_is_one(file):
    text = create(file, "ci", ["heal"], 1)
    tokens = Tokens(file)
    for other in (text[:-1], text + "A", text.upper(), text[4:], f" {text}", read_tokens(file)[0].sha256):
        assert tokens.holder(other) is None


def test_an_expired_token_is_told_apart_and_still_asked_for(file):
    text = create(file, "ci", ["heal"], 1)
    expire(file)
    tokens = Tokens(file)
    assert tokens.holder(text) is None
    assert tokens.expired(text)
    assert not tokens.expired(text + "x")
    assert tokens.any(), "else this machine could call without one"


def test_two_tokens_are_valid_at_once_until_the_old_one_is_revoked(file, clock):
    old, new = create(file, "ci", ["heal"], 90), create(file, "ci", ["heal"], 90)
    tokens = Tokens(file, clock)
    assert tokens.holder(old)
    assert tokens.holder(new)
    revoke(file, tokens.holder(old).id)
    clock.tick()
    assert tokens.holder(old) is None
    assert tokens.holder(new)


def test_without_a_file_no_token_is_asked_for_until_one_is_created(file, clock):
    tokens = Tokens(file, clock)
    assert not tokens.any()
    text = create(file, "ci", ["heal"], 90)
    assert not tokens.any(), "the file is looked at once a second"
    clock.tick()
    assert tokens.any()
    assert tokens.holder(text)
    assert tokens.problem is None


def test_after_the_last_one_is_revoked_none_is_asked_for(file, clock):
    create(file, "ci", ["heal"], 90)
    tokens = Tokens(file, clock)
    revoke(file, read_tokens(file)[0].id)
    clock.tick()
    assert not tokens.any()


DAMAGED = {
    "empty": lambda whole: "",
    "cut off": lambda whole: whole[:-30],
    "a list": lambda whole: "[]",
    "unknown field": lambda whole: whole.replace('"name"', '"nome"'),
    "unknown scope": lambda whole: whole.replace('"heal"', '"root"'),
    "no zone": lambda whole: whole.replace("+00:00", ""),
    "not a time": lambda whole: re.sub(r'"20[^"]*"', '"soon"', whole),
    "twice": lambda whole: json.dumps({"tokens": json.loads(whole)["tokens"] * 2}),
    "not UTF-8": lambda whole: b"\xff\xfe",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_file_that_is_damaged_while_serving_leaves_the_tokens_read_last(file, clock, damage):
    text = create(file, "ci", ["heal"], 90)
    tokens, whole = Tokens(file, clock), file.read_text()
    broken = DAMAGED[damage](whole)
    file.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    clock.tick()
    assert tokens.holder(text)
    assert tokens.any()
    assert "tokens.json" in tokens.problem
    assert text not in tokens.problem
    file.write_text(whole)
    clock.tick()
    assert tokens.holder(text)
    assert tokens.problem is None


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_file_that_is_damaged_at_start_stops_it_and_is_not_written_over(file, damage):
    create(file, "ci", ["heal"], 90)
    broken = DAMAGED[damage](file.read_text())
    broken = broken if isinstance(broken, bytes) else broken.encode()
    file.write_bytes(broken)
    assert "tokens.json" in refused("bad_tokens", lambda: Tokens(file))
    refused("bad_tokens", lambda: create(file, "ci", ["heal"], 90))
    refused("bad_tokens", lambda: revoke(file, "x"))
    assert file.read_bytes() == broken


def test_a_file_that_goes_away_lets_nobody_in_and_not_this_machine_either(file, clock):
    text = create(file, "ci", ["heal"], 90)
    tokens, whole = Tokens(file, clock), file.read_bytes()
    file.unlink()
    clock.tick()
    assert tokens.holder(text) is None
    assert tokens.any()
    assert "is gone" in tokens.problem
    clock.tick()
    assert "is gone" in tokens.problem
    file.write_bytes(whole)
    clock.tick()
    assert tokens.holder(text)
    assert tokens.problem is None


def test_a_file_that_may_not_be_read_is_no_missing_file(tmp_path):
    locked = tmp_path / "not a folder"
    locked.write_text("")
    assert "cannot be read" in refused("bad_tokens", lambda: Tokens(locked / "tokens.json"))
    (tmp_path / "tokens.json").mkdir()
    assert "cannot be read" in refused("bad_tokens", lambda: Tokens(tmp_path / "tokens.json"))


def test_what_could_not_be_read_for_a_while_is_read_again_though_it_did_not_change(file, clock, monkeypatch):
    text = create(file, "ci", ["heal"], 90)
    tokens = Tokens(file, clock)
    other = create(file, "ci", ["heal"], 90)
    whole = file.stat()
    with monkeypatch.context() as patch:
        patch.setattr("self_heal_engine.access_tokens.read_text", unreadable)
        clock.tick()
        assert tokens.holder(text)
        assert tokens.holder(other) is None
    assert file.stat() == whole
    clock.tick()
    assert tokens.holder(other)
    assert tokens.problem is None


def unreadable(path):
    raise CannotHeal("unreadable_file", f"'{path}' cannot be read: Permission denied")


def test_many_writers_at_once_lose_no_token(file):
    script = (
        "import sys; from pathlib import Path; from self_heal_engine.access_tokens import create\n"
        "for _ in range(15): print(create(Path(sys.argv[1]), 'ci', ['heal'], 1))"
    )
    command = [sys.executable, "-c", script, str(file)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    texts = [text for writer in writers for text in writer.communicate(timeout=60)[0].split()]
    assert len(texts) == 45
    tokens = Tokens(file)
    assert all(tokens.holder(text) for text in texts)


def test_a_writer_that_was_killed_blocks_nobody(file):
    create(file, "ci", ["heal"], 1)
    (file.parent / ".tokens.json.unfinished").write_text("half")
    create(file, "ci", ["heal"], 1)
    assert len(read_tokens(file)) == 2


def test_a_reader_meets_only_whole_files(file):
    create(file, "ci", ["heal"], 1)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [create(file, "ci", ["heal"], 1) for _ in range(50)])
        seen = 0
        while not writing.done():
            assert len(read_tokens(file)) >= seen
            seen = len(read_tokens(file))
    assert len(read_tokens(file)) == 51


def test_a_link_to_the_file_stays_a_link(file, tmp_path):
    file.parent.mkdir()
    (tmp_path / "real.json").write_text('{"tokens": []}')
    file.symlink_to(tmp_path / "real.json")
    create(file, "ci", ["heal"], 1)
    assert file.is_symlink()
    assert len(read_tokens(tmp_path / "real.json")) == 1


@pytest.mark.parametrize(("name", "scopes", "days", "said"), [
    ("ci", ["heal", "root"], 90, "'root' is not a scope: heal, confirm, admin"),
    ("ci", [], 90, "needs a scope"),
    ("", ["heal"], 90, "'' cannot be a name"),
    ("a\nb", ["heal"], 90, "cannot be a name"),
    ("\ud800", ["heal"], 90, "cannot be a name"),
    ("x" * 81, ["heal"], 90, "cannot be a name"),
    ("ci", ["heal"], 0, "cannot last 0 days"),
    ("ci", ["heal"], 3651, "cannot last 3651 days"),
])  # fmt: skip
def test_a_token_that_cannot_be_is_refused(file, name, scopes, days, said):
    assert said in refused("bad_token_request", lambda: create(file, name, scopes, days))
    assert not file.exists()


def test_a_token_that_is_not_there_cannot_be_revoked(file):
    create(file, "ci", ["heal"], 1)
    assert "has the id 'zzz'" in refused("unknown_token_id", lambda: revoke(file, "zzz"))
    assert len(read_tokens(file)) == 1


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    refused("unwritable_file", lambda: create(tmp_path / "data" / "tokens.json", "ci", ["heal"], 1))


@given(st.text(max_size=300))
def test_any_text_may_be_asked_about(text):
    tokens = Tokens.__new__(Tokens)
    tokens._held, tokens._look = {}, lambda: None
    assert tokens.holder(text) is None


# -- the command -----------------------------------------------------------------------------------------------------


def said(*words):
    return CliRunner().invoke(cli_tokens.app, list(words))


def test_the_command_prints_the_token_alone_on_standard_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = said("create", "--name", "ci", "--scope", "heal", "--scope", "confirm", "--days", "90")
    assert made.exit_code == 0
    assert Tokens(tmp_path / "data/tokens.json").holder(made.stdout.strip()).scopes == ("heal", "confirm")
    assert made.stdout.strip() not in made.stderr
    assert "may heal, confirm until" in made.stderr


def test_the_list_shows_what_is_kept_and_no_token(file):
    text = create(file, "ci", ["heal"], 90)
    expire(file)
    create(file, "nightly", ["admin"], 90)
    shown = said("list", "--file", str(file)).stdout
    assert text not in shown
    assert read_tokens(file)[0].sha256 not in shown
    first, second = shown.splitlines()
    assert re.fullmatch(r"[0-9a-f]{8}  expired \d{4}-\d\d-\d\d  heal +ci", first)
    assert re.fullmatch(r"[0-9a-f]{8}  until   \d{4}-\d\d-\d\d  admin +nightly", second)


def test_a_token_is_revoked_by_its_id(file):
    create(file, "ci", ["heal"], 90)
    gone = said("revoke", read_tokens(file)[0].id, "--file", str(file))
    assert gone.stdout.startswith("revoked: ")
    assert read_tokens(file) == []
    assert "no token in" in said("list", "--file", str(file)).stderr
