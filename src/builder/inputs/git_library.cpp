#include "builder/inputs/git_library.hpp"

namespace cairn {

GitLibrary::GitLibrary(GitServices services) : services_(std::move(services)) {
  services_.stop = &stopped_;
}

GitId GitLibrary::commit(const GitSource& source) {
  if (const auto checkout = checkouts_.find(source.key()))
    return (*checkout)->commit.id;
  return commits_.get(source.key(), [&] {
    const auto known = resolve_git(source.reference, services_);
    return known ? *known : get(source)->commit.id;
  });
}

std::shared_ptr<const GitCheckout> GitLibrary::get(const GitSource& source) {
  return checkouts_.get(source.key(), [&] {
    return std::make_shared<const GitCheckout>(
        check_out_git(source.reference, commits_.find(source.key()), services_));
  });
}

} // namespace cairn
