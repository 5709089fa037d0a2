// MIT Kerberos itself as the other end: a bare context of the C library, which does whatever a test
// asks of it, also what our layers would never do.
#ifndef TESTS_UNIT_GSS_PEER_H_
#define TESTS_UNIT_GSS_PEER_H_

#include <gtest/gtest.h>

#include <string>

#include "lib/base/bytes.h"
#include "lib/security/gss_support.h"
#include "lib/wire/frame.h"

namespace socksify {

inline Bytes Message(int type, ByteView token) {  // `01 type LEN token`
  Bytes message(kFrameHeaderSize);
  WriteFrameHeader(message, static_cast<uint8_t>(type), static_cast<uint16_t>(token.size()));
  Append(message, token);
  return message;
}

// The token of the message at the start of `octets`.
inline ByteView TokenOf(ByteView octets) {
  auto head = ParseFrameHead(octets);
  if (!head.ok() || head->size < kFrameHeaderSize || head->size > octets.size()) {
    ADD_FAILURE() << "no whole message: " << Hex(octets);
    return {};
  }
  return octets.subspan(kFrameHeaderSize, head->size - kFrameHeaderSize);
}

class GssPeer {
 public:
  static constexpr OM_uint32 kAllFlags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG |
                                         GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

  bool complete() const { return major_ == GSS_S_COMPLETE; }

  // One leg as the server; returns the token to answer with.
  Bytes Accept(ByteView token) {
    gss_buffer_desc in = GssInput(token);
    GssBuffer out;
    OM_uint32 minor;
    major_ = gss_accept_sec_context(&minor, context_.address(), GSS_C_NO_CREDENTIAL, &in,
                                    GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr, out.get(), nullptr,
                                    nullptr, nullptr);
    EXPECT_FALSE(GSS_ERROR(major_)) << GssErrorText(major_, minor);
    return Bytes(out.octets().begin(), out.octets().end());
  }

  // One leg as the client.
  Bytes Initiate(ByteView token, OM_uint32 flags = kAllFlags) {
    OM_uint32 minor;
    if (target_.get() == nullptr) {
      gss_buffer_desc name = GssInput(AsBytes("socks@localhost"));
      EXPECT_EQ(gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, target_.address()), 0u);
    }
    gss_buffer_desc in = GssInput(token);
    GssBuffer out;
    major_ =
        gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, context_.address(), target_.get(),
                             const_cast<gss_OID>(&kKerberosMechanism), flags, 0,
                             GSS_C_NO_CHANNEL_BINDINGS, &in, nullptr, out.get(), nullptr, nullptr);
    EXPECT_FALSE(GSS_ERROR(major_)) << GssErrorText(major_, minor);
    return Bytes(out.octets().begin(), out.octets().end());
  }

  Bytes Wrap(ByteView plain, bool confidential) {
    gss_buffer_desc in = GssInput(plain);
    GssBuffer out;
    OM_uint32 minor;
    int conf_state = 0;
    EXPECT_EQ(gss_wrap(&minor, context_.get(), confidential, GSS_C_QOP_DEFAULT, &in, &conf_state,
                       out.get()),
              static_cast<OM_uint32>(GSS_S_COMPLETE));
    EXPECT_EQ(conf_state != 0, confidential);
    return Bytes(out.octets().begin(), out.octets().end());
  }
  Bytes Wrap(std::initializer_list<uint8_t> plain, bool confidential) {
    return Wrap(Bytes(plain), confidential);
  }

  struct Unwrapped {
    Bytes plain;
    bool confidential = false;
    bool good = false;  // exactly GSS_S_COMPLETE
  };
  Unwrapped Unwrap(ByteView token) {
    gss_buffer_desc in = GssInput(token);
    GssBuffer out;
    OM_uint32 minor;
    int conf_state = 0;
    const OM_uint32 major =
        gss_unwrap(&minor, context_.get(), &in, out.get(), &conf_state, nullptr);
    return {Bytes(out.octets().begin(), out.octets().end()), conf_state != 0,
            major == GSS_S_COMPLETE};
  }

 private:
  GssContext context_;
  GssName target_;
  OM_uint32 major_ = GSS_S_CONTINUE_NEEDED;
};

}  // namespace socksify

#endif  // TESTS_UNIT_GSS_PEER_H_
