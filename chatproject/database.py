"""How to reach the database beside Django's own connections."""

from typing import Any

from django.db import connections


def connection_parameters() -> dict[str, Any]:
    """Give psycopg's keyword arguments for a plain connection to the database that Django uses now."""
    known = dict(connections["default"].get_connection_params())
    return {name: known[name] for name in known if name not in {"cursor_factory", "context", "prepare_threshold"}}
