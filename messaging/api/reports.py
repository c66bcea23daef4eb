"""The REST door to reports."""

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.people.references import find_user
from chatproject.rest.describe import described
from chatproject.rest.fields import IdField, StrictSerializer, TextField
from chatproject.rest.views import API, envelope, envelope_page, limit_of
from messaging.models import Report
from messaging.moderation import reports
from messaging.moderation.my_reports import list_reports
from messaging.moderation.reports import ReportJSON


class NewReport(StrictSerializer):
    """A report of a message or a person, with its reason."""

    message_id = IdField(required=False)
    user_id = IdField(required=False)
    reason = serializers.ChoiceField(choices=Report.Reason.choices)
    comment = TextField(required=False, allow_blank=True, max_length=reports.COMMENT_LENGTH, default="")

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if ("message_id" in attrs) == ("user_id" in attrs):
            raise serializers.ValidationError({"message_id": "Name either a message or a person."})
        return attrs


class ReportViewSet(API):
    """`/reports`."""

    @described("listReports", ReportJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """The reports that I made, and their outcomes."""
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        return envelope_page(list_reports(by=request.user, limit=limit, cursor=cursor))

    @described("report", ReportJSON, status=201, also=200, body=NewReport, errors="404 422")
    def create(self, request: SignedIn) -> Response:
        """Report a message or a person to the staff; 200 and the open report if I reported it before."""
        data = self.body(request, NewReport)
        why = {"by": request.user, "reason": data["reason"], "comment": data["comment"]}
        if message_id := data.get("message_id"):
            report, is_new = reports.report_message(message_id=message_id, **why)
        else:
            report, is_new = reports.report_person(user=find_user({"id": data["user_id"]}, by=request.user), **why)
        return envelope(reports.report_json(report), 201 if is_new else 200)
