# Debian's Kamailio; its configuration and its users are mounted (compose.yaml).
ARG BASE=docker.io/library/debian:bookworm-slim

# hadolint ignore=DL3006
FROM ${BASE}
# Debian keeps one version a release, with security fixes: a pinned one would vanish.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends kamailio \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 10002 -g 10002 /run/kamailio
USER 10002:10002
EXPOSE 5060/udp 5060/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["kamcmd", "-s", "unixs:/run/kamailio/kamailio_ctl", "core.uptime"]
ENTRYPOINT ["kamailio", "-DD", "-E", "-f", "/etc/kamailio/kamailio.cfg", "-Y", "/run/kamailio"]
