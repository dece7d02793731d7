# make report  the reports of the demonstration company      make test   everything that must hold
# make lint    the style of the code                          make bench  ratios and long simulations (tests/bench/RESULTS.md)
# make test-pages  the pages in a real Chromium and on paper (Chromium, npm and Pango are needed)
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
COMPANY ?= data/demo
JOBS ?= 2

.PHONY: install report test test-notebooks test-engines test-pages lint bench notebooks messages clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "funnel_lib needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (try make PYTHON=python3.12)")'
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	touch $@

report: install
	$(RUN)/funnel report $(COMPANY) --output reports --jobs $(JOBS)

test: install
	$(RUN)/python -m pytest --numprocesses $(JOBS)
	$(MAKE) --no-print-directory test-notebooks

# Committed outputs against a fresh run of every notebook.
test-notebooks: install
	$(RUN)/python -m pytest -p tests.notebooks.sockets --nbval notebooks --nbval-current-env --nbval-cell-timeout=300 --outer-limit=3600 --numprocesses $(JOBS) --dist loadfile

# The same measures on Polars and PySpark (Java is needed).
test-engines: install
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test,engines]"
	$(RUN)/python -m pytest -m engines

# The pages in a real Chromium, the PDFs by WeasyPrint; what is missing for it is a failure.
test-pages: install
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test,browser]"
	cd tests/browser && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
	$(RUN)/python -m pytest -m browser tests/browser

lint: install
	$(RUN)/ruff check funnel_lib tests

bench: install
	$(RUN)/python -m tests.bench

# Execute the committed notebooks anew, outputs included.
notebooks: install
	$(RUN)/jupyter nbconvert --to notebook --execute --ExecutePreprocessor.record_timing=False --inplace notebooks/*.ipynb

# Message catalogs: take up new and changed texts, compile; fails while a translation is missing.
messages: install
	$(RUN)/python -m tests.language.catalogs

clean:
	rm -rf $(VENV) reports build .pytest_cache .ruff_cache
