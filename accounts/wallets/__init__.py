"""Ethereum wallets as a proof of identity: addresses, signatures, Sign-In with Ethereum, nonces.

It imports users and nothing else of Parley; `accounts.auth`, the API and the pages import it.
"""
