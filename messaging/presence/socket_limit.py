"""How many sockets one person may have."""

SOCKETS_PER_PERSON = 50
"""On all servers together; the close code `TOO_MANY_SOCKETS` names the number, too."""
