"""Inbound webhooks: what other systems post becomes messages."""
