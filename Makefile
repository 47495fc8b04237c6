# Short names for what cargo and cargo xtask do.

PREFIX ?= /usr/local
DESTDIR ?=
share = $(DESTDIR)$(PREFIX)/share
lodger = target/release/lodger

.PHONY: build install lint test demo bench tools

# A fresh machine has no linker; what else is missing, cargo xtask installs.
tools:
	@command -v cc >/dev/null || tests/prepare

build: tools
	cargo build --release --locked --package cli

# Not a dependency: the root that installs may have no cargo.
install:
	@test -x $(lodger) || $(MAKE) build
	install -D -m 755 $(lodger) $(DESTDIR)$(PREFIX)/bin/lodger
	install -d $(share)/man/man1 $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	$(lodger) man $(share)/man/man1
	$(lodger) completion bash >$(share)/bash-completion/completions/lodger
	$(lodger) completion zsh >$(share)/zsh/site-functions/_lodger
	$(lodger) completion fish >$(share)/fish/vendor_completions.d/lodger.fish

lint: tools
	cargo xtask test --tier lint

test: tools
	cargo xtask test

demo: tools
	cargo xtask demo

bench: tools
	cargo xtask bench
