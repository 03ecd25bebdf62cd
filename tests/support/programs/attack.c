/* Tries to reach what lies outside a command's root: the executor, its parent, files of their root. Prints a line
 * "= NAME: RESULT" for each way, where RESULT is the name of an errno, or "reached". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTSIDE "/workspace/Dockerfile"
#define UP "../../../../../../../../.."

static void say(const char *name, long result) {
  printf("= %s: %s\n", name, result >= 0 ? "reached" : strerrorname_np(errno));
  fflush(stdout);
}

static void open_it(const char *name, int directory, const char *path, int flags) {
  int fd = openat(directory, path, flags | O_CLOEXEC);
  say(name, fd);
  if (fd >= 0) close(fd);
}

/* All that a process shows in /proc, by paths that begin with PREFIX. */
static void look_into(const char *who, int directory, const char *prefix) {
  static const char *const files[] = {"environ", "root", "cwd", "fd",      "mem",       "exe",
                                      "maps",    "comm", "stat", "cmdline", "mountinfo", "ns/mnt", "fd/0"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; ++i) {
    char name[128], path[128];
    snprintf(name, sizeof name, "%s %s", who, files[i]);
    snprintf(path, sizeof path, "%s/%s", prefix, files[i]);
    open_it(name, directory, path, O_RDONLY);
  }
}

static void go_by_path(void) {
  char path[256];
  struct stat info;
  char link[64];
  open_it("absolute", AT_FDCWD, OUTSIDE, O_RDONLY);
  open_it("up from the root", AT_FDCWD, UP OUTSIDE, O_RDONLY);
  open_it("up from the own root", AT_FDCWD, "/proc/self/root/.." OUTSIDE, O_RDONLY);
  open_it("up from the own directory", AT_FDCWD, "/proc/self/cwd/" UP OUTSIDE, O_RDONLY);
  snprintf(path, sizeof path, "/proc/self/task/%d/../../../.." OUTSIDE, getpid());
  open_it("up from the own thread", AT_FDCWD, path, O_RDONLY);
  open_it("up from /proc", AT_FDCWD, "/proc/.." OUTSIDE, O_RDONLY);
  open_it("up from /sys", AT_FDCWD, "/sys/class/net/lo/subsystem/" UP OUTSIDE, O_RDONLY);
  open_it("by a link of the image", AT_FDCWD, "/links/root/workspace/Dockerfile", O_RDONLY);
  open_it("by a link of the image to a file", AT_FDCWD, "/links/environ", O_RDONLY);
  open_it("by the own root's link of the image", AT_FDCWD, "/proc/self/root/links/environ", O_RDONLY);
  open_it("a path alone", AT_FDCWD, "/proc/1/root", O_PATH);
  say("looked at", stat("/proc/1/exe", &info));
  say("read as a link", readlink("/proc/1/exe", link, sizeof link));
  say("gone to", chdir("/proc/1"));
  say("executed", execl("/proc/1/exe", "executor", "version", NULL));
}

static void go_from_proc(int proc, int proc_path) {
  char path[128];
  struct stat info;
  int directory = open("/", O_RDONLY | O_DIRECTORY);
  look_into("from a descriptor", proc, "1");
  look_into("from a path alone", proc_path, "1");
  open_it("up from a descriptor", proc, ".." OUTSIDE, O_RDONLY);
  open_it("up from a path alone", proc_path, "../" UP OUTSIDE, O_RDONLY);
  snprintf(path, sizeof path, "self/fd/%d/.." OUTSIDE, proc);
  open_it("up from the link to a descriptor", proc, path, O_RDONLY);
  say("looked at up from the link to a descriptor", fstatat(proc, path, &info, 0));
  snprintf(path, sizeof path, "/proc/self/fd/%d/.." OUTSIDE, proc);
  open_it("up from its own path", AT_FDCWD, path, O_RDONLY);
  say("executed from a descriptor", syscall(SYS_execveat, proc, "1/exe", NULL, NULL, 0));
  if (fchdir(proc) != 0) return;
  look_into("from the own directory", AT_FDCWD, "1");
  look_into("from the own directory by detours", AT_FDCWD, "self/../1");
  open_it("up from the own directory in /proc", AT_FDCWD, ".." OUTSIDE, O_RDONLY);
  say("gone to from the own directory", chdir("1"));
  say("made a directory above", mkdir("../made", 0755));
  say("made a link above", symlink("x", "../made"));
  say("removed above", unlink(".." OUTSIDE));
  say("moved above", rename(".." OUTSIDE, "../moved"));
  fchdir(directory);
  close(directory);
}

static void take_hold_of(const char *who, pid_t pid) {
  char name[64];
  char byte[8];
  struct iovec here = {byte, sizeof byte}, there = {(void *)0x400000, sizeof byte};
  int process = syscall(SYS_pidfd_open, pid, 0);
#define WAY(way, result) snprintf(name, sizeof name, "%s %s", who, way), say(name, result)
  WAY("seized", ptrace(PTRACE_SEIZE, pid, 0, 0));
  WAY("attached", ptrace(PTRACE_ATTACH, pid, 0, 0));
  WAY("read", process_vm_readv(pid, &here, 1, &there, 1, 0));
  WAY("written", process_vm_writev(pid, &here, 1, &there, 1, 0));
  WAY("robbed of a descriptor", syscall(SYS_pidfd_getfd, process, 0, 0));
  WAY("moved in with", syscall(SYS_setns, process, 0x20000));
#undef WAY
}

/* A directory that was opened before another root was changed to leads out of that. */
static void leave_chroot(void) {
  pid_t child = fork();
  if (child == 0) {
    int before = open("/", O_RDONLY | O_DIRECTORY);
    mkdir("/jail", 0755);
    if (chroot("/jail") == 0 && fchdir(before) == 0) {
      open_it("up from a directory of before chroot", AT_FDCWD, UP OUTSIDE, O_RDONLY);
      open_it("up from a descriptor of before chroot", before, UP OUTSIDE, O_RDONLY);
      open_it("written up from there", before, UP "/workspace/made", O_WRONLY | O_CREAT);
      say("executed up from there", execl(UP "/kaniko/executor", "executor", NULL));
      look_into("after chroot", AT_FDCWD, UP "/proc/1");
      for (int i = 0; i < 20; ++i) (void)!chdir("..");
      open_it("after chroot and many steps up", AT_FDCWD, "workspace/Dockerfile", O_RDONLY);
      open_it("listed after chroot", AT_FDCWD, ".", O_RDONLY);
      if (chroot(".") == 0) open_it("in the executor's root", AT_FDCWD, OUTSIDE, O_RDONLY);
    }
    exit(0);
  }
  waitpid(child, NULL, 0);
  rmdir("/jail");
}

static char swapped[256];
static const char *harmless, *outside;
static volatile int ends;

static void *swap(void *unused) {
  while (!ends) {
    memcpy(swapped, harmless, strlen(harmless) + 1);
    memcpy(swapped, outside, strlen(outside) + 1);
  }
  return unused;
}

/* While a path is looked at another thread makes it another one. */
static void race(const char *name, const char *one, const char *other, const char *secret) {
  pthread_t thread;
  long reached = -1;
  harmless = one, outside = other, ends = 0;
  memcpy(swapped, one, strlen(one) + 1);
  pthread_create(&thread, NULL, swap, NULL);
  for (int i = 0; i < 4000; ++i) {
    char text[4096] = {0};
    int fd = open(swapped, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (read(fd, text, sizeof text - 1) > 0 && memmem(text, sizeof text, secret, strlen(secret)) != NULL) reached = 0;
    close(fd);
  }
  ends = 1;
  pthread_join(thread, NULL);
  errno = ENOENT;
  say(name, reached);
}

/* While a path is looked at another process moves a directory of it. */
static void race_of_directories(void) {
  long reached = -1;
  mkdir("/d", 0755), mkdir("/d/a", 0755), mkdir("/d/a/b", 0755), mkdir("/d/a/b/c", 0755);
  pid_t mover = fork();
  if (mover == 0)
    for (;;) rename("/d/a/b/c", "/d/c"), rename("/d/c", "/d/a/b/c");
  for (int i = 0; i < 4000; ++i) {
    int place = open("/d/a/b/c", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(place, "../../../../../../.." OUTSIDE, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) reached = 0;
    close(fd), close(place);
    fd = open("/proc/self/root/d/a/b/c/../../../../../.." OUTSIDE, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) reached = 0;
    close(fd);
  }
  kill(mover, SIGKILL), waitpid(mover, NULL, 0);
  rmdir("/d/c"), rmdir("/d/a/b/c"), rmdir("/d/a/b"), rmdir("/d/a"), rmdir("/d");
  errno = ENOENT;
  say("while directories are moved", reached);
}

int main(int argc, char **argv) {
  const char *secret = argc > 1 ? argv[1] : "";
  char path[64];
  int proc = open("/proc", O_RDONLY | O_DIRECTORY), proc_path = open("/proc", O_PATH | O_DIRECTORY);
  look_into("executor", AT_FDCWD, "/proc/1");
  snprintf(path, sizeof path, "/proc/%d", getppid());
  look_into("parent", AT_FDCWD, path);
  go_by_path();
  go_from_proc(proc, proc_path);
  take_hold_of("executor", 1);
  take_hold_of("parent", getppid());
  leave_chroot();
  race("absolute paths that change", "/etc/passwd", "/proc/1/environ", secret);
  race("absolute paths that change to a file outside", "/etc/passwd", OUTSIDE, secret);
  if (fchdir(proc) != 0) return 1;
  race("paths from /proc that change", "self/comm", "1/environ", secret);
  race("paths from /proc that change to a file above", "uptime", ".." OUTSIDE, secret);
  race("paths up that change", "../etc/passwd", ".." OUTSIDE, secret);
  if (chdir("/") != 0) return 1;
  race_of_directories();
  return 0;
}
