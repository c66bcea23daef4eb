"""Who someone is: passwords, second factors, confirmations, tokens, tickets and sessions.

The doors of all apps may import it; it knows people and wallets, but no conversation.
"""
