/* What running /bin/true costs, in microseconds: without the shim, with it, and through the launcher,
 * by turns. Usage: exec_cost ROUNDS LAUNCHER KEY=VALUE..., the environment that carries the shim. This
 * program runs without the shim itself. Prints three medians. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kWays = 3 };
static char* const kTrue[] = {"/bin/true", NULL};

static double run(const char* program, char* const argv[], char* const environment[]) {
  struct timespec start, end;
  int status = 0;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const pid_t child = vfork();
  if (child == 0) {
    execve(program, argv, environment);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "%s: status %d\n", program, status);
    exit(1);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3;
}

static int by_value(const void* a, const void* b) {
  const double left = *(const double*)a, right = *(const double*)b;
  return (left > right) - (left < right);
}

int main(int argc, char** argv) {
  extern char** environ;
  if (argc < 3) return 2;
  const int rounds = atoi(argv[1]);
  char* const launch[] = {argv[2], "/bin/true", NULL};
  double* times[kWays];
  for (int way = 0; way < kWays; way++) times[way] = calloc((size_t)rounds, sizeof(double));
  for (int i = 0; i < rounds; i++) {
    times[0][i] = run(kTrue[0], kTrue, environ);
    times[1][i] = run(kTrue[0], kTrue, argv + 3);
    times[2][i] = run(launch[0], launch, environ);
  }
  for (int way = 0; way < kWays; way++) {
    qsort(times[way], (size_t)rounds, sizeof(double), by_value);
    printf("%.1f\n", times[way][rounds / 2]);
    free(times[way]);
  }
  return 0;
}
