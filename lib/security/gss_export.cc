// A session of the GSS-API method on its way from one process to another:
//
//   +------+-------+-----------+--------+---------------------------------+
//   | form | level | max_token | length | 1: the context, as GSS-API has  |
//   |      |       |           |        | it; 3: a Krb5Session            |
//   +------+-------+-----------+--------+---------------------------------+
//   |  1   |   1   |     2     |   2    |             length              |
//   +------+-------+-----------+--------+---------------------------------+
//
// Both ends are built together; the form tells other octets from ours. A part of a context never
// gets to MIT 1.20, which reads behind its end.
#include <utility>

#include "lib/security/gss_base.h"
#include "lib/security/krb5_protection.h"

namespace socksify {
namespace {

using Form = MessageProtection::ExportForm;

constexpr size_t kHeadSize = 6;

Status Malformed() { return {Errc::kMalformed, "this is no session that was handed over"}; }

class ImportedGssLayer final : public GssLayer {
 public:
  explicit ImportedGssLayer(std::unique_ptr<MessageProtection> protection) {
    Establish(std::move(protection));
  }

 protected:
  Status Begin(Bytes*) override { return {}; }
  Status HandleMessage(MessageType, ByteView, Bytes*) override {
    return {Errc::kMalformed, "the negotiation is over"};
  }
};

Result<std::unique_ptr<MessageProtection>> ImportContext(ByteView octets, ProtectionLevel level,
                                                         size_t max_token) {
  gss_buffer_desc token = GssInput(octets);
  GssContext context;
  OM_uint32 minor;
  const OM_uint32 major = gss_import_sec_context(&minor, &token, context.address());
  if (GSS_ERROR(major)) {
    return {Errc::kMalformed, "cannot take the session over: " + GssErrorText(major, minor)};
  }
  return std::unique_ptr<MessageProtection>(
      std::make_unique<GssProtection>(std::move(context), level, max_token));
}

Result<std::unique_ptr<MessageProtection>> ImportKrb5Session(ByteView octets, ProtectionLevel level,
                                                             size_t max_token) {
  auto session = Krb5Session::Import(octets);
  if (session == nullptr) return Malformed();
  return std::unique_ptr<MessageProtection>(
      std::make_unique<Krb5Protection>(std::move(session), level, max_token));
}

}  // namespace

Result<Bytes> GssLayer::Export() {
  const LibraryGate gate;
  if (!established())
    return {Errc::kUnsupported, "a session is handed over once it is established"};
  auto octets = protection_->Export();
  if (!octets.ok()) return octets.status();
  if (octets->size() > UINT16_MAX) {
    Wipe(*octets);
    return {Errc::kUnsupported, "the session is too large to be handed over"};
  }
  Bytes state;
  state.reserve(kHeadSize + octets->size());  // no copy is left behind by growing
  state.push_back(static_cast<uint8_t>(protection_->export_form()));
  state.push_back(static_cast<uint8_t>(protection_->level()));
  AppendU16(state, static_cast<uint16_t>(protection_->max_token()));
  AppendU16(state, static_cast<uint16_t>(octets->size()));
  Append(state, *octets);
  Wipe(*octets);
  return state;
}

Result<std::unique_ptr<SecurityLayer>> ImportGssLayer(ByteView state) {
  Cursor in(state);
  const auto form = static_cast<Form>(in.U8());
  const uint8_t level = in.U8();
  const uint16_t max_token = in.U16(), length = in.U16();
  if (!in.ok() || (form != Form::kContext && form != Form::kKrb5Session) || level < 1 ||
      level > 3 || length != in.remaining()) {
    return Malformed();
  }
  auto protection = (form == Form::kContext ? ImportContext : ImportKrb5Session)(
      in.Take(length), static_cast<ProtectionLevel>(level), max_token);
  if (!protection.ok()) return protection.status();
  return std::unique_ptr<SecurityLayer>(std::make_unique<ImportedGssLayer>(std::move(*protection)));
}

}  // namespace socksify
