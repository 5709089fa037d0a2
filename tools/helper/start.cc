#include "tools/helper/start.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/helper/message.h"

namespace socksify {
namespace {

constexpr int kExitUsage = 125;  // not started by its own library

void RaiseToHard(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(resource, &limit);
}

// Nothing of the application's is to be felt here.
void Detach() {
  (void)close_range(STDERR_FILENO + 1, ~0u, 0);
  for (int signal_number = 1; signal_number < NSIG; signal_number++) {
    (void)signal(signal_number, signal_number == SIGPIPE ? SIG_IGN : SIG_DFL);
  }
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  RaiseToHard(RLIMIT_NOFILE);
  RaiseToHard(RLIMIT_CPU);
  const rlimit nothing = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &nothing);
  (void)prctl(PR_SET_DUMPABLE, 0);  // keys are in memory
  if (chdir("/") != 0) return;      // it always can be
}

}  // namespace

int BecomeHelper(int argc, char** argv, const char* name, const char* when) {
  if (argc != 2 || strcmp(argv[1], SOCKSIFY_VERSION) != 0 || !IsMessageSocket(kControlSocket)) {
    (void)fprintf(stderr, "%s: part of socksify-gss %s, which starts it by itself when %s\n", name,
                  SOCKSIFY_VERSION, when);
    return kExitUsage;
  }
  Detach();
  const bool leads = setsid() != -1;  // refused to the leader of a process group
  const pid_t child = fork();
  if (child != 0) _exit(child == -1 ? 1 : 0);
  if (!leads) (void)setsid();
  return 0;
}

}  // namespace socksify
