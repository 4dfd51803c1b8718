# RDS on this machine, with PostgreSQL, for programs outside of the container. After make dist:
#   docker build -f cli/packaging/local.Dockerfile --build-arg VERSION=… -t rdsign-local .
#   docker run --rm --name rdsign-local -p 127.0.0.1:5432:5432 rdsign-local
# docs/local-rds.md says how to log in. On arm64, add --build-arg PLATFORM=linux-aarch64.
FROM debian:12-slim
RUN mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf \
    && apt-get update \
    && apt-get install --yes --no-install-recommends postgresql socat \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /rds
ARG VERSION
ARG PLATFORM=linux-x86_64
COPY LICENSE /usr/share/doc/rdsign/
COPY dist/rdsign-${VERSION}-${PLATFORM}/bin/rdsign /usr/local/bin/rdsign
COPY dist/rdsign-${VERSION}-${PLATFORM}/lib/rdsign /usr/local/lib/rdsign
COPY --chmod=755 cli/packaging/local-in-container /usr/local/bin/local-in-container
USER postgres
VOLUME /rds
EXPOSE 5432
ENTRYPOINT ["/usr/local/bin/local-in-container"]
