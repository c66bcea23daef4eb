"""Contacts, invitations, blocks, profile changes and account closure: whatever changes who may write to whom.

It locks conversations and people together, so it lives above the other commands of conversations; doors import it.
"""
