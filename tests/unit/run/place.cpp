#include "place.hpp"

#include "run/namespace_runner.hpp"
#include "run/process/capabilities.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

namespace cairn {

namespace {

constexpr const char* busybox_places[] = {"/bin/busybox", "/usr/bin/busybox"};

Fd memory_file() {
  Fd file(::memfd_create("output", MFD_CLOEXEC));
  if (!file)
    throw SysError(errno, "create a file in memory");
  return file;
}

std::string content(const Fd& file) {
  ::lseek(file.get(), 0, SEEK_SET);
  return read_file(file, 1 << 20);
}

std::optional<std::string> busybox() {
  for (const char* path : busybox_places) {
    if (::access(path, X_OK) == 0)
      return path;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> cannot_use_place() {
  if (::geteuid() != 0)
    return "needs root";
  if (!busybox())
    return "needs a static busybox";
  return std::nullopt;
}

std::optional<std::string> cannot_use_namespaces() {
  if (auto why = cannot_use_place())
    return why;
  const TempDir work("/tmp");
  const auto probe = probe_isolation({Isolation::namespaces, work.path(), Force::no, {}});
  if (probe.mode == IsolationMode::namespace_overlay)
    return std::nullopt;
  return probe.explanation().front();
}

Place::Place() : home_("/tmp") {
  make_directories(layer() + "/bin");
  std::filesystem::copy_file(busybox().value(), layer() + "/bin/busybox");
  for (const char* name :
       {"sh",   "cat",   "ls",       "id",       "sleep", "grep",  "stat", "mkdir", "rm",
        "echo", "touch", "hostname", "readlink", "pwd",   "env",   "kill", "ps",    "mv",
        "wc",   "chmod", "chown",    "test",     "true",  "mknod", "ip",   "head",  "df"})
    std::filesystem::create_symlink("busybox", layer() + "/bin/" + name);
}

OverlayRoot Place::overlay(const std::vector<std::string>& more) {
  ++uppers_;
  OverlayRoot root{more, upper(), fmt::format("{}/work-{}", path(), uppers_)};
  root.lower.push_back(layer());
  make_directories(root.upper);
  make_directories(root.work);
  return root;
}

std::string Place::upper() const {
  return fmt::format("{}/upper-{}", path(), uppers_);
}

Invocation shell(const std::string& script) {
  Invocation invocation;
  invocation.argv = {"/bin/sh", "-c", script};
  invocation.environment = {"PATH=/bin:/usr/bin"};
  return invocation;
}

Said say(Runner& runner, const CommandRoot& root, Invocation invocation) {
  const Fd output = memory_file();
  const Fd errors = memory_file();
  invocation.output = output;
  invocation.errors = errors;
  Said said;
  said.outcome = runner.run(root, invocation);
  said.output = content(output);
  said.errors = content(errors);
  return said;
}

Said say(Runner& runner, const CommandRoot& root, const std::string& script) {
  return say(runner, root, shell(script));
}

std::unique_ptr<Runner> namespace_runner(const Place& place, std::chrono::milliseconds grace) {
  return std::make_unique<NamespaceRunner>(RunnerOptions{place.path(), grace});
}

std::unique_ptr<Runner> namespace_runner(const Place& place) {
  return namespace_runner(place, std::chrono::seconds(10));
}

void write_file(const std::string& path, std::string_view text) {
  const auto file = open_at(current_directory(), path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, std::as_bytes(std::span(text)));
}

std::string paths_below(const std::string& directory) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const bool is_directory = entry.is_directory() && !entry.is_symlink();
    found.push_back(entry.path().string().substr(directory.size() + 1) + (is_directory ? "/" : ""));
  }
  std::sort(found.begin(), found.end());
  return join(found, " ");
}

std::string in_child(const std::function<std::string()>& body) {
  Pipe pipe = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string text;
    try {
      text = body();
    } catch (const Error& error) {
      text = std::string("threw ") + error.what();
    }
    write_all(pipe.write, std::as_bytes(std::span(text)));
    ::_exit(0);
  }
  pipe.write.reset();
  auto text = read_file(pipe.read, 1 << 20);
  ::waitpid(pid, nullptr, 0);
  return text;
}

void keep_capabilities(std::uint64_t set) {
  if (bound_capabilities(set) != 0 || set_capabilities(set) != 0)
    throw Error("capabilities cannot be dropped");
}

} // namespace cairn
