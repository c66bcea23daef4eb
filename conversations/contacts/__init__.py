"""Contacts, invitations, blocks, profile changes and account closure: all that can change who may write to whom.

These commands lock conversations and people together, so they may import the other commands of conversations, but not
the other way round. Doors import this room.
"""
