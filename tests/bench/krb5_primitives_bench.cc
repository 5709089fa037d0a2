// What bounds a Kerberos message: the time that GnuTLS itself takes for AES-256-CBC and HMAC-SHA1
// of as many octets, one call each, with the key in place.
#include <benchmark/benchmark.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "lib/base/bytes.h"

namespace socksify {
namespace {

constexpr uint8_t kKey[32] = {1};

void SetRate(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// With `decrypt`, the other way.
void GnutlsCipher(benchmark::State& state, bool decrypt) {
  Bytes octets(static_cast<size_t>(state.range(0)), 'x');
  Bytes vector(16);
  const gnutls_datum_t key = {const_cast<uint8_t*>(kKey), sizeof kKey};
  const gnutls_datum_t start = {vector.data(), static_cast<unsigned>(vector.size())};
  gnutls_cipher_hd_t cipher;
  if (gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &key, &start) != 0) {
    return state.SkipWithError("no cipher");
  }
  for (auto _ : state) {
    gnutls_cipher_set_iv(cipher, vector.data(), vector.size());
    if (decrypt) {
      gnutls_cipher_decrypt(cipher, octets.data(), octets.size());
    } else {
      gnutls_cipher_encrypt(cipher, octets.data(), octets.size());
    }
  }
  gnutls_cipher_deinit(cipher);
  SetRate(state);
}

void GnutlsHmac(benchmark::State& state) {
  const Bytes octets(static_cast<size_t>(state.range(0)), 'x');
  uint8_t tag[64];
  gnutls_hmac_hd_t hmac;
  if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA1, kKey, sizeof kKey) != 0) {
    return state.SkipWithError("no HMAC");
  }
  for (auto _ : state) {
    gnutls_hmac(hmac, octets.data(), octets.size());
    gnutls_hmac_output(hmac, tag);
  }
  gnutls_hmac_deinit(hmac, nullptr);
  SetRate(state);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"octets"})->Arg(1024)->Arg(16384)->Arg(65536);
}
BENCHMARK_CAPTURE(GnutlsCipher, encrypt, false)->Apply(Sizes);
BENCHMARK_CAPTURE(GnutlsCipher, decrypt, true)->Apply(Sizes);
BENCHMARK(GnutlsHmac)->Apply(Sizes);

}  // namespace
}  // namespace socksify
