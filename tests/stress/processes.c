/* What takes a connection to other processes, programs and the kernel's own movers, while other
 * threads are in the middle of theirs. */
#include <spawn.h>

#include "stress.h"

extern char** environ;

/* ---- forked children ---- */

static void child_uses(void) {
  struct stream stream;
  stream_open(&stream);
  if (draw(2)) stream_move(&stream, 1 + draw(10000));
  const size_t count = 1 + draw(60000);
  const pid_t child = fork_child();
  if (child == 0) {
    stream_move(&stream, count);
    _exit(0);
  }
  await_child(child);
  stream.sent += count;
  stream.got += count;
  if (draw(2)) stream_move(&stream, 1 + draw(10000));
  stream_end(&stream);
}

static void child_exits(void) {
  struct stream stream;
  stream_open(&stream);
  if (draw(2)) stream_move(&stream, 1 + draw(10000));
  const bool close_it = draw(2), leave = draw(2);
  const pid_t child = fork_child();
  if (child == 0) {
    if (close_it) close(stream.fd);
    if (leave) quick_exit(0); /* not exit: that would print what another thread's FILE holds */
    _exit(0);
  }
  stream_move(&stream, 1 + draw(30000));
  await_child(child);
  stream_move(&stream, 1 + draw(30000));
  stream_end(&stream);
}

/* In turns, an octet for each turn; what each moves is drawn by both alike. */
static void both_in_turns(void) {
  struct stream stream;
  int turns[2];
  stream_open(&stream);
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, turns) == 0);
  const uint32_t rounds = 1 + draw(4), size = 1 + draw(20000);
  const pid_t child = fork_child();
  char octet = 0;
  const int mine = turns[child == 0], theirs = turns[child != 0];
  close(theirs);
  for (uint32_t round = 0; round < 2 * rounds; ++round) {
    if ((round % 2 == 0) == (child != 0)) {
      stream_move(&stream, size);
      must("a turn given", send(mine, &octet, 1, MSG_NOSIGNAL) == 1);
    } else {
      ssize_t n;
      doing("waits for its turn");
      while ((n = recv(mine, &octet, 1, 0)) < 0 && errno == EINTR) {
      }
      must("a turn", n == 1);
      stream.sent += size;
      stream.got += size;
    }
  }
  if (child == 0) _exit(0);
  close(mine);
  await_child(child);
  stream_move(&stream, 1 + draw(1000));
  stream_end(&stream);
}

static void child_connects(void) {
  struct stream stream;
  stream_open(&stream);
  const pid_t child = fork_child();
  if (child == 0) {
    struct stream own;
    stream_open(&own);
    stream_move(&own, 20000);
    stream_end(&own);
    _exit(0);
  }
  stream_move(&stream, 1 + draw(50000));
  await_child(child);
  stream_end(&stream);
}

static void* move_for_ever(void* argument) {
  struct worker worker = {.index = self != NULL ? self->index : 0,
                          .random = (uint64_t)(intptr_t)argument};
  struct stream stream;
  self = &worker;
  stream_open(&stream);
  for (;;) stream_move(&stream, 30000);
  return NULL;
}

static void exit_with_threads(void) {
  const uint32_t moment = draw(20000000), way = draw(2);
  const pid_t child = fork_child();
  if (child == 0) {
    pthread_t thread;
    const struct timespec pause = {0, moment};
    for (intptr_t i = 1; i <= 2; ++i) {
      must("pthread_create", pthread_create(&thread, NULL, &move_for_ever, (void*)(i * 7919)) == 0);
    }
    nanosleep(&pause, NULL);
    if (way == 0) _exit(0);
    quick_exit(0);
  }
  await_child(child);
}

/* ---- other programs ---- */

static void quietly(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static void loudly(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* Another program goes on with the connection as its standard input. */
static void program_uses(void) {
  struct stream stream;
  char key[16], sent[24], count_text[16];
  stream_open(&stream);
  must("F_SETFL", set_flag(stream.fd, O_NONBLOCK, false) == 0);
  if (draw(2)) stream_move(&stream, 1 + draw(10000));
  const size_t count = 1 + draw(30000);
  snprintf(key, sizeof key, "%u", stream.key);
  snprintf(sent, sizeof sent, "%llu", (unsigned long long)stream.sent);
  snprintf(count_text, sizeof count_text, "%zu", count);
  char* argv[] = {"stress", "go-on", key, sent, count_text, NULL};
  pid_t child;
  posix_spawn_file_actions_t actions;
  quietly();
  doing("starts a program");
  switch (draw(3)) {
    case 0:
      child = vfork();
      if (child == 0) {
        if (dup2(stream.fd, 0) == 0) execve("/proc/self/exe", argv, environ);
        _exit(1);
      }
      break;
    case 1:
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_adddup2(&actions, stream.fd, 0);
      must("posix_spawn",
           (errno = posix_spawn(&child, "/proc/self/exe", &actions, NULL, argv, environ)) == 0);
      posix_spawn_file_actions_destroy(&actions);
      break;
    default:
      child = fork_child();
      if (child == 0) {
        if (dup2(stream.fd, 0) == 0) execve("/proc/self/exe", argv, environ);
        _exit(1);
      }
  }
  must("a child", child > 0);
  ++processes;
  await_child(child);
  loudly();
  stream.sent += count;
  stream.got += count;
  stream_move(&stream, 1 + draw(10000));
  stream_end(&stream);
}

static void run_true(void) {
  quietly();
  doing("runs true");
  const int status = system("true");
  loudly();
  must("system", status == 0);
  ++processes;
}

static void pipe_true(void) {
  quietly();
  doing("pipes from true");
  FILE* pipe = popen("true", "re");
  must("popen", pipe != NULL);
  must("pclose", pclose(pipe) == 0);
  loudly();
  ++processes;
}

/* ---- other hands ---- */

static void standard_io(void) {
  struct stream stream;
  unsigned char block[10000];
  quietly();
  stream_open(&stream);
  must("F_SETFL", set_flag(stream.fd, O_NONBLOCK, false) == 0);
  if (draw(2)) stream_move(&stream, 1 + draw(10000));
  const int copies[] = {fcntl(stream.fd, F_DUPFD_CLOEXEC, 0), dup(stream.fd)};
  must("dup", copies[0] >= 0 && copies[1] >= 0);
  FILE* in = fdopen(copies[0], "r");
  FILE* out = fdopen(copies[1], draw(2) ? "w" : "a");
  must("fdopen", in != NULL && out != NULL);
  for (uint32_t rounds = 1 + draw(5); rounds > 0; --rounds) {
    const size_t size = 1 + draw(sizeof block);
    stream_fill(&stream, stream.sent, block, size);
    doing("prints");
    must("fwrite", fwrite(block, 1, size, out) == size && fflush(out) == 0);
    stream.sent += size;
    doing("reads a file");
    must("fread", fread(block, 1, size, in) == size);
    stream_check(&stream, stream.got, block, size);
    stream.got += size;
  }
  must("fclose", fclose(in) == 0);
  must("fclose", fclose(out) == 0);
  stream_move(&stream, 1 + draw(10000));
  stream_end(&stream);
  loudly();
}

static void spliced(void) {
  struct stream stream;
  unsigned char block[30000];
  int ends[2];
  stream_open(&stream);
  must("pipe", pipe2(ends, O_CLOEXEC) == 0);
  must("F_SETFL", set_flag(stream.fd, O_NONBLOCK, false) == 0);
  const size_t size = 1 + draw(sizeof block);
  stream_fill(&stream, stream.sent, block, size);
  must("write", write(ends[1], block, size) == (ssize_t)size);
  doing("splices out");
  for (size_t left = size; left > 0;) {
    const ssize_t n = splice(ends[0], NULL, stream.fd, NULL, left, SPLICE_F_MOVE);
    must("splice", n > 0 || (n < 0 && errno == EINTR));
    if (n > 0) left -= (size_t)n;
  }
  stream.sent += size;
  doing("splices in");
  for (size_t left = size; left > 0;) {
    const ssize_t n = splice(stream.fd, NULL, ends[1], NULL, left, 0);
    must("splice", n > 0 || (n < 0 && errno == EINTR));
    if (n <= 0) continue;
    size_t had = 0;
    while (had < (size_t)n) {
      const ssize_t part = read(ends[0], block + had, (size_t)n - had);
      must("read", part > 0 || errno == EINTR);
      if (part > 0) had += (size_t)part;
    }
    stream_check(&stream, stream.got, block, had);
    stream.got += had;
    left -= had;
  }
  close(ends[0]);
  close(ends[1]);
  stream_move(&stream, 1 + draw(10000));
  stream_end(&stream);
}

/* The descriptor goes to a child that was there before, or comes back from one. */
static void passed(void) {
  struct stream stream;
  int ends[2];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  char octet = 0;
  struct iovec vector = {&octet, 1};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  stream_open(&stream);
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const size_t count = 1 + draw(30000);
  const pid_t child = fork_child();
  if (child == 0) {
    close(stream.fd);
    close(ends[0]);
    ssize_t n;
    doing("waits for a descriptor");
    while ((n = recvmsg(ends[1], &message, 0)) < 0 && errno == EINTR) {
    }
    must("a message", n == 1 && CMSG_FIRSTHDR(&message) != NULL);
    memcpy(&stream.fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof stream.fd);
    stream_move(&stream, count);
    _exit(0);
  }
  close(ends[1]);
  if (draw(2)) disturb(NULL);
  control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(&control.header), &stream.fd, sizeof stream.fd);
  ssize_t n;
  doing("passes a descriptor");
  while ((n = sendmsg(ends[0], &message, 0)) < 0 && errno == EINTR) {
  }
  must("sendmsg", n == 1);
  await_child(child);
  close(ends[0]);
  stream.sent += count;
  stream.got += count;
  stream_move(&stream, 1 + draw(10000));
  stream_end(&stream);
}

void disturb(struct stream* stream) {
  switch (draw(may_execute ? 6 : 4)) {
    case 0: {
      const pid_t child = fork_child();
      if (child == 0) _exit(0);
      await_child(child);
      break;
    }
    case 1:
      if (stream != NULL) {
        const int copy = dup(stream->fd);
        FILE* file = copy >= 0 ? fdopen(copy, "r") : NULL;
        must("fdopen", file != NULL && fclose(file) == 0);
      }
      break;
    case 2:
      if (stream != NULL) {
        const int copy = dup(stream->fd);
        must("dup", copy >= 0 && close(copy) == 0);
      }
      break;
    case 3:
      break;
    case 4:
      pipe_true();
      break;
    default:
      run_true();
  }
}

const struct scenario process_scenarios[] = {
    {"child uses", child_uses, kNothing},
    {"child exits", child_exits, kNothing},
    {"both in turns", both_in_turns, kNothing},
    {"child connects", child_connects, kThreadsInChild},
    {"exit with threads", exit_with_threads, kThreadsInChild},
    {"program uses", program_uses, kPrograms},
    {"run true", run_true, kPrograms},
    {"pipe true", pipe_true, kPrograms},
    {"standard io", standard_io, kNothing},
    {"spliced", spliced, kNothing},
    {"passed", passed, kNothing},
    {NULL, NULL, kNothing},
};
