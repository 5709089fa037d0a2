/* A connection is no file: lseek, fsync, ftruncate, mmap, fallocate, copy_file_range, tee,
 * vmsplice, readahead and positioned calls say so, and take nothing. */
#include "probe.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("parts hello world"), ends[2];
  struct iovec piece = {text, 5};
  struct stat status;
  struct statfs system;
  off64_t from = 0;
  FILE* file = tmpfile();
  must("tmpfile", file != NULL);
  int plain = fileno(file);
  must("write", write(plain, "abc", 3) == 3 && pipe(ends) == 0);
  await_octets(fd, 5);
  answer("lseek", lseek(fd, 0, SEEK_CUR));
  answer("lseek", lseek(fd, 5, SEEK_SET));
  answer("fsync", fsync(fd));
  answer("fdatasync", fdatasync(fd));
  answer("syncfs", syncfs(fd) == 0 || errno == EINVAL);
  answer("sync_file_range", sync_file_range(fd, 0, 0, 0));
  answer("ftruncate", ftruncate(fd, 0));
  answer("fallocate", fallocate(fd, 0, 0, 1));
  answer("posix_fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
  answer("readahead", readahead(fd, 0, 1));
  answer("mmap", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
  answer("pread", pread(fd, text, 5, 0));
  answer("pwrite", pwrite(fd, "x", 1, 0));
  answer("preadv", preadv(fd, &piece, 1, 0));
  answer("pwritev", pwritev(fd, &piece, 1, 0));
  answer("copy from", copy_file_range(fd, NULL, plain, NULL, 5, 0));
  answer("copy to", copy_file_range(plain, &from, fd, NULL, 3, 0));
  answer("tee from", tee(fd, ends[1], 5, 0));
  answer("tee to", tee(ends[0], fd, 5, 0));
  answer("vmsplice", vmsplice(fd, &piece, 1, 0));
  answer("flock", flock(fd, LOCK_EX | LOCK_NB));
  answer("isatty", isatty(fd));
  printf("isatty %s\n", errno_name(errno));
  answer("fchdir", fchdir(fd));
  answer("fstat", fstat(fd, &status));
  printf("socket %d size %ld\n", S_ISSOCK(status.st_mode), (long)status.st_size);
  answer("fstatfs", fstatfs(fd, &system));
  answer("F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
  answer("F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
  answer("F_GETFL", fcntl(fd, F_GETFL) & O_ACCMODE);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  send_all(fd, "g", 1);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return 0;
}
