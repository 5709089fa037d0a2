/* fetch(): an HTTP page over a connection of its own, by the calls that its program would use; how many octets of the body came,
 * or -errno. Built into a program (fetch HOST PORT) and into a library that load.c loads. Every call goes through calls[], which
 * may be filled from elsewhere. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum how { LINKED, NEXT, LIBC };

static void* find(enum how how, const char* name, void* linked) {
  if (how == NEXT) return dlsym(RTLD_NEXT, name);
  if (how == LIBC) return dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), name);
  return linked;
}
#define FIND(name) __typeof__(&name) p_##name = find(how, #name, (void*)name)

int fetch(const char* host, const char* port, int how) {
  FIND(getaddrinfo);
  FIND(socket);
  FIND(connect);
  FIND(send);
  FIND(recv);
  FIND(close);
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
  if (p_getaddrinfo(host, port, &hints, &list) != 0) return -EHOSTUNREACH;
  int fd = p_socket(AF_INET, SOCK_STREAM, 0);
  if (p_connect(fd, list->ai_addr, list->ai_addrlen) != 0) return -errno;
  static const char request[] = "GET /page HTTP/1.0\r\n\r\n";
  if (p_send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) return -errno;
  char* page = calloc(1, 1 << 16);
  size_t size = 0;
  ssize_t part;
  while ((part = p_recv(fd, page + size, (1 << 16) - 1 - size, 0)) > 0) size += (size_t)part;
  p_close(fd);
  freeaddrinfo(list);
  const char* body = strstr(page, "\r\n\r\n");
  int octets = strncmp(page, "HTTP/1", 6) == 0 && body ? (int)strlen(body + 4) : -EPROTO;
  free(page);
  return octets;
}

#ifdef PROGRAM
static char** arguments;
static int how;

static void* fetch_in_thread(void* result) {
  *(int*)result = fetch(arguments[1], arguments[2], how);
  return NULL;
}

int main(int argc, char** argv) {
  pthread_t threads[4];
  int results[4];
  arguments = argv;
  how = argc > 3 ? atoi(argv[3]) : LINKED;
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, fetch_in_thread, &results[i]);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  printf("%d %d %d %d\n", results[0], results[1], results[2], results[3]);
  return 0;
}
#endif
