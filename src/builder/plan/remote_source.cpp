#include "builder/plan/remote_source.hpp"

#include "context/git/git_address.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

namespace cairn {

std::string GitSource::key() const {
  const auto& r = reference;
  const auto flag = [](const std::optional<bool>& value) {
    return value ? (*value ? "yes" : "no") : "unsaid";
  };
  return fmt::format("{}\n{}\n{}\n{}\n{} {} {} {}", r.url(), r.ref, r.subdirectory, r.checksum,
                     flag(r.keep_git_dir), flag(r.submodules), r.times == GitTimes::commit,
                     r.fetch_by_commit);
}

std::string GitSource::identity(const GitId& commit) const {
  const auto& r = reference;
  const bool keeps = r.keep_git_dir.value_or(false);
  // ".git" holds where it is from and by which name.
  const auto kept =
      keeps ? fmt::format("{} {}", GitAddress::parse(r.url()).url(), r.ref) : std::string("-");
  return fmt::format("repository {} submodules={} mtime={} git={} subdir={}", commit.hex(),
                     r.submodules.value_or(true), r.times == GitTimes::commit, kept,
                     r.subdirectory);
}

std::optional<GitSource> parse_git_source(std::string_view text) {
  auto reference =
      within([&] { return parse_git_reference(text); }, "{}", redact_git_reference(text));
  if (!reference)
    return std::nullopt;
  return GitSource{*std::move(reference), redact_git_reference(text)};
}

void set_keep_git_dir(GitReference& context, const std::map<std::string, std::string>& build_args) {
  constexpr auto name = "BUILDKIT_CONTEXT_KEEP_GIT_DIR";
  const auto found = build_args.find(name);
  if (found == build_args.end() || found->second.empty() || context.keep_git_dir)
    return;
  context.keep_git_dir = parse_go_flag(found->second);
  if (!context.keep_git_dir)
    throw Error("--build-arg {}: '{}' is not a boolean", name, found->second);
}

} // namespace cairn
