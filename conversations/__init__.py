"""Conversations, participants and groups: who is in, and who may do what."""
