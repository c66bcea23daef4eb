"""The change log of all conversations, and how far each of its followers has come."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func
from django.db.models.functions import Now


class XidField(models.BigIntegerField):  # type: ignore[type-arg]  # the stubs alone are generic
    """The id of a transaction, 64 bits wide (`xid8`): it never comes again in a database."""

    def db_type(self, connection: object) -> str:
        return "xid8"

    def from_db_value(self, value: str | int | None, *_: object) -> int | None:
        return None if value is None else int(value)


class CurrentXid(Func):
    """The id of the transaction that writes the row."""

    template = "pg_current_xact_id()"
    output_field = XidField()


class ChangeLogEntry(models.Model):
    """The versions that one statement gave to conversations; the trigger `log_changes` writes it.

    The three arrays belong together: conversation n went from version `from_versions[n]` to `through_versions[n]`. A
    new conversation comes from 0; a deleted one has no version any more, which is NULL. An entry is visible when its
    transaction has committed, and that may be later than entries with a higher `seq` or `xid`: read the log by
    `conversations.change_log`, not in the order of a column.
    """

    seq = models.BigAutoField(primary_key=True)
    xid = XidField(db_default=CurrentXid(), db_index=True)
    at = models.DateTimeField(db_default=Now())
    conversation_ids = ArrayField(models.UUIDField())
    from_versions = ArrayField(models.BigIntegerField())
    through_versions = ArrayField(models.BigIntegerField(null=True))

    def __str__(self) -> str:
        return str(self.seq)


class FollowerMark(models.Model):
    """How far a follower of the change log has come: it has handled all entries that `mark`, a `pg_snapshot`, sees.

    Without a mark it has to rebuild what it keeps. `origin` is the database and its generation: in another one the
    mark means nothing. While it rebuilds, `rebuilt_conversation` and `rebuilt_version` say how far it has come, in
    the order of the conversations' ids; otherwise they are NULL.
    """

    name = models.CharField(max_length=50, primary_key=True)
    mark = models.TextField(null=True)  # noqa: DJ001 (NULL is a snapshot, too; an empty text is none)
    origin = models.TextField(default="", db_default="")
    rebuilt_conversation = models.UUIDField(null=True)
    rebuilt_version = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="rebuilding_has_both",
                condition=models.Q(rebuilt_conversation__isnull=True, rebuilt_version__isnull=True)
                | models.Q(rebuilt_conversation__isnull=False, rebuilt_version__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
