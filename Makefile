# One door for each chore. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCKED := pyproject.toml constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo run test check bench docs shots clean

help: ## list what can be done here
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# Each stamp says that its set of packages stands in the environment. uv is used when it happens to be there: it is faster.
$(VENV)/.demo: $(BIN)/python $(LOCKED)
	@$(call install,.[demo])
$(VENV)/.dev: $(BIN)/python $(LOCKED)
	@$(call install,.[dev])
	@touch $(VENV)/.demo
install = echo "Installing $(1) …"; if command -v uv >/dev/null 2>&1; then uv pip install -q --python $(BIN)/python -c constraints.txt -e '$(1)'; else $(BIN)/python -m pip install -q -c constraints.txt -e '$(1)'; fi && touch $@

setup: $(VENV)/.dev ## install everything for work on the code

demo: $(VENV)/.demo ## live one exhibition: pages, worker and a local mail server, no real mail
	@$(BIN)/crm demo $(ARGS)

run: $(VENV)/.demo ## serve with config.toml (web and worker in one process)
	@$(BIN)/crm serve --config config.toml

test: $(VENV)/.dev ## run every test (SQLite, PostgreSQL, SMTP, IMAP; Chromium where it is installed)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q $(ARGS)

check: $(VENV)/.dev ## style, types, directions between rooms
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev ## measure, side by side with the baseline
	@$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.dev ## write the reference pages and the Korean catalogues again
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/countries.py
	@$(BIN)/python -m crm.campaigns.manual
	@$(BIN)/python tools/messages.py

shots: $(VENV)/.dev ## take the screenshots of the documents again
	@$(BIN)/python tools/shots.py

clean: ## remove the environment and the demo's data
	rm -rf $(VENV) var
