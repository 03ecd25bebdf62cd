#pragma once

#include "builder/build.hpp"
#include "commands.hpp"
#include "creds/docker/keychain.hpp"
#include "images.hpp"
#include "support/fake_http.hpp"
#include "support/fake_registry.hpp"
#include "support/journal.hpp"
#include "util/file.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace cairn::test {

/// Everything that a build works with, none of it real but a directory of plain files: commands,
/// roots, registry and clock are fakes. An image goes to r.example/app:latest.
class Engine {
public:
  Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// A file of the context.
  void write(const std::string& path, const std::string& text);
  /// Builds this Dockerfile. @throws what the build throws
  BuildReport build(const std::string& dockerfile);
  /// The same of a build that fails: what it says.
  std::string failure(const std::string& dockerfile);

  /// r.example/NAME:latest, for FROM.
  StoredImage base(const std::string& name, const std::vector<Files>& layers) {
    return add_image(registry, name, layers);
  }
  /// What was pushed.
  StoredImage image() const { return read_image(registry, "app"); }
  bool is_pushed() const { return registry.has_tag("app", "latest"); }

  /// Commands that were started, in order.
  std::vector<std::string> ran() const;
  /// Turns --cache on, with r.example/app/cache as the one place for it.
  void use_cache() { options.cache.enabled = true; }
  /// How many warnings begin with this.
  std::size_t warnings(const std::string& start) { return progress.told().count("warn: " + start); }

  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  Journal journal; ///< Of commands and roots.
  Commands commands{journal};
  FakeRegistry registry;
  FakeProgress progress;
  Time now = from_unix(1'800'000'000);
  std::atomic<bool> cancel = false;
  BuildOptions options;
  IsolationMode mode = IsolationMode::namespace_overlay;
  /// Fake roots; a test may make real ones instead.
  RootFactory roots;
  /// Called for a directory that is to be the lowest of an overlay: throws when it cannot be.
  std::function<void(const std::string& lower)> try_lower = [](const std::string&) {};
  /// Called when a root that was lent is given back.
  std::function<void()> on_give_back = [] {};

private:
  TempDir directory_;
  FakeHttp http_;
  AnonymousKeychain keychain_;
};

/// An Engine whose roots are those of `mode`. Commands, too, write real files.
class UnpackingEngine : public Engine {
public:
  explicit UnpackingEngine(IsolationMode with);
};

/// An Engine whose commands run in place, in a root that is lent to the build. The journal gets
/// "borrow" and "give back".
class InPlaceEngine : public Engine {
public:
  InPlaceEngine();
};

/// Whether files can be given to the users that layers name; says so when they cannot.
bool may_unpack();

} // namespace cairn::test
