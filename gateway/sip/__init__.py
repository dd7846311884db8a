"""The SIP side: an engine process that owns PJSIP, with the gateway's end of it."""
