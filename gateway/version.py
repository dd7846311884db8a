"""The version of this gateway."""

VERSION = "0.1.0"
