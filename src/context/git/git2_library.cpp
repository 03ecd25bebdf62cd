#include "context/git/git2_library.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <git2.h>
#include <git2/sys/alloc.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace cairn {

namespace {

/// Objects are read as wholes; nobody's repository may ask for more than this at once.
constexpr std::size_t largest_piece = std::size_t{1} << 30;
constexpr std::size_t window = std::size_t{1} << 20;
constexpr std::size_t all_windows = std::size_t{32} << 20;
constexpr std::size_t object_cache = std::size_t{8} << 20;
constexpr std::size_t most_objects = std::size_t{50} * 1000 * 1000;

void* bounded_malloc(std::size_t size, const char*, int) {
  return size <= largest_piece ? std::malloc(size) : nullptr;
}

void* bounded_realloc(void* from, std::size_t size, const char*, int) {
  return size <= largest_piece ? std::realloc(from, size) : nullptr;
}

void plain_free(void* from) {
  std::free(from);
}

} // namespace

void start_git_library() {
  static const int started = [] {
    static git_allocator allocator = {bounded_malloc, bounded_realloc, plain_free};
    git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator);
    const int result = git_libgit2_init();
    for (const auto level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                             GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, static_cast<int>(level), "");
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, window);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, all_windows);
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(object_cache));
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, most_objects);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, largest_piece);
    return result;
  }();
  if (started < 0)
    throw Error("libgit2 does not start");
}

std::string last_git_error() {
  const auto* error = git_error_last();
  return error != nullptr && error->message != nullptr ? printable(error->message) : "no reason";
}

void check_git(int code, std::string_view what) {
  if (code >= 0)
    return;
  const auto* error = git_error_last();
  if (error != nullptr && error->klass == GIT_ERROR_NOMEMORY)
    throw Error("{}: more than {} would be needed in memory at once", what,
                human_size(largest_piece));
  throw Error("{}: {}", what, last_git_error());
}

GitHash hash_of(git_oid_t type) {
  return type == GIT_OID_SHA256 ? GitHash::sha256 : GitHash::sha1;
}

GitId id_of(const git_oid& oid) {
  std::array<char, GIT_OID_MAX_HEXSIZE + 1> text{};
  auto id = GitId::parse(git_oid_tostr(text.data(), text.size(), &oid));
  if (!id)
    throw Error("'{}' is not the name of an object", printable(text.data()));
  return *std::move(id);
}

} // namespace cairn
