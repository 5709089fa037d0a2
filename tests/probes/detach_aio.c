/* POSIX asynchronous reads and writes. */
#include <aio.h>

#include "probe.h"

static long finish(struct aiocb* control) {
  const struct aiocb* list[] = {control};
  while (aio_error(control) == EINPROGRESS) aio_suspend(list, 1, NULL);
  return aio_return(control);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[32] = "";
  int fd = peer("echo");
  struct aiocb out = {.aio_fildes = fd, .aio_buf = "hello", .aio_nbytes = 5};
  struct aiocb in = {.aio_fildes = fd, .aio_buf = text, .aio_nbytes = sizeof text};
  answer("aio_write", aio_write(&out));
  answer("written", finish(&out));
  await_octets(fd, 5);
  answer("aio_read", aio_read(&in));
  answer_octets("read", finish(&in), text);
  return 0;
}
