import traceback
def test_x(rest, alice):
    from django.db import connection
    orig = type(connection._connections.default if hasattr(connection,'_connections') else connection)
    from django.db.backends.base.base import BaseDatabaseWrapper as B
    o=B.close
    def c(self,*a,**k):
        traceback.print_stack(limit=12); return o(self,*a,**k)
    B.close=c
    try:
        cl=rest(alice); print(connection.in_atomic_block)
        print(cl.get("/users/me").status_code)
    finally: B.close=o
    assert 0
