"""The database backend of Django: PostgreSQL with our pool and time limits."""
