#include "oci/environment.hpp"

namespace cairn {

Environment::Environment(std::vector<std::string> entries) : entries_(std::move(entries)) {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    note(i);
}

void Environment::note(std::size_t place) {
  const auto& entry = entries_[place];
  bytes_ += entry.size() + 1;
  if (const auto end = entry.find('='); end != std::string::npos)
    names_.try_emplace(entry.substr(0, end), Places{place, place}).first->second.last = place;
}

std::optional<std::string> Environment::get(std::string_view name) const {
  // The last one wins, as it does for execve.
  const auto found = names_.find(name);
  if (found == names_.end())
    return std::nullopt;
  return entries_[found->second.last].substr(name.size() + 1);
}

void Environment::set(std::string_view name, std::string_view value) {
  auto entry = std::string(name) + "=" + std::string(value);
  const auto found = names_.find(name);
  if (found == names_.end()) {
    entries_.push_back(std::move(entry));
    note(entries_.size() - 1);
    return;
  }
  auto& old = entries_[found->second.first];
  bytes_ = bytes_ - old.size() + entry.size();
  old = std::move(entry);
}

} // namespace cairn
