"""The tables of the project itself, which belong to no app: the generation of the database.

Every room above `chatproject.core` may import them; they import `chatproject.core` alone.
"""

from chatproject.models.generation import Generation

__all__ = ["Generation"]
