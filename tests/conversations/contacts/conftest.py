"""The REST client of the tests of accounts, for the tests of contacts."""

from tests.accounts.conftest import rest

__all__ = ["rest"]
