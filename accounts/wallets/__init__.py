"""Ethereum wallets as a proof of identity: addresses, signatures, Sign-In with Ethereum, nonces.

It knows users and nothing else of Parley; `accounts.auth` and the doors import it.
"""
