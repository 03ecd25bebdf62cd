#include "fs/archive/path_pool.hpp"

#include <string>
#include <utility>

namespace cairn {

namespace {

bool lies_in(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

} // namespace

PathPool::Packed PathPool::add(const RootedPath& path) {
  const std::string_view text = path.str();
  const auto above = directory(text.substr(0, text.rfind('/')));
  return {above, texts_.add(path.name())};
}

TextPool::Position PathPool::directory(std::string_view path) {
  while (!ways_.empty() && !lies_in(path, texts_.at(ways_.back())))
    ways_.pop_back();
  if (ways_.empty() || texts_.at(ways_.back()) != path)
    ways_.push_back(texts_.add(path));
  return ways_.back();
}

RootedPath PathPool::get(const Packed& packed) const {
  std::string text(texts_.at(packed.directory));
  text += '/';
  text += texts_.at(packed.name);
  return RootedPath::of_clean(std::move(text));
}

} // namespace cairn
