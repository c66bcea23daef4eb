"""Template tags of messaging. Pages of any app use them; Python code imports nothing from here."""
