# Gaby. `make run` starts her on a demo company; `make test` proves that she works.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: run test check bench release help web

WEB_SOURCES := $(shell find web/src web/public web/build web/index.html web/vite.config.ts web/package.json web/package-lock.json -type f 2>/dev/null)
MCP := target/mcp-servers
STATIC := target/$(shell uname -m)-unknown-linux-gnu/release

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: web ## Build Gaby and start her on the demo company (ARGS="--listen 127.0.0.1:9000" to change)
	cargo run --quiet --bin gaby -- serve --demo $(ARGS)

test: web $(MCP)/ready ## Install what the tests need, and run them all
	scripts/install-test-tools
	npm --prefix web run --silent check
	cargo build --workspace --all-targets
	GABY_TEST_MCP_DIR=$(CURDIR)/$(MCP) GABY_TEST_MCP_VENV=$(CURDIR)/$(MCP)/venv \
	  scripts/with-postgres cargo nextest run --workspace
	GABY_BIN=$(CURDIR)/target/debug/gaby npm --prefix web run --silent e2e

check: web ## Formatting, lints, licences and bans, types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	scripts/cargo-tool cargo-deny
	cargo deny check bans licenses sources
	npm --prefix web run --silent check

bench: ## Measure ingest, search and investigation beside their peers, on a release build
	scripts/bench

release: web ## One static, stripped binary for Linux in target/dist/, tried in an empty root folder
	scripts/cargo-static build --release --bin gaby
	mkdir -p target/dist
	cp $(STATIC)/gaby target/dist/gaby
	scripts/try-static target/dist/gaby

web: web/dist/index.html

web/node_modules/.package-lock.json: web/package-lock.json
	scripts/install-test-tools
	npm --prefix web ci --no-audit --no-fund --ignore-scripts
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run --silent build

$(MCP)/ready: tests/mcp-servers/package-lock.json tests/mcp-servers/requirements.txt
	scripts/install-test-tools
	mkdir -p $(MCP)
	cp tests/mcp-servers/package.json tests/mcp-servers/package-lock.json $(MCP)/
	npm --prefix $(MCP) ci --no-audit --no-fund --ignore-scripts
	python3 -m venv $(MCP)/venv
	$(MCP)/venv/bin/pip install --quiet --disable-pip-version-check -r tests/mcp-servers/requirements.txt
	@touch $@
