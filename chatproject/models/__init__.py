"""The tables of the project itself, which belong to no app: its generation, its encryption keys, its servers.

Every room above `chatproject.core` may import them; they import `chatproject.core` alone.
"""

from chatproject.models.encryption_key import EncryptionKey, ServerReport
from chatproject.models.generation import Generation

__all__ = ["EncryptionKey", "Generation", "ServerReport"]
