// What the benchmarks of the GSS-API method measure: two of our layers, and two bare contexts of
// MIT Kerberos, each pair established in memory. `make bench` gives the realm.
#ifndef TESTS_BENCH_GSS_CONTEXTS_H_
#define TESTS_BENCH_GSS_CONTEXTS_H_

#include <memory>

#include "lib/security/gss_layer.h"
#include "lib/security/gss_support.h"

namespace socksify {

struct LayerPair {
  std::unique_ptr<SecurityLayer> client, server;
};

// Both return false, with the pair unusable, when there is no realm.
bool Establish(LayerPair& pair, ProtectionLevel level);

struct ContextPair {
  GssContext client, server;
};
bool Establish(ContextPair& pair);

}  // namespace socksify

#endif  // TESTS_BENCH_GSS_CONTEXTS_H_
