// Two of our layers of the SSL method, an initiator and an acceptor, against each other in memory.
#ifndef TESTS_UNIT_SSL_PAIR_H_
#define TESTS_UNIT_SSL_PAIR_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "lib/security/ssl_layer.h"
#include "tests/unit/cut.h"
#include "tests/unit/gss_pair.h"
#include "tests/unit/ssl_pki.h"

namespace socksify {

inline constexpr char kTls12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
inline constexpr char kTls13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

inline const UserDatabase& TestUsers() {
  static const UserDatabase users({{"alice", {Secret("wonderland")}}});
  return users;
}

struct SslPair {
  Side client, server;
  SslInitiatorOptions initiator;
  SslAcceptorOptions acceptor;
  std::string client_ca, server_file = TestPki().server.file();
  Bytes to_server, to_client;  // all of it

  SslPair() {
    initiator.server_host = "localhost";
    initiator.tls_ca = TestPki().ca.file();
    initiator.user = "alice";
    initiator.password = Secret("wonderland");
    acceptor.users = &TestUsers();
  }

  void Make() {
    client.layer = NewSslInitiator(initiator);
    if (acceptor.credential == nullptr) {
      auto credential =
          AcquireSslAcceptorCredential(server_file, server_file, client_ca, initiator.tls_priority);
      ASSERT_TRUE(credential.ok()) << credential.status().message();
      acceptor.credential = *credential;
    }
    server.layer = NewSslAcceptor(acceptor);
  }

  // Until nobody has anything more to say. True when both are established.
  bool Negotiate() {
    Make();
    for (Bytes up = client.Go(); !up.empty();) {
      Append(to_server, up);
      const Bytes down = server.Take(up);
      Append(to_client, down);
      up = down.empty() ? Bytes() : client.Take(down);
    }
    return client.established && server.established;
  }

  std::string Errors() const {
    return "client: " + client.error.message() + "; server: " + server.error.message();
  }
};

inline std::unique_ptr<SslPair> EstablishedSslPair(const std::string& priority = {}) {
  auto pair = std::make_unique<SslPair>();
  pair->initiator.tls_priority = priority;
  EXPECT_TRUE(pair->Negotiate()) << pair->Errors();
  return pair;
}

inline Bytes Pattern(size_t size) {
  Bytes plain(size);
  for (size_t i = 0; i < size; i++) plain[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return plain;
}

// Whole frames of `stream`, opened by `layer`.
inline Result<Bytes> OpenAll(SecurityLayer& layer, Bytes stream) {
  Bytes all;
  for (ByteSpan rest = stream; !rest.empty();) {
    auto size = layer.FrameSize(rest);
    if (!size.ok()) return size.status();
    if (*size == 0 || *size > rest.size()) return {Errc::kTruncated, "no whole frame"};
    auto plain = layer.Open(rest.first(*size));
    if (!plain.ok()) return plain.status();
    Append(all, *plain);
    rest = rest.subspan(*size);
  }
  return all;
}

// The TLS stream in the frames of `stream`, cut into frames of `portion` octets instead.
inline Bytes Reframed(ByteView stream, size_t portion, int state = 3) {
  Bytes tls, framed;
  while (stream.size() >= kFrameHeaderSize) {
    const size_t length = size_t{stream[2]} << 8 | stream[3];
    Append(tls, stream.subspan(kFrameHeaderSize, length));
    stream = stream.subspan(kFrameHeaderSize + length);
  }
  for (ByteView rest = tls; !rest.empty();) {
    const size_t count = std::min(portion, rest.size());
    framed.insert(framed.end(), {1, static_cast<uint8_t>(state)});
    AppendU16(framed, static_cast<uint16_t>(count));
    Append(framed, rest.first(count));
    rest = rest.subspan(count);
  }
  return framed;
}

inline void ExpectTalks(SecurityLayer& from, SecurityLayer& to, size_t size) {
  const Bytes plain = Pattern(size);
  auto opened = OpenAll(to, Sealed(from, plain));
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_TRUE(*opened == plain) << size;
}

}  // namespace socksify

#endif  // TESTS_UNIT_SSL_PAIR_H_
