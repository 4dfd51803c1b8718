# The commands of this repository. `make` alone lists them.

# Tests and demos have their own keys and servers, so the caller's settings are removed.
unexport AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION
unexport AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN
unexport AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
export AWS_CONFIG_FILE = /dev/null
export AWS_SHARED_CREDENTIALS_FILE = /dev/null
export AWS_EC2_METADATA_DISABLED = true
unexport PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSWORD PGSSLMODE PGSSLROOTCERT
unexport PGSERVICE PGSERVICEFILE PGSYSCONFDIR
# Chooses the inputs of property tests. Each run has the same ones, so that a test which passes for one change
# does not fail for the next. `make test-random` has others.
export PROPTEST_RNG_SEED ?= 1

CARGO ?= cargo
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# PLATFORMS says what `make dist` makes packages for: `all`, or names from this list.
ALL_PLATFORMS := linux-x86_64 linux-aarch64 linux-x86_64-musl linux-aarch64-musl
PLATFORM := linux-$(shell uname -m)
PLATFORMS := $(PLATFORM)
override PLATFORMS := $(PLATFORMS:all=$(ALL_PLATFORMS))
$(if $(filter-out $(PLATFORM) $(ALL_PLATFORMS),$(PLATFORMS)),$(error PLATFORMS: accepted: all, $(ALL_PLATFORMS)))
architecture = $(word 2,$(subst -, ,$(1)))
libc = $(or $(word 3,$(subst -, ,$(1))),gnu)
triple = $(call architecture,$(1))-unknown-linux-$(call libc,$(1))
portable = $(CURDIR)/target/$(call triple,$(1))/release
# $(call each,COMMAND) runs a command, which gets a platform and the folder with its libraries, for each platform.
each = $(foreach platform,$(PLATFORMS),$(call $(1),$(platform),$(call portable,$(platform))) &&) :
# $(call unless_here,PLATFORM,TEXT): the names of this machine's own packages in dist/ do not have the platform.
unless_here = $(if $(filter-out $(PLATFORM),$(1)),$(2))
# The Node package and the JAR have other names for a platform.
node_platform = linux-$(subst aarch64,arm64,$(subst x86_64,x64,$(call architecture,$(1))))-$(call libc,$(1))
# $(call npm_packages,FOLDER): what `npm install` needs for this machine's platform.
npm_packages = $(1)/rdsign-$(VERSION).tgz $(1)/rdsign-$(call node_platform,$(PLATFORM))-$(VERSION).tgz
jar_platform = linux/$(call architecture,$(1))/$(subst gnu,glibc,$(call libc,$(1)))
# Archives have this time, so that two builds of a commit are the same.
COMMIT_TIME = $(shell git log -1 --format=%ct)
VENV := target/venv
PYTHON := target/venv-python
SITE := target/venv-site
# tools/lock writes the locks, with the hash of each file that pip may install.
INSTALL_LOCKED := pip install --quiet --disable-pip-version-check --require-hashes -r
MVN := tools/mvn
# Where servers of the JVM's tests keep prepared data folders of PostgreSQL.
LOCAL_CACHE := XDG_CACHE_HOME=$(CURDIR)/target/test-cache
# Cargo chooses the features of shared dependencies for all packages of one call together. Other packages
# in a call mean other features and building the dependencies again, so these are always built together.
# Python's is missing for tests, because maturin builds it alone.
TOGETHER := -p rdsign-cli -p rdsign-local-preload -p rdsign-c -p rdsign-jvm -p rdsign-node
SHIPPED := $(TOGETHER) -p rdsign-python

PREFIX ?= /usr/local
BUILT := $(CURDIR)/target/release
# Not :=, because rustc may be installed later.
PORTABLE = $(call portable,$(PLATFORM))
# rdsign runs on Node 18, but some drivers in its tests do not: the tests use this Node if the system's is
# older than 20.
NODE := node-linux-$(subst aarch64,arm64,$(subst x86_64,x64,$(shell uname -m)))@20.20.2
WITH_NODE := PATH="$(CURDIR)/target/node/runtime/node_modules/$(firstword $(subst @, ,$(NODE)))/bin:$$PATH"
CARGO_DENY := 0.20.2
AUDIT := target/cargo-deny-$(CARGO_DENY)
BENCHES := bench-rust bench-c bench-python bench-node bench-jvm bench-cli bench-logins bench-start bench-proxy
# The builds of PostgreSQL that npm has, besides the system's.
OTHER_POSTGRES := $(CURDIR)/target/postgres/node_modules
# The peers are installed below this folder, each in its own folder.
PEERS := target/bench

PARTS := core oracle credentials cli local proxy c python jvm node bench release soak
# ONLY selects tests of a part: for pytest a file, FILE::TEST or -kEXPRESSION; for cargo a part of a name;
# for JUnit a class or CLASS#TEST; for Node a file. AGAIN is a program that runs them: see test-busy.
ONLY_PYTEST = $(findstring .py,$(ONLY))$(filter -k%,$(ONLY))
ONLY_OTHERS = $(if $(ONLY),$(if $(ONLY_PYTEST),,$(ONLY)))
# $(call cargo_test,ARGUMENTS) and $(call pytest,FOLDER) do nothing if ONLY selects tests of another runner.
cargo_test = $(if $(ONLY_PYTEST),@:,$(if $(AGAIN),$(CARGO) test --locked --no-run $(1) &&) $(AGAIN) $(CARGO) test --locked $(1) $(ONLY))
pytest = $(if $(ONLY_OTHERS),@:,$(AGAIN) $(VENV)/bin/python -m pytest $(call pytest_tests,$(1)))
pytest_tests = $(if $(filter -k%,$(ONLY)),$(1) $(ONLY),$(1)$(ONLY:%=/%))

# What the tests run is built for debugging. `make demo` runs the release.
$(PARTS:%=test-%) test-bundlers test-guides test-proxy-clients test-versions soak: export RDSIGN_BIN = $(CURDIR)/target/debug/rdsign

.PHONY: help demo build test test-busy test-random $(PARTS:%=test-%) test-sanitizers soak fuzz size check check-targets audit install fmt clean
.PHONY: release known-token test-portable version manual dist dist-c dist-python dist-node dist-jvm test-platforms test-reproducible test-guides test-proxy-clients test-versions bench bench-quick $(BENCHES)
.PHONY: docs docs-screenshots

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 28

demo: build ## show a token, a login with it and two refusals, with RDS on this machine
	@tools/install-missing server
	@local-rds/demo.sh

build: ## build the command line, in target/release/
	@tools/install-missing build
	@echo "Building rdsign (the first time takes a few minutes) ..."
	$(CARGO) build --release --locked -p rdsign-cli -p rdsign-local-preload

test: ## run make check and every test-PART, on this machine only; all run even if one fails
	@tools/install-missing build python
	@python3 tests/support/parts.py check $(PARTS:%=test-%)

TIMES ?= 20
# TESTS="credentials:test_cache.py::test_x python:-kfork core:keys jvm:LoaderTest node:lifecycle": a part
# and, after the colon, a value for ONLY. Programs are built before the loops start.
test-busy: ## run TESTS="jvm:LoaderTest core:keys" 20 times next to busy loops; without TESTS, all once
	@tools/install-missing build python
ifdef TESTS
	@python3 tests/support/parts.py --busy $(TIMES) $(TESTS)
else
	@python3 tests/support/busy.py 1 $(MAKE) --no-print-directory test
endif

test-random: ## run the property tests of Rust 20 times (TIMES), each time with other inputs
	@tools/install-missing build
	@for time in $$(seq $(TIMES)); do \
	    export PROPTEST_RNG_SEED=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' '); \
	    echo "$$time of $(TIMES): PROPTEST_RNG_SEED=$$PROPTEST_RNG_SEED"; \
	    $(CARGO) test --locked --quiet -p rdsign $(patsubst core/tests/%.rs,--test %,$(wildcard core/tests/*properties.rs)) && \
	        $(CARGO) test --locked --quiet -p rdsign-fuzz --lib || exit; \
	done

check: ## check formatting, lints and spelling of all languages
	@tools/check

check-targets: ## check that the code compiles for Linux, macOS and Windows, which takes 20 minutes
	@tools/check-targets $(TARGETS)

audit: $(AUDIT)/bin/cargo-deny ## check the crates' licences, duplicates, sources and, with a network, advisories
	$< check bans licenses sources
	@if $< fetch db; then $< check --disable-fetch advisories; else \
	    echo "The advisories were not checked: their database cannot be fetched." >&2; fi

test-core: ## test the signing core: vectors, properties, verify, policies
	@tools/install-missing build
	$(call cargo_test,-p rdsign)

test-oracle: $(VENV)/oracle ## compare tests/vectors.tsv with boto3
	$(VENV)/bin/python tests/oracle/check_vectors.py

test-credentials: $(VENV)/credentials ## test every source of credentials, against moto and a fake AWS
	@tools/install-missing build server strace
	$(call cargo_test,-p rdsign --features chain --lib --test credentials --test events)
	$(CARGO) build --locked $(TOGETHER)
	$(CARGO) build --locked -p rdsign --features chain --example probe --example wiping
	$(call pytest,tests/credentials)

test-cli: $(VENV)/cli ## test the command line, against servers that are each broken in one way
	@tools/install-missing build server
	$(call cargo_test,-p rdsign-cli)
	$(CARGO) build --locked -p rdsign-cli -p rdsign-local-preload
	$(call pytest,tests/cli)

test-local: $(VENV)/e2e ## test RDS on this machine: real logins with psql
	@tools/install-missing build server node
	@tools/other-postgres --one $(OTHER_POSTGRES)
	$(CARGO) build --locked $(TOGETHER)
	$(call cargo_test,-p rdsign-local -p rdsign-local-preload)
	$(CARGO) build --locked -p rdsign --example password
	$(call pytest,tests/e2e)
ifndef ONLY
	[ ! -d $(OTHER_POSTGRES)/pg16 ] || RDSIGN_TEST_POSTGRES=$(OTHER_POSTGRES)/pg16 $(VENV)/bin/python -m pytest \
	    tests/e2e/test_transcripts.py tests/e2e/test_rights.py tests/e2e/test_control.py
endif

test-proxy: $(VENV)/proxy ## test the proxy: real clients, and servers, networks and clients that fail
	@tools/install-missing build server libpq
	$(call cargo_test,-p rdsign-proxy)
	$(CARGO) build --locked -p rdsign-cli -p rdsign-local-preload
	$(call pytest,tests/proxy)

test-proxy-clients: export RDSIGN_PROXY_CLIENTS = 1
test-proxy-clients: $(VENV)/proxy target/node/installed target/soak/jars ## test the proxy with Rails, PHP, Go, Node, JDBC, PgBouncer and much traffic; needs a network, and Go 1.25
	@tools/install-missing build server node jvm proxy-clients
	$(CARGO) build --locked -p rdsign-cli -p rdsign-local-preload
	$(call pytest,tests/proxy/clients)

test-versions: $(VENV)/e2e $(VENV)/proxy ## test RDS on this machine with PostgreSQL 14 to 18; 0.1 GB
	@tools/install-missing build server node
	$(CARGO) build --locked $(TOGETHER)
	@tools/other-postgres $(OTHER_POSTGRES)
	@for version in 14 15 16 17 18; do \
	    echo "PostgreSQL $$version:"; \
	    RDSIGN_TEST_POSTGRES=$(OTHER_POSTGRES)/pg$$version $(VENV)/bin/python -m pytest -q \
	        $(addprefix tests/e2e/test_,transcripts.py refusals.py rights.py control.py replication.py engines.py load.py) tests/proxy/test_cancel.py \
	        || exit; \
	done

test-c: $(VENV)/e2e ## test the C ABI: its header, programs, installed trees; the fuzz targets on stable Rust
	@tools/install-missing build server c
	$(call cargo_test,-p rdsign-c-header)
	$(call cargo_test,-p rdsign-cli -p rdsign-c -p rdsign-fuzz --lib)
	$(CARGO) build --locked $(TOGETHER)
	$(call pytest,bindings-c/tests)

test-sanitizers: $(VENV)/e2e ## test librdsign and C programs with AddressSanitizer in both; needs nightly Rust
	@tools/install-missing build c
	@tools/sanitizers $(VENV)/bin/python

SECONDS ?= 60
fuzz: ## fuzz for SECONDS=60 each target, or TARGETS="verify policy"; needs nightly Rust
	@tools/install-missing build server c
	@tools/fuzz '$(SECONDS)' $(TARGETS)

# The guides of docs/guides/, each group with its own packages, and the examples in other languages.
GUIDES := target/venv-guides
# What does not fit the packages of the other guides has an environment of its own.
GUIDES_APART := airflow superset
test-guides: export RDSIGN_GUIDES = 1
test-guides: $(VENV)/e2e $(GUIDES)/ready $(GUIDES_APART:%=$(GUIDES)-%/ready) installed-node installed-guides-wheel installed-guides-node target/jvm/packed/rdsign.jar ## run every guide of docs/guides/ and print a table, then the examples in Go, Ruby, PHP, Lua, Jest, Vitest and JUnit; needs a network, and Go 1.25
	@tools/install-missing build server c guides
	$(CARGO) build --locked $(TOGETHER)
	@rm -rf target/guides
	@mkdir -p target/guides
ifndef ONLY
	$(VENV)/bin/python -m pytest bindings-c/tests/test_guides.py --junitxml=target/guides/c.xml
	cp -R bindings-node/tests/. target/node/tests
	cd target/node/tests && $(WITH_NODE) RDSIGN_REPOSITORY=$(CURDIR) \
	    node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit \
	    --test-reporter-destination=$(CURDIR)/target/guides/node.xml example.test.mjs
	$(LOCAL_CACHE) $(MVN) -f bindings-jvm/packaging/reactor/pom.xml verify -Dtest='Visits*' \
	    -Dsurefire.failIfNoSpecifiedTests=false -Drdsign.jar=$(CURDIR)/target/jvm/packed/rdsign.jar \
	    -Dtarget=$(CURDIR)/target/guides
	@python3 tests/support/guides.py C=target/guides/c.xml Node=target/guides/node.xml \
	    JVM=target/guides/visits/surefire-reports/TEST-example.VisitsTest.xml
endif
	$(WITH_NODE) $(AGAIN) $(VENV)/bin/python -m pytest -rs $(call pytest_tests,tests/guides)
ifndef ONLY
	@PYTHONPATH=tests/support:tests/guides $(VENV)/bin/python -B tests/guides/table.py
endif

.PHONY: installed-guides-wheel
installed-guides-wheel: $(GUIDES)/ready $(GUIDES_APART:%=$(GUIDES)-%/ready) installed-wheel
	@for venv in $(GUIDES) $(GUIDES_APART:%=$(GUIDES)-%); do \
	    $$venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
	        --force-reinstall $(or $(WHEEL),target/wheels/rdsign-*.whl) || exit; \
	done

.PHONY: installed-guides-node
installed-guides-node: target/node/guides/installed packed-node
	npm --prefix target/node/guides install --offline --no-save --ignore-scripts --silent $(PACKAGES)

$(GUIDES)/ready: tests/guides/python/requirements.lock
	$(INSTALL_IN_VENV)

$(GUIDES)-%/ready: tests/guides/%/requirements.lock
	$(INSTALL_IN_VENV)

define INSTALL_IN_VENV
@tools/install-missing python
@[ -x $(@D)/bin/python ] || python3 -m venv $(@D)
$(@D)/bin/python -m $(INSTALL_LOCKED) $<
@touch $@
endef

# Tests the wheel that WHEEL names, such as one in dist/, or builds one.
test-python: installed-wheel ## test the Python package: a wheel, with real drivers
	RDSIGN_WHEEL=$$(ls $(or $(WHEEL),target/wheels/rdsign-*.whl)) \
	    $(AGAIN) $(PYTHON)/bin/python -m pytest $(call pytest_tests,bindings-python/tests)
ifndef ONLY
	RDSIGN_GUIDES_PYTHON=$(CURDIR)/$(PYTHON)/bin/python \
	    $(PYTHON)/bin/python -m pytest tests/guides/test_python.py::test_psycopg
endif

.PHONY: installed-wheel
installed-wheel: $(PYTHON)/ready
	@tools/install-missing build server
	$(CARGO) build --locked $(TOGETHER)
ifndef WHEEL
	@rm -rf target/wheels
	@mkdir -p target/wheel-command
	strip -o target/wheel-command/rdsign target/debug/rdsign
	strip -o target/wheel-command/librdsign_local_preload.so target/debug/librdsign_local_preload.so
	@bindings-python/packaging/command target/wheel-command
	$(PYTHON)/bin/maturin build --locked --manifest-path bindings-python/Cargo.toml --out target/wheels
endif
	$(PYTHON)/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
	    --force-reinstall $(or $(WHEEL),target/wheels/rdsign-*.whl)

# Tests the JAR that JAR names, such as one in dist/, or packs one.
test-jvm: export RDSIGN_JAR = $(abspath $(or $(JAR),target/jvm/packed/rdsign.jar))
test-jvm: $(VENV)/e2e ## test the JAR: pgjdbc, HikariCP 5 and 7, ScalikeJDBC, several class loaders and JVMs
	@tools/install-missing build server jvm strace
	@# Virtual threads need a newer Java than Debian 12's. Their tests skip without one.
	@ls -d /usr/lib/jvm/*2[1-9]* >/dev/null 2>&1 || \
	    $(VENV)/bin/python -m $(INSTALL_LOCKED) bindings-jvm/tests/requirements.lock || \
	    echo "Virtual threads are not tested: no Java 21 can be installed" >&2
	$(CARGO) build --locked $(TOGETHER)
	@mkdir -p target/jvm/packed target/test-cache
	strip -o target/jvm/packed/librdsign_jvm.so target/debug/librdsign_jvm.so
	OUTPUT=target/jvm/packed/rdsign.jar \
	    bindings-jvm/packaging/pack $(call jar_platform,$(PLATFORM))=target/jvm/packed/librdsign_jvm.so
ifeq ($(ONLY_OTHERS),)
	$(LOCAL_CACHE) $(MVN) -f bindings-jvm/packaging/reactor/pom.xml verify $(if $(ONLY),-Dmaven.test.skip) \
	    -Drdsign.jar=$(RDSIGN_JAR) -Dtarget=$(CURDIR)/target/jvm/example
else
	$(LOCAL_CACHE) $(AGAIN) $(MVN) -f bindings-jvm/pom.xml test-compile -Drdsign.jar=$(RDSIGN_JAR) -Dtest='$(ONLY)' \
	    surefire:test@$(if $(findstring HikariFive,$(ONLY)),hikaricp-5,default-test)
endif
	$(call pytest,bindings-jvm/tests)
ifndef ONLY
	RDSIGN_GUIDES_CLASSPATH='$(CURDIR)/target/jvm/example/batch.jar:$(CURDIR)/target/jvm/example/lib/*' \
	    $(VENV)/bin/python -m pytest $(addprefix tests/guides/test_jvm.py::test_,hikaricp scalikejdbc)
endif

test-bench: $(VENV)/e2e ## test how the benchmarks and the tests count
	@tools/install-missing build
	$(AGAIN) $(VENV)/bin/python -m pytest $(if $(ONLY),$(call pytest_tests,bench/tests),bench/tests tests/support)

test-release: $(VENV)/e2e ## test the release: versions, packages of the command line, workflows
	@tools/install-missing build server release
	$(CARGO) build --locked $(TOGETHER)
	$(CARGO) build --locked $(TOGETHER) --example manual
	$(call pytest,tests/release)

# Tests the packages that TGZ names, such as those in dist/, or packs them.
test-node test-bundlers installed-node installed-guides-node: PACKAGES = $(abspath $(or $(TGZ),$(call npm_packages,target/node/packed)))
test-node: export RDSIGN_TGZ = $(PACKAGES)
test-node: $(VENV)/e2e installed-node ## test the Node package: pg, postgres.js, knex, TypeORM, Sequelize
	cp -R bindings-node/tests/. target/node/tests
	cd target/node/tests && $(WITH_NODE) RDSIGN_REPOSITORY=$(CURDIR) \
	    $(AGAIN) node --test --test-reporter=spec $(if $(ONLY),$(ONLY:%.test.mjs=%).test.mjs,*.test.mjs)
ifndef ONLY
	$(WITH_NODE) RDSIGN_GUIDES_NODE=$(CURDIR)/target/node/tests \
	    $(VENV)/bin/python -m pytest tests/guides/test_node.py -k node-postgres
endif

test-bundlers: target/node/bundlers/installed packed-node ## log in with bundles of webpack, Next.js, rollup, Vite, Bun; 0.6 GB
	cp bindings-node/tests/support.mjs bindings-node/tests/bundlers.test.mjs target/node/bundlers
	npm --prefix target/node/bundlers install --offline --no-save --ignore-scripts --silent $(PACKAGES)
	cd target/node/bundlers && $(WITH_NODE) RDSIGN_REPOSITORY=$(CURDIR) RDSIGN_BUNDLERS=all \
	    $(AGAIN) node --test --test-reporter=spec bundlers.test.mjs

.PHONY: test-bundlers installed-node packed-node
installed-node: target/node/installed packed-node
	npm --prefix target/node/tests install --offline --no-save --ignore-scripts --silent $(PACKAGES)

packed-node:
	@tools/install-missing build server python
	$(CARGO) build --locked $(TOGETHER)
	@mkdir -p target/node/packed
	strip -o target/node/librdsign_node.so target/debug/librdsign_node.so
	@rm -f target/node/packed/*.tgz
	OUT=target/node/packed bindings-node/packaging/pack $(call node_platform,$(PLATFORM))=target/node/librdsign_node.so

# What the clients of the soak need; the parts before it in `make test` have built most of it.
SOAK := $(VENV)/e2e installed-wheel installed-node target/jvm/packed/rdsign.jar target/soak/jars
MINUTES ?= 10
PERCENT ?= 25

test-soak: $(SOAK) ## log in with all clients at once, with faults, forks, freezes and a clock that jumps
	$(AGAIN) $(VENV)/bin/python -m pytest $(call pytest_tests,tests/soak)

soak: $(SOAK) ## the same for MINUTES=10, with PERCENT=25 of faults; RECORD=1 writes to docs/reliability.md
	@PYTHONPATH=tests/support $(VENV)/bin/python -B tests/soak/soak.py \
	    --minutes $(MINUTES) --percent $(PERCENT) $(if $(RECORD),--record)

target/jvm/packed/rdsign.jar: target/debug/librdsign_jvm.so bindings-jvm/pom.xml $(shell find bindings-jvm/src/main -type f)
	@tools/install-missing jvm
	@mkdir -p $(@D)
	strip -o $(@D)/librdsign_jvm.so $<
	OUTPUT=$@ bindings-jvm/packaging/pack $(call jar_platform,$(PLATFORM))=$(@D)/librdsign_jvm.so

target/debug/librdsign_jvm.so: built-together
	@:

.PHONY: built-together
built-together:
	@tools/install-missing build server c
	$(CARGO) build --locked $(TOGETHER)

target/soak/jars: bindings-jvm/pom.xml
	@tools/install-missing jvm
	$(MVN) -q -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$@ \
	    -DincludeArtifactIds=postgresql,HikariCP,slf4j-api,slf4j-nop
	@touch $@

bench: $(VENV)/bench ## measure rdsign and its peers, and write bench/RESULTS.md; BENCHES=bench-proxy: only these rows
	@$(VENV)/bin/python bench/run.py $(if $(filter command line,$(origin BENCHES)),--add) $(BENCHES)

bench-quick: $(VENV)/bench ## the same in three minutes once everything is built; writes no file
	@$(VENV)/bin/python bench/run.py --quick $(BENCHES)

bench-rust: $(VENV)/bench $(PEERS)/measure ## Rust, compared with aws-sigv4, aws-config and bare SHA-256
	@$(CARGO) build --profile bench --locked --quiet -p rdsign-bench
	@target/release/warm $(QUICK)
	@$(VENV)/bin/python bench/first_token.py Rust $(QUICK)

bench-c: portable ## C: librdsign as it is shipped, compared with rdsign in Rust
	@$(CARGO) build --profile bench --locked --quiet -p rdsign-bench
	@RDSIGN_LIBRARY=$(PORTABLE)/librdsign_c.so target/release/c-abi $(QUICK)

bench-python: dist-python $(VENV)/bench $(PEERS)/measure ## Python: the wheel, compared with boto3
	@bench/install $(VENV)/bin/python python dist/rdsign-$(VERSION)-*.whl
	@PYTHONPATH=$(PEERS)/python/rdsign:$(PEERS)/python/boto3 $(VENV)/bin/python bench/warm.py $(QUICK)
	@$(VENV)/bin/python bench/first_token.py Python $(QUICK)
	@$(VENV)/bin/python bench/installed.py python

bench-node: dist-node $(VENV)/bench $(PEERS)/measure ## Node: the package, compared with @aws-sdk/rds-signer and aws-sdk v2
	@bench/install $(VENV)/bin/python node $(abspath $(call npm_packages,dist))
	@node bench/node/warm.mjs $(PEERS)/node $(QUICK)
	@$(VENV)/bin/python bench/first_token.py Node $(QUICK)
	@$(VENV)/bin/python bench/installed.py node

bench-jvm: dist-jvm $(VENV)/bench $(PEERS)/measure ## Java: the JAR, compared with the AWS SDK for Java v2
	@bench/install $(VENV)/bin/python jvm dist/rdsign-$(VERSION).jar
	@mkdir -p $(PEERS)/jvm/classes
	@javac -d $(PEERS)/jvm/classes -cp '$(PEERS)/jvm/rdsign/*:$(PEERS)/jvm/rds/*' bench/jvm/*.java
	@java -cp '$(PEERS)/jvm/classes:$(PEERS)/jvm/rdsign/*:$(PEERS)/jvm/rds/*' Warm $(QUICK)
	@$(VENV)/bin/python bench/first_token.py Java $(QUICK)
	@$(VENV)/bin/python bench/installed.py jvm

bench-cli: portable $(VENV)/bench $(PEERS)/measure ## the command line, compared with the AWS CLI
	@bench/install $(VENV)/bin/python python
	@PATH="$(PORTABLE):$$PATH" $(VENV)/bin/python bench/first_token.py Shell $(QUICK)

bench-logins: portable $(VENV)/bench ## logins per second to RDS on this machine, compared with scram
	@tools/install-missing server
	@PATH="$(PORTABLE):$$PATH" rdsign local -- $(VENV)/bin/python bench/logins.py $(QUICK)

bench-start: portable $(VENV)/bench ## seconds until RDS on this machine is ready, compared with initdb and pg_ctl
	@tools/install-missing server
	@PATH="$(PORTABLE):$$PATH" $(VENV)/bin/python bench/start.py $(QUICK)

bench-proxy: portable $(VENV)/bench ## rdsign proxy: queries, logins, COPY and memory, compared with socat and PgBouncer
	@tools/install-missing server proxy-bench
	@PATH="$(PORTABLE):$$PATH" rdsign local -- $(VENV)/bin/python bench/proxy.py $(QUICK)

size: dist ## compare the size of everything in dist/ with its budget, and check what it needs
	$(CARGO) build --release --locked -p rdsign-c --no-default-features \
	    --target-dir target/without-chain
	@tools/size target/without-chain/release dist

test-platforms: $(VENV)/e2e target/node/installed ## run everything in dist/ on its platform, some with qemu; needs make dist PLATFORMS=all
	@tools/install-missing build server c jvm node platforms
	@[ -e dist/rdsign-$(VERSION)-$(PLATFORM)/bin/rdsign ] || { echo "dist/ has no packages: run make dist PLATFORMS=all" >&2; exit 1; }
	$(WITH_NODE) dist/rdsign-$(VERSION)-$(PLATFORM)/bin/rdsign local -- $(VENV)/bin/python tests/platforms/run.py $(ONLY)

test-reproducible: ## build what is shipped twice, in two folders, and compare the bytes
	@tools/install-missing build
	@tools/reproducible $(call triple,$(PLATFORM)) $(SHIPPED)

install: ## install librdsign, for C; PREFIX, LIBDIR, INCLUDEDIR, DATADIR, DESTDIR: where
	@tools/install-missing build
	$(CARGO) build --release --locked -p rdsign-c
	BUILT='$(BUILT)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	    DATADIR='$(DATADIR)' DESTDIR='$(DESTDIR)' bindings-c/packaging/install

dist: portable dist-c dist-python dist-jvm dist-node manual ## write everything that users install to dist/; PLATFORMS=all: for other machines too
	rm -rf dist/rdsign-*-linux-*/ dist/rdsign-*-linux-*.tar.gz dist/*.deb
	@$(call each,dist_command)
	@tools/sbom dist
	@cli/packaging/finish dist
	@ls -l dist

# $(call dist_command,PLATFORM,BUILT) makes the archive of the command line; the others are alike.
dist_command = cli/packaging/pack $(1) $(2) target/manual dist

# The same man pages and completions are in the packages for all platforms.
manual:
	@tools/install-missing build python
	$(CARGO) build --locked $(TOGETHER) --example manual
	rm -rf target/manual
	target/debug/examples/manual target/manual

dist-c: portable ## librdsign as a tree that can be moved, in dist/c/, and as an archive
	@tools/install-missing python
	rm -rf dist/c dist/c-* dist/librdsign-*
	@$(call each,dist_tree)
c_tree = dist/c$(call unless_here,$(1),-$(1))
dist_tree = BUILT='$(2)' PREFIX= DESTDIR=$(c_tree) bindings-c/packaging/install && \
    SOURCE_DATE_EPOCH=$(COMMIT_TIME) tools/archive $(c_tree) dist/librdsign-$(VERSION)-$(1).tar.gz

dist-python: portable $(PYTHON)/ready ## the wheel and the source of the Python package, in dist/
	rm -f dist/rdsign-*.whl
	@$(PYTHON)/bin/maturin sdist --manifest-path bindings-python/Cargo.toml --out dist
	@$(call each,dist_wheel)
dist_wheel = bindings-python/packaging/wheel $(PYTHON) dist $(call triple,$(1)) $(SHIPPED)

dist-jvm: portable ## the JARs, in dist/
	@tools/install-missing jvm
	OUTPUT=dist/rdsign-$(VERSION).jar bindings-jvm/packaging/pack \
	    $(foreach platform,$(PLATFORMS),$(call jar_platform,$(platform))=$(call portable,$(platform))/librdsign_jvm.so)

dist-node: portable ## the Node packages, in dist/
	@tools/install-missing node
	rm -f dist/rdsign-*.tgz
	OUT=dist bindings-node/packaging/pack \
	    $(foreach platform,$(PLATFORMS),$(call node_platform,$(platform))=$(call portable,$(platform))/librdsign_node.so)

.PHONY: portable
portable: # builds everything that is shipped, also for other systems than this one
	@tools/install-missing build
	@$(call each,build_portable)
build_portable = tools/portable-build $(call triple,$(1)) $(SHIPPED)

# VERSION is the version so far, unless the command line gives the new one.
release: ## set VERSION=0.2.0 everywhere, date the changelog, commit and tag; see RELEASING.md
	@tools/install-missing python
	@tools/release $(if $(filter command line,$(origin VERSION)),'$(VERSION)')

# What the workflows run on each platform.
known-token: ## install the packages FROM=dist or FROM=published into empty folders, and sign the known token
	@tools/known-token $(or $(FROM),dist) $(PACKAGES)

test-portable: ## test what also runs on macOS, Windows and Alpine: the core and the command line
	@tools/install-missing build
	$(CARGO) test --locked -p rdsign -p rdsign-cli

version:
	@echo $(VERSION)

docs: $(SITE)/requirements ## build the site of docs/ in target/site/; a dead link fails
	@tools/install-missing build jvm
	NO_MKDOCS_2_WARNING=true $(SITE)/bin/mkdocs build --quiet --strict
	bindings-jvm/packaging/javadoc target/site/api/java
	rm -rf target/doc
	$(CARGO) doc --locked --quiet --no-deps -p rdsign --features chain
	cp -R target/doc target/site/api/rust
	@echo "Open target/site/index.html."

docs-screenshots: docs $(SITE)/screenshots-requirements ## open the site in Chromium: it renders, and its search finds errors
	@tools/install-missing browser
	$(SITE)/bin/python tools/site/screenshots.py target/site target/site-screenshots

fmt: ## format the code, in all languages
	@tools/check --fix rust python javascript java c

clean: ## remove everything that was built
	$(CARGO) clean
	rm -rf dist

$(PEERS)/measure: bench/measure.c
	@tools/install-missing build
	@mkdir -p $(PEERS)
	@cc -O2 -o $@ $<

# This takes some minutes; with cargo-deny's own release profile, it would take many.
$(AUDIT)/bin/cargo-deny:
	@tools/install-missing build
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
	    $(CARGO) install --locked --root $(AUDIT) cargo-deny@$(CARGO_DENY)

# The folder that the Node package is installed into, with the packages of its tests.
target/node/installed: bindings-node/tests/package-lock.json
	@tools/install-missing node
	@mkdir -p target/node/tests
	cp bindings-node/tests/package.json bindings-node/tests/package-lock.json bindings-node/tests/.npmrc target/node/tests
	npm --prefix target/node/tests ci --ignore-scripts --silent
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
	    npm --prefix target/node/runtime install --no-save --ignore-scripts --silent $(NODE)
	@touch $@

target/node/guides/installed: tests/guides/node/package-lock.json
	@tools/install-missing node
	@mkdir -p target/node/guides
	cp tests/guides/node/package.json tests/guides/node/package-lock.json tests/guides/node/.npmrc target/node/guides
	npm --prefix target/node/guides ci --ignore-scripts --silent
	@touch $@

target/node/bundlers/installed: bindings-node/bundlers/package-lock.json
	@tools/install-missing node
	@mkdir -p target/node/bundlers
	cp bindings-node/bundlers/package.json bindings-node/bundlers/package-lock.json bindings-node/tests/.npmrc target/node/bundlers
	npm --prefix target/node/bundlers ci --ignore-scripts --silent
	@touch $@

# The packages that the Python package is built and tested with; the wheel is installed later.
$(PYTHON)/ready: bindings-python/tests/requirements.lock
	@tools/install-missing python
	@[ -x $(PYTHON)/bin/python ] || python3 -m venv $(PYTHON)
	$(PYTHON)/bin/python -m $(INSTALL_LOCKED) $<
	@touch $@

# What builds the site, and what takes its pictures.
$(SITE)/%: tools/site/%.lock
	@tools/install-missing python
	@[ -x $(SITE)/bin/python ] || python3 -m venv $(SITE)
	$(SITE)/bin/python -m $(INSTALL_LOCKED) $<
	@touch $@

# One virtual environment for all parts. A stamp file says that the packages of a part are installed.
define INSTALL_REQUIREMENTS
@tools/install-missing python
@[ -x $(VENV)/bin/python ] || python3 -m venv $(VENV)
$(VENV)/bin/python -m $(INSTALL_LOCKED) $<
@touch $@
endef
$(VENV)/%: tests/%/requirements.lock
	$(INSTALL_REQUIREMENTS)
$(VENV)/%: %/requirements.lock
	$(INSTALL_REQUIREMENTS)
