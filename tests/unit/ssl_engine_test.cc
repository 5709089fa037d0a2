// ClientEngine against ServerEngine over TLS, cut wherever a network may cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "lib/engine/client_engine.h"
#include "lib/engine/server_engine.h"
#include "lib/security/ssl_layer.h"
#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

const ServerEndpoint kServer = {"localhost", 1080};
const Request kRequest = {Command::kConnect, Address::Name("target.example", 443)};
const Address kBound = Address::Ipv4({192, 0, 2, 1}, 4660);

// Both engines with the octets that are under way.
struct EnginePair {
  Config config;
  ServerPolicy policy;
  std::unique_ptr<ClientEngine> client;
  std::unique_ptr<ServerEngine> server;
  Bytes sent_to_client, sent_to_server;  // since the beginning

  EnginePair() {
    config.methods = policy.methods = {Method::kSsl};
    config.tls_ca = TestPki().ca.file();
    config.user = "alice";
    config.password = Secret("wonderland");
    policy.users = UserDatabase({{"alice", {Secret("wonderland")}}});
  }

  // Until nobody has anything to say, in pieces of at most `portion`.
  void Run(size_t portion = SIZE_MAX) {
    if (policy.ssl_credential == nullptr) {
      const std::string& file = TestPki().server.file();
      auto credential = AcquireSslAcceptorCredential(file, file, {}, config.tls_priority);
      ASSERT_TRUE(credential.ok()) << credential.status().message();
      policy.ssl_credential = *credential;
    }
    client = ClientEngine::New(config, kServer, kRequest);
    server = ServerEngine::New(policy);
    ASSERT_TRUE(client->Prepare().ok()) << client->error().message();
    Bytes to_client;
    for (bool moved = true; moved;) {
      moved = false;
      Bytes octets(client->output().begin(), client->output().end());
      client->ConsumeOutput(octets.size());
      Append(sent_to_server, octets);
      for (ByteView rest = octets; !rest.empty(); moved = true) {
        const size_t count = std::min(portion, rest.size());
        server->Feed(rest.first(count));
        rest = rest.subspan(count);
        if (server->state() == ServerEngine::State::kRequest) {
          server->Answer(Reply::kSucceeded, kBound);
        }
      }
      const Bytes answer = std::exchange(server->output(), {});
      Append(sent_to_client, answer);
      Append(to_client, answer);
      while (!to_client.empty() && client->WantedOctets() != 0) {
        const size_t count = std::min({portion, to_client.size(), client->WantedOctets()});
        client->Feed(ByteView(to_client).first(count));
        to_client.erase(to_client.begin(), to_client.begin() + static_cast<ptrdiff_t>(count));
        moved = true;
      }
    }
  }

  bool Established() const {
    return client->state() == ClientEngine::State::kEstablished &&
           server->state() == ServerEngine::State::kRelaying;
  }
  std::string Errors() const {
    return "client: " + client->error().message() + "; server: " + server->error().message();
  }
};

void ExpectRelays(EnginePair& pair) {
  const auto client = NewCodec(pair.client->TakeLayer());
  for (size_t size : {size_t{1}, size_t{1000}, client->layer().MaxPlaintext()}) {
    Bytes plain(size, 'x'), frame;
    for (size_t i = 0; i < size; i++) plain[i] = static_cast<uint8_t>(i * 7);
    ASSERT_TRUE(client->layer().Seal(plain, &frame).ok());
    EXPECT_LE(frame.size(), 4u + 65535u);
    pair.server->Feed(frame);
    EXPECT_TRUE(pair.server->plaintext() == plain) << pair.server->error().message();
    pair.server->plaintext().clear();
    ASSERT_TRUE(pair.server->SendPlaintext(plain).ok());
    client->Feed(std::exchange(pair.server->output(), {}));
    EXPECT_TRUE(client->plaintext() == plain) << client->error().message();
    client->plaintext().clear();
  }
}

TEST(SslEngineTest, BothVersions) {
  for (const char* priority : {"", kTls12}) {
    EnginePair pair;
    pair.config.tls_priority = priority;
    pair.Run();
    ASSERT_TRUE(pair.Established()) << pair.Errors();
    EXPECT_EQ(pair.client->method(), Method::kSsl);
    EXPECT_EQ(pair.client->bound(), kBound);
    EXPECT_EQ(pair.server->request().destination, kRequest.destination);
    ExpectRelays(pair);
  }
}

TEST(SslEngineTest, EveryPortion) {
  for (size_t portion : {1, 2, 3, 4, 5, 7, 100, 1000}) {
    EnginePair pair;
    pair.config.subauth = pair.policy.subauth = {portion % 2 ? Method::kUserpass : Method::kChap};
    pair.Run(portion);
    ASSERT_TRUE(pair.Established()) << pair.Errors();
    EXPECT_EQ(pair.server->summary().client_principal, "alice");
    ExpectRelays(pair);
  }
}

}  // namespace
}  // namespace socksify
