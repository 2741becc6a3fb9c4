# PostgreSQL with token_vault preloaded:
#   docker build --build-arg PG=15 --tag token_vault .
#   docker run --env POSTGRES_PASSWORD=… --volume token_vault_key:/etc/token_vault token_vault
ARG PG=15
ARG RUST=1.95

FROM rust:${RUST}-slim-bookworm AS rust

FROM postgres:${PG}-bookworm AS build
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:$PATH
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
WORKDIR /token_vault
COPY . .
ENV PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
RUN scripts/install-prerequisites.sh && scripts/install.sh && strip "$("$PG_CONFIG" --pkglibdir)/token_vault.so"

FROM postgres:${PG}-bookworm
COPY --from=build /usr/lib/postgresql/$PG_MAJOR/lib/token_vault.so /usr/lib/postgresql/$PG_MAJOR/lib/
COPY --from=build /usr/share/postgresql/$PG_MAJOR/extension/token_vault* /usr/share/postgresql/$PG_MAJOR/extension/
# The master key is no part of the image, nor of the data directory: a volume of its own, or a key command.
RUN install --directory --owner=postgres --group=postgres --mode=0700 /etc/token_vault
VOLUME /etc/token_vault
CMD ["postgres", "-c", "shared_preload_libraries=token_vault", "-c", "token_vault.master_key_file=/etc/token_vault/master.key"]
