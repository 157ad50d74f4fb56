# Two commands are all that is needed: `make demo` shows nix-deploy at work on
# throw-away hosts, `make test` runs every test. Both install what is missing.

SHELL := /bin/bash
CARGO ?= cargo

.PHONY: help demo test check bench bench-deploy bench-rollout bench-fleet bench-issues bench-lint bench-queue fuzz generated clean-hosts

help:
	@echo "make demo         deploy to two throw-away hosts, then a bad change, and see it taken back"
	@echo "make test         run every test, with real hosts, after formatting and lint"
	@echo "make check        formatting, lint, documentation and licences, without hosts"
	@echo "make bench        every benchmark, one after the other"
	@echo "make bench-deploy compare with the bare commands, deploy-rs and nh"
	@echo "make bench-rollout how the time of a deploy grows up to 32 hosts"
	@echo "make bench-fleet  time the questions to the fleet database, in both databases"
	@echo "make bench-queue  how fast builders drain the queue, beside the builds alone"
	@echo "make bench-lint   how fast a configuration is checked, beside deadnix and nix-instantiate"
	@echo "make fuzz         a minute of odd texts for the parser front, every rule and every fix"
	@echo "make bench-issues measure the issue check, the closure diff and the preview"
	@echo "make generated    renew what is generated: completions, the table of rules"
	@echo "make clean-hosts  end all throw-away hosts and remove what they left"

demo:
	@tests/support/install.sh
	@$(CARGO) build --locked
	@demo/run.sh target/debug/nix-deploy

test:
	@tests/support/install.sh test
	@$(CARGO) fmt --check
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	@tests/support/fleet.sh seed
	@$(CARGO) nextest run --locked

check:
	@$(CARGO) fmt --check
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	@$(CARGO) deny --all-features check licenses bans sources

bench: bench-deploy bench-rollout bench-lint bench-issues bench-fleet bench-queue

bench-deploy:
	@tests/support/install.sh
	@$(CARGO) build --release --locked
	@benches/run.sh target/release/nix-deploy

bench-rollout:
	@tests/support/install.sh
	@$(CARGO) build --release --locked
	@HOSTS=32 CASES=growth benches/run.sh target/release/nix-deploy 2

bench-fleet:
	@tests/support/install.sh test
	@$(CARGO) bench --locked --bench fleet

bench-queue:
	@tests/support/install.sh test
	@$(CARGO) build --release --locked
	@benches/queue.sh target/release/nix-deploy

bench-lint:
	@tests/support/install.sh
	@$(CARGO) build --release --locked --examples
	@benches/lint.sh target/release/examples

# Without a sanitizer, so that a stable compiler does.
fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	@mkdir -p fuzz/corpus/lint
	@RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none lint fuzz/corpus/lint tests/fixtures/lint -- \
		-max_total_time=60 -max_len=4096 -timeout=10

bench-issues:
	@tests/support/install.sh
	@$(CARGO) build --release --locked --bins --examples
	@benches/issues.sh target/release
	@benches/preview.sh target/release/nix-deploy

generated:
	@for shell in bash zsh fish elvish powershell; do \
		$(CARGO) run --quiet --locked -- completions $$shell >completions/nix-deploy.$$shell; \
	done
	@GENERATE=1 $(CARGO) test --quiet --locked --lib the_readme_lists_every_rule

clean-hosts:
	@tests/support/fleet.sh down
	@tests/support/fleet.sh gc
