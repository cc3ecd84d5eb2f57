# Farrier. `make` lists what can be made. A machine needs Go, Python 3 and Node.js; everything else is installed
# under .local, once. `make conformance` needs Java 17 and Maven besides.

SHELL := bash -o pipefail
.DEFAULT_GOAL := help

PYTHON := .local/venv/bin/python
SAM := .local/sam/bin/sam
GOTEST ?= go test

# Static binaries, stripped, the same wherever they are built. What they share is compiled once, beforehand: SAM's
# builders, each on its own, would compile all of it again and again.
BUILD := CGO_ENABLED=0 GOFLAGS='-tags=lambda.norpc -trimpath "-ldflags=-s -w"'

export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

.PHONY: run
run: tools ## the whole product on this machine, with one real payment shown; Ctrl-C stops it
	@$(PYTHON) local/stack.py run $(ARGS)

.PHONY: up
up: tools ## the same in the background; again after a change: builds and deploys anew
	@$(PYTHON) local/stack.py up $(ARGS)

.PHONY: down
down: ## stops what `make up` started
	@python3 local/stack.py down

.PHONY: test
test: tools ## every test, with the real parts that they need
	PYTHONPATH=local $(PYTHON) -m unittest discover -s local/tests -p '*_test.py'
	python3 local/parts.py --aws --anvil --btcd --stack -- $(GOTEST) -count=1 -timeout 15m ./...

.PHONY: sim
sim: tools ## random histories of the whole system with faults: SEED=1 RUNS=200; or every stop of one: SCENARIO=Paid
	@$(PYTHON) local/sim.py $(if $(SEED),--seed "$(SEED)") $(if $(RUNS),--runs "$(RUNS)") $(if $(SCENARIO),--scenario "$(SCENARIO)")

.PHONY: sim-gate
sim-gate: tools ## takes each guard away and sees whether the histories notice: SEED=, RUNS=, SAMPLE= of the guards
	@python3 local/parts.py --aws -- $(PYTHON) local/gate.py $(if $(SEED),--seed "$(SEED)") $(if $(RUNS),--runs "$(RUNS)") $(if $(SAMPLE),--sample "$(SAMPLE)")

.PHONY: fuzz
fuzz: tools ## every fuzz target for a while, one after the other: FOR=30s, PKG=shared/api, TARGET=FuzzBody
	@python3 local/fuzz.py $(if $(FOR),--for "$(FOR)") $(if $(PKG),--package "$(PKG)") $(if $(TARGET),--target "$(TARGET)")

.PHONY: bench
bench: tools ## what watching at scale takes: blocks a second, calls, memory; five runs of each
	python3 local/parts.py --aws -- $(GOTEST) -run - -bench . -benchtime 1x -count 5 -timeout 90m ./shared/watch

.PHONY: bench-webhooks
bench-webhooks: tools ## processor time of a webhook, latency at 200 a second, fairness beside 100 dead and hanging endpoints (needs Java and Maven)
	GOGC=400 python3 local/parts.py --aws --dynamodb -- $(GOTEST) -run - -bench Delivered -benchtime 4000x -count 5 -timeout 90m ./shared/webhook
	GOGC=400 python3 local/parts.py --aws --dynamodb -- $(GOTEST) -run - -bench 'Paced|Fairness' -benchtime 1x -count 5 -timeout 90m ./shared/webhook

.PHONY: schema
schema: tools ## the API, deployed, against its own OpenAPI document: every operation, with both keys
	@python3 local/install.py schema
	python3 local/parts.py --stack -- python3 local/schema.py

.PHONY: conformance
conformance: tools ## the tests of store and queue again, against stricter judges (needs Java and Maven)
	python3 local/parts.py --aws --dynamodb --elasticmq -- $(GOTEST) -count=1 -run Conformance ./shared/...

.PHONY: kills
kills: tools ## the whole stack under load while its processes are killed: SEED=, and MINUTES= or PAYMENTS=
	@$(PYTHON) local/kills.py $(if $(SEED),--seed "$(SEED)") $(if $(MINUTES),--minutes "$(MINUTES)") \
	  $(if $(PAYMENTS),--payments "$(PAYMENTS)")

.PHONY: lint
lint: ## every linter, for Go, for the template and for Python
	@python3 local/install.py lint
	@python3 local/lint.py

.PHONY: cost
cost: tools ## requests, write units and list prices of a callback and a payment; size and start of each function
	@python3 local/parts.py --aws -- $(GOTEST) -count=1 -run TestCost -v ./proof | sed -n 's/^        //p'
	@$(PYTHON) local/starts.py

.PHONY: build
build: sam ## the functions, for the real AWS, into .aws-sam/build
	@$(BUILD) GOOS=linux GOARCH=arm64 go build ./functions/...
	@$(BUILD) $(SAM) build --parallel

.PHONY: invoke
invoke: sam ## one function with one event under `sam local invoke`: FN=receive EVENT=events/receive-….json
	@: $(or $(FN),$(error say the function, as FN=receive)) $(or $(EVENT),$(error say the event, as EVENT=events/receive-….json))
	@python3 local/invoke.py "$(FN)" "$(EVENT)" $(ARGS)

.PHONY: deploy
deploy: build ## onto the real AWS, with the settings that samconfig.toml has for it: ENV=production
	@: $(or $(ENV),$(error say the environment, as ENV=production))
	$(SAM) deploy --config-env "$(ENV)"

.PHONY: tools sam
tools:
	@python3 local/install.py run
sam:
	@python3 local/install.py sam
