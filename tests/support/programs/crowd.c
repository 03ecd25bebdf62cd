/* crowd COUNT: so many short processes, a few at a time, each with threads that look into /proc. Prints what was wrong.
 * crowd until-none: starts processes until there are none left to start, and all of them look into /proc then. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, TOGETHER = 16 };

/* Whether /proc shows the calling thread itself. */
static int looks_right(void) {
  char text[256] = {0}, path[64];
  struct stat info;
  int fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  snprintf(path, sizeof path, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
  return size > 0 && atol(text) == syscall(SYS_gettid) && stat(path, &info) == 0 &&
         readlink("/proc/self/root", path, sizeof path) == 1;
}

static void *look(void *unused) {
  (void)unused;
  return looks_right() ? NULL : (void *)1;
}

static int live(void) {
  pthread_t threads[THREADS];
  int started = 0, wrong = !looks_right();
  for (int i = 0; i < THREADS; ++i) started += pthread_create(&threads[i], NULL, look, NULL) == 0;
  for (int i = 0; i < started; ++i) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    wrong += result != NULL;
  }
  return wrong + (started != THREADS) + (chdir("/proc") != 0);
}

static int wait_for_one(void) {
  int status = 0;
  return wait(&status) < 0 || status != 0;
}

static int start(int count) {
  int wrong = 0, running = 0;
  for (int i = 0; i < count; ++i) {
    if (running == TOGETHER) wrong += wait_for_one(), --running;
    pid_t child = fork();
    if (child == 0) _exit(live() == 0 ? 0 : 1);
    if (child < 0) ++wrong;
    else ++running;
  }
  while (running-- > 0) wrong += wait_for_one();
  printf("= %d processes: %d-wrong\n", count, wrong);
  return wrong != 0;
}

static int start_until_none(void) {
  int wrong = 0, running = 0, go[2];
  char byte;
  if (pipe(go) != 0) return 1;
  for (;; ++running) {
    pid_t child = fork();
    if (child < 0) break;
    if (child > 0) continue;
    close(go[1]);
    (void)!read(go[0], &byte, 1);
    _exit(looks_right() && chdir("/proc") == 0 && looks_right() ? 0 : 1);
  }
  int error = errno;
  wrong += chdir("/proc") != 0 || !looks_right();
  close(go[1]);
  for (int i = 0; i < running; ++i) wrong += wait_for_one();
  printf("= all processes: %s-%s-%d-wrong\n", strerrorname_np(error), running > 50 ? "many" : "few", wrong);
  return wrong != 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  return strcmp(argv[1], "until-none") == 0 ? start_until_none() : start(atoi(argv[1]));
}
