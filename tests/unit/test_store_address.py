"""Where a store is, and that its password stands nowhere but in the environment or with the secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from exengine.domain.errors import UserError
from exengine.settings.pages import Config
from exengine.settings.problems import problems_of
from exengine.store.address import PostgresAddress, place_of

FILE = Path("store.sqlite3")
CANARY = "canary-3f9b"


def test_without_a_url_it_is_the_file_in_the_data_folder() -> None:
    assert place_of("", FILE, environ={}) == FILE


def test_a_url_is_read_in_all_its_parts() -> None:
    place = place_of("postgresql://a%40b@[::1]:6543/tr%20ades?sslmode=verify-full", FILE, environ={})
    assert place == PostgresAddress(host="::1", port=6543, user="a@b", database="tr ades", sslmode="verify-full")
    assert str(place) == "postgresql://a%40b@[::1]:6543/tr%20ades"


def test_a_port_and_tls_are_the_usual_ones_where_none_are_named() -> None:
    place = place_of("postgresql://trader@db.example/trades", FILE, environ={})
    assert place == PostgresAddress(host="db.example", port=5432, user="trader", database="trades", sslmode=None)


@pytest.mark.parametrize(
    ("environ", "kept", "password"),
    [
        ({"PGPASSWORD": "libpq's"}, None, "libpq's"),
        ({"PGPASSWORD": "libpq's", "EXENGINE_DATABASE_PASSWORD": "ours"}, "kept", "ours"),
        ({}, "kept", "kept"),
        ({"EXENGINE_DATABASE_PASSWORD": ""}, None, None),
    ],
)
def test_the_password_is_the_environments_else_the_kept_one(
    environ: dict[str, str], kept: str | None, password: str | None
) -> None:
    place = place_of("postgresql://trader@db.example/trades", FILE, environ=environ, kept_password=lambda: kept)
    assert isinstance(place, PostgresAddress)
    assert place.password == password


def test_the_password_is_never_shown() -> None:
    place = place_of("postgresql://trader@db.example/trades", FILE, environ={"PGPASSWORD": CANARY})
    assert CANARY not in f"{place} {place!r}"


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    url = f"postgresql://trader:{CANARY}@db.example/trades"
    with pytest.raises(ValidationError) as refused:
        Config.model_validate({"schema_version": 1, "app": {"database_url": url}})
    (problem,) = problems_of(refused.value, Config)
    assert "keep it as a secret" in str(problem)
    assert CANARY not in str(problem)
    with pytest.raises(UserError) as told:
        place_of(url, FILE, environ={})
    assert CANARY not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://trader@db.example/trades",
        "postgresql://trader@127.0.0.1:5433/trades?sslmode=require",
        "postgresql://trader@[::1]/trades",
    ],
)
def test_what_the_settings_take_names_a_place(url: str) -> None:
    assert Config.model_validate({"schema_version": 1, "app": {"database_url": url}}).app.database_url == url
    assert place_of(url, FILE, environ={})
