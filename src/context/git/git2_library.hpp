#pragma once

#include "context/git/git_id.hpp"

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

namespace cairn {

/// What the files that call libgit2 share; all are named git2_*.cpp, and no other includes it.

/// Starts the library once: bounded in what it allocates, blind to what is configured on this
/// machine. Before anything else of it is called.
void start_git_library();

/// What the library said last in this thread, as it may be shown.
std::string last_git_error();

/// Throws an Error when `code` is one of the library's for failure. `what` is what was tried.
void check_git(int code, std::string_view what);

/// Their names in the library's types and in ours. @throws Error
GitHash hash_of(git_oid_t type);
GitId id_of(const git_oid& oid);

template<auto free_it>
struct GitFreer {
  template<class Handle>
  void operator()(Handle* handle) const noexcept {
    free_it(handle);
  }
};

/// Owns a handle of the library's type.
template<class Handle, auto free_it>
using GitOwned = std::unique_ptr<Handle, GitFreer<free_it>>;

} // namespace cairn
