# The front door.  Meson does the work; this file names what people ask for.
# Every target first installs what is missing (tools/deps, quick when nothing is).

JOBS ?= $(shell nproc)
SECONDS ?= 60
ONCE ?=
BUILD = build/meson
SANITIZE = build/sanitize
THREAD = build/thread
FUZZ = build/fuzz-meson
# Set (as .ci/run does), a warning is an error in the build itself, and lint leaves it to that.
REMIT_WERROR ?=
export REMIT_WERROR
NODE_PATH_FIRST = PATH="$(CURDIR)/build/node:$$PATH"
# The vectors' folder, when it is not beside the source tree.
ifdef REMIT_VECTORS
export REMIT_VECTORS
endif

all: build

# `make run` waits for what it needs alone; every other target has all.
DEPS =
run: DEPS = build stories

# Empty while reading the name of a target: only real work needs the packages.
deps:
	@tools/deps $(DEPS)

$(BUILD)/build.ninja: | deps
	meson setup $(if $(REMIT_WERROR),-Dwerror=true) $(BUILD)

build: deps $(BUILD)/build.ninja
	@ninja -j $(JOBS) -C $(BUILD)
	@tools/link-outputs $(BUILD) build

run: build
	@$(NODE_PATH_FIRST) ONCE="$(ONCE)" tools/run

test: build
	@tools/deps build lint run suite
	@$(NODE_PATH_FIRST) tools/run-tests $(BUILD) --num-processes $(JOBS)

bench: build
	@tools/deps bench
	@$(NODE_PATH_FIRST) tools/run-bench build bench

nightly: build
	@$(NODE_PATH_FIRST) tools/nightly

$(FUZZ)/build.ninja: | deps
	CC=$$(command -v clang-14 || command -v clang) meson setup $(FUZZ) -Dfuzz=true -Dtests=disabled \
	  --buildtype=debug -Doptimization=1 -Db_lundef=false -Db_sanitize=address,undefined

fuzz-build: deps $(FUZZ)/build.ninja
	@ninja -j $(JOBS) -C $(FUZZ)
	@tools/link-outputs $(FUZZ) build

fuzz: fuzz-build
	@tools/run-fuzz --seconds $(SECONDS) build/fuzz

lint: deps
	@tools/lint --jobs $(JOBS)

# Debug information with functions and lines, which is what a report names, and no variables.
LINES = -g1
# Links what the sanitizers add in half the time; where it is not, the compiler's own.
QUICK_LINKER = $(if $(shell command -v ld.gold),CC_LD=gold)

$(SANITIZE)/build.ninja: | deps
	$(QUICK_LINKER) meson setup $(SANITIZE) --buildtype=debug -Doptimization=1 -Db_lundef=false \
	  -Db_sanitize=address,undefined "-Dc_args=-fno-sanitize-recover=all $(LINES)"

$(THREAD)/build.ninja: | deps
	$(QUICK_LINKER) meson setup $(THREAD) --buildtype=debug -Doptimization=1 -Db_lundef=false -Db_sanitize=thread \
	  -Dc_args=$(LINES)

# Every test under ASan and UBSan, then the tests of threads under TSan: of that build only what
# they need is made, by their own run.
sanitize: deps $(SANITIZE)/build.ninja $(THREAD)/build.ninja
	@ninja -j $(JOBS) -C $(SANITIZE)
	@tools/run-sanitized $(SANITIZE) $(THREAD) $(JOBS)

# The loader finds the library by its cache, which only root writes.
install: build
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild
	@PATH="$$PATH:/usr/sbin:/sbin"; if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && \
	  command -v ldconfig >/dev/null; then ldconfig; fi

clean:
	rm -rf build

.PHONY: all deps build run test bench nightly fuzz fuzz-build lint sanitize install clean
