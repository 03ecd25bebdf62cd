/* Tries every way to change the file that its first argument names, which lies in a directory of its own; the second
 * one is a directory for other files. Prints a line "= NAME: RESULT" for each way, where RESULT is the name of an errno,
 * or "done". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const char *target, *directory, *name;
static char other[256];

static void say(const char *way, long result) {
  printf("= %s: %s\n", way, result >= 0 ? "done" : strerrorname_np(errno));
  fflush(stdout);
}

static void open_it(const char *way, int at, const char *path, int flags) {
  int fd = openat(at, path, flags | O_CLOEXEC, 0644);
  say(way, fd);
  if (fd >= 0) close(fd);
}

static const char *in(const char *place, const char *last) {
  static char paths[4][512];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", place, last);
  return path;
}

static void by_name(int at) {
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC};
  open_it("opened to write", AT_FDCWD, target, O_WRONLY);
  open_it("opened to read and write", AT_FDCWD, target, O_RDWR);
  open_it("opened to append", AT_FDCWD, target, O_WRONLY | O_APPEND);
  open_it("opened to be emptied", AT_FDCWD, target, O_RDONLY | O_TRUNC);
  open_it("made again", AT_FDCWD, target, O_WRONLY | O_CREAT | O_TRUNC);
  open_it("made to be read", AT_FDCWD, target, O_RDONLY | O_CREAT);
  open_it("made anew", AT_FDCWD, target, O_WRONLY | O_CREAT | O_EXCL);
  open_it("opened to write, no links", AT_FDCWD, target, O_WRONLY | O_NOFOLLOW);
  open_it("opened by its name to write", at, name, O_WRONLY);
  open_it("opened from its directory to write", at, in(".", name), O_WRONLY);
  open_it("opened up and down again", at, in("../.", in(strrchr(directory, '/') + 1, name)), O_RDWR);
  open_it("opened as a directory", AT_FDCWD, in(target, ""), O_WRONLY);
  open_it("opened to read", AT_FDCWD, target, O_RDONLY);
  say("opened to write, openat2", syscall(SYS_openat2, AT_FDCWD, target, &how, sizeof how));
  say("emptied", truncate(target, 0));
  say("chmod", chmod(target, 0666));
  say("chmod by its name", fchmodat(at, name, 0666, 0));
  say("chmod, new", syscall(SYS_fchmodat2, AT_FDCWD, target, 0666, AT_SYMLINK_NOFOLLOW));
  say("chown", chown(target, 1, 1));
  say("lchown", lchown(target, 1, 1));
  say("chown by its name", fchownat(at, name, 1, 1, AT_SYMLINK_NOFOLLOW));
  say("chown by a name that need not be", fchownat(at, name, 1, 1, AT_EMPTY_PATH));
  say("utime", utime(target, NULL));
  say("utimes", utimes(target, NULL));
  say("futimesat", futimesat(at, name, NULL));
  say("utimensat", utimensat(at, name, NULL, AT_SYMLINK_NOFOLLOW));
  say("an attribute set", setxattr(target, "user.a", "b", 1, 0));
  say("an attribute set, no links", lsetxattr(target, "user.a", "b", 1, 0));
  say("an attribute removed", removexattr(target, "user.a"));
  say("an attribute removed, no links", lremovexattr(target, "user.a"));
  say("asked to write", access(target, W_OK));
  say("asked to write, effectively", faccessat(at, name, W_OK, AT_EACCESS));
  say("asked to read", access(target, R_OK));
}

static void by_link(void) {
  static const char *const links[] = {"link", "chain", "relative", "through"};
  char text[512], way[128];
  unlink(in(other, "link"));
  symlink(target, in(other, "link"));
  symlink("link", in(other, "chain"));
  snprintf(text, sizeof text, "../../../../../..%s", target);
  symlink(text, in(other, "relative"));
  symlink(directory, in(other, "directory"));
  snprintf(text, sizeof text, "directory/%s", name);
  symlink(text, in(other, "through"));
  for (unsigned i = 0; i < sizeof links / sizeof *links; ++i) {
    const char *path = in(other, links[i]);
    snprintf(way, sizeof way, "opened to write by a link, %s", links[i]);
    open_it(way, AT_FDCWD, path, O_WRONLY);
    snprintf(way, sizeof way, "made again by a link, %s", links[i]);
    open_it(way, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC);
    snprintf(way, sizeof way, "emptied by a link, %s", links[i]);
    say(way, truncate(path, 0));
    snprintf(way, sizeof way, "chmod by a link, %s", links[i]);
    say(way, chmod(path, 0666));
    snprintf(way, sizeof way, "chown by a link, %s", links[i]);
    say(way, chown(path, 1, 1));
    snprintf(way, sizeof way, "utimes by a link, %s", links[i]);
    say(way, utimes(path, NULL));
    snprintf(way, sizeof way, "an attribute set by a link, %s", links[i]);
    say(way, setxattr(path, "user.a", "b", 1, 0));
    snprintf(way, sizeof way, "asked to write by a link, %s", links[i]);
    say(way, access(path, W_OK));
  }
  chdir(other);
  open_it("opened to write by a link here", AT_FDCWD, "chain", O_WRONLY);
  open_it("opened to write by a directory's link here", AT_FDCWD, in("directory", name), O_WRONLY);
  say("removed by a directory's link", unlink(in("directory", name)));
  say("a link's owner", lchown("link", 1, 1));
  chdir("/");
}

static void by_descriptor(void) {
  int fd = open(target, O_RDONLY | O_CLOEXEC);
  char path[64], way[128];
  static const char *const ways[] = {"/proc/self/fd", "/dev/fd", "/proc/thread-self/fd"};
  say("chmod of what is open", syscall(SYS_fchmodat2, fd, "", 0666, AT_EMPTY_PATH));
  say("chown of what is open", fchownat(fd, "", 1, 1, AT_EMPTY_PATH));
  say("utimens of what is open", syscall(SYS_utimensat, fd, "", NULL, AT_EMPTY_PATH));
  say("ftruncate", ftruncate(fd, 0));
  for (unsigned i = 0; i < sizeof ways / sizeof *ways; ++i) {
    snprintf(path, sizeof path, "%s/%d", ways[i], fd);
    snprintf(way, sizeof way, "opened to write by %s", ways[i]);
    open_it(way, AT_FDCWD, path, O_WRONLY);
    snprintf(way, sizeof way, "emptied by %s", ways[i]);
    say(way, truncate(path, 0));
    snprintf(way, sizeof way, "chmod by %s", ways[i]);
    say(way, chmod(path, 0666));
    snprintf(way, sizeof way, "given a name by %s", ways[i]);
    say(way, linkat(AT_FDCWD, path, AT_FDCWD, in(other, "named"), AT_SYMLINK_FOLLOW));
  }
  open_it("opened to write by the own root", AT_FDCWD, in("/proc/self/root", target + 1), O_WRONLY);
  say("given a name", linkat(fd, "", AT_FDCWD, in(other, "named"), AT_EMPTY_PATH));
  close(fd);
}

static void by_descriptor_alone(void) {
  int fd = open(target, O_RDONLY | O_CLOEXEC);
  say("fchmod", fchmod(fd, 0604));
  say("futimens", futimens(fd, NULL));
  say("fsetxattr", fsetxattr(fd, "user.a", "b", 1, 0));
  say("fremovexattr", fremovexattr(fd, "user.a"));
  say("fchown", fchown(fd, 1, 1));
  close(fd);
}

static void names(int at) {
  const char *file = strdup(in(other, "file")), *folder = strdup(in(other, "folder"));
  close(open(file, O_WRONLY | O_CREAT, 0644));
  mkdir(folder, 0755);
  say("a directory over it", mkdir(target, 0755));
  say("a fifo over it", mknod(target, S_IFIFO | 0644, 0));
  say("a link over it", symlink("x", target));
  say("a hard link over it", link(file, target));
  say("a hard link to it", link(target, in(other, "hard")));
  say("a hard link to it beside it", linkat(at, name, at, "hard", 0));
  say("a hard link to it by a link", linkat(AT_FDCWD, in(other, "link"), AT_FDCWD, in(other, "hard"), AT_SYMLINK_FOLLOW));
  say("removed", unlink(target));
  say("removed by its name", unlinkat(at, name, 0));
  say("removed as a directory", rmdir(target));
  say("its directory removed", rmdir(directory));
  say("moved away", rename(target, in(other, "away")));
  say("moved beside it", renameat(at, name, at, "away"));
  say("moved by its name", renameat2(at, name, at, "away", RENAME_NOREPLACE));
  say("moved to where it is", rename(target, target));
  say("moved over", rename(file, target));
  say("moved over by another name", renameat2(AT_FDCWD, file, at, in("../.", in(strrchr(directory, '/') + 1, name)), 0));
  say("not moved over", renameat2(AT_FDCWD, file, AT_FDCWD, target, RENAME_NOREPLACE));
  say("exchanged", renameat2(AT_FDCWD, file, AT_FDCWD, target, RENAME_EXCHANGE));
  say("exchanged from there", renameat2(AT_FDCWD, target, AT_FDCWD, file, RENAME_EXCHANGE));
  say("a directory moved over", rename(folder, target));
  say("moved over a directory", rename(target, folder));
  say("moved away to be new", renameat2(AT_FDCWD, target, AT_FDCWD, in(other, "away"), RENAME_NOREPLACE));
  say("nothing moved over", rename(in(other, "none"), target));
  say("moved to where nothing can be", rename(target, "/none/x"));
  say("a file of that name elsewhere", mknod(in(other, name), S_IFREG | 0644, 0));
  say("which is moved", rename(in(other, name), in(other, "moved")));
  say("and moved back", rename(in(other, "moved"), in(other, name)));
  open_it("and written", AT_FDCWD, in(other, name), O_WRONLY | O_TRUNC);
  say("and changed", chmod(in(other, name), 0600));
  say("and removed", unlink(in(other, name)));
  say("another file", unlink(file));
  say("another directory", rmdir(folder));
}

static void moved_directory(void) {
  char *there = strdup(in(other, "there"));
  long result = rename(directory, there);
  say("its directory moved", result);
  if (result != 0) return;
  open_it("opened to write where it was moved", AT_FDCWD, in(there, name), O_WRONLY);
  say("removed where it was moved", unlink(in(there, name)));
  say("its directory moved back", rename(there, directory));
  open_it("opened to write when it is back", AT_FDCWD, target, O_WRONLY);
}

static void *in_thread(void *unused) {
  open_it("opened to write by a thread", AT_FDCWD, target, O_WRONLY);
  say("removed by a thread", unlink(target));
  return unused;
}

int main(int argc, char **argv) {
  struct stat before, after;
  char text[64] = {0};
  pthread_t thread;
  if (argc < 3) return 2;
  target = argv[1];
  directory = strndup(target, strrchr(target, '/') - target);
  name = strrchr(target, '/') + 1;
  snprintf(other, sizeof other, "%s", argv[2]);
  if (stat(target, &before) != 0) return 1;
  int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  by_name(at);
  by_link();
  by_descriptor();
  names(at);
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  if (argc > 3) moved_directory();
  int own_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (argc > 3 && chroot(directory) == 0) {
    open_it("opened to write in another root", AT_FDCWD, in("", name), O_WRONLY);
    say("removed in another root", unlink(in("", name)));
    say("chmod in another root", chmod(in("", name), 0666));
  }
  fchdir(at);
  int unchanged = stat(name, &after) == 0 && before.st_mode == after.st_mode && before.st_uid == after.st_uid &&
                  before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
                  before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_ino == after.st_ino && after.st_nlink == 1;
  printf("= all in all: %s\n", unchanged ? "unchanged" : "changed");
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  ssize_t size = read(fd, text, sizeof text - 1);
  printf("= content: %s\n", size > 0 ? strtok(text, "\n") : "none");
  if (argc > 3 && (fchdir(own_root) != 0 || chroot(".") != 0)) return 1;
  by_descriptor_alone();
  return 0;
}
