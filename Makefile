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
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

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
	python3 local/parts.py --aws --anvil --stack -- $(GOTEST) -count=1 -timeout 15m ./...

.PHONY: conformance
conformance: tools ## the tests of store and queue again, against stricter judges (needs Java and Maven)
	python3 local/parts.py --aws --dynamodb --elasticmq -- $(GOTEST) -count=1 -run Conformance ./shared/...

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
