# socksify-gss: any program through an authenticated SOCKS5 server.
#
#   make            everything into build/          make demo       see it work
#   make check      every test                      make bench      every figure
#   make lint       format, tidy, layers, exports, man pages
#   make fuzz       each fuzzer for FUZZ_SECONDS    make install    DESTDIR= PREFIX=/usr/local
#
# Settings: SAN=address,undefined|thread (its own build directory), CXX=clang++-14, V=1 (show commands).

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

BUILD_PACKAGES := g++ make pkg-config libkrb5-dev libgnutls28-dev libuv1-dev libgtest-dev libgmock-dev \
                  libbenchmark-dev
TEST_PACKAGES  := krb5-kdc krb5-admin-server krb5-user python3-gssapi python3-pytest python3-pytest-xdist \
                  python3-cryptography curl wget git openssh-client openssh-server redis-server \
                  redis-tools netcat-openbsd iproute2 mandoc
LINT_PACKAGES  := clang clang-format clang-tidy clang-tools mandoc shellcheck libclang-rt-14-dev

# --- flags ----------------------------------------------------------------------------------------
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMMON   := -std=c++20 $(OPT) $(WARN) $(SANFLAGS) -I. -fPIC -fvisibility=hidden -pthread \
            -DSOCKSIFY_VERSION='"$(VERSION)"' -D_GNU_SOURCE -MMD -MP
LEAN     := -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections
HARDEN   := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong
LDHARDEN := -Wl,-z,relro -Wl,-z,now -Wl,-z,defs -Wl,--as-needed
STATICCXX := -static-libgcc -static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections
GSS_LIBS := $(shell pkg-config --libs krb5-gssapi krb5 2>/dev/null || echo -lgssapi_krb5 -lkrb5 -lk5crypto)
UV_LIBS  := -luv

# --- sources --------------------------------------------------------------------------------------
rooms     = $(patsubst %.cc,$(B)/obj/%.o,$(wildcard $(addsuffix /*.cc,$(1))))
THIN     := $(call rooms,lib/base lib/wire lib/config lib/io)
CORE     := $(call rooms,lib/base lib/wire lib/config lib/security lib/engine)
LIB      := $(call rooms,lib/base lib/wire lib/config lib/security lib/engine lib/io)
SHIM     := $(call rooms,shim)
LAUNCHER := $(call rooms,tools/socksify-gss)
SERVER   := $(call rooms,tools/socksd-gss)
UNIT     := $(call rooms,tests/unit)
BENCH    := $(call rooms,tests/bench)
PROBES   := $(patsubst tests/probes/%.c,$(B)/probes/%,$(wildcard tests/probes/*.c))
PARTS    := $(B)/libsocksify-gss.so $(B)/libsocksify-gss-core.so $(B)/socksify-gss $(B)/socksd-gss

.PHONY: all deps deps-build deps-lint unit-tests check demo bench fuzz lint install uninstall clean
all: $(PARTS)

# --- objects --------------------------------------------------------------------------------------
$(B)/obj/shim/%.o $(B)/obj/lib/%.o $(B)/obj/tools/%.o: COMPILE = $(LEAN) $(HARDEN)
# libc's inline twins of the interposed calls would clash with their definitions.
$(B)/obj/shim/%.o: HARDEN = -U_FORTIFY_SOURCE -fstack-protector-strong -Wno-ignored-attributes -ftls-model=initial-exec -Wno-conversion

$(B)/obj/%.o: %.cc Makefile
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(COMMON) $(COMPILE) -c $< -o $@

# --- products -------------------------------------------------------------------------------------
# The preloaded library: libc alone. The anonymous version node is what makes interposition work.
$(B)/libsocksify-gss.so: $(SHIM) $(THIN) $(B)/exports.map
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) -Wl,--version-script=$(B)/exports.map \
	  -Wl,-soname,libsocksify-gss.so $(SHIM) $(THIN) -ldl -o $@

$(B)/exports.map: shim/calls.def
	@mkdir -p $(@D)
	$(Q)sed -n 's/^CALL\(_CHK\)\?(\(.*\))$$/\2;/p' $< | { echo '{ global:'; cat; echo 'local: *; };'; } > $@

# What the shim loads at the first proxied connect.
$(B)/libsocksify-gss-core.so: $(CORE)
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) $(CORE) $(GSS_LIBS) -o $@

$(B)/socksify-gss: $(LAUNCHER) $(THIN)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(STATICCXX) $(LAUNCHER) $(THIN) -ldl -o $@

$(B)/socksd-gss: $(SERVER) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pie -pthread $(SANFLAGS) $(LDHARDEN) $(SERVER) $(LIB) $(GSS_LIBS) $(UV_LIBS) -ldl -o $@

$(B)/unit-tests: $(UNIT) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pthread $(SANFLAGS) $(UNIT) $(LIB) $(GSS_LIBS) -lgmock -lgtest -lgtest_main -ldl -o $@

$(B)/bench: $(BENCH) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) -pthread $(SANFLAGS) $(BENCH) $(LIB) $(GSS_LIBS) -lbenchmark -ldl -o $@

$(B)/probes/%: tests/probes/%.c $(wildcard tests/probes/*.h)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -pthread $< -o $@

unit-tests: $(B)/unit-tests

clean:
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
