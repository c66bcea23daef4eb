"""Door: the reads that most calls are, answered on the event loop, past Django and the view sets.

A page of history, or a message, takes one prepared statement, which also checks the session, and the JSON of a message
that has not changed is kept. Whatever is not plain is left to the view set: another method, a cookie, an unknown
parameter, a session that has ended, a refusal. Headers are those that Django's own answer to such a request had, so
nothing about them is written twice; `tests/messaging/fast_reads` compares both ways. The assembly puts it before
Django.
"""
