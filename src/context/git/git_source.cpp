#include "context/git/git_source.hpp"

#include "context/git/git_cache.hpp"
#include "context/git/git_fetch.hpp"
#include "context/git/git_modules.hpp"
#include "context/git/git_tree_writer.hpp"
#include "net/http.hpp"
#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <algorithm>

namespace cairn {

namespace {

/// Submodules that hold submodules, and so on.
constexpr int deepest_submodule = 10;
constexpr unsigned most_submodules = 1000;

/// Objects in a directory that goes with the checkout.
class OwnStore final : public GitStore {
public:
  explicit OwnStore(std::string path) : path_(std::move(path)) {}

  std::optional<GitRepository> open() override { return std::nullopt; }
  GitRepository create(GitHash hash) override {
    remove_tree(current_directory(), path_);
    return GitRepository::create(path_, hash, GitRepository::Layout::bare);
  }

private:
  std::string path_;
};

/// Objects in a ".git" that stays.
class KeptStore final : public GitStore {
public:
  /// `directory` is where they go; the files are in `files`, which has no ".git" yet.
  KeptStore(std::string directory, std::string files)
      : directory_(std::move(directory)), files_(std::move(files)) {}

  std::optional<GitRepository> open() override { return std::nullopt; }
  GitRepository create(GitHash hash) override {
    remove_tree(current_directory(), directory_);
    remove_tree(current_directory(), files_ + "/.git");
    if (directory_ == files_ + "/.git")
      return GitRepository::create(files_, hash, GitRepository::Layout::with_files);
    return GitRepository::create_apart(directory_, files_, hash);
  }

private:
  std::string directory_;
  std::string files_;
};

std::string without_slashes(std::string_view path) {
  return RootedPath::parse(path).relative();
}

GitWanted wanted_of(const GitReference& reference, const std::optional<GitId>& commit) {
  const auto address = GitAddress::parse(reference.url());
  return {address, address, reference.ref, reference.checksum, reference.fetch_by_commit, commit};
}

class Checkout {
public:
  Checkout(const GitReference& reference, const GitServices& services)
      : reference_(reference), services_(services), main_(GitAddress::parse(reference.url())),
        directory_(services.temporary, "git-"), files_(directory_.path() + "/files"),
        keeps_git_(reference.keep_git_dir.value_or(false) &&
                   RootedPath::parse(reference.subdirectory).is_root()) {}

  GitCheckout run(const std::optional<GitId>& known) {
    make_directories(files_);
    services_.progress.info("fetching {}{}", main_.url(),
                            reference_.ref.empty() ? "" : "#" + printable(reference_.ref));
    auto commit =
        bring(wanted_of(reference_, known), {reference_.url(), files_, files_ + "/.git"}, 0);
    services_.progress.info("{}: commit {}", main_.url(), commit.id.hex());
    remove_tree(directory_.fd(), "objects");
    return finish(std::move(commit));
  }

private:
  /// Where a repository goes.
  struct Target {
    std::string remote; ///< As written, for submodules that are relative to it.
    std::string files;
    std::string git_dir; ///< Where its ".git" is, if that is kept.
  };

  /// The commit and what it says of submodules.
  struct Brought {
    GitFetched fetched;
    std::vector<GitLink> links;
    std::vector<GitModule> modules;
  };

  GitCommit bring(const GitWanted& wanted, const Target& target, int depth) {
    auto brought = bring_files(wanted, target);
    if (reference_.submodules.value_or(true))
      bring_submodules(brought, target, depth);
    if (keeps_git_)
      keep(brought.fetched, wanted.address);
    return brought.fetched.commit;
  }

  // A kept store is closed again before the submodules, which may be of the same repository.
  Brought bring_files(const GitWanted& wanted, const Target& target) {
    const auto store = make_store(wanted, target);
    if (!store->is_kept())
      return bring_files(wanted, target, *store);
    try {
      return bring_files(wanted, target, *store);
    } catch (const TemporaryError&) {
      throw;
    } catch (const Error& error) {
      // What is kept must not stand in the way of a build.
      services_.progress.debug("{}; trying without what is kept of it", error.what());
    }
    remove_tree(current_directory(), target.files);
    make_directories(target.files);
    OwnStore fresh(directory_.path() + "/objects");
    auto brought = bring_files(wanted, target, fresh);
    services_.progress.warn("{}: what was kept of it cannot be used and is thrown away",
                            wanted.address.url());
    try {
      static_cast<void>(store->create(brought.fetched.repository.hash()));
    } catch (const Error& error) {
      services_.progress.warn("repositories are not kept: {}", error.what());
    }
    return brought;
  }

  Brought bring_files(const GitWanted& wanted, const Target& target, GitStore& store) {
    auto fetched = fetch_git(wanted, store, services_);
    const auto root = open_at(current_directory(), target.files, O_RDONLY | O_DIRECTORY);
    auto links = within(
        [&] {
          return write_git_tree(fetched.repository, fetched.commit, root,
                                {wanted_times(fetched.commit), is_cancelled_, budget_});
        },
        "{}", wanted.address.url());
    auto modules = links.empty() ? std::vector<GitModule>()
                                 : read_git_modules(fetched.repository, fetched.commit);
    return {std::move(fetched), std::move(links), std::move(modules)};
  }

  std::unique_ptr<GitStore> make_store(const GitWanted& wanted, const Target& target) const {
    if (keeps_git_)
      return std::make_unique<KeptStore>(target.git_dir, target.files);
    if (!services_.cache.empty()) {
      try {
        return make_cached_store(services_.cache, wanted.address);
      } catch (const SysError& error) {
        services_.progress.warn("repositories are not kept: {}", error.what());
      }
    }
    return std::make_unique<OwnStore>(directory_.path() + "/objects");
  }

  std::optional<Time> wanted_times(const GitCommit& commit) const {
    return reference_.times == GitTimes::commit ? std::optional(commit.time) : std::nullopt;
  }

  /// As after "git clone": whoever looks at it sees no change.
  static void keep(GitFetched& fetched, const GitAddress& address) {
    auto& repository = fetched.repository;
    if (!fetched.ref.empty())
      repository.set_ref(fetched.ref, fetched.head);
    repository.set_config("remote.origin.url", address.url());
    repository.set_config("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
    repository.check_out(fetched.commit);
  }

  void bring_submodules(Brought& brought, const Target& target, int depth) {
    const auto& modules = brought.modules;
    for (const auto& link : brought.links)
      within(
          [&] {
            const auto module =
                std::find_if(modules.begin(), modules.end(), [&](const GitModule& candidate) {
                  return without_slashes(candidate.path) == link.path;
                });
            if (module == modules.end() || module->url.empty())
              throw Error("no url found for it in .gitmodules");
            if (module->update != "none")
              bring_submodule(*module, link, target, depth + 1);
          },
          "submodule '{}'", printable(link.path));
    if (keeps_git_)
      register_submodules(brought.fetched.repository, modules, target);
  }

  void bring_submodule(const GitModule& module, const GitLink& link, const Target& target,
                       int depth) {
    if (depth > deepest_submodule)
      throw Error("submodules are nested too deeply");
    if (++submodules_ > most_submodules)
      throw Error("there are too many submodules");
    if (keeps_git_ && !is_safe_module_name(module.name))
      throw Error("its name '{}' is no name of a directory", printable(module.name));
    const auto remote = resolve_git_url(target.remote, module.url);
    const GitWanted wanted{
        GitAddress::parse(remote), main_, link.commit.hex(), "", false, link.commit};
    bring(wanted,
          {remote, target.files + "/" + link.path, target.git_dir + "/modules/" + module.name},
          depth);
  }

  static void register_submodules(GitRepository& repository, const std::vector<GitModule>& modules,
                                  const Target& target) {
    for (const auto& module : modules) {
      if (module.url.empty() || module.update == "none")
        continue;
      const auto remote = GitAddress::parse(resolve_git_url(target.remote, module.url));
      repository.set_config("submodule." + module.name + ".active", "true");
      repository.set_config("submodule." + module.name + ".url", remote.url());
    }
  }

  GitCheckout finish(GitCommit commit) {
    const auto inside = RootedPath::parse(reference_.subdirectory);
    const auto root = open_at(directory_.fd(), "files", O_RDONLY | O_DIRECTORY);
    // A link in the way would be the repository's, not the user's.
    auto files = open_beneath(root, inside, O_RDONLY | O_DIRECTORY);
    if (!files)
      throw Error("{}: there is no directory '{}' in commit {}", main_.url(),
                  printable(reference_.subdirectory), commit.id.hex());
    return {std::move(directory_), *std::move(files),
            inside.is_root() ? files_ : files_ + inside.str(), std::move(commit)};
  }

  const GitReference& reference_;
  const GitServices& services_;
  GitAddress main_;
  TempDir directory_;
  std::string files_;
  bool keeps_git_;
  std::function<bool()> is_cancelled_ = [this] { return services_.is_cancelled(); };
  GitBudget budget_;
  unsigned submodules_ = 0;
};

} // namespace

std::optional<GitId> resolve_git(const GitReference& reference, const GitServices& services) {
  const TempDir directory(services.temporary, "git-");
  OwnStore store(directory.path() + "/objects");
  return find_git_commit(wanted_of(reference, std::nullopt), store, services);
}

GitCheckout check_out_git(const GitReference& reference, const std::optional<GitId>& commit,
                          const GitServices& services) {
  return Checkout(reference, services).run(commit);
}

} // namespace cairn
