# Two commands on a fresh machine (Python 3.11+, pip, make): `make demo` and `make test`.
PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
# One file to one worker, in the order of tests/conftest.py.
WORKERS = -n 2 --dist loadfile --no-loadscope-reorder

# Each process of the tests would compile all of its code again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test coverage bench lint messages requirements clean

setup: .venv/runtime

.venv/runtime: requirements.txt
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	$(BIN)/python manage.py check  # before the tools for developers join: what runs needs no more
	touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	$(PIP) -r requirements-dev.txt
	touch $@

.venv/bench: requirements-bench.txt .venv/dev
	$(PIP) --no-binary autograd-gamma -r requirements-bench.txt  # which has no wheel
	touch $@

demo: setup
	$(BIN)/python manage.py demo --port $(PORT)

# On Debian as root the browser is installed when missing; elsewhere its tests are skipped, loudly.
.venv/browser: .venv/dev
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	else echo "Chromium is missing: the browser tests will be skipped"; fi
	touch $@

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run

test: lint .venv/browser
	$(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/pytest $(WORKERS)

# The same tests, slower, with the branches that none of them takes.
coverage: .venv/browser
	$(BIN)/pytest $(WORKERS) --cov --cov-report=term

# One table of ratios, each measured in one run; takes some minutes (see README).
bench: .venv/bench
	$(BIN)/python -m tests.benchmarks

# Rewrites the Chinese catalog from the sources, and compiles it; run it after a change of texts.
messages: .venv/dev
	$(BIN)/python -m tests.catalog

# Rewrites the pins; run it after a change of the dependencies in pyproject.toml.
requirements: .venv/dev
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra dev --extra bench pyproject.toml -o requirements-bench.txt

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .coverage
