/* A process ends with everything unsent: nothing keeps the directory that it was in. */
#include <dirent.h>

#include "probe.h"

/* How many processes are in it, of those that can be asked. */
static int count_inside(const char* directory) {
  int count = 0;
  DIR* processes = opendir("/proc");
  must("opendir", processes != NULL);
  for (struct dirent* entry; (entry = readdir(processes)) != NULL;) {
    char link[300], target[300];
    if (atoi(entry->d_name) == 0) continue; /* self is one of them */
    snprintf(link, sizeof link, "/proc/%s/cwd", entry->d_name);
    const ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = 0;
    count += strcmp(target, directory) == 0;
  }
  closedir(processes);
  return count;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char directory[] = "/tmp/exit_directory.XXXXXX";
  char reply[64], key[64];
  int status;
  uint32_t crc;
  snprintf(key, sizeof key, "%s", fresh_key());
  must("mkdtemp", mkdtemp(directory) != NULL);
  if (probe_fork() == 0) {
    must("chdir", chdir(directory) == 0);
    const int fd = peer_open();
    peer_script(fd, "stash %s", key);
    (void)send_until_full(fd, &crc);
    answer("inside", count_inside(directory));
    exit(5);
  }
  wait(&status);
  printf("status %x\n", status);
  answer("inside", count_inside(directory));
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer("rmdir", rmdir(directory));
  return 0;
}
