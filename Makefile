# One door for people and CI: every recipe sets up .venv first, from the lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint format docs bench chaos litellm mermaid lock clean
help: ## list the recipes
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m pip install --quiet --target $(VENV)-tool virtualenv && PYTHONPATH=$(VENV)-tool $(PYTHON) -m virtualenv --quiet $(VENV); }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## the main job, offline: run, kill, resume, replay, fork
	@$(BIN)/playhead demo

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n 2

lint: $(STAMP) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## write what is generated of docs/: reference, command line, schemas
	$(BIN)/python tools/make_reference.py
	$(BIN)/python tools/make_cli_docs.py
	$(BIN)/python tools/make_schema.py
	$(BIN)/python tools/make_otlp_table.py

bench: $(STAMP) ## cost per turn, durable steps and trials a second
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.sessions
	$(BIN)/python -m benchmarks.evaluation

chaos: $(STAMP) ## long fault injection: power cuts, failing disks, kills; Ctrl-C shows what was done
	$(BIN)/python -m pytest -m chaos -n 0

litellm: ## tests of the extra `litellm`, in an environment of its own (350 MB, an SDK of its own)
	$(PYTHON) -m venv $(VENV)-litellm
	$(VENV)-litellm/bin/python -m pip install --quiet --editable ".[litellm]" pytest pytest-asyncio pytest-xdist hypothesis
	$(VENV)-litellm/bin/python -m pytest -n 0 tests/llm/test_litellm.py

mermaid: $(STAMP) ## read diagrams with Mermaid's own parser, from npm (180 MB, in a folder of its own)
	npm install --silent --no-audit --no-fund --prefix $(VENV)-mermaid mermaid@11.17.2 jsdom@29.1.1
	PLAYHEAD_MERMAID=$(VENV)-mermaid $(BIN)/python -m pytest -n 0 tests/library/test_mermaid.py

lock: ## pin again what `make` installs
	$(PYTHON) -m pip install --quiet --target $(VENV)-tool uv
	$(VENV)-tool/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra anthropic --extra checks --extra evaluate --extra govern --extra inspect --extra langgraph --extra mcp --extra openai --extra otel --extra otlp --extra presidio --extra record --extra serve --extra templates --group clients --group dev pyproject.toml -o requirements.lock

clean: ## remove what the recipes made
	rm -rf $(VENV) $(VENV)-litellm $(VENV)-mermaid $(VENV)-tool .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
