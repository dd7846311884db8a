"""The benchmark: the gateway's speed, beside a rival's where there is one."""
