// Runs a program and says how long it took, and how much of a processor it and all that it started took.
//
//   stopwatch FIGURES PROGRAM ARGUMENT...
//
// FIGURES gets one line: nanoseconds by the clock, microseconds in user mode, microseconds in the kernel.
// Whatever outlives its parent is waited for as well. The exit status is the program's.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval time) {
  return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int argc, char** argv) {
  if (argc < 3)
    return 2;
  // Before the program starts, for it may replace the file system around it.
  const int figures = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (figures < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return 2;
  const long long start = nanoseconds();
  const pid_t program = fork();
  if (program == 0) {
    execv(argv[2], argv + 2);
    _exit(127);
  }
  long long end = 0;
  int status = 0, found = 0;
  for (;;) {
    const pid_t ended = wait(&status);
    if (ended < 0 && errno == EINTR)
      continue;
    if (ended < 0)
      break;
    if (ended == program) {
      end = nanoseconds();
      found = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  dprintf(figures, "%lld %lld %lld\n", end - start, microseconds(used.ru_utime), microseconds(used.ru_stime));
  return found;
}
