"""The pages that report a message or a person, and the list of one's own reports."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.models import User
from accounts.web.base import READ, WRITE, SignedInRequest, form_data, show_form, signed_in
from accounts.web.base_forms import CommandForm, LinesField
from chatproject.core.graphemes import truncate_with_dots
from conversations.contacts.search import find_person
from messaging.models import Report
from messaging.moderation import reports
from messaging.moderation.my_reports import list_reports
from messaging.sync.history import get_message
from messaging.web.contexts.inbox import inbox_sidebar

EXCERPT_LENGTH = 500
"""How much of the message the page shows to its reporter."""


class ReportForm(CommandForm):
    """The reason of a report, and a comment."""

    fields_by_pointer: ClassVar = {"/comment": "comment"}
    reason = forms.ChoiceField(label="What is wrong?", choices=Report.Reason.choices, widget=forms.RadioSelect)
    comment = LinesField(
        label="Anything else that helps to understand it", required=False, max_length=reports.COMMENT_LENGTH
    )

    def __init__(self, data: Any = None, *, about: dict[str, Any]) -> None:
        super().__init__(data)
        self._about = about

    def obey(self, *, by: User, **fields: Any) -> tuple[Report, bool]:
        report = reports.report_message if "message_id" in self._about else reports.report_person
        return report(by=by, **self._about, **fields)


@signed_in(*WRITE)
def report_message(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Report a message to the staff."""
    known = get_message(by=request.user, message_id=message_id)
    back_url = f"/conversations/{known['conversation_id']}#m-{known['id']}"
    excerpt = truncate_with_dots(known["text"], EXCERPT_LENGTH)
    about = {"message_id": message_id}
    return _report(request, about=about, subject="this message", message_text=excerpt, back_url=back_url)


@signed_in(*WRITE)
def report_person(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Report a person to the staff."""
    other = find_person(by=request.user, id=user_id)
    return _report(request, about={"user": other}, subject=other.name, message_text="", back_url=f"/people/{other.pk}")


def _report(request: SignedInRequest, *, about: dict[str, Any], **shown: str) -> HttpResponse:
    form = ReportForm(form_data(request), about=about)
    if form.carry_out(by=request.user):
        return redirect("settings_reports")
    return show_form(request, "messaging/report.html", form, inbox=inbox_sidebar(by=request.user), **shown)


@signed_in(*READ)
def my_reports(request: SignedInRequest) -> HttpResponse:
    """Show the person's own reports, and how each was resolved."""
    page = list_reports(by=request.user, cursor=request.GET.get("cursor"))
    reasons, outcomes = dict(Report.Reason.choices), dict(Report.Outcome.choices)
    rows = [
        {**each, "reason_label": reasons[each["reason"]], "outcome_label": outcomes.get(each["outcome"] or "", "")}
        for each in page.items
    ]
    return render(request, "settings/reports.html", {"reports": rows, "next": page.next})
