"""What tests of contacts share: the REST client of the tests of people."""

from tests.accounts.conftest import rest

__all__ = ["rest"]
