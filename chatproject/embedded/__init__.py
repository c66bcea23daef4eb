"""PostgreSQL, Redis and S3 out of wheels, for a machine that has none.

`python -m chatproject.embedded` starts them and the application; the tests start them alone. Production names its own
by DATABASE_URL, REDIS_URL and S3_ENDPOINT_URL, and needs nothing of this package.
"""
