"""What is wrong or missing in the environment stops the start, with a sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from gcm_portal import env

NOT_SET = "NAME is not set. The portal does not start without it."


@pytest.fixture
def read(monkeypatch) -> Callable:
    """What the reader makes of this value of NAME."""

    def read(reader: Callable, value: str | None, *default: Any) -> Any:
        if value is None:
            monkeypatch.delenv("NAME", raising=False)
        else:
            monkeypatch.setenv("NAME", value)
        return reader("NAME", *default)

    return read


@pytest.mark.parametrize(
    ("reader", "value", "default", "result"),
    [
        (env.text, " a word ", (), "a word"),
        (env.text, "", ("default",), "default"),
        (env.text, None, ("",), ""),
        (env.flag, "1", (), True),
        (env.flag, "Yes", (), True),
        (env.flag, "0", (), False),
        (env.flag, "", (), False),
        (env.flag, None, (), False),
        (env.number, "2", (0,), 2),
        (env.number, "0", (7,), 0),
        (env.number, " ", (7,), 7),
        (env.number, None, (7,), 7),
        (env.words, "a.example, b.example,", (), ["a.example", "b.example"]),
        (env.words, None, (), []),
        (env.words, None, ("a.example",), ["a.example"]),
        (env.web_address, "https://portal.example.org/", (), "https://portal.example.org"),
        (env.web_address, "http://[::1]:8000", (), "http://[::1]:8000"),
        (env.mail_server, "smtp://me:secret@mail.example:25", (), None),
        (env.mail_server, "smtps://mail.example", (), None),
        (env.mail_server, "", (), None),
        (env.mail_server, None, (), ""),
        (env.mail_address, " bounces@portal.example ", (), "bounces@portal.example"),
        (env.mail_address, None, (), ""),
    ],
)
def test_what_is_right_is_read(read, reader, value, default, result):
    assert read(reader, value, *default) == (value if result is None else result)


@pytest.mark.parametrize(
    ("reader", "value", "default", "sentence"),
    [
        (env.text, None, (), NOT_SET),
        (env.text, "  ", (), NOT_SET),
        (env.flag, "maybe", (), "NAME is “maybe”. Write 1 for yes or 0 for no."),
        (env.number, "two", (0,), "NAME is “two”. Write a whole number, 0 or more."),
        (env.number, "1.5", (0,), "NAME is “1.5”. Write a whole number, 0 or more."),
        (env.number, "-1", (0,), "NAME is “-1”. Write a whole number, 0 or more."),
        (env.web_address, None, (), NOT_SET),
        *(
            (env.web_address, value, (), f"NAME is “{value}”. Write it like {example}")
            for example in ["https://portal.example.org"]
            for value in [
                "portal.example.org",
                "ftp://portal.example.org",
                "https://",
                "https://portal.example.org/here",
                "https://portal.example.org?here",
                "https://portal.example.org:port",
                "https://[portal",
            ]
        ),
        *(
            (env.mail_server, value, (), f"NAME is not a mail server. Write it like {example}")
            for example in ["smtp://user:password@host:25"]
            for value in ["mail.example", "http://mail.example", "smtp://", "smtp://host:port"]
        ),
        *(
            (env.mail_address, value, (), f"NAME is “{value}”. Write it like {example}")
            for example in ["bounces@portal.example.org"]
            for value in ["bounces", "Bounces <b@portal.example>", "a@b.example, c@d.example"]
        ),
        (
            env.mail_server,
            "smtp://[host",
            (),
            "NAME is not a mail server. Write it like smtp://user:password@host:25",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(read, reader, value, default, sentence):
    with pytest.raises(ImproperlyConfigured) as refused:
        read(reader, value, *default)

    assert str(refused.value) == sentence


def test_a_wrong_mail_server_does_not_show_its_password(read):
    with pytest.raises(ImproperlyConfigured) as refused:
        read(env.mail_server, "http://me:secret@mail.example")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("http://127.0.0.1.example.org", False),
        ("https://portal.example.org", False),
    ],
)
def test_loopback_is_what_other_machines_do_not_reach(address, answer):
    assert env.is_loopback(address) is answer


@pytest.fixture
def given(monkeypatch) -> Callable:
    def given(**addresses: str) -> None:
        for name in ("DATABASE_URL", "REDIS_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, address in addresses.items():
            monkeypatch.setenv(name, address)

    return given


def test_servers_of_the_environment_go_before_our_own(given, tmp_path):
    given(DATABASE_URL="postgresql://theirs", REDIS_URL="redis://theirs")

    assert env.servers(tmp_path) == ("postgresql://theirs", "redis://theirs")


def test_our_own_servers_are_those_that_the_launcher_wrote_down(given, tmp_path):
    given()
    addresses = {"database_url": "postgresql://ours", "redis_url": "redis://ours"}
    (tmp_path / "servers.json").write_text(json.dumps(addresses))

    assert env.servers(tmp_path) == ("postgresql://ours", "redis://ours")


@pytest.mark.parametrize(
    ("name", "missing"), [("DATABASE_URL", "REDIS_URL"), ("REDIS_URL", "DATABASE_URL")]
)
def test_one_server_alone_is_refused(given, tmp_path, name, missing):
    given(**{name: "scheme://host"})

    with pytest.raises(ImproperlyConfigured) as refused:
        env.servers(tmp_path)

    assert str(refused.value) == f"{missing} is not set. DATABASE_URL and REDIS_URL go together."


@pytest.mark.parametrize("written", [None, "{", "{}"])
def test_without_any_server_one_is_told_what_to_do(given, tmp_path, written):
    given()
    if written:
        (tmp_path / "servers.json").write_text(written)

    with pytest.raises(ImproperlyConfigured) as refused:
        env.servers(tmp_path)

    assert str(refused.value) == (
        "There is no database. Set DATABASE_URL and REDIS_URL, or let “make run” or “make test” "
        "start their own servers."
    )
