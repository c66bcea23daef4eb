import logging
from typing import Any

from django.db import migrations, transaction

from accounts.auth.factor_secrets import BOUND, PLACES, bound
from chatproject.core.encryption.errors import MissingKey, Unreadable

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 200


def bind_secrets(apps: Any, schema_editor: Any) -> None:
    """Bind the secrets of second factors to their rows, a few rows a transaction, so that nobody waits for long.

    A row that is bound already stays as it is: this may end anywhere, and be started again. MissingKey, which says what
    to do, if a secret was sealed with a key that is not there: it must not be given up because a key was forgotten.
    """
    factors = apps.get_model("mfa", "Authenticator").objects.filter(type__in=PLACES).order_by("pk")
    last = 0
    while True:
        with transaction.atomic():
            rows = list(factors.filter(pk__gt=last).select_for_update()[:ROWS_AT_ONCE])
            for row in rows:
                bind_row(row)
        if not rows:
            break
        last = rows[-1].pk


def bind_row(row: Any) -> None:
    """Bind the secret of one row, unless it is bound or damaged."""
    place = PLACES[row.type]
    sealed = row.data.get(place, "")
    if sealed.startswith(BOUND):
        return
    try:
        row.data[place] = bound(sealed, purpose=row.type, owner=row.user_id)
    except MissingKey:
        raise
    except Unreadable:
        # It opened for nobody before, and opens for nobody now.
        logger.warning("the secret of second factor %s is damaged and was left as it is", row.pk)
    else:
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("messaging", "0008_names_for_the_staff"),
        ("accounts", "0007_avatars"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(bind_secrets, migrations.RunPython.noop)]
