# The two commands: `make demo` and `make test`. Each sets up what it needs; the second time takes seconds.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN = .venv/bin/python
# Dozens of processes start in a test run: compiled once, each of them starts a fifth more quickly.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

demo: env assets ## the whole product with demo data and simulated phones (QUIET=1, PORT=8123, YES=1)
	@exec $(RUN) manage.py up --demo

start: env assets ## the product itself: your data, your LiveKit or the one that comes with it
	@exec $(RUN) manage.py up

test: env-dev assets server ## the tests, on real servers and in Chromium (ARGS="-k name")
	@$(PYTHON) -m config.setup.chromium
ifdef ARGS
	@$(RUN) -m pytest $(ARGS)
else
	@$(RUN) -m tests
endif

test-long: env-dev assets server ## what takes minutes each: more real speech, tones in every room, a second host (20 minutes)
	@$(PYTHON) -m config.setup.chromium
	@$(RUN) -m pytest --durations 20 -m long tests/e2e

check: env-dev assets ## formatting, types, architecture, migrations, deployment, templates
	@$(RUN) -m config.setup.check

rehearse: env ## a test call through the running product (ARGS="--json --scenario NAME")
	@exec $(RUN) manage.py rehearse $(ARGS)

bench: env-dev assets ## measures the numbers that we hold; writes build/bench.json (BIG=1: a million transfers)
	@exec $(RUN) -m tests.bench$(if $(BIG),.big) $(ARGS)

soak: env-dev assets ## random transfers with random kills for MINUTES=60; writes build/soak.json (SEED=7 replays)
	@exec $(RUN) -m tests.soak

shots: env-dev assets ## pictures of every page and state into build/shots/ (ARGS="--only wallboard")
	@exec $(RUN) -m tests.shots $(ARGS)

docs: env ## docs/settings.md, from the code that reads the settings
	@$(RUN) -m config.setup.settings_page

env:
	@$(PYTHON) -m config.setup.venv base

env-dev:
	@$(PYTHON) -m config.setup.venv dev

assets:
	@$(PYTHON) -m config.setup.assets

server:
	@$(PYTHON) -m config.launcher.livekit_build

.PHONY: help demo start test test-long check rehearse bench soak shots docs env env-dev assets server
