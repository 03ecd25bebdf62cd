#include "context/git/git2_library.hpp"
#include "context/git/git_repository.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <git2.h>
#include <git2/sys/repository.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace cairn {

namespace {

using Blob = GitOwned<git_blob, git_blob_free>;
using Commit = GitOwned<git_commit, git_commit_free>;
using Config = GitOwned<git_config, git_config_free>;
using Filters = GitOwned<git_filter_list, git_filter_list_free>;
using GitIndex = GitOwned<git_index, git_index_free>;
using Object = GitOwned<git_object, git_object_free>;
using Reference = GitOwned<git_reference, git_reference_free>;
using GitTree = GitOwned<git_tree, git_tree_free>;

git_oid_t type_of(GitHash hash) {
  return hash == GitHash::sha256 ? GIT_OID_SHA256 : GIT_OID_SHA1;
}

git_oid oid_of(const GitId& id) {
  git_oid oid;
  check_git(git_oid_fromstr(&oid, id.hex().c_str(), type_of(id.hash())), id.hex());
  return oid;
}

GitEntry::Kind kind_of(const git_tree_entry& entry) {
  using Kind = GitEntry::Kind;
  switch (git_tree_entry_filemode(&entry)) {
  case GIT_FILEMODE_TREE:
    return Kind::directory;
  case GIT_FILEMODE_BLOB:
    return Kind::file;
  case GIT_FILEMODE_BLOB_EXECUTABLE:
    return Kind::program;
  case GIT_FILEMODE_LINK:
    return Kind::link;
  case GIT_FILEMODE_COMMIT:
    return Kind::submodule;
  default:
    break;
  }
  throw Error("'{}' in a tree is of no known kind", printable(git_tree_entry_name(&entry)));
}

/// What a commit says is anybody's: times that no file can have become those nearest to them.
GitCommit read_commit(const git_commit* commit) {
  constexpr std::int64_t last = 9'000'000'000; // in the year 2255
  const auto seconds = std::clamp(std::int64_t{git_commit_time(commit)}, std::int64_t{0}, last);
  return {id_of(*git_commit_id(commit)), id_of(*git_commit_tree_id(commit)), from_unix(seconds)};
}

/// A sink as filters know it.
struct FilterTarget {
  git_writestream base{};
  Sink* to = nullptr;
  std::exception_ptr failure;

  explicit FilterTarget(Sink& sink) : to(&sink) {
    base.write = [](git_writestream* self, const char* data, std::size_t size) noexcept {
      auto& target = *reinterpret_cast<FilterTarget*>(self);
      try {
        target.to->write(std::as_bytes(std::span(data, size)));
        return 0;
      } catch (...) {
        target.failure = std::current_exception();
        return -1;
      }
    };
    base.close = [](git_writestream*) noexcept { return 0; };
    base.free = [](git_writestream*) noexcept {};
  }
};

} // namespace

struct GitRepository::State {
  GitOwned<git_repository, git_repository_free> handle;

  git_repository* get() const noexcept { return handle.get(); }

  Blob blob(const GitId& id) const {
    const auto oid = oid_of(id);
    git_blob* blob = nullptr;
    check_git(git_blob_lookup(&blob, get(), &oid), "read a file of the repository");
    return Blob(blob);
  }

  GitTree tree(const GitId& id) const {
    const auto oid = oid_of(id);
    git_tree* tree = nullptr;
    check_git(git_tree_lookup(&tree, get(), &oid), "read a directory of the repository");
    return GitTree(tree);
  }

  static std::unique_ptr<State> create(const std::string& directory, const char* files,
                                       GitHash hash, std::uint32_t flags) {
    start_git_library();
    git_repository_init_options options;
    check_git(git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION),
              "make a repository");
    options.flags = flags | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    options.workdir_path = files;
    options.initial_head = "master";
    options.oid_type = type_of(hash);
    git_repository* handle = nullptr;
    check_git(git_repository_init_ext(&handle, directory.c_str(), &options),
              "make a repository in '" + directory + "'");
    auto state = std::make_unique<State>();
    state->handle.reset(handle);
    return state;
  }
};

GitRepository::GitRepository(std::unique_ptr<State> state) : state_(std::move(state)) {}
GitRepository::GitRepository(GitRepository&&) noexcept = default;
GitRepository& GitRepository::operator=(GitRepository&&) noexcept = default;
GitRepository::~GitRepository() = default;

GitRepository GitRepository::create(const std::string& path, GitHash hash, Layout layout) {
  const auto flags = layout == Layout::bare ? GIT_REPOSITORY_INIT_BARE : 0;
  return GitRepository(State::create(path, nullptr, hash, static_cast<std::uint32_t>(flags)));
}

GitRepository GitRepository::create_apart(const std::string& directory, const std::string& files,
                                          GitHash hash) {
  return GitRepository(
      State::create(directory, files.c_str(), hash,
                    GIT_REPOSITORY_INIT_NO_DOTGIT_DIR | GIT_REPOSITORY_INIT_RELATIVE_GITLINK));
}

GitRepository GitRepository::open(const std::string& path) {
  start_git_library();
  git_repository* handle = nullptr;
  check_git(git_repository_open_ext(&handle, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr),
            "open the repository in '" + path + "'");
  auto state = std::make_unique<State>();
  state->handle.reset(handle);
  git_config* settings = nullptr;
  check_git(git_config_new(&settings), "forget the configuration");
  const Config owner(settings);
  check_git(git_repository_set_config(handle, settings), "forget the configuration");
  return GitRepository(std::move(state));
}

std::string GitRepository::path() const {
  return git_repository_path(state_->get());
}

GitHash GitRepository::hash() const noexcept {
  return hash_of(git_repository_oid_type(state_->get()));
}

bool GitRepository::has(const GitId& id) const {
  if (id.hash() != hash())
    return false;
  const auto oid = oid_of(id);
  git_object* object = nullptr;
  const int code = git_object_lookup(&object, state_->get(), &oid, GIT_OBJECT_ANY);
  const Object owner(object);
  return code == 0;
}

GitCommit GitRepository::commit(const GitId& id) const {
  const auto oid = oid_of(id);
  git_object* object = nullptr;
  check_git(git_object_lookup(&object, state_->get(), &oid, GIT_OBJECT_ANY), id.hex());
  const Object owner(object);
  git_object* peeled = nullptr;
  check_git(git_object_peel(&peeled, object, GIT_OBJECT_COMMIT), id.hex() + " is not a commit");
  const Object commit(peeled);
  return read_commit(reinterpret_cast<const git_commit*>(peeled));
}

std::optional<GitCommit> GitRepository::find_commit(std::string_view prefix) const {
  git_oid oid;
  check_git(git_oid_fromstrn(&oid, prefix.data(), prefix.size(), type_of(hash())), prefix);
  git_commit* commit = nullptr;
  const int code = git_commit_lookup_prefix(&commit, state_->get(), &oid, prefix.size());
  const Commit owner(commit);
  if (code == GIT_EAMBIGUOUS)
    throw Error("more than one commit begins with {}", prefix);
  return code == 0 ? std::optional(read_commit(commit)) : std::nullopt;
}

std::vector<GitEntry> GitRepository::list(const GitId& id) const {
  const auto tree = state_->tree(id);
  std::vector<GitEntry> entries;
  const auto count = git_tree_entrycount(tree.get());
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* entry = git_tree_entry_byindex(tree.get(), i);
    entries.push_back(
        {git_tree_entry_name(entry), kind_of(*entry), id_of(*git_tree_entry_id(entry))});
  }
  return entries;
}

std::string GitRepository::text(const GitId& id, std::size_t limit) const {
  const auto blob = state_->blob(id);
  const auto size = static_cast<std::uint64_t>(git_blob_rawsize(blob.get()));
  if (size > limit)
    throw Error("it is larger than {}", human_size(limit));
  return {static_cast<const char*>(git_blob_rawcontent(blob.get())), size};
}

void GitRepository::write(const GitId& id, Sink& to) const {
  const auto blob = state_->blob(id);
  to.write({static_cast<const std::byte*>(git_blob_rawcontent(blob.get())),
            static_cast<std::size_t>(git_blob_rawsize(blob.get()))});
}

void GitRepository::write(const GitId& id, const Place& place, Sink& to) const {
  const auto blob = state_->blob(id);
  git_filter_options options{};
  options.version = GIT_FILTER_OPTIONS_VERSION;
  options.flags = GIT_FILTER_ATTRIBUTES_FROM_COMMIT | GIT_FILTER_NO_SYSTEM_ATTRIBUTES;
  options.attr_commit_id = oid_of(place.commit.id);
  git_filter_list* list = nullptr;
  check_git(git_filter_list_load_ext(&list, state_->get(), blob.get(), place.path.c_str(),
                                     GIT_FILTER_TO_WORKTREE, &options),
            "read .gitattributes");
  const Filters filters(list);
  FilterTarget target(to);
  const int code = git_filter_list_stream_blob(list, blob.get(), &target.base);
  if (target.failure)
    std::rethrow_exception(target.failure);
  check_git(code, "apply .gitattributes");
}

void GitRepository::check_out(const GitCommit& commit) {
  const auto oid = oid_of(commit.id);
  check_git(git_repository_set_head_detached(state_->get(), &oid), "set HEAD");
  const auto tree = state_->tree(commit.tree);
  git_index* handle = nullptr;
  check_git(git_repository_index(&handle, state_->get()), "make the index");
  const GitIndex index(handle);
  check_git(git_index_read_tree(handle, tree.get()), "make the index");
  check_git(git_index_write(handle), "write the index");
}

void GitRepository::set_ref(const std::string& name, const GitId& id) {
  const auto oid = oid_of(id);
  git_reference* reference = nullptr;
  check_git(git_reference_create(&reference, state_->get(), name.c_str(), &oid, 1, nullptr), name);
  const Reference owner(reference);
}

void GitRepository::set_config(const std::string& name, const std::string& value) {
  git_config* handle = nullptr;
  check_git(git_repository_config(&handle, state_->get()), "read the configuration");
  const Config config(handle);
  check_git(git_config_set_string(handle, name.c_str(), value.c_str()), name);
}

} // namespace cairn
