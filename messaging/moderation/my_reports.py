"""The reports that a person has made."""

from uuid import UUID

from accounts.models import User
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from messaging.models import Report
from messaging.moderation.reports import ReportJSON, report_json


def list_reports(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[ReportJSON]:
    """List the reports that someone has made, the latest first."""
    mine = Report.objects.filter(reporter=by).order_by("-pk")
    if cursor:
        mine = mine.filter(pk__lt=UUID(read_cursor(cursor, salt="reports")))
    found = list(mine[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    next_cursor = write_cursor(str(shown[-1].pk), salt="reports") if more else None
    return Page([report_json(each) for each in shown], next=next_cursor, previous=None, has_more=more)
