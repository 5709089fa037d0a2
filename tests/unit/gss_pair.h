// Two of our layers, an initiator and an acceptor, against each other in memory.
#ifndef TESTS_UNIT_GSS_PAIR_H_
#define TESTS_UNIT_GSS_PAIR_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "lib/security/gss_layer.h"
#include "tests/unit/gss_realm.h"

namespace socksify {

// A layer with the octets that are on their way to it.
struct Side {
  std::unique_ptr<SecurityLayer> layer;
  Bytes input;
  bool established = false;
  Status error;

  // Negotiates as far as `input` goes; returns what is for the peer.
  Bytes Go() {
    Bytes output;
    if (established || !error.ok()) return output;
    size_t consumed = 0;
    auto done = layer->Negotiate(input, &consumed, &output);
    EXPECT_LE(consumed, input.size());
    input.erase(input.begin(), input.begin() + static_cast<ptrdiff_t>(consumed));
    if (!done.ok()) {
      error = done.status();
    } else {
      established = *done;
    }
    return output;
  }

  Bytes Take(ByteView octets) {
    Append(input, octets);
    return Go();
  }
};

// Of a pair, who makes messages without the library: SOCKSIFY_TEST_GSS_FAST_PATH says client,
// server or nobody; both otherwise.
inline bool MayLeaveLibrary(std::string_view side) {
  const char* only = getenv("SOCKSIFY_TEST_GSS_FAST_PATH");
  return only == nullptr || only == side;
}

struct GssPair {
  Side client, server;

  explicit GssPair(GssInitiatorOptions initiator = {}, GssAcceptorOptions acceptor = {}) {
    if (initiator.server_host.empty()) initiator.server_host = kRealmHost;
    if (!MayLeaveLibrary("client")) initiator.fast_path = false;
    if (!MayLeaveLibrary("server")) acceptor.fast_path = false;
    client.layer = NewGssInitiator(std::move(initiator));
    server.layer = NewGssAcceptor(std::move(acceptor));
  }

  // Until nobody has anything more to say. True when both are established.
  bool Negotiate() {
    Bytes to_server = client.Go();
    while (!to_server.empty()) {
      const Bytes to_client = server.Take(to_server);
      to_server = to_client.empty() ? Bytes() : client.Take(to_client);
    }
    return client.established && server.established;
  }

  std::string Errors() const {
    return "client: " + client.error.message() + "; server: " + server.error.message();
  }
};

// An established pair at `level`.
inline std::unique_ptr<GssPair> EstablishedPair(
    ProtectionLevel level = ProtectionLevel::kConfidentiality) {
  GssInitiatorOptions initiator;
  initiator.level = level;
  GssAcceptorOptions acceptor;
  acceptor.levels = {level};
  auto pair = std::make_unique<GssPair>(initiator, acceptor);
  EXPECT_TRUE(pair->Negotiate()) << pair->Errors();
  return pair;
}

inline Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

// One frame of `plain`.
inline Bytes Sealed(SecurityLayer& layer, ByteView plain) {
  Bytes frame;
  Status status = layer.Seal(plain, &frame);
  EXPECT_TRUE(status.ok()) << status.message();
  return frame;
}

// Of the octets that Export() gave.
inline void ExpectNoPartIsImported(ByteView state) {
  for (size_t size = 0; size < state.size(); size++) {
    EXPECT_FALSE(ImportSecurityLayer(state.first(size)).ok()) << size << " of " << state.size();
  }
}

}  // namespace socksify

#endif  // TESTS_UNIT_GSS_PAIR_H_
