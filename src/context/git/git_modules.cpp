#include "context/git/git_modules.hpp"

#include "context/git/git_config.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <map>

namespace cairn {

namespace {

constexpr std::string_view file_name = ".gitmodules";
constexpr std::size_t largest_file = std::size_t{1} << 20;

std::vector<GitModule> parse_modules(const std::string& text) {
  constexpr std::string_view section = "submodule.";
  std::map<std::string, GitModule> modules;
  for (const auto& [key, value] : parse_git_config(text)) {
    const auto last = key.rfind('.');
    if (!key.starts_with(section) || last < section.size())
      continue;
    const auto name = key.substr(section.size(), last - section.size());
    const auto field = std::string_view(key).substr(last + 1);
    auto& module = modules[name];
    module.name = name;
    if (field == "path")
      module.path = value;
    else if (field == "url")
      module.url = value;
    else if (field == "update")
      module.update = value;
  }
  std::vector<GitModule> list;
  list.reserve(modules.size());
  for (auto& [name, module] : modules)
    list.push_back(std::move(module));
  return list;
}

} // namespace

std::vector<GitModule> read_git_modules(const GitRepository& repository, const GitCommit& commit) {
  for (const auto& entry : repository.list(commit.tree)) {
    if (entry.name != file_name)
      continue;
    // A link could lead anywhere.
    if (entry.kind != GitEntry::Kind::file && entry.kind != GitEntry::Kind::program)
      throw Error("{}: it is not a file", file_name);
    return within([&] { return parse_modules(repository.text(entry.id, largest_file)); }, "{}",
                  file_name);
  }
  return {};
}

bool is_safe_module_name(std::string_view name) {
  const auto parts = split(name, '/');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." && part.find('\\') == std::string::npos &&
           part.find('\0') == std::string::npos;
  });
}

} // namespace cairn
