# Every target makes what it needs: on a fresh machine the first one also installs Python's packages.
PYTHON := .venv/bin/python
ENVIRONMENT := .venv/installed-$(shell sha256sum requirements/dev.txt | cut -c1-16)
REQUIREMENTS := agent webhook lab shop dev

# Hundreds of modules, and the tests rewritten by pytest, are compiled once and not in each of its processes.
unexport PYTHONDONTWRITEBYTECODE

# Some of the tests on the cluster, in pytest's words: make system ONLY="undo or restart"
TESTS := $(if $(ONLY),--only "$(ONLY)")

# An existing cluster, named on make's command line only: make system KUBECONFIG=… REGISTRY=…
ifeq ($(origin KUBECONFIG),command line)
$(if $(REGISTRY),,$(error KUBECONFIG=… wants REGISTRY=… beside it))
CLUSTER := --kubeconfig $(abspath $(KUBECONFIG)) --registry $(REGISTRY) $(if $(TAG),--tag $(TAG))
unexport KUBECONFIG
endif

.PHONY: help check system test demo soak elsewhere lab-up lab-down format generate requirements
help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

check: $(ENVIRONMENT) ## format, lint, layers, types and fast tests; seconds, no cluster
	@.ci/check

system: $(ENVIRONMENT) ## the tests on a real Kubernetes node, brought up for them
	@.ci/system "system and not soak" $(CLUSTER) $(TESTS)

test: $(ENVIRONMENT) ## all of it, with more examples and the core's coverage: what continuous integration runs
	@.ci/system "system and not soak" --check $(CLUSTER)

demo: $(ENVIRONMENT) ## watch three releases: one promoted, two rolled back
	@$(PYTHON) -m demo $(CLUSTER)

soak: $(ENVIRONMENT) ## the long tests, and the core's properties with a thousand examples each
	@.ci/system soak $(CLUSTER) $(TESTS)
	@$(PYTHON) -m pytest -q -n 2 -m "not system" --hypothesis-profile thorough tests/delivery

elsewhere: $(ENVIRONMENT) ## some tests and the demo as on somebody else's cluster, images from a registry
	@.ci/elsewhere

lab-up: $(ENVIRONMENT) ## bring the node up and give it the images
	@$(PYTHON) -m lab up
	@$(PYTHON) -m lab images

lab-down: $(ENVIRONMENT) ## remove the node and all it made
	@$(PYTHON) -m lab down

format: $(ENVIRONMENT) ## write every file as ruff wants it
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

requirements: $(ENVIRONMENT) ## pin anew what requirements/*.in name
	@cd requirements && for name in $(REQUIREMENTS); do \
	  echo "requirements/$$name.txt"; \
	  ../.venv/bin/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --output-file $$name.txt $$name.in || exit 1; \
	done

$(ENVIRONMENT): requirements/dev.txt
	@.ci/environment
	@rm -f .venv/installed-*
	@touch $@
