# Everything a developer runs. PG=17 chooses the server by its major version (it is built if there is no package of it),
# PG_CONFIG=/path/to/pg_config any other one. The default is Debian's.
# The work is done by the scripts named here; each checks quickly what is already there.

export PG_CONFIG PG
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help prerequisites install uninstall package package-test demo cluster stop test test-all test-long test-drivers lint fuzz bench

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

prerequisites:
	@scripts/install-prerequisites.sh

demo: install ## the main job as a checked transcript, on a throwaway cluster with an OAuth provider beside it
	@scripts/tool.sh demo

cluster: ## start a throwaway cluster and leave it running; use as: eval "$(make cluster)"
	@$(MAKE) install >&2
	@scripts/tool.sh cluster start

stop: ## end the cluster of `make cluster`
	@scripts/tool.sh cluster stop

test: ## all tests
	@scripts/install-prerequisites.sh --tests
	@scripts/test.sh

test-all: ## all tests with every supported server (15, 17, 18), then pg_upgrade through all of them
	@scripts/test-all.sh

test-long: install ## 500 kills of a server that refreshes, 100,000 random statements: most of an hour (TOKEN_VAULT_KILLS=N)
	@scripts/test-long.sh

test-drivers: ## the same scenario from Python, Node.js, Java, Go and Rust, through ORMs and pgbouncer
	@scripts/install-prerequisites.sh --drivers
	@$(MAKE) install
	@scripts/test-drivers.sh

lint: ## rustfmt, clippy, pgspot (install script) and cargo-deny (dependencies); warnings are errors
	@scripts/install-prerequisites.sh --lint
	@scripts/lint.sh

fuzz: ## fuzz the parsers of envelopes, key files and statements, a minute each
	@scripts/fuzz.sh

bench: ## the vault beside a plain table, pgcrypto and Redis, and at full speed, as ratios; figures and plots go to docs/bench
	@scripts/install-prerequisites.sh --bench
	@$(MAKE) install
	@cargo run --quiet --release -p token_vault_core --example envelope_ratio
	@scripts/tool.sh bench --output docs/bench $(BENCH)

install: prerequisites ## build the release library and install it into the server of PG_CONFIG
	@scripts/install.sh

package: ## a Debian package of the release build, for Debian's server of that version (PG=15)
	@scripts/package.sh

package-test: package ## install the Debian package into a minimal Debian without Rust, use it, remove it (as root or with sudo)
	@tests/package/run.sh

uninstall: ## remove the extension's files from the server of PG_CONFIG
	@scripts/uninstall.sh
