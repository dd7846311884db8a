"""The real engine, as tests/sip has it."""

from tests.sip.conftest import make, received, returned, user_agent

__all__ = ["make", "received", "returned", "user_agent"]
