# lifeboat/orders: the example service. Build from the repository's root:
#   docker build -f images/orders.Dockerfile -t lifeboat/orders:0.1.0 .
# The project's own machines have no Docker: this file has not been built by its tests. The sandbox runs the same program as a process.
FROM node:24-bookworm-slim

WORKDIR /opt/orders
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY examples/orders/ examples/orders/

ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PORT=8080
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["node", "examples/orders/server.ts"]
