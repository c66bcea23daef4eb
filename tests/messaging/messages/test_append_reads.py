"""What the append looks at: not the weeks in which the ids of its messages cannot be."""

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from chatproject.core.database import connection_parameters
from chatproject.core.dedicated_connection import SESSION
from conversations.models import Conversation
from messaging.messages.append_sql import parameters, statement
from messaging.retention.partitions import monday, name_of
from tests.messaging.helpers import draft

pytestmark = pytest.mark.usefixtures("committed")

SCANS = """
SELECT relname, idx_scan FROM pg_stat_user_indexes WHERE indexrelname LIKE 'messaging_message\\_2%_pkey'
"""


def scans() -> dict[str, int]:
    """Return how often the primary key of each week was looked into."""
    with psycopg.connect(**connection_parameters()) as own:
        return dict(own.execute(SCANS).fetchall())


def test_a_repeat_is_looked_for_in_the_week_of_its_id_alone(alice: User, conversation: Conversation) -> None:
    before = scans()
    # As the group commit runs it: prepared, with a plan for all parameters.
    with psycopg.connect(**connection_parameters() | {"options": SESSION}, autocommit=True) as own:
        for _ in range(3):
            drafts = [draft(alice, conversation) for _ in range(2)]
            values = parameters(drafts, retention_days=settings.RETENTION_DAYS)
            assert own.execute(statement(drafts), values, prepare=True).fetchall()
    looked_at = {name for name, count in scans().items() if count > before[name]}
    assert looked_at == {name_of(monday(timezone.now()))}
