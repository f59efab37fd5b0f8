# arsync: `make help` lists the targets. Needs Python >= 3.11, make and git; uses uv when it is on the PATH.
PYTHON ?= python3
PY := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null)
READY := .venv/.ready
LOG := .venv/install.log
# One worker a core; each has its own databases and simulators.
PYTEST := $(PY) -m pytest -n auto --dist worksteal

# Tests start arsync hundreds of times; without kept bytecode each start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check fast long mutate bench lock errors pages format clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# One line per stage; what the installers say is kept in .venv/install.log and shown only if they fail.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: arsync needs Python 3.11 or newer; $(PYTHON) is older. do: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "env    .venv from requirements/dev.txt, every hash checked (log: $(LOG))"
	@mkdir -p .venv
ifneq ($(UV),)
	@test -x $(PY) || uv venv -q --allow-existing --python "$$(command -v $(PYTHON))" .venv > $(LOG) 2>&1 || { cat $(LOG); exit 1; }
	@{ uv pip install -q --python $(PY) --require-hashes -r requirements/dev.txt \
	  && uv pip install -q --python $(PY) --no-deps --no-build-isolation -e . ; } > $(LOG) 2>&1 || { cat $(LOG); exit 1; }
else
	@test -x $(PY) || $(PYTHON) -m venv .venv > $(LOG) 2>&1 \
	  || { cat $(LOG); echo "do: install the venv module of Python (Debian: apt-get install python3-venv), then: rm -r .venv"; exit 1; }
	@echo "       with pip, which takes about two minutes; uv on the PATH takes seconds"
	@{ $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt \
	  && $(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . ; } > $(LOG) 2>&1 || { cat $(LOG); exit 1; }
endif
	@touch $(READY)

demo: $(READY)  ## the two-minute tour on simulated books; leaves arsync-demo/
	@.venv/bin/arsync demo

test: check  ## check, then all tests but the long ones (under 12 minutes on 2 cores)
	@$(PYTEST) -m "not long"

check: $(READY)  ## style, types and the import law
	@$(PY) -m ruff check --quiet . && echo "style   kept"
	@$(PY) -m ruff format --quiet --check . && echo "format  kept"
	@$(PY) -m mypy --no-error-summary --explicit-package-bases arsync tools && echo "types   kept"
	@.venv/bin/lint-imports --no-logo > .venv/imports.log 2>&1 && echo "imports kept" || { cat .venv/imports.log; exit 1; }

fast: $(READY)  ## the quick tests, in under a minute
	@HYPOTHESIS_PROFILE=fast $(PYTEST) -m "not slow and not long and not corpus" -x

# Each part runs even when one before it failed; the last lines say which did.
LONG := tests mutate bench-big
long: check  ## everything: all kill seeds, both PostgreSQL majors, fuzzing, mutants, a million invoices (an hour)
	@failed=""; for part in $(LONG); do echo "== $$part"; $(MAKE) --no-print-directory long-$$part || failed="$$failed $$part"; done; \
	  if [ -n "$$failed" ]; then echo "long   failed:$$failed"; exit 1; else echo "long   passed: $(LONG)"; fi

.PHONY: long-tests long-mutate long-bench-big
long-tests: $(READY)
	@HYPOTHESIS_PROFILE=long $(PYTEST) --timeout=3600

long-mutate: mutate

long-bench-big: $(READY)
	@$(PY) -m bench --big upsert main_job

mutate: $(READY)  ## change the code that decides money, line by line; the tests must notice (docs/evidence/mutation.md)
	@$(PY) -m tools.mutants

bench: $(READY)  ## figures against the floor, as ratios of one run (BENCH=upsert for one, WRITE=--write keeps them)
	@$(PY) -m bench $(BENCH) $(WRITE)

lock: $(READY)  ## make the locks again from pyproject.toml (UPGRADE=--upgrade for newer versions); needs uv
	@uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes \
	  --no-emit-index-url --no-header -q $(UPGRADE) -o requirements/dev.txt
	@uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	  --no-header -q -c requirements/dev.txt -o requirements/run.txt
	@uv pip compile pyproject.toml --extra peers --python-version 3.11 --universal --generate-hashes \
	  --no-emit-index-url --no-header -q -c requirements/dev.txt -o requirements/peers.txt
	@! grep -n '://' requirements/*.txt

errors: $(READY)  ## write docs/errors.md again from tests/errors/
	@$(PY) -m tools.errors_page

pages: errors  ## write docs/errors.md and docs/cli.md again
	@$(PY) -m tools.cli_page

format: $(READY)  ## put the code in shape
	@$(PY) -m ruff check --quiet --fix-only . ; $(PY) -m ruff format --quiet .

clean:  ## remove what make and the tests left; keeps .venv
	@rm -rf arsync-demo dist build bench/out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache mutants .coverage
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
