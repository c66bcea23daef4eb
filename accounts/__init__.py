"""People: their accounts, how they sign in, and their contacts, invitations and blocks."""
