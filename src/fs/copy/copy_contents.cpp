#include "fs/copy/copy_contents.hpp"

#include "util/error.hpp"

#include <limits>

namespace cairn {

namespace {

constexpr std::uint32_t most_sources = (std::uint32_t{1} << 30U) - 1;

bool has_path(CopyContent::Kind kind) {
  return kind == CopyContent::Kind::view || kind == CopyContent::Kind::archive;
}

} // namespace

void CopyContents::push_back(const CopyContent& content) {
  if (content.source > most_sources || content.member > std::numeric_limits<std::uint32_t>::max())
    throw Error("there are too many sources");
  Row row;
  row.kind = content.kind;
  row.source = static_cast<std::uint32_t>(content.source) & most_sources;
  row.member = static_cast<std::uint32_t>(content.member);
  if (has_path(content.kind))
    row.path = add_path(content.path);
  rows_.push_back(row);
}

/// The members of an archive all have its path.
PathPool::Packed CopyContents::add_path(const RootedPath& path) {
  if (!rows_.empty())
    if (const auto& last = rows_[rows_.size() - 1];
        last.kind == CopyContent::Kind::archive && paths_.get(last.path) == path)
      return last.path;
  return paths_.add(path);
}

CopyContent CopyContents::operator[](std::size_t n) const {
  const auto& row = rows_[n];
  CopyContent content{row.kind, row.source, {}, row.member};
  if (has_path(row.kind))
    content.path = paths_.get(row.path);
  return content;
}

} // namespace cairn
