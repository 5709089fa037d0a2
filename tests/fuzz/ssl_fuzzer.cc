// The SSL method: both roles at a peer that says anything in frames; sessions that were handed
// over, from any octets, and with frames changed on their way; CHAP.
#include "lib/security/ssl_layer.h"

#include <gnutls/x509.h>

#include <unistd.h>
#include <cstdio>
#include <string>

#include "lib/security/chap_layer.h"
#include "lib/security/ssl_support.h"
#include "lib/security/ssl_traffic.h"
#include "lib/wire/chap.h"
#include "lib/wire/ssl_options.h"
#include "tests/fuzz/fuzz.h"

namespace socksify {
namespace {

const UserDatabase& Users() {
  static const auto& users = *new UserDatabase({{"a", {Secret("b")}}});
  return users;
}

// A certificate signed by itself, in a file as long as GnuTLS reads it.
std::shared_ptr<const SslAcceptorCredential> NewCredential() {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  FUZZ_CHECK(gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&crt) == 0);
  FUZZ_CHECK(gnutls_x509_privkey_generate(
                 key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
  gnutls_x509_crt_set_version(crt, 3);
  gnutls_x509_crt_set_serial(crt, "\1", 1);
  gnutls_x509_crt_set_activation_time(crt, time(nullptr) - 3600);
  gnutls_x509_crt_set_expiration_time(crt, time(nullptr) + 86400);
  gnutls_x509_crt_set_key(crt, key);
  FUZZ_CHECK(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0);
  GnutlsDatum key_text, text;
  FUZZ_CHECK(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, key_text.get()) == 0);
  FUZZ_CHECK(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, text.get()) == 0);
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
  char name[] = "/tmp/ssl-fuzzer-XXXXXX";
  FILE* file = fdopen(mkstemp(name), "w");
  FUZZ_CHECK(file != nullptr);
  for (const GnutlsDatum* part : {&text, &key_text}) {
    fwrite(part->octets().data(), 1, part->octets().size(), file);
  }
  fclose(file);
  auto credential = AcquireSslAcceptorCredential(name, name, {}, {});
  unlink(name);
  FUZZ_CHECK(credential.ok());
  return *credential;
}

// Feeds what is left to a layer that negotiates; puts it into frames first, if asked to.
void TryNegotiation(SecurityLayer& layer, Dealer& dealer, bool framed) {
  Bytes input, output;
  while (!dealer.empty()) {
    Bytes piece = dealer.Piece(SIZE_MAX);
    if (framed) {
      const uint8_t head[] = {1, 1, 0, static_cast<uint8_t>(piece.size())};
      if (piece.size() < 256) piece.insert(piece.begin(), std::begin(head), std::end(head));
    }
    Append(input, piece);
    size_t consumed = 0;
    auto done = layer.Negotiate(input, &consumed, &output);
    FUZZ_CHECK(consumed <= input.size());
    if (!done.ok() || *done) return;
    FUZZ_CHECK(layer.WantedOctets() != 0);
    input.erase(input.begin(), input.begin() + static_cast<ptrdiff_t>(consumed));
  }
}

// A session of any octets, or of good keys, that gets frames of anything.
void TryImported(Dealer& dealer) {
  Bytes state;
  const uint8_t choices = dealer.Octet();
  if ((choices & 1) != 0) {
    state = dealer.Rest();
  } else {
    TrafficState traffic;
    traffic.suite = {(choices & 2) != 0, GNUTLS_CIPHER_AES_128_GCM, GNUTLS_MAC_SHA256};
    const Secret secret(std::string(32, 's'));
    for (TrafficKeys* keys : {&traffic.read, &traffic.write}) {
      *keys = KeysOfSecret(traffic.suite, secret);
      if (!traffic.suite.tls13) keys->iv = Secret("salt"), keys->secret = Secret();
    }
    state = {2, 0, 0, 0, 0, 0};
    AppendTrafficState(traffic, &state);
  }
  auto layer = ImportSecurityLayer(state);
  if ((choices & 1) == 0) FUZZ_CHECK(layer.ok());
  if (!layer.ok()) return;
  // Both directions have the same keys: it opens what it has sealed, and what is made so.
  TrafficCipher peer;
  Cursor in(ByteView(state).subspan(6));
  if ((choices & 1) == 0) {
    auto traffic = ReadTrafficState(&in);
    FUZZ_CHECK(traffic.ok() && peer.Set(traffic->suite, traffic->write).ok());
  }
  while (!dealer.empty()) {
    const uint8_t how = dealer.Octet();
    Bytes data = dealer.Piece(SIZE_MAX), frame = {1, 3, 0, 0};
    if ((how & 1) != 0 && (choices & 1) == 0) {
      Bytes record;
      FUZZ_CHECK(peer.SealRecord(static_cast<uint8_t>(20 + (how >> 1 & 7)), data, &record).ok());
      data = record;
    }
    Append(frame, data);
    frame[2] = static_cast<uint8_t>(data.size() >> 8);
    frame[3] = static_cast<uint8_t>(data.size());
    auto plain = (*layer)->Open(frame);
    if (!plain.ok()) return;
    Bytes sealed;
    if ((*layer)->Seal(Bytes{'x'}, &sealed).ok()) FUZZ_CHECK(sealed.size() > 5);
  }
}

void TryMessages(Dealer& dealer) {
  const Bytes octets = dealer.Rest();
  auto chap = ParseChapMessage(octets);
  if (chap.ok()) FUZZ_CHECK(chap->complete() ? chap->size <= octets.size() : chap->missing != 0);
  if (chap.ok() && chap->complete()) {
    Bytes again;
    FUZZ_CHECK(AppendChapMessage(again, chap->message).ok());
    FUZZ_CHECK(std::ranges::equal(again, ByteView(octets).first(chap->size)));
  }
  auto options = ParseSslOptions(octets);
  FUZZ_CHECK(options.ok() && options->size <= octets.size());
}

}  // namespace
}  // namespace socksify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t count) {
  using namespace socksify;
  static const auto& credential = *new std::shared_ptr(NewCredential());
  Dealer dealer(octets, count);
  const uint8_t choices = dealer.Octet();
  const bool framed = (choices & 0x80) != 0;
  switch (choices % 6) {
    case 0:
      TryNegotiation(*NewSslAcceptor({.credential = credential, .users = &Users()}), dealer,
                     framed);
      break;
    case 1:
      TryNegotiation(*NewSslInitiator({.server_host = "localhost"}), dealer, framed);
      break;
    case 2:
      TryNegotiation(*NewChapAcceptor(Users()), dealer, false);
      break;
    case 3:
      TryNegotiation(*NewChapInitiator("a", Secret("b"), framed), dealer, false);
      break;
    case 4:
      TryMessages(dealer);
      break;
    default:
      TryImported(dealer);
  }
  return 0;
}
