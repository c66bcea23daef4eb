"""Conversations, their participants, and groups: membership, roles and permissions."""
