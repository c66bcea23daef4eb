"""The usual stack, to compare with: daphne, one JSON consumer a socket, the ORM in a thread, a group a conversation.

It is written as its documentation teaches it, with what people learn later: connections that last, one hop to the
database for each message, and a layer with so much room that nothing drops. It neither encrypts nor counts versions.
"""
