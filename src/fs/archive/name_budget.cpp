#include "fs/archive/name_budget.hpp"

#include "util/error.hpp"

namespace cairn {

namespace {

constexpr std::uint64_t free_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t usual_length = 256;

} // namespace

void NameBudget::add(const LayerEntry& entry) {
  ++entries_;
  bytes_ += entry.path.str().size() + entry.meta.link_target.size();
  if (entry.hard_link)
    bytes_ += entry.hard_link->str().size();
  if (bytes_ > free_bytes && bytes_ / usual_length > entries_)
    throw Error("names and targets of links are larger than {} bytes, and than {} bytes for each "
                "of the {} entries so far",
                free_bytes, usual_length, entries_);
}

} // namespace cairn
