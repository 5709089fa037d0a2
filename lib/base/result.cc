#include "lib/base/result.h"

#include <cerrno>

namespace socksify {

int ConnectErrno(Errc code) {
  switch (code) {
    case Errc::kOk:
      return 0;
    case Errc::kMalformed:
    case Errc::kIntegrity:
      return EPROTO;
    case Errc::kTruncated:
    case Errc::kServerClosed:
      return ECONNRESET;
    case Errc::kCredentials:
    case Errc::kAuthentication:
    case Errc::kPolicy:
    case Errc::kConfig:
    case Errc::kReplyNotAllowed:
      return EACCES;
    case Errc::kNetwork:
    case Errc::kReplyGeneral:
    case Errc::kReplyRefused:
    case Errc::kReplyCommandUnsupported:
      return ECONNREFUSED;
    case Errc::kTimeout:
    case Errc::kReplyTtlExpired:
      return ETIMEDOUT;
    case Errc::kNameTooLong:
      return ENAMETOOLONG;
    case Errc::kUnsupported:
      return EOPNOTSUPP;
    case Errc::kDescriptors:
      return ENOBUFS;
    case Errc::kReplyNetworkUnreachable:
      return ENETUNREACH;
    case Errc::kReplyHostUnreachable:
      return EHOSTUNREACH;
    case Errc::kReplyAddressUnsupported:
      return EAFNOSUPPORT;
  }
  return EPROTO;
}

int DataErrno(Errc code) { return code == Errc::kOk ? 0 : ECONNRESET; }

}  // namespace socksify
