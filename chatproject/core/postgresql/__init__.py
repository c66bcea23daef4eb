"""Django's database backend for PostgreSQL, with time limits for transactions."""
