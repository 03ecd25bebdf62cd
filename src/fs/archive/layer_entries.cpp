#include "fs/archive/layer_entries.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

LayerEntries::LayerEntries(std::initializer_list<LayerEntry> entries) {
  for (const auto& entry : entries)
    push_back(entry);
}

LayerEntries::LayerEntries(const std::vector<LayerEntry>& entries) {
  for (const auto& entry : entries)
    push_back(entry);
}

void LayerEntries::push_back(const LayerEntry& entry) {
  auto& list = list_.change();
  if (entry.hard_link)
    list.hard_links.emplace_back(list.rows.size(), list.targets.add(*entry.hard_link));
  list.rows.push_back({list.paths.add(entry.path), list.metadata.add(entry.meta)});
}

void LayerEntries::insert(std::size_t n, const LayerEntry& entry) {
  LayerEntries all;
  for (std::size_t i = 0; i < n; ++i)
    all.push_back((*this)[i]);
  all.push_back(entry);
  for (std::size_t i = n; i < size(); ++i)
    all.push_back((*this)[i]);
  *this = std::move(all);
}

RootedPath LayerEntries::path(std::size_t n) const {
  return list_->paths.get(list_->rows[n].path);
}

std::string_view LayerEntries::name(std::size_t n) const {
  return list_->paths.name(list_->rows[n].path);
}

LayerEntry LayerEntries::operator[](std::size_t n) const {
  LayerEntry entry{path(n), list_->metadata.get(list_->rows[n].meta), {}};
  const auto& links = list_->hard_links;
  const auto link = std::lower_bound(links.begin(), links.end(), n,
                                     [](const auto& each, auto row) { return each.first < row; });
  if (link != links.end() && link->first == n)
    entry.hard_link = list_->targets.get(link->second);
  return entry;
}

LayerEntry LayerEntries::at(std::size_t n) const {
  if (n >= size())
    throw Error("there are {} entries, and none with the number {}", size(), n);
  return (*this)[n];
}

} // namespace cairn
