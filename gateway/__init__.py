"""SIP MESSAGE gateway for MicroSIP."""
