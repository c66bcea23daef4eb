"""The generation of the database."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Generation(models.Model):
    """The one row that counts how often the database was restored; `chatproject.core.generation` reads and raises it.

    A restored backup turns versions back, so versions of two generations cannot be compared.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    number = models.BigIntegerField(default=1, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="one_generation", condition=Q(id=1)),
            models.CheckConstraint(name="generations_begin_at_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"generation {self.number}"
