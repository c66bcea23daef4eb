"""The base of every model in the admin: its pages are read-only, and change something only by staff actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from accounts.staff.admin_access import ReadOnly, staff_of
from accounts.staff.admin_forms import reporting_refusals_on
from accounts.staff.admin_lists import CountedPaginator, FilteredList
from accounts.staff.audit_log import Staff

SEARCH_LENGTH = 200
"""How many characters of a search are used; the rest is ignored."""


def link_to(page: str, id: Any) -> str:
    """Return a link to the page of an object by its id; the object may have been deleted."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[id]), id)


def always(by: Staff, thing: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class StaffAction:
    """An action that the staff may run on the object that a page shows.

    `run` takes `by`, `thing` (the object), and the fields of the form. The template `shows` renders its result; without
    a template, the browser is redirected to the page of the object.
    """

    name: str
    label: str
    run: Callable[..., Any]
    form: type[forms.Form] = forms.Form
    about: str = ""
    danger: bool = False
    is_offered: Callable[[Staff, Any], bool] = always
    shows: str = ""


class StaffAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A model in the admin, with the actions that the staff may run on an object of it."""

    staff_actions: Sequence[StaffAction] = ()
    paginator = CountedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_form_template = "admin/thing.html"
    change_list_template = "admin/list.html"
    heading = ""
    """The title of the list, where the name of the model is too technical."""
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        route = path("<path:object_id>/act/<slug:name>/", self.admin_site.admin_view(self.act_view), name=name)
        return [route, *super().get_urls()]

    @property
    def title(self) -> str:
        return self.heading or capfirst(str(self.opts.verbose_name_plural))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return FilteredList

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return super().get_search_results(request, queryset, search_term[:SEARCH_LENGTH])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; redirect a filter that it does not have to the whole list."""
        if ERROR_FLAG in request.GET and len(request.GET) > 1:
            return redirect(request.path)
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        thing = self.get_object(request, object_id)
        by = staff_of(request)
        offered = [each for each in self.staff_actions if thing and each.is_offered(by, thing)]
        shown = {
            "acts": [(each, self._action_url(thing, each)) for each in offered],
            "title": str(thing),
            "subtitle": None,
            "heading": self.title,
            **self.more(request, thing),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def more(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """Return what the page of an object shows besides its fields."""
        return {}

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Show the form of an action, then run the action."""
        thing = self.get_object(request, object_id)
        action = next((each for each in self.staff_actions if each.name == name), None)
        if thing is None or action is None or not action.is_offered(staff_of(request), thing):
            raise Http404
        form = action.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            with reporting_refusals_on(form):
                result = action.run(by=staff_of(request), thing=thing, **form.cleaned_data)
                return self._done(request, thing, action, form, result)
        return self._render(request, "admin/act.html", thing, action, form)

    def _done(
        self, request: HttpRequest, thing: Any, action: StaffAction, form: forms.Form, result: Any
    ) -> HttpResponse:
        if action.shows:
            return self._render(request, action.shows, thing, action, form, result=result)
        messages.success(request, f"Done: {action.label.lower()}.")
        return HttpResponseRedirect(self._url_of(thing))

    def _render(
        self, request: HttpRequest, template: str, thing: Any, action: StaffAction, form: forms.Form, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "thing": thing,
            "back": self._url_of(thing),
            "act": action,
            "form": form,
            **more,
        }
        return render(request, template, context, status=400 if form.errors else 200)

    def _url_of(self, thing: models.Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[thing.pk])

    def _action_url(self, thing: Any, action: StaffAction) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_act", args=[thing.pk, action.name])
