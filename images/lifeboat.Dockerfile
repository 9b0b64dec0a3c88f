# lifeboat/lifeboat: what the CronJobs, the guards and the seeds run. Build from the repository's root:
#   docker build -f images/lifeboat.Dockerfile -t lifeboat/lifeboat:0.1.0 .
# The project's own machines have no Docker: this file has not been built by its tests. The sandbox runs the same program, with the same user,
# entry point and clients, as a process (sandbox/node).
FROM node:24-bookworm-slim

# The clients of the databases that it backs up and restores, at the servers' versions; zstd and TLS come with Node.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates mariadb-client mariadb-backup postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/lifeboat
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# Nothing of the sandbox or the tests: no production path may reach them.
COPY model/ model/
COPY stores/ stores/
COPY backup/ backup/
COPY recovery/ recovery/
COPY components/ components/
COPY stacks/ stacks/
COPY scripts/ scripts/
RUN rm -rf scripts/setup scripts/checks scripts/testing scripts/evidence scripts/commands/evidence.ts scripts/commands/history.ts \
        scripts/commands/setup.ts scripts/commands/check.ts scripts/commands/test.ts scripts/commands/sandbox.ts scripts/commands/rehearse.ts scripts/commands/bench.ts \
    && printf '#!/bin/sh\nexec node /opt/lifeboat/scripts/main.ts "$@"\n' > /usr/local/bin/lifeboat && chmod 755 /usr/local/bin/lifeboat

ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001
ENTRYPOINT ["lifeboat"]
