"""What people are to each other and show of themselves: profiles, privacy, contacts, blocks, devices, lists.

Everything above `accounts.models` may import it.
"""
