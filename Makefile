# Short names for what cargo and cargo xtask do.

PREFIX ?= /usr/local
DESTDIR ?=
share = $(DESTDIR)$(PREFIX)/share
lodger = target/release/lodger

.PHONY: build install lint test demo bench

build:
	cargo build --release --locked --package cli

install: build
	install -D -m 755 $(lodger) $(DESTDIR)$(PREFIX)/bin/lodger
	install -d $(share)/man/man1 $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	$(lodger) man $(share)/man/man1
	$(lodger) completion bash >$(share)/bash-completion/completions/lodger
	$(lodger) completion zsh >$(share)/zsh/site-functions/_lodger
	$(lodger) completion fish >$(share)/fish/vendor_completions.d/lodger.fish

lint:
	cargo xtask test --tier lint

test:
	cargo xtask test

demo:
	cargo xtask demo

bench:
	cargo xtask bench
