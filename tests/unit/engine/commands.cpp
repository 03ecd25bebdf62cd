#include "commands.hpp"

namespace cairn::test {

const Command& Commands::find(const Invocation& invocation) const {
  static const Command nothing;
  const auto found = table_.find(invocation.argv.back());
  return found == table_.end() ? nothing : found->second;
}

std::unique_ptr<FakeRunner> Commands::runner() const {
  return std::make_unique<FakeRunner>(
      [this](const CommandRoot& root, const Invocation& invocation) {
        return run(root, invocation);
      },
      on_signal_);
}

Outcome Commands::run(const CommandRoot& root, const Invocation& invocation) const {
  const auto& text = invocation.argv.back();
  const auto& command = find(invocation);
  journal_.add("run " + text);
  if (const auto* overlay = std::get_if<OverlayRoot>(&root))
    write_below(overlay->upper, command.makes);
  else if (const auto* directory = std::get_if<DirectoryRoot>(&root)) {
    write_below(directory->path, command.makes);
    if (command.does)
      command.does(directory->path);
  }
  if (command.does_anywhere)
    command.does_anywhere();
  if (command.meanwhile)
    command.meanwhile();
  journal_.add("end " + text);
  Outcome outcome;
  outcome.exit_status = command.exit_status;
  return outcome;
}

FakeRootFilesystem::FakeRootFilesystem(const RootServices& services, const Commands& commands,
                                       Journal& journal, CommandReach reach)
    : services_(services), commands_(commands), journal_(journal), reach_(reach) {
  journal_.add("root");
}

void FakeRootFilesystem::apply_layers(LayerStack& stack) {
  const auto count = stack.layers().size();
  if (count > applied_) {
    commands_.apply();
    journal_.add("apply " + std::to_string(count - applied_));
  }
  applied_ = count;
  files_ = files_in(stack.tree());
}

Outcome FakeRootFilesystem::run(const Invocation& invocation, const LayerStack&) {
  last_ = &commands_.find(invocation);
  if (last_->finds)
    last_->finds(files_);
  return services_.runner.run(InPlaceRoot{}, invocation);
}

LayerContent FakeRootFilesystem::changes(const LayerStack&) {
  auto content = content_of(last_->makes);
  if (last_->written)
    content = with_opener(std::move(content), [told = last_->written](ContentOpener open) {
      return [open = std::move(open), told](std::size_t n) {
        told();
        return open(n);
      };
    });
  return content;
}

void FakeRootFilesystem::commit(const std::shared_ptr<const StageLayer>&) {
  ++applied_;
  journal_.add("commit");
}

std::optional<std::string> FakeRootFilesystem::changed_text(const RootedPath& path,
                                                            std::uint64_t) const {
  const auto found = last_->makes.find(path.relative());
  return found == last_->makes.end() ? std::nullopt : std::optional(found->second);
}

void FakeRootFilesystem::admit(const LayerEntries& entries) {
  for (const auto& entry : entries)
    journal_.add("admit " + entry.path.str());
}

} // namespace cairn::test
