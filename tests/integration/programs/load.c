/* load HOW LIBRARY HOST PORT: fetch() from a library that is loaded as HOW says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  (void)argc;
  void* library = strcmp(argv[1], "dlmopen") == 0
                      ? dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW)
                      : dlopen(argv[2], RTLD_NOW | (strcmp(argv[1], "deepbind") == 0 ? RTLD_DEEPBIND : 0));
  if (library == NULL) return puts(dlerror()), 1;
  int (*fetch)(const char*, const char*, int) = (int (*)(const char*, const char*, int))dlsym(library, "fetch");
  printf("%d\n", fetch(argv[3], argv[4], 0));
  return 0;
}
