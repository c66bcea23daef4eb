"""What people are to each other, written row by row.

Whoever calls these holds the rows of both people locked (see `conversations/rights.py`), so that no two of them
contradict each other.
"""

import secrets
from collections.abc import Iterable
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session as BrowserSession
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Block, Contact, ContactInvitation, Session, User
