# lifeboat/lifeboat: what the CronJobs, the guards, the archives and the seeds run. Build from the repository's root:
#   docker build -f images/lifeboat.Dockerfile -t lifeboat/lifeboat:0.1.0 .
# The project's own machines have no Docker: this file has not been built by its tests. The sandbox runs the same program, with the same user,
# entry point and programs, as a process (sandbox/node).
FROM node:24-bookworm-slim

# What copies servers, starts them again from copies, and replays their logs: the servers themselves, at the versions of the images that they are copied from (Debian 12 has MariaDB 10.11 and
# PostgreSQL 15). A database keeps the name of its locale, and a server without that locale does not open it: the common ones are made. No cluster and no data directory is set up here.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-common locales \
    && sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
    && apt-get install --yes --no-install-recommends ca-certificates mariadb-server mariadb-client mariadb-backup \
        postgresql-15 postgresql-client-15 zstd tar \
    && for each in en_US en_GB de_DE fr_FR es_ES it_IT nl_NL pl_PL pt_BR ru_RU ja_JP ko_KR zh_CN; do echo "$each.UTF-8 UTF-8"; done > /etc/locale.gen \
    && locale-gen \
    && rm -rf /var/lib/apt/lists/* /var/lib/mysql /var/lib/postgresql/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin lifeboat

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

ENV PATH=/usr/lib/postgresql/15/bin:$PATH
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001
ENTRYPOINT ["lifeboat"]
