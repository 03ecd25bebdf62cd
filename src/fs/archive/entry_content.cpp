#include "fs/archive/entry_content.hpp"

namespace cairn {

void EntryContent::copy_to(Sink& to) {
  if (tar_ != nullptr)
    return tar_->copy_to(to);
  const auto file = open();
  copy(*file, to);
}

} // namespace cairn
