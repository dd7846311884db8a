"""The real SIP engine against a plain-socket peer."""
