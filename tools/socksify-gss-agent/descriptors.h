// What there is left of the agent's descriptors, and what is said when there is nothing.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_DESCRIPTORS_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_DESCRIPTORS_H_

#include "lib/base/result.h"

namespace socksify {

// Are there enough to make a session? The libraries that it takes say of none but that there are no
// credentials, or no such host. From any thread; opens nothing for longer than the call.
Status EnoughDescriptors();

// Of an errno: is it that there are none?
bool IsOutOfDescriptors(int error);
Status OutOfDescriptors();

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_DESCRIPTORS_H_
