// What the user is told on stderr: one line per cause and process.
#ifndef SHIM_REPORT_H_
#define SHIM_REPORT_H_

#include <string>

#include "lib/base/log.h"
#include "lib/config/config.h"

namespace socksify {

// Writes the line unless this process has written the same before.
void ReportOnce(const std::string& line, LogLevel level = LogLevel::kWarn);

// A connection could not be made. What the destination itself answered (refused, unreachable) is
// the application's to tell, and logged at `info` only.
void ReportFailure(const Status& error, const ServerEndpoint& server, const Address& destination);

}  // namespace socksify

#endif  // SHIM_REPORT_H_
