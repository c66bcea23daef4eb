"""The contract on groups, to the letter: what a client that knows nothing else may rely on."""

import asyncio
from typing import Any

from accounts.models import User
from conversations.models import Conversation
from tests.conftest import Connect
from tests.doors.conftest import Rest
