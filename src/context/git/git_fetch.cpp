#include "context/git/git_fetch.hpp"

#include "context/git/git_connection.hpp"
#include "context/git/git_daemon.hpp"
#include "context/git/git_http.hpp"
#include "context/git/git_reference.hpp"
#include "context/git/git_ssh.hpp"
#include "net/retry.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// A submodule on another machine is named by whoever wrote the repository. What its machine's name
/// resolves to is not known here: a name counts as one of the world.
std::optional<AddressScope> led_from(const GitWanted& wanted) {
  if (wanted.address.authority() == wanted.main.authority())
    return std::nullopt;
  const auto loopback =
      wanted.main.host == "localhost" ? AddressScope::loopback : AddressScope::global;
  return address_scope(wanted.main.host).value_or(loopback);
}

std::unique_ptr<GitWire> make_wire(const GitWanted& wanted, const GitServices& services) {
  const auto& address = wanted.address;
  const TcpOptions tcp{
      .cancel = &services.cancel, .stop = services.stop, .led_from = led_from(wanted)};
  switch (address.scheme) {
  case GitAddress::Scheme::git:
    return make_daemon_wire(address, tcp);
  case GitAddress::Scheme::ssh:
    return make_ssh_wire(address, services.ssh, tcp, services.progress);
  case GitAddress::Scheme::http:
  case GitAddress::Scheme::https:
    break;
  }
  return make_http_wire(
      services.http, address,
      {.authorization = services.credentials.find(address, wanted.main),
       .tls = address.authority() == wanted.main.authority() ? services.tls : nullptr,
       .stop = services.stop,
       .led_from = led_from(wanted)});
}

std::optional<GitHead> head_called(const std::vector<GitHead>& heads, const std::string& name) {
  const auto found = std::find_if(heads.begin(), heads.end(),
                                  [&](const GitHead& head) { return head.name == name; });
  return found != heads.end() ? std::optional(*found) : std::nullopt;
}

/// The head that is a commit of this beginning, or a tag about one.
std::optional<GitHead> head_with_prefix(const std::vector<GitHead>& heads,
                                        const std::string& prefix) {
  constexpr std::string_view peeled = "^{}";
  const auto found = std::find_if(heads.begin(), heads.end(), [&](const GitHead& head) {
    return head.id.hex().starts_with(prefix);
  });
  if (found == heads.end())
    return std::nullopt;
  const auto& name = found->name;
  return name.ends_with(peeled) ? head_called(heads, name.substr(0, name.size() - peeled.size()))
                                : std::optional(*found);
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// What a head comes to: servers tell of annotated tags which commit they are about.
GitId commit_of(const GitHead& head, const std::vector<GitHead>& heads) {
  const auto peeled = head_called(heads, head.name + "^{}");
  return peeled ? peeled->id : head.id;
}

void require_checksum(const GitWanted& wanted, const GitId& commit, const GitId& head) {
  const auto prefix = to_lower(wanted.checksum);
  if (commit.hex().starts_with(prefix) || head.hex().starts_with(prefix))
    return;
  throw Error("{}: expected checksum to match {}, got {}", wanted.address.url(), wanted.checksum,
              head == commit ? commit.hex() : head.hex() + " or " + commit.hex());
}

/// One attempt to fetch.
class Fetch {
public:
  Fetch(const GitWanted& wanted, GitStore& store, const GitServices& services)
      : wanted_(wanted), store_(store), services_(services), name_(wanted.address.url()),
        prefix_(wanted_prefix(wanted)) {}

  GitFetched run() {
    auto known = store_.open();
    const auto commit = wanted_.commit ? wanted_.commit : GitId::parse(prefix_);
    if (commit && known && known->has(*commit)) {
      services_.progress.debug("{}: {} is here already", name_, commit->hex());
      return found(*std::move(known), *commit);
    }
    repository_.emplace(known ? *std::move(known) : store_.create(GitHash::sha1));
    connect();
    if (connection_->hash() != repository_->hash()) {
      const auto hash = connection_->hash();
      connection_.reset();
      repository_.emplace(store_.create(hash));
      connect();
    }
    if (prefix_.empty())
      return fetch_head();
    return commit ? fetch_commit(*commit) : fetch_prefix(prefix_);
  }

  std::optional<GitId> find() {
    if (auto commit = GitId::parse(prefix_))
      return commit;
    repository_.emplace(store_.create(GitHash::sha1));
    connect();
    const auto& heads = connection_->heads();
    const auto head =
        prefix_.empty() ? find_git_head(heads, wanted_.ref) : head_with_prefix(heads, prefix_);
    if (!head && prefix_.empty())
      throw no_such_ref();
    if (!head)
      return std::nullopt;
    auto commit = commit_of(*head, heads);
    require_checksum(wanted_, commit, head->id);
    return commit;
  }

private:
  /// The name of a commit, or its beginning; empty when a head is wanted.
  static std::string wanted_prefix(const GitWanted& wanted) {
    if (wanted.fetch_by_commit || (wanted.ref.empty() && !wanted.checksum.empty()))
      return to_lower(wanted.checksum);
    return GitId::parse(wanted.ref) ? wanted.ref : "";
  }

  void connect() {
    connection_.reset();
    wire_ = make_wire(wanted_, services_);
    connection_ = std::make_unique<GitConnection>(repository_->path(), *wire_, name_,
                                                  [this] { return services_.is_cancelled(); });
  }

  GitFetched found(GitRepository repository, const GitId& id) const {
    auto commit = repository.commit(id);
    return {std::move(repository), std::move(commit), "", id};
  }

  GitFetched fetch_head() {
    const auto head = find_git_head(connection_->heads(), wanted_.ref);
    if (!head)
      throw no_such_ref();
    // It may have moved since it was asked for.
    if (wanted_.commit && commit_of(*head, connection_->heads()) != *wanted_.commit)
      return fetch_commit(*wanted_.commit);
    if (!repository_->has(head->id))
      connection_->fetch({head->name}, GitDepth::tip);
    auto fetched = found(*std::move(repository_), head->id);
    if (head->name != "HEAD")
      fetched.ref = head->name;
    return fetched;
  }

  GitFetched fetch_commit(const GitId& id) {
    // A head can be had from every server, other commits from some.
    if (const auto head = head_with_prefix(connection_->heads(), id.hex())) {
      connection_->fetch({head->name}, GitDepth::tip);
    } else if (!connection_->fetch_commit(id)) {
      connect();
      fetch_everything();
    }
    if (!repository_->has(id))
      throw Error("{}: the repository does not contain commit {}", name_, id.hex());
    return found(*std::move(repository_), id);
  }

  GitFetched fetch_prefix(const std::string& prefix) {
    if (const auto head = head_with_prefix(connection_->heads(), prefix)) {
      connection_->fetch({head->name}, GitDepth::tip);
      return found(*std::move(repository_), head->id);
    }
    fetch_everything();
    const auto commit = repository_->find_commit(prefix);
    if (!commit)
      throw Error("{}: the repository does not contain a commit that begins with {}", name_,
                  prefix);
    return {*std::move(repository_), *commit, "", commit->id};
  }

  void fetch_everything() {
    services_.progress.info("{}: the server gives no single commit: fetching all branches and tags",
                            name_);
    connection_->fetch({"refs/heads/*", "refs/tags/*"}, GitDepth::everything);
  }

  Error no_such_ref() const {
    if (wanted_.ref.empty())
      return Error("{}: the repository has no default branch: it is empty, perhaps", name_);
    std::vector<std::string> names;
    for (const auto& head : connection_->heads())
      for (const std::string_view prefix : {"refs/heads/", "refs/tags/"})
        if (head.name.starts_with(prefix) && !head.name.ends_with("^{}"))
          names.emplace_back(head.name.substr(prefix.size()));
    return Error("{}: the repository does not contain ref {}{}", name_, printable(wanted_.ref),
                 printable(did_you_mean(wanted_.ref, names)));
  }

  const GitWanted& wanted_;
  GitStore& store_;
  const GitServices& services_;
  std::string name_;
  std::string prefix_; ///< Of the wanted commit's name; empty when a head is wanted.
  std::optional<GitRepository> repository_;
  std::unique_ptr<GitWire> wire_;
  std::unique_ptr<GitConnection> connection_; ///< Goes before its wire.
};

Retry retry_of(const GitServices& services) {
  return {services.retry, make_pause(&services.cancel, services.stop), make_random(),
          services.clock, services.progress};
}

} // namespace

std::optional<GitHead> find_git_head(const std::vector<GitHead>& heads, const std::string& ref) {
  if (ref.empty() || ref == "HEAD")
    return head_called(heads, "HEAD");
  for (const std::string prefix : {"refs/", "refs/heads/", "refs/tags/"})
    if (auto found = head_called(heads, prefix + std::string(without_prefix(ref, prefix))))
      return found;
  return std::nullopt;
}

GitFetched fetch_git(const GitWanted& wanted, GitStore& store, const GitServices& services) {
  check_git_checksum(wanted.checksum);
  auto fetched = retry_of(services).run([&] { return Fetch(wanted, store, services).run(); });
  require_checksum(wanted, fetched.commit.id, fetched.head);
  return fetched;
}

std::optional<GitId> find_git_commit(const GitWanted& wanted, GitStore& store,
                                     const GitServices& services) {
  check_git_checksum(wanted.checksum);
  return retry_of(services).run([&] { return Fetch(wanted, store, services).find(); });
}

} // namespace cairn
