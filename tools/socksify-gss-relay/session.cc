#include "tools/socksify-gss-relay/session.h"

#include <utility>

#include "lib/io/session_state.h"
#include "lib/security/security_layer.h"

namespace socksify {
namespace {

StreamPtr OpenStream(uv_loop_t* loop, UniqueFd* fd) {
  StreamPtr stream = Stream::Open(loop, fd->get());
  if (stream != nullptr) (void)fd->Release();
  return stream;
}

}  // namespace

std::unique_ptr<Session> Session::New(uv_loop_t* loop, SessionHost* host, Handover handover) {
  Prepare(handover.server.get());
  Prepare(handover.plain.get());
  Bytes octets = ReadAll(handover.state.get());
  auto state = DecodeSessionState(octets);
  Wipe(octets);
  if (!state.ok()) return nullptr;
  auto layer = ImportSecurityLayer(state->layer);
  Wipe(state->layer);
  if (!layer.ok()) return nullptr;
  StreamPtr server = OpenStream(loop, &handover.server);
  StreamPtr plain = OpenStream(loop, &handover.plain);
  if (server == nullptr || plain == nullptr) return nullptr;

  auto codec = NewCodec(std::move(*layer));
  codec->output() = std::move(state->unsent);
  codec->plaintext() = std::move(state->plaintext);
  codec->Feed(state->received);
  std::unique_ptr<Session> session(
      new Session(loop, host, std::move(codec), std::move(server), std::move(plain)));
  if (state->sending_ended) session->relay_.EndSealing();
  if (state->receiving_ended) session->relay_.EndOpening();
  return session;
}

Session::Session(uv_loop_t* loop, SessionHost* host, std::unique_ptr<Codec> codec, StreamPtr server,
                 StreamPtr plain)
    : host_(host),
      codec_(std::move(codec)),
      relay_(loop, this, *codec_, std::move(server), std::move(plain)) {}

}  // namespace socksify
