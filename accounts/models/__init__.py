"""The tables of people: accounts, sessions, contacts and blocks, the audit log.

Every room may import it; it imports nothing of Parley but `chatproject.core` and how names and passwords are compared.
"""

from accounts.models.audit import AuditEntry
from accounts.models.contacts import Block, Contact, ContactInvitation
from accounts.models.sessions import Session
from accounts.models.users import (
    DELETED_ACCOUNT,
    SERVICE_ID,
    FoldedNameField,
    User,
    UserManager,
    username_validators,
)

__all__ = [
    "DELETED_ACCOUNT",
    "SERVICE_ID",
    "AuditEntry",
    "Block",
    "Contact",
    "ContactInvitation",
    "FoldedNameField",
    "Session",
    "User",
    "UserManager",
    "username_validators",
]
