#include "tests/bench/gss_contexts.h"

namespace socksify {
namespace {

constexpr char kHost[] = "localhost";

// One side's turn: false when it has failed. `input` is what the other side said last.
bool Turn(SecurityLayer& layer, Bytes& input, Bytes& output, bool& established) {
  size_t consumed = 0;
  auto done = layer.Negotiate(input, &consumed, &output);
  input.clear();
  established = done.ok() && *done;
  return done.ok();
}

}  // namespace

bool Establish(LayerPair& pair, ProtectionLevel level) {
  GssInitiatorOptions initiator;
  initiator.server_host = kHost;
  initiator.level = level;
  GssAcceptorOptions acceptor;
  acceptor.levels = {level};
  pair = {NewGssInitiator(initiator), NewGssAcceptor(acceptor)};
  Bytes to_server, to_client;
  bool client_done = false, server_done = false;
  if (!Turn(*pair.client, to_client, to_server, client_done)) return false;
  while (!to_server.empty()) {
    if (!Turn(*pair.server, to_server, to_client, server_done)) return false;
    if (to_client.empty()) break;
    if (!Turn(*pair.client, to_client, to_server, client_done)) return false;
  }
  return client_done && server_done;
}

bool Establish(ContextPair& pair) {
  OM_uint32 minor;
  GssName target;
  gss_buffer_desc name = GssInput(AsBytes("socks@localhost"));
  if (gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, target.address()) != 0)
    return false;
  GssBuffer request, answer, rest;
  OM_uint32 major = gss_init_sec_context(
      &minor, GSS_C_NO_CREDENTIAL, pair.client.address(), target.get(),
      const_cast<gss_OID>(&kKerberosMechanism),
      GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG |
          GSS_C_CONF_FLAG,
      0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, nullptr, request.get(), nullptr, nullptr);
  if (major != GSS_S_CONTINUE_NEEDED) return false;
  major = gss_accept_sec_context(&minor, pair.server.address(), GSS_C_NO_CREDENTIAL, request.get(),
                                 GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr, answer.get(), nullptr,
                                 nullptr, nullptr);
  if (major != GSS_S_COMPLETE) return false;
  major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, pair.client.address(), target.get(),
                               const_cast<gss_OID>(&kKerberosMechanism), 0, 0,
                               GSS_C_NO_CHANNEL_BINDINGS, answer.get(), nullptr, rest.get(),
                               nullptr, nullptr);
  return major == GSS_S_COMPLETE;
}

}  // namespace socksify
