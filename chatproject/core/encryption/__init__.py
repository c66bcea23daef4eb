"""Encryption at rest: AES-256-GCM with a subkey per conversation; every text is bound to the row it belongs to.

`sealing` encrypts and decrypts, `ring` knows the keys and which of them encrypts, `digests` recognise content that is
sent again. Every room may import them. `chatproject/keys` decides which key is current.
"""
