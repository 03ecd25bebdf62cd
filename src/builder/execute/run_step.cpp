#include "builder/execute/run_step.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr std::uint64_t max_name_file = std::uint64_t{1} << 20;

std::string machine_file(const std::string& path) {
  const auto file = try_open_at(current_directory(), path, O_RDONLY);
  return file ? read_file(*file, max_name_file) : std::string();
}

/// A script that exists while its command runs.
class Script {
public:
  Script(const instruction::InlineFile& file, Workspace& workspace)
      : path_(workspace.new_directory("s") + "/script") {
    const auto fd = open_at(current_directory(), path_, O_WRONLY | O_CREAT | O_EXCL, 0755);
    write_all(fd, std::as_bytes(std::span(file.content.data(), file.content.size())));
    if (::fchmod(fd.get(), 0755) != 0)
      throw SysError(errno, "change mode of '{}'", path_);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() { ::unlink(path_.c_str()); }

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

} // namespace

void add_name_service(Invocation& invocation, const std::vector<NameValue>& extra) {
  invocation.resolv_conf = machine_file("/etc/resolv.conf");
  auto hosts = machine_file("/etc/hosts");
  if (hosts.empty())
    hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  hosts += "127.0.0.1\t" + invocation.hostname + "\n";
  for (const auto& [name, address] : extra)
    hosts += fmt::format("{}\t{}\n", address, name);
  invocation.hosts = std::move(hosts);
}

Outcome run_action(const RunAction& action, Invocation invocation, RootFilesystem& root,
                   const LayerStack& stack, Workspace& workspace) {
  if (!action.script)
    return root.run(invocation, stack);
  const Script script(*action.script, workspace);
  invocation.mounts.emplace_back(BindMount{script.path(),
                                           RootedPath::parse("/dev/pipes/" + action.script->name),
                                           MountAccess::read_only});
  return root.run(invocation, stack);
}

} // namespace cairn
