#include "builder/plan/stage_references.hpp"

#include "dockerfile/syntax/words.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

namespace in = instruction;

/// Goes along the edges, depth first; on a stack of its own, as there may be any number of stages.
class CircleSearch {
public:
  explicit CircleSearch(const std::vector<std::vector<StageEdge>>& edges)
      : edges_(edges), states_(edges.size(), State::unseen) {}

  std::optional<SourceRange> from(std::size_t stage) {
    enter(stage);
    while (!path_.empty()) {
      auto& [at, next] = path_.back();
      if (next == edges_[at].size()) {
        states_[at] = State::closed;
        path_.pop_back();
        continue;
      }
      const auto& edge = edges_[at][next++];
      if (states_[edge.target] == State::open)
        return edge.range;
      enter(edge.target);
    }
    return std::nullopt;
  }

private:
  enum class State { unseen, open, closed };
  struct Visit {
    std::size_t stage = 0;
    std::size_t next = 0; // of its edges
  };

  void enter(std::size_t stage) {
    if (states_[stage] != State::unseen)
      return;
    states_[stage] = State::open;
    path_.push_back({stage, 0});
  }

  const std::vector<std::vector<StageEdge>>& edges_;
  std::vector<State> states_;
  std::vector<Visit> path_;
};

} // namespace

std::vector<StageReference> references(const Stage& stage) {
  using Kind = StageReference::Kind;
  std::vector<StageReference> found;
  for (const auto& instruction : stage.instructions) {
    if (const auto* copy = std::get_if<in::Copy>(&instruction); copy != nullptr && copy->from)
      found.push_back({*copy->from, copy->range, Kind::copy});
    if (const auto* run = std::get_if<in::Run>(&instruction))
      for (const auto& mount : run->mounts)
        if (mount.from)
          found.push_back({*mount.from, run->range, Kind::mount});
  }
  return found;
}

std::optional<std::size_t> stage_number(std::string_view name) {
  if (name.size() > 1 && name.starts_with('+'))
    name.remove_prefix(1);
  const auto number = parse_unsigned(name);
  return number ? std::optional<std::size_t>(*number) : std::nullopt;
}

void check_reference(const StageReference& reference, std::size_t stages, char escape) {
  const auto& name = reference.name;
  const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
  if (expand_word(name, nothing, escape) != name)
    throw with_hint(Error("variable expansion is not supported for --from: {}", printable(name)),
                    "define a stage with FROM, using an ARG from before the first FROM, and copy "
                    "from that");
  if (reference.kind == StageReference::Kind::mount)
    return; // what is no stage may be an image
  const bool is_negative = name.size() > 1 && name.starts_with('-') &&
                           stage_number(std::string_view(name).substr(1)).has_value();
  const auto number = stage_number(name);
  if (is_negative || (number && *number >= stages))
    refuse_number(name, stages);
}

void refuse_number(std::string_view name, std::size_t stages) {
  throw with_hint(Error("invalid stage index {}", name),
                  "stages are counted from 0, the last one is " + std::to_string(stages - 1));
}

std::optional<StageCircle> find_circle(const std::vector<std::vector<StageEdge>>& edges) {
  CircleSearch search(edges);
  for (std::size_t stage = 0; stage < edges.size(); ++stage)
    if (const auto range = search.from(stage))
      return StageCircle{stage, *range};
  return std::nullopt;
}

} // namespace cairn
