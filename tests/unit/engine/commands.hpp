#pragma once

#include "builder/roots/root_filesystem.hpp"
#include "run/fake_runner.hpp"
#include "support/journal.hpp"
#include "support/layer_files.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cairn::test {

/// What a command does to its root, and how it ends.
struct Command {
  Files makes = {};
  int exit_status = 0;
  /// Told which files it finds in its root when it begins.
  std::function<void(const std::vector<std::string>& paths)> finds = {};
  /// What else it does in a root that is a directory.
  std::function<void(const std::string& root)> does = {};
  /// What it does besides, wherever its root is.
  std::function<void()> does_anywhere = {};
  /// Called while it runs, by the thread that waits for it.
  std::function<void()> meanwhile = {};
  /// Called while its layer is written, for each file.
  std::function<void()> written = {};
};

/// All commands that a build may run, by their text: a RUN of anything else changes nothing. The
/// journal gets "run TEXT" and "end TEXT".
class Commands {
public:
  explicit Commands(Journal& journal) : journal_(journal) {}
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  Command& operator[](const std::string& text) { return table_[text]; }
  const Command& find(const Invocation& invocation) const;

  /// Called before layers are put into a root.
  void on_apply(std::function<void()> told) { on_apply_ = std::move(told); }
  void apply() const {
    if (on_apply_)
      on_apply_();
  }
  /// Told of the signals that running commands get.
  void on_signal(FakeRunner::OnSignal told) { on_signal_ = std::move(told); }
  std::unique_ptr<FakeRunner> runner() const;

private:
  Outcome run(const CommandRoot& root, const Invocation& invocation) const;

  Journal& journal_;
  std::map<std::string, Command> table_;
  std::function<void()> on_apply_;
  FakeRunner::OnSignal on_signal_;
};

/// A root in memory: commands change it as the table says. The journal gets "root", and what is
/// done to it: "apply N" layers, "admit PATH", "commit".
class FakeRootFilesystem final : public RootFilesystem {
public:
  FakeRootFilesystem(const RootServices& services, const Commands& commands, Journal& journal,
                     CommandReach reach);

  void apply_layers(LayerStack& stack) override;
  Outcome run(const Invocation& invocation, const LayerStack& stack) override;
  LayerContent changes(const LayerStack& stack) override;
  void commit(const std::shared_ptr<const StageLayer>& layer) override;
  std::optional<std::string> changed_text(const RootedPath& path,
                                          std::uint64_t limit) const override;
  CommandReach reach() const noexcept override { return reach_; }
  void admit(const LayerEntries& entries) override;

private:
  RootServices services_;
  const Commands& commands_;
  Journal& journal_;
  CommandReach reach_;
  std::size_t applied_ = 0;
  std::vector<std::string> files_; ///< Of the layers that are applied.
  const Command* last_ = nullptr;
};

} // namespace cairn::test
