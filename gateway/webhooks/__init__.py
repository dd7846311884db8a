"""Outbound webhooks: events become signed POST requests (Standard Webhooks 1.0.0)."""
