"""Reads the environment: every setting may come from ``NAME`` or from the file that ``NAME_FILE`` names.

A value that cannot be used ends the program with one sentence (``Misconfigured``), never a traceback.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class Misconfigured(ImproperlyConfigured):
    """The environment cannot be used as it is. The text is one sentence for the person at the keyboard."""


def text(name: str, default: str = "") -> str:
    """The value of ``NAME``, or the content of the file ``NAME_FILE`` names; empty counts as unset."""
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not value and path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Misconfigured(f"{name}_FILE names {path}, which cannot be read.") from error
    return value or default


def flag(name: str) -> bool | None:
    """Yes, no, or None when unset."""
    value = text(name).lower()
    if value and value not in TRUE | FALSE:
        raise Misconfigured(f"{name} is {value}; it must be 1 or 0.")
    return value in TRUE if value else None


def number(name: str, default: int, *, low: int, high: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise Misconfigured(f"{name} is {value}; it must be a whole number from {low} to {high}.")
    return int(value)


def words(name: str) -> list[str]:
    """A list separated by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def address(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """A URL whose scheme is one of ``schemes`` (``twilio+http`` counts as ``twilio``)."""
    value = text(name, default)
    scheme = urlsplit(value).scheme
    if scheme.split("+")[0] not in schemes:
        known = ", ".join(f"{scheme}://" for scheme in schemes)
        raise Misconfigured(f"{name} must start with one of {known}.")
    return value


def optional_address(name: str, *, schemes: tuple[str, ...]) -> str:
    """The same for a URL that may be missing: empty then."""
    return address(name, "", schemes=schemes) if text(name) else ""


def all_named(prefix: str) -> dict[str, str]:
    """Every setting whose name starts so, by the rest of its name; an empty one is none, not an empty key."""
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name.removeprefix(prefix): value for name in sorted(names) if (value := text(name))}


def reply_to(name: str, mailbox: str) -> str:
    """The address that answers go to: ``NAME``, else the user of the mailbox where that is an address."""
    value = text(name) or unquote(urlsplit(mailbox).username or "")
    if "@" not in value and not text(name):
        return ""
    if value.count("@") != 1 or not value.isascii() or "+" in value or any(c in value for c in " <>,;"):
        raise Misconfigured(f"{name} must be a plain address without a plus, like replies@example.com.")
    return value


def database(url: str) -> dict[str, object]:
    """Django's database dictionary of a PostgreSQL address; anything else is refused."""
    scheme = urlsplit(url).scheme
    if scheme not in {"postgres", "postgresql", "psql", "pgsql"}:
        raise Misconfigured("DATABASE_URL must start with postgres://; OpsDesk runs on PostgreSQL only.")
    config = environ.Env.db_url_config(url)
    config["ENGINE"] = "django.db.backends.postgresql"
    if host := config.get("OPTIONS", {}).pop(
        "host", None
    ):  # a unix socket: postgres://user@/name?host=/folder
        config["HOST"] = host
    if not config.get("NAME"):
        raise Misconfigured("DATABASE_URL names no database.")
    return dict(config)


def own_secret(folder: Path) -> str:
    """The secret key of a machine that was given none: made once, kept beside the data, readable by its
    owner."""
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise Misconfigured(f"OPSDESK_HOME {folder} cannot be used: {reason}.") from error
    return path.read_text().strip() or secrets.token_urlsafe(50)
