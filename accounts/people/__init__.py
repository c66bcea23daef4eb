"""Profiles, privacy, contacts, blocks, devices and lists of people.

Every package above `accounts.models` may import it.
"""
