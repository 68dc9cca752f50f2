# Everything sets itself up first: deploy/setup.sh makes .venv and gets what PyPI cannot give.
.DEFAULT_GOAL := help
.PHONY: help demo test check fmt bench chaos screens clean

PYTHON := .venv/bin/python
# many short processes start here; compiling our modules anew in each takes longer than some tests
unexport PYTHONDONTWRITEBYTECODE

help:  ## what can be made
	@grep -E '^[a-z]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 10

demo:  ## set up and run the demonstration clinic (ARGS="--check", "--no-radio", "--data DIR")
	@sh deploy/setup.sh demo
	@.venv/bin/tidings demo $(ARGS)

test: check  ## set up, run every gate and every test
	@.venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

check:  ## ruff, mypy strict, import contracts (the architecture tests run with the others)
	@sh deploy/setup.sh test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

fmt:  ## format, and mend what ruff can mend
	@sh deploy/setup.sh test
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench:  ## one benchmark against its baselines: NAME=ingest|alerts|billing|web|scale
	@sh deploy/setup.sh test
	@$(PYTHON) -m deploy.bench.$(NAME) $(ARGS)

chaos:  ## seeded fault plans: PLANS=100 SEED=1
	@sh deploy/setup.sh test
	@$(PYTHON) -m deploy.chaos --plans $(or $(PLANS),20) --seed $(or $(SEED),1) $(ARGS)

screens:  ## take the pictures of docs/screens anew from a clinic of its own (NAMES="worklist billing")
	@sh deploy/setup.sh test
	@$(PYTHON) -m deploy.screens $(NAMES)

clean:  ## forget the virtual environment and the demo's data
	rm -rf .venv data .cache
