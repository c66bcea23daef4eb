"""The demo: its people, their conversations, and the check that its known password is no risk."""
