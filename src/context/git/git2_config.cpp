#include "context/git/git2_library.hpp"
#include "context/git/git_config.hpp"

#include <git2.h>
#include <git2/sys/config.h>

namespace cairn {

namespace {

using Config = GitOwned<git_config, git_config_free>;
using ConfigEntries = GitOwned<git_config_iterator, git_config_iterator_free>;

} // namespace

std::vector<std::pair<std::string, std::string>> parse_git_config(const std::string& text) {
  start_git_library();
  git_config* handle = nullptr;
  check_git(git_config_new(&handle), "read a configuration");
  const Config config(handle);
  git_config_backend* backend = nullptr;
  check_git(git_config_backend_from_string(&backend, text.data(), text.size(), nullptr),
            "read a configuration");
  if (const int code = git_config_add_backend(handle, backend, GIT_CONFIG_LEVEL_APP, nullptr, 0);
      code < 0) {
    backend->free(backend);
    check_git(code, "read a configuration");
  }
  git_config_iterator* iterator = nullptr;
  check_git(git_config_iterator_new(&iterator, handle), "read a configuration");
  const ConfigEntries owner(iterator);
  std::vector<std::pair<std::string, std::string>> lines;
  git_config_entry* entry = nullptr;
  while (git_config_next(&entry, iterator) == 0)
    lines.emplace_back(entry->name, entry->value != nullptr ? entry->value : "");
  return lines;
}

} // namespace cairn
