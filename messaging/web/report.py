"""Reporting a message or a person, and what came of it."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.models import User
from accounts.web.base import READ, WRITE, SignedInRequest, sent, show_form, signed_in
from accounts.web.forms import CommandForm, LinesField
from chatproject.core.graphemes import shortened
from conversations.contacts.search import find_person
from messaging.models import Report
from messaging.moderation import reports
from messaging.moderation.my_reports import list_reports
from messaging.sync.history import get_message
from messaging.web.inbox_context import inbox_beside

SHOWN = 500
"""How much of a message the page shows to whoever reports it."""


class ReportForm(CommandForm):
    """Why something is reported, and what else there is to say."""

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
    """Ask the staff to look at a message."""
    known = get_message(by=request.user, message_id=message_id)
    back, said = f"/conversations/{known['conversation_id']}#m-{known['id']}", shortened(known["text"], SHOWN)
    return _report(request, about={"message_id": message_id}, what="this message", said=said, back=back)


@signed_in(*WRITE)
def report_person(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Ask the staff to look at a person."""
    other = find_person(by=request.user, id=user_id)
    return _report(request, about={"user": other}, what=other.name, said="", back=f"/people/{other.pk}")


def _report(request: SignedInRequest, *, about: dict[str, Any], **shown: str) -> HttpResponse:
    form = ReportForm(sent(request), about=about)
    if form.carry_out(by=request.user):
        return redirect("settings_reports")
    return show_form(request, "messaging/report.html", form, inbox=inbox_beside(by=request.user), **shown)


@signed_in(*READ)
def my_reports(request: SignedInRequest) -> HttpResponse:
    """Show what I have reported, and what came of it."""
    page = list_reports(by=request.user, cursor=request.GET.get("cursor"))
    words = {"reasons": dict(Report.Reason.choices), "outcomes": dict(Report.Outcome.choices)}
    rows = [
        {**each, "why": words["reasons"][each["reason"]], "came": words["outcomes"].get(each["outcome"] or "", "")}
        for each in page.items
    ]
    return render(request, "settings/reports.html", {"reports": rows, "next": page.next})
