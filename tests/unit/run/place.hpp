#pragma once

#include "run/isolation_probe.hpp"
#include "util/file.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// What the commands of the tests are run in: a root with a static busybox, in a directory of its
/// own. Without one, or without the privileges, a test skips.

/// Why tests of this kind cannot run here; nothing when they can.
std::optional<std::string> cannot_use_namespaces();
std::optional<std::string> cannot_use_place();

struct Said {
  Outcome outcome;
  std::string output;
  std::string errors;
};

/// Unpacked layers and room for an overlay.
class Place {
public:
  Place();

  const std::string& path() const noexcept { return home_.path(); }
  /// A fresh upper directory over the layer with busybox and `more` layers on top of it.
  OverlayRoot overlay(const std::vector<std::string>& more = {});
  /// The layer itself.
  DirectoryRoot directory() const { return {home_.path() + "/layer"}; }
  std::string layer() const { return home_.path() + "/layer"; }
  /// Where changes to the last overlay are.
  std::string upper() const;

private:
  TempDir home_;
  int uppers_ = 0;
};

/// `sh -c script`
Invocation shell(const std::string& script);
/// Runs it with its output caught.
Said say(Runner& runner, const CommandRoot& root, Invocation invocation);
Said say(Runner& runner, const CommandRoot& root, const std::string& script);

std::unique_ptr<Runner> namespace_runner(const Place& place, std::chrono::milliseconds grace);
std::unique_ptr<Runner> namespace_runner(const Place& place);

void write_file(const std::string& path, std::string_view text);
/// All paths below a directory, sorted and joined by spaces; directories end with a slash.
std::string paths_below(const std::string& directory);

/// Runs `body` in a child process and returns what it returned, or what it threw.
std::string in_child(const std::function<std::string()>& body);
/// Gives up all capabilities but these, for good. To be used in a child.
void keep_capabilities(std::uint64_t set);

} // namespace cairn

// doctest has no way to skip from within a test.
#define SKIP_IF(...)                                                                               \
  if (const auto why = (__VA_ARGS__)) {                                                            \
    MESSAGE("skipped: " << *why);                                                                  \
    return;                                                                                        \
  }
