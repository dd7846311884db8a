"""The real engine, as tests/sip has it."""

from tests.sip.conftest import make, metrics, received, returned, user_agent

__all__ = ["make", "metrics", "received", "returned", "user_agent"]
