"""What every page of the admin is made of: models are shown, and changed by acts alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from redis.exceptions import RedisError

from accounts.staff.audit_log import Staff
from chatproject.core.errors import Refused
from chatproject.core.text import REASON_LENGTH

COUNTED_MOST = 10_000
LOOKS_LOGGED_EVERY = timedelta(minutes=10)
SEARCHED_MOST = 200
"""How many characters of a search are looked for."""


def staff_of(request: Any) -> Staff:
    """Give who asks, by a page or by REST, as a member of the staff; NotAllowed for others."""
    return Staff.of(request.user, request.META["REMOTE_ADDR"] or None)


def refusal_of(request: HttpRequest) -> str | None:
    """Say why someone may not be here, if they may not."""
    if not request.user.is_authenticated:
        return "Please sign in."
    try:
        staff_of(request)
    except Refused as refusal:
        return refusal.detail
    return None


def link_to(page: str, id: Any) -> str:
    """Link to the page of something by its id, which may have gone meanwhile."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[id]), id)


class CountedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than anyone would page: to count all messages reads all of them."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        number: int = found[:COUNTED_MOST].count()
        return number


class ShownList(ChangeList):
    """A list that is asked by the filters on its page alone.

    Django's own takes every lookup of the model's fields, shown or not: a yes or no for each guess at the hash of a
    password would be enough to read it.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        if found[2] or any("\0" in value for values in self.filter_params.values() for value in values):
            raise IncorrectLookupParameters
        return found


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))


class WordsForm(forms.Form):
    words = forms.CharField(
        max_length=REASON_LENGTH, label="Your words to the person", widget=forms.Textarea(attrs={"rows": 3})
    )


@contextmanager
def reporting_refusals_on(form: forms.Form) -> Iterator[None]:
    """Let a form say what a command refused, or that Redis is away."""
    try:
        yield
    except Refused as refusal:
        form.add_error(None, refusal.detail)
    except RedisError:
        form.add_error(None, "Redis does not answer: nothing was done. Please try again.")
    except ObjectDoesNotExist:
        form.add_error(None, "This is not there any more.")


def always(by: Staff, thing: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Act:
    """Something that the staff may do with what a page shows.

    `run` takes `by`, the thing, and what the form asks for; what it returns is shown by the template `shows`, if there
    is one. Without, the page of the thing follows.
    """

    name: str
    label: str
    run: Callable[..., Any]
    form: type[forms.Form] = forms.Form
    about: str = ""
    danger: bool = False
    is_offered: Callable[[Staff, Any], bool] = always
    shows: str = ""


class Viewed:
    """May be looked at by the staff, and changed here by nobody."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return refusal_of(request) is None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return refusal_of(request) is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StaffAdmin(Viewed, admin.ModelAdmin):  # type: ignore[type-arg]
    """A model as the staff sees it, with what may be done about one of them."""

    acts: Sequence[Act] = ()
    paginator = CountedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_form_template = "admin/thing.html"
    change_list_template = "admin/list.html"
    heading = ""
    """What a list is called where the model's own name is not for people."""
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        act = path("<path:object_id>/act/<slug:name>/", self.admin_site.admin_view(self.act_view), name=name)
        return [act, *super().get_urls()]

    @property
    def title(self) -> str:
        return self.heading or capfirst(str(self.opts.verbose_name_plural))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return ShownList

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return super().get_search_results(request, queryset, search_term[:SEARCHED_MOST])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; what it does not offer leads back to all of it."""
        if ERROR_FLAG in request.GET and len(request.GET) > 1:
            return redirect(request.path)
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        thing = self.get_object(request, object_id)
        by = staff_of(request)
        offered = [(act, self._url(thing, act)) for act in self.acts if thing and act.is_offered(by, thing)]
        shown = {
            "acts": offered,
            "title": str(thing),
            "subtitle": None,
            "heading": self.title,
            **self.more(request, thing),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def more(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """Give what a page of one of these shows besides its fields."""
        return {}

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask what an act needs to know, then do it."""
        thing, act = self.get_object(request, object_id), next((act for act in self.acts if act.name == name), None)
        if thing is None or act is None or not act.is_offered(staff_of(request), thing):
            raise Http404
        form = act.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            with reporting_refusals_on(form):
                result = act.run(by=staff_of(request), thing=thing, **form.cleaned_data)
                return self._done(request, thing, act, form, result)
        return self._render(request, "admin/act.html", thing, act, form)

    def _done(self, request: HttpRequest, thing: Any, act: Act, form: forms.Form, result: Any) -> HttpResponse:
        if act.shows:
            return self._render(request, act.shows, thing, act, form, result=result)
        messages.success(request, f"Done: {act.label.lower()}.")
        return HttpResponseRedirect(self._place(thing))

    def _render(
        self, request: HttpRequest, template: str, thing: Any, act: Act, form: forms.Form, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "opts": self.opts,
            "thing": thing,
            "back": self._place(thing),
            "act": act,
            "form": form,
            **more,
        }
        return render(request, template, context, status=400 if form.errors else 200)

    def _place(self, thing: models.Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[thing.pk])

    def _url(self, thing: models.Model, act: Act) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_act", args=[thing.pk, act.name])
