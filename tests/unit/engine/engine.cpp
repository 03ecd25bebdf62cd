#include "engine.hpp"

#include "util/error.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

namespace cairn::test {

namespace {

constexpr RetryPolicy no_patience{
    .attempts = 2, .first = Milliseconds(0), .factor = 1, .cap = Milliseconds(0)};

/// A root with nothing else in it.
class FakeBorrowedRoot final : public BorrowedRoot {
public:
  FakeBorrowedRoot(Journal& journal, const std::function<void()>& on_end)
      : journal_(journal), on_end_(on_end) {
    journal_.add("borrow");
  }
  FakeBorrowedRoot(const FakeBorrowedRoot&) = delete;
  FakeBorrowedRoot& operator=(const FakeBorrowedRoot&) = delete;
  ~FakeBorrowedRoot() override {
    on_end_();
    journal_.add("give back");
  }

  ForeignFiles& foreign_files() override { return nobodys_; }
  PathFilter ignored() const override {
    return [](const RootedPath&) { return false; };
  }

private:
  class NobodysFiles final : public ForeignFiles {
  public:
    bool own(const RootedPath&) const override { return false; }
    bool is_volatile(const RootedPath&) const override { return false; }
    bool need(const RootedPath&) const override { return false; }
    void blocked(LayerOrigin, const LayerEntry&, const RootedPath&) override {}
    void admit(const LayerEntry&) override {}
    void admit(const Invocation&) override {}
    void changed(const RootedPath&) override {}
    std::string visible_hint() const override { return {}; }
  };

  Journal& journal_;
  const std::function<void()>& on_end_;
  NobodysFiles nobodys_;
};

} // namespace

Engine::Engine()
    : roots([this](IsolationMode, const RootServices& services) {
        return std::make_unique<FakeRootFilesystem>(services, commands, journal,
                                                    CommandReach::nothing);
      }),
      directory_("/tmp"),
      http_([this](const Request& request) { return registry.answer(request); }) {
  make_directories(path("context"));
  options.context.context = path("context");
  options.context.dockerfile = path("Dockerfile");
  options.execution.work_directory = path("kaniko");
  options.execution.cache_directory = "/dev/null/cache"; // none, and not /cache either
  options.output.destinations = {ImageRef::parse("r.example/app:latest")};
}

void Engine::write(const std::string& name, const std::string& text) {
  const auto slash = name.rfind('/');
  if (slash != std::string::npos)
    make_directories(path("context/" + name.substr(0, slash)));
  AtomicFile file(path("context/" + name));
  file.write(text);
  file.commit();
}

BuildReport Engine::build(const std::string& dockerfile) {
  AtomicFile file(path("Dockerfile"));
  file.write(dockerfile);
  file.commit();
  const auto clock = [this] { return now; };
  RegistryClient client({.http = http_,
                         .keychain = keychain_,
                         .progress = progress,
                         .clock = clock,
                         .retry = no_patience,
                         .cancel = &cancel},
                        {});
  const RegistryMap mirrors;
  const BuildServices services{.registry = client,
                               .publisher = client,
                               .mirrors = mirrors,
                               .http = http_,
                               .retry = no_patience,
                               .progress = progress,
                               .clock = clock,
                               .environment = {},
                               .cancel = cancel,
                               .on_runner = {}};
  const CommandServices doubles{
      .probe =
          [this](const ProbeRequest&) {
            journal.add("probe");
            IsolationProbe probe;
            probe.mode = mode;
            return probe;
          },
      .make_runner = [this](const IsolationProbe&,
                            const RunnerOptions&) { return commands.runner(); },
      .make_root = roots,
      .try_lower = [this](const std::string& lower, const std::string&) { try_lower(lower); },
      .borrow_root =
          [this](const Borrowing&) {
            return std::make_unique<FakeBorrowedRoot>(journal, on_give_back);
          }};
  return build_image(options, services, doubles);
}

std::string Engine::failure(const std::string& dockerfile) {
  try {
    build(dockerfile);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::vector<std::string> Engine::ran() const {
  std::vector<std::string> texts;
  for (const auto& line : journal.lines())
    if (line.starts_with("run "))
      texts.push_back(line.substr(4));
  return texts;
}

UnpackingEngine::UnpackingEngine(IsolationMode with) {
  mode = with;
  roots = [this](IsolationMode wanted, const RootServices& services) {
    journal.add("root");
    return make_root_filesystem(wanted, services);
  };
}

InPlaceEngine::InPlaceEngine() {
  mode = IsolationMode::inplace;
  roots = [this](IsolationMode, const RootServices& services) {
    return std::make_unique<FakeRootFilesystem>(services, commands, journal,
                                                CommandReach::everything);
  };
}

bool may_unpack() {
  const bool may = ::geteuid() == 0;
  if (!may)
    MESSAGE("skip: only root can give files to the users that layers name");
  return may;
}

} // namespace cairn::test
