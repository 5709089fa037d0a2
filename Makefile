# socksify-gss: any program through an authenticated SOCKS5 server.
#
#   make            everything into build/          make demo       see it work
#   make check      every test                      make bench      every figure
#   make lint       format, tidy, layers, exports, man pages
#   make fuzz       each fuzzer for FUZZ_SECONDS    make install    DESTDIR= PREFIX=/usr/local
#
# Settings: SAN=address,undefined|thread (its own build directory), CXX=clang++-14, V=1 (show commands),
# SUITES="unit probes" (some of the tests), STRIP=-s (install without symbols), METHOD=ssl (of the demo).

VERSION  := 0.1.0
PREFIX   ?= /usr/local
SAN      ?=
comma    := ,
B        := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')
PYTHON   := /usr/bin/python3
CXX      ?= g++
CC       ?= gcc
FUZZ_SECONDS ?= 20
SUITES   ?= unit $(if $(SAN),server stress,lint probes integration interop stress)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif

# What each part needs of Debian 12.
BUILD_PACKAGES := g++ make libkrb5-dev libgnutls28-dev libuv1-dev libcrypt-dev
MATRIX_PACKAGES := iproute2 openssl python3-pyftpdlib nginx-light postgresql mosquitto subversion mercurial \
                   rsync lftp aria2 w3m apache2-utils wrk socat ncat telnet iperf3 mosquitto-clients \
                   nodejs openjdk-17-jdk-headless ruby php-cli python3-pip \
                   vsftpd tnftp tftp-hpa dnsmasq-base ngtcp2-client ngtcp2-server gnutls-bin ntpsec-ntpdig libcoap3-bin
TEST_PACKAGES  := libgtest-dev libgmock-dev krb5-kdc krb5-admin-server krb5-user python3-gssapi python3-pytest \
                  python3-cryptography putty-tools \
                  python3-pytest-xdist curl wget git openssh-client openssh-server redis-server redis-tools \
                  netcat-openbsd busybox-static libjemalloc2 libtcmalloc-minimal4 libpython3.11-testsuite mandoc shellcheck \
                  bind9-dnsutils bind9-host python3-dnspython python3-pycares $(MATRIX_PACKAGES)
BENCH_PACKAGES := libbenchmark-dev
LINT_PACKAGES  := clang-format clang-tidy
FUZZ_PACKAGES  := clang libclang-rt-14-dev

# --- flags ----------------------------------------------------------------------------------------
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
# No vptr check: the library is built without RTTI, which that check reads.
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMMON   := -std=c++20 $(OPT) $(WARN) $(SANFLAGS) -I. -fPIC -fvisibility=hidden -pthread \
            -DSOCKSIFY_VERSION='"$(VERSION)"' -D_GNU_SOURCE -MMD -MP
LEAN     := -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections
HARDEN   := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong
LDHARDEN := -Wl,-z,relro -Wl,-z,now -Wl,-z,defs -Wl,--as-needed
STATICCXX := -static-libgcc -static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections
GSS_LIBS := -lgssapi_krb5 -lkrb5 -lk5crypto
UV_LIBS  := -luv
SEC_LIBS := $(GSS_LIBS) -lgnutls -lcrypt
# The client's side hashes no password, so what does is left out, unless a sanitizer holds on to everything.
CLI_LIBS := $(GSS_LIBS) -lgnutls $(if $(SAN),-lcrypt)

# --- sources --------------------------------------------------------------------------------------
rooms     = $(patsubst %.cc,$(B)/obj/%.o,$(wildcard $(addsuffix /*.cc,$(1))))
THIN     := $(call rooms,lib/base lib/wire lib/config lib/io)
CORE     := $(call rooms,lib/base lib/wire lib/config lib/security lib/engine)
LIB      := $(call rooms,lib/base lib/wire lib/config lib/security lib/engine lib/io)
SHIM     := $(addprefix $(B)/obj/shim/,process.o run_environment.o entry_processes.o)
SHIM     += $(filter-out $(SHIM) $(if $(SAN),%/no_exceptions.o),$(call rooms,shim))
LAUNCHER := $(call rooms,tools/socksify-gss)
SERVER   := $(call rooms,tools/socksd-gss tools/loop)
RELAY    := $(call rooms,tools/socksify-gss-relay tools/helper tools/loop)
AGENT    := $(call rooms,tools/socksify-gss-agent tools/helper tools/loop)
UNIT     := $(call rooms,tests/unit)
BENCH    := $(call rooms,tests/bench)
PROBES   := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/probes/*.c))
BENCH_C  := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/bench/*.c))
PARTS    := $(B)/libsocksify-gss.so $(B)/libsocksify-gss-core.so $(B)/socksify-gss $(B)/socksify-gss-relay \
            $(B)/socksify-gss-agent $(B)/socksd-gss

.PHONY: all deps-build deps unit-tests probes check demo bench fuzz lint tidy install uninstall clean always
all: $(PARTS)

# --- packages -------------------------------------------------------------------------------------
SUDO     := $(if $(filter 0,$(shell id -u)),,sudo)
# Installs those of the packages in $(1) that are missing; nothing is asked, and nothing said but their names. The
# servers among them are for the tests to start: meanwhile a policy, if there is none, forbids them to start themselves.
POLICY   := /usr/sbin/policy-rc.d
install_packages = @missing=; for p in $(1); do \
	  dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -q '^installed' || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] || { printf '  APT  %s\n' "$$missing"; [ -e $(POLICY) ] || { trap '$(SUDO) rm -f $(POLICY)' EXIT; \
	  printf '\#!/bin/sh\nexit 101\n' | $(SUDO) install -m755 /dev/stdin $(POLICY); }; $(SUDO) apt-get -qq update && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $$missing \
	  </dev/null >/dev/null; }

deps-build:
	$(call install_packages,$(BUILD_PACKAGES))
deps:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))

# --- objects --------------------------------------------------------------------------------------
$(B)/obj/shim/%.o $(B)/obj/lib/%.o $(B)/obj/tools/%.o: COMPILE = $(LEAN) $(HARDEN)
# Of the core, which is loaded late: libc would allocate its thread-local octets for each thread, and frees them twice
# when another forks at the wrong moment.
$(B)/obj/lib/%.o: private HARDEN += -ftls-model=initial-exec
# libc's inline twins of the interposed calls would clash with their definitions.
$(B)/obj/shim/%.o: private HARDEN = -U_FORTIFY_SOURCE -fstack-protector-strong -Wno-ignored-attributes -ftls-model=initial-exec -Wno-conversion

# A sanitizer looks functions up before it can stand being called.
$(B)/obj/shim/entry_loader.o: COMPILE += $(if $(SAN),-fno-sanitize=all)

# Changes when the flags do, and not with every edit of this file.
$(B)/flags: export FLAGS = $(CXX) $(COMMON) $(LEAN) $(HARDEN)
$(B)/flags: always
	@mkdir -p $(@D); echo "$$FLAGS" | cmp -s - $@ || echo "$$FLAGS" >$@

$(B)/obj/%.o: %.cc $(B)/flags
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(COMMON) $(COMPILE) -c $< -o $@

# --- products -------------------------------------------------------------------------------------
# The preloaded library: libc alone. The anonymous version node is what makes interposition work. Every program that is
# executed maps it, so it is of two segments, not of four, and what runs in every one comes first (SHIM), on few pages.
$(B)/libsocksify-gss.so: $(SHIM) $(THIN) $(B)/exports.map
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared -pthread $(SANFLAGS) $(LDHARDEN) -Wl,-z,noseparate-code $(STATICCXX) -Wl,--version-script=$(B)/exports.map \
	  -Wl,-soname,libsocksify-gss.so $(SHIM) $(THIN) -ldl -o $@

$(B)/exports.map: shim/calls.def
	@mkdir -p $(@D)
	@sed -n 's/^[A-Z_]*(\(.*\))$$/\1;/p' $< | { echo '{ global:'; cat; echo 'local: *; };'; } >$@
$(B)/core.map: $(B)/flags
	@echo '{ global: socksify_core; local: *; };' >$@

# What the shim loads at the first proxied connect.
$(B)/libsocksify-gss-core.so: $(CORE) $(B)/core.map
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) -Wl,--version-script=$(B)/core.map $(CORE) $(CLI_LIBS) -o $@

$(B)/socksify-gss: $(LAUNCHER) $(THIN)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) $(LAUNCHER) $(THIN) -ldl -o $@

# What the shim hands a session to that it cannot follow.
$(B)/socksify-gss-relay: $(RELAY) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) $(RELAY) $(LIB) $(CLI_LIBS) $(UV_LIBS) -ldl -o $@

# What the shim has its UDP associations and BIND listeners from.
$(B)/socksify-gss-agent: $(AGENT) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) $(AGENT) $(LIB) $(CLI_LIBS) $(UV_LIBS) -ldl -o $@

$(B)/socksd-gss: $(SERVER) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(SERVER) $(LIB) $(SEC_LIBS) $(UV_LIBS) -ldl -o $@

$(B)/unit-tests: $(UNIT) $(LIB) $(B)/obj/tools/loop/crew.o | $(B)/libsocksify-gss-core.so
	$(call say,LINK,$@)
	$(Q)$(CXX) -pthread $(SANFLAGS) $(filter %.o,$^) $(SEC_LIBS) $(UV_LIBS) -lgmock -lgtest -lgtest_main -ldl -o $@

$(B)/benchmarks: $(BENCH) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pthread $(SANFLAGS) $(BENCH) $(LIB) $(SEC_LIBS) -lbenchmark_main -lbenchmark -lgtest -ldl -o $@

# Makes the sessions that the tests of the relay hand over.
$(B)/session-maker: $(B)/obj/tests/support/session_maker.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pthread $(SANFLAGS) $^ $(SEC_LIBS) -ldl -o $@

# Small C programs, each of one file.
SANITIZED_PARTS := libsocksify-gss.so libsocksify-gss-core.so socksify-gss-relay socksify-gss-agent
$(B)/probes/% $(B)/bench/% $(B)/stress/stress: COMPILE_C = $(CC) -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -pthread
$(B)/probes/%: tests/probes/%.c $(wildcard tests/probes/*.h)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE_C) $< -o $@

# One program of several files, sanitized as the rest: it is the shim's company in a sanitized process.
$(B)/stress/stress: $(wildcard tests/stress/*.c tests/stress/*.h)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(COMPILE_C) $(SANFLAGS) $(filter %.c,$^) -o $@
# The ordinary launcher with the sanitized parts beside it.
$(addprefix $(B)/stress/,$(SANITIZED_PARTS)): $(B)/stress/%: $(B)/%
	@mkdir -p $(@D)
	$(Q)ln -f $< $@
$(B)/stress/socksify-gss: build/socksify-gss
	@mkdir -p $(@D)
	$(Q)ln -f $< $@

$(B)/bench/%: tests/bench/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE_C) $< -o $@

unit-tests: $(B)/unit-tests
probes: $(PROBES) $(B)/session-maker $(B)/stress/stress

# --- tests ----------------------------------------------------------------------------------------
# Built by a make of their own: only then is everything there that they are built with.
check: deps
	@$(MAKE) SAN= all $(if $(SAN),,probes unit-tests)
	@$(if $(SAN),$(MAKE) $(B)/socksd-gss $(B)/session-maker unit-tests \
	  $(addprefix $(B)/stress/,stress socksify-gss $(SANITIZED_PARTS)))
	$(Q)$(PYTHON) tests/run.py $(B) $(SUITES)

demo: deps
	@$(MAKE) all
	$(Q)SOCKSIFY_BUILD=$(B) $(PYTHON) tests/demo/demo.py $(METHOD)

bench:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES))
	@$(MAKE) all $(B)/benchmarks $(BENCH_C)
	$(Q)SOCKSIFY_BUILD=$(B) $(PYTHON) tests/bench/run.py

# --- fuzz -----------------------------------------------------------------------------------------
# Built by a make of their own, with clang's coverage in every object. A realm, for real contexts.
FUZZERS := $(patsubst tests/fuzz/%.cc,$(B)/fuzz/%,$(wildcard tests/fuzz/*_fuzzer.cc))

fuzz:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(FUZZ_PACKAGES))
	@$(MAKE) CXX=clang++-14 SAN=fuzzer-no-link,address,undefined run-fuzzers

fuzzers: $(FUZZERS)
run-fuzzers: fuzzers
	$(Q)for fuzzer in $(FUZZERS); do mkdir -p $$fuzzer.corpus; echo "== $$fuzzer"; \
	  LSAN_OPTIONS=suppressions=tests/support/lsan.supp:print_suppressions=0 \
	  $(PYTHON) tests/support/realm.py run -- $$fuzzer -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
	    -print_final_stats=1 -timeout=10 -artifact_prefix=$$fuzzer- $$fuzzer.corpus || exit 1; done

.SECONDARY: $(patsubst tests/%.cc,$(B)/obj/tests/%.o,$(wildcard tests/fuzz/*_fuzzer.cc))
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX) -pthread -fsanitize=fuzzer,address,undefined $< $(LIB) $(SEC_LIBS) -ldl -o $@

# --- lint -----------------------------------------------------------------------------------------
CXX_FILES := $(sort $(foreach d,lib shim tools tests,$(wildcard $d/*.cc $d/*.h $d/*/*.cc $d/*/*.h)))
TIDY      := $(patsubst %.cc,$(B)/tidy/%,$(filter lib/%.cc shim/%.cc tools/%.cc,$(CXX_FILES)))

lint:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES))
	@$(MAKE) all
	$(Q)clang-format --dry-run -Werror $(CXX_FILES)
	$(Q)$(PYTHON) tests/run.py $(B) lint
	@$(MAKE) tidy

tidy: $(TIDY)
$(B)/tidy/%: %.cc .clang-tidy $(filter %.h,$(CXX_FILES))
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(filter-out -MMD -MP,$(COMMON)) $(LEAN) 2>/dev/null
	@touch $@

# --- installation ---------------------------------------------------------------------------------
D       = $(DESTDIR)$(PREFIX)
BASH_COMPLETIONS = $(D)/share/bash-completion/completions

install: all
	$(Q)install -d $(D)/bin $(D)/sbin $(D)/lib/socksify-gss $(addprefix $(D)/share/man/man,1 5 8) \
	  $(BASH_COMPLETIONS) $(D)/share/doc/socksify-gss
	$(Q)install $(STRIP) -m755 $(B)/socksify-gss $(D)/bin/
	$(Q)install $(STRIP) -m755 $(B)/socksd-gss $(D)/sbin/
	$(Q)install $(STRIP) -m644 $(B)/libsocksify-gss.so $(B)/libsocksify-gss-core.so $(D)/lib/socksify-gss/
	$(Q)install $(STRIP) -m755 $(B)/socksify-gss-relay $(B)/socksify-gss-agent $(D)/lib/socksify-gss/
	$(Q)for page in man/*; do install -m644 $$page $(D)/share/man/man$${page##*.}/; done
	$(Q)for tool in socksify-gss socksd-gss; do \
	  install -m644 tools/socksify-gss/completion.bash $(BASH_COMPLETIONS)/$$tool; done
	$(Q)install -m644 tools/socksify-gss/example.conf $(D)/share/doc/socksify-gss/

uninstall:
	$(Q)rm -f $(D)/bin/socksify-gss $(D)/sbin/socksd-gss $(BASH_COMPLETIONS)/socksify-gss $(BASH_COMPLETIONS)/socksd-gss \
	  $(foreach page,$(wildcard man/*),$(D)/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	$(Q)rm -rf $(D)/lib/socksify-gss $(D)/share/doc/socksify-gss

clean:
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
