// Sessions that go on in another layer, as they would in another process: GnuTLS on one side, our
// own record protection on the other.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

const std::string kCiphers[] = {"AES-256-GCM", "AES-128-GCM",   "CHACHA20-POLY1305", "AES-128-CCM",
                                "AES-256-CCM", "AES-128-CCM-8", "AES-256-CCM-8"};

std::string Priority(const char* version, const std::string& cipher) {
  return std::string(version) + ":-CIPHER-ALL:+" + cipher;
}

void HandOver(Side* side) {
  auto state = side->layer->Export();
  ASSERT_TRUE(state.ok()) << state.status().message();
  auto layer = ImportSecurityLayer(*state);
  ASSERT_TRUE(layer.ok()) << layer.status().message();
  side->layer = std::move(*layer);
}

void TalkBothWays(SslPair& pair) {
  for (size_t size : {1, 100, 16384, 16385, 65000}) {
    ExpectTalks(*pair.client.layer, *pair.server.layer, size);
    ExpectTalks(*pair.server.layer, *pair.client.layer, size);
  }
}

TEST(SslExportTest, EveryCipherOfBothVersions) {
  for (const char* version : {kTls12, kTls13}) {
    for (const std::string& cipher : kCiphers) {
      SCOPED_TRACE(version + cipher);
      if (cipher.starts_with("AES-256-CCM") && version == kTls13) continue;  // it has none
      auto pair = EstablishedSslPair(Priority(version, cipher));
      ASSERT_TRUE(pair->client.established) << pair->Errors();
      ASSERT_NE(pair->client.layer->Summary().mechanism.find(cipher), std::string::npos);
      const size_t most = pair->client.layer->MaxPlaintext();
      TalkBothWays(*pair);
      for (int times = 0; times < 2; times++) {
        for (Side* side : {&pair->client, &pair->server}) {
          HandOver(side);
          TalkBothWays(*pair);
          ExpectTalks(*pair->client.layer, *pair->server.layer, most);
        }
      }
      EXPECT_EQ(pair->client.layer->MaxPlaintext(), most);
    }
  }
}

}  // namespace
}  // namespace socksify
