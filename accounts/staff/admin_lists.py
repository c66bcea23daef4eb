"""Lists of the admin: how far they count, and by what they may be filtered."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

COUNTED_MOST = 10_000
"""The greatest number of rows that is counted for the pages of a list."""


class CountedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that stops counting at `COUNTED_MOST`: counting all messages would read all of them."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        number: int = found[:COUNTED_MOST].count()
        return number


class FilteredList(ChangeList):
    """A list that accepts only the filters that its page shows.

    Django's own list accepts every lookup of the model's fields, even of hidden ones. Someone could read a password
    hash with it, by one guess after another that matches or does not.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        if found[2] or any("\0" in value for values in self.filter_params.values() for value in values):
            raise IncorrectLookupParameters
        return found
