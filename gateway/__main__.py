"""Lets ``python -m gateway`` be the ``sip-gateway`` command."""

from gateway.cli import main

if __name__ == "__main__":
    main()
