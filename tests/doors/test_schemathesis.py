"""The document as others read it: whatever it allows, and much that it forbids, is tried at a server.

Nothing may be answered that the document does not know: no status, no kind, no shape; and never a 500.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as openapi

from accounts.models import User
from conversations.models import Conversation
from tests.messaging.helpers import say
from tests.support.contract import document
from tests.support.server import Server

pytestmark = pytest.mark.long

EXAMPLES = 12
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]
SPARED = {"signOut", "closeAccount", "endOtherSessions", "changePassword"}
"""What would sign out whoever tries the rest."""

schema = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig())


@pytest.fixture
def bearer(server: Server, access, staff: User, alice: User, bob: User, conversation: Conversation) -> dict[str, str]:
    """Somebody with data, who may also do what the staff may."""
    say(bob, conversation, "Hi")
    alice.is_staff = True
    alice.save()
    return {"Authorization": f"Bearer {access(alice)}"}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_server_keeps_to_the_document(case: schemathesis.Case, server: Server, bearer: dict[str, str]) -> None:
    if case.operation.definition.raw["operationId"] not in SPARED:
        case.call_and_validate(base_url=server.url, headers=bearer, checks=CHECKS)
