"""People: who they are, how they sign in, and what they are to each other."""
