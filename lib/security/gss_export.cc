// A session of the GSS-API method on its way from one process to another:
//
//   +---------+-------+-----------+--------+--------------------------------+
//   | version | level | max_token | length | the context, as GSS-API has it |
//   +---------+-------+-----------+--------+--------------------------------+
//   |    1    |   1   |     2     |   2    |             length             |
//   +---------+-------+-----------+--------+--------------------------------+
//
// Both ends are built together; the version tells other octets from ours. A part of a context never
// gets to MIT 1.20, which reads behind its end.
#include <utility>

#include "lib/security/gss_base.h"

namespace socksify {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kHeadSize = 6;

class ImportedGssLayer final : public GssLayer {
 public:
  ImportedGssLayer(GssContext context, ProtectionLevel level, size_t max_token) {
    Establish(std::move(context), level, max_token);
  }

 protected:
  Status Begin(Bytes*) override { return {}; }
  Status HandleMessage(MessageType, ByteView, Bytes*) override {
    return {Errc::kMalformed, "the negotiation is over"};
  }
};

}  // namespace

Result<Bytes> GssLayer::Export() {
  const LibraryGate gate;
  if (!established())
    return {Errc::kUnsupported, "a session is handed over once it is established"};
  auto context = protection_->ExportContext();
  if (!context.ok()) return context.status();
  if (context->size() > UINT16_MAX) {
    Wipe(*context);
    return {Errc::kUnsupported, "the session is too large to be handed over"};
  }
  Bytes state;
  state.reserve(kHeadSize + context->size());  // no copy is left behind by growing
  state.push_back(kVersion);
  state.push_back(static_cast<uint8_t>(protection_->level()));
  AppendU16(state, static_cast<uint16_t>(protection_->max_token()));
  AppendU16(state, static_cast<uint16_t>(context->size()));
  Append(state, *context);
  Wipe(*context);
  return state;
}

Result<std::unique_ptr<SecurityLayer>> ImportGssLayer(ByteView state) {
  Cursor in(state);
  const uint8_t version = in.U8(), level = in.U8();
  const uint16_t max_token = in.U16(), length = in.U16();
  if (!in.ok() || version != kVersion || level < 1 || level > 3 || length != in.remaining()) {
    return {Errc::kMalformed, "this is no session that was handed over"};
  }
  gss_buffer_desc token = GssInput(in.Take(in.remaining()));
  GssContext context;
  OM_uint32 minor;
  const OM_uint32 major = gss_import_sec_context(&minor, &token, context.address());
  if (GSS_ERROR(major)) {
    return {Errc::kMalformed, "cannot take the session over: " + GssErrorText(major, minor)};
  }
  return std::unique_ptr<SecurityLayer>(std::make_unique<ImportedGssLayer>(
      std::move(context), static_cast<ProtectionLevel>(level), max_token));
}

}  // namespace socksify
