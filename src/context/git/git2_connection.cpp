#include "context/git/git2_library.hpp"
#include "context/git/git_connection.hpp"
#include "net/http.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

#include <git2.h>
#include <git2/sys/errors.h>
#include <git2/sys/transport.h>

#include <cstdint>
#include <exception>
#include <utility>

namespace cairn {

namespace {

/// The names of all branches and tags of the largest repositories are some ten megabytes.
constexpr std::uint64_t most_of_heads = std::uint64_t{64} << 20;
constexpr std::uint64_t most_of_packs = std::uint64_t{1} << 40;

bool last_error_says(std::string_view words) {
  const auto* error = git_error_last();
  return error != nullptr && error->message != nullptr &&
         std::string_view(error->message).find(words) != std::string_view::npos;
}

bool has_no_shallow_fetch() {
  return last_error_says("server doesn't support shallow");
}

/// A server that gives its heads alone, or has no such commit.
bool is_refusal() {
  return last_error_says("cannot fetch a specific object") || last_error_says("not our ref") ||
         has_no_shallow_fetch();
}

} // namespace

/// The library calls back into `wire`; nothing may unwind through it.
struct GitConnection::State {
  /// The library's idea of a stream.
  struct Stream {
    git_smart_subtransport_stream base{};
    State* owner = nullptr;
    std::unique_ptr<GitStream> stream;
  };
  struct Subtransport {
    git_smart_subtransport base{};
    State* owner = nullptr;
  };

  GitOwned<git_repository, git_repository_free> repository;
  GitWire& wire;
  std::string name;
  std::function<bool()> is_cancelled;
  std::uint64_t left = most_of_heads; ///< How many bytes the server may still send.
  git_smart_subtransport_definition definition{};
  Subtransport subtransport{};
  Stream* open = nullptr; ///< Owned by the library.
  GitOwned<git_remote, git_remote_free> remote;
  std::vector<GitHead> heads;
  GitHash hash = GitHash::sha1;
  std::exception_ptr failure;

  State(GitWire& from, std::string named, std::function<bool()> cancelled)
      : wire(from), name(std::move(named)), is_cancelled(std::move(cancelled)) {}

  void require(int code) {
    if (failure)
      std::rethrow_exception(std::exchange(failure, nullptr));
    if (code >= 0)
      return;
    if (is_cancelled())
      throw Cancelled("{}: interrupted", name);
    const auto* error = git_error_last();
    // What the server says itself is meant; a stream that ends too early may not be.
    if (error != nullptr && error->klass == GIT_ERROR_NET &&
        !std::string_view(error->message).starts_with("remote error"))
      throw TemporaryError("{}: {}", name, last_git_error());
    check_git(code, name);
  }

  /// Runs `body`, keeping what it throws.
  template<class Body>
  int guarded(const Body& body) noexcept {
    try {
      body();
      return 0;
    } catch (...) {
      failure = std::current_exception();
      git_error_set_str(GIT_ERROR_CALLBACK, "the connection failed");
      return -1;
    }
  }

  static int on_read(git_smart_subtransport_stream* self, char* buffer, std::size_t size,
                     std::size_t* count) noexcept {
    auto& stream = *reinterpret_cast<Stream*>(self);
    auto& state = *stream.owner;
    return state.guarded([&] {
      *count = stream.stream->read(std::as_writable_bytes(std::span(buffer, size)));
      if (*count > state.left)
        throw Error("{}: the server sends more than any repository is", state.name);
      state.left -= *count;
    });
  }

  static int on_write(git_smart_subtransport_stream* self, const char* data,
                      std::size_t size) noexcept {
    auto& stream = *reinterpret_cast<Stream*>(self);
    return stream.owner->guarded(
        [&] { stream.stream->write(std::as_bytes(std::span(data, size))); });
  }

  static void on_free(git_smart_subtransport_stream* self) noexcept {
    const std::unique_ptr<Stream> stream(reinterpret_cast<Stream*>(self));
    if (stream->owner->open == stream.get())
      stream->owner->open = nullptr;
  }

  static int on_action(git_smart_subtransport_stream** out, git_smart_subtransport* self,
                       const char*, git_smart_service_t action) noexcept {
    auto& state = *reinterpret_cast<Subtransport*>(self)->owner;
    return state.guarded([&] {
      if (action != GIT_SERVICE_UPLOADPACK_LS && action != GIT_SERVICE_UPLOADPACK)
        throw Error("{}: nothing is ever pushed", state.name);
      const bool wants_refs = action == GIT_SERVICE_UPLOADPACK_LS;
      if (wants_refs || state.wire.is_stateless()) {
        auto stream = std::make_unique<Stream>();
        stream->base = {&state.subtransport.base, on_read, on_write, on_free};
        stream->owner = &state;
        stream->stream = state.wire.open(wants_refs ? GitWire::Ask::refs : GitWire::Ask::pack);
        state.open = stream.release();
      }
      if (state.open == nullptr)
        throw Error("{}: the connection is closed", state.name);
      *out = &state.open->base;
    });
  }

  static int make_subtransport(git_smart_subtransport** out, git_transport*, void* self) noexcept {
    auto& state = *static_cast<State*>(self);
    state.subtransport.owner = &state;
    state.subtransport.base.action = on_action;
    state.subtransport.base.close = [](git_smart_subtransport*) noexcept { return 0; };
    state.subtransport.base.free = [](git_smart_subtransport*) noexcept {};
    *out = &state.subtransport.base;
    return 0;
  }

  static int make_transport(git_transport** out, git_remote* owner, void* self) noexcept {
    auto& state = *static_cast<State*>(self);
    state.definition = {make_subtransport, state.wire.is_stateless() ? 1U : 0U, self};
    return git_transport_smart(out, owner, &state.definition);
  }

  static int on_progress(const git_indexer_progress*, void* self) noexcept {
    return static_cast<State*>(self)->is_cancelled() ? -1 : 0;
  }

  /// As libgit2 has it: of a repository that lacks history already all must be asked for.
  int depth_of(GitDepth depth) const {
    if (depth == GitDepth::tip)
      return 1;
    return git_repository_is_shallow(repository.get()) != 0 ? GIT_FETCH_DEPTH_UNSHALLOW
                                                            : GIT_FETCH_DEPTH_FULL;
  }

  int download(const std::vector<std::string>& names, GitDepth depth) {
    std::vector<std::string> specs;
    specs.reserve(names.size());
    for (const auto& what : names)
      specs.push_back(fmt::format("+{}:refs/cairn/{}", what, what));
    std::vector<char*> pointers;
    pointers.reserve(specs.size());
    for (auto& spec : specs)
      pointers.push_back(spec.data());
    const git_strarray array = {pointers.data(), pointers.size()};
    git_fetch_options options;
    check_git(git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION), name);
    options.callbacks = callbacks();
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.depth = depth_of(depth);
    left = most_of_packs;
    return git_remote_download(remote.get(), &array, &options);
  }

  git_remote_callbacks callbacks() {
    git_remote_callbacks callbacks;
    check_git(git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION), name);
    callbacks.transport = make_transport;
    callbacks.transfer_progress = on_progress;
    callbacks.payload = this;
    return callbacks;
  }
};

GitConnection::GitConnection(const std::string& repository, GitWire& wire, std::string name,
                             std::function<bool()> is_cancelled)
    : state_(std::make_unique<State>(wire, std::move(name), std::move(is_cancelled))) {
  start_git_library();
  git_repository* handle = nullptr;
  check_git(
      git_repository_open_ext(&handle, repository.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr),
      "open the repository in '" + repository + "'");
  state_->repository.reset(handle);
  git_remote_create_options options;
  check_git(git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION),
            state_->name);
  options.repository = handle;
  options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  git_remote* remote = nullptr;
  state_->require(git_remote_create_with_opts(&remote, state_->name.c_str(), &options));
  state_->remote.reset(remote);
  const auto callbacks = state_->callbacks();
  state_->require(git_remote_connect(remote, GIT_DIRECTION_FETCH, &callbacks, nullptr, nullptr));
  git_oid_t type = GIT_OID_SHA1;
  state_->require(git_remote_oid_type(&type, remote));
  state_->hash = hash_of(type);
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  state_->require(git_remote_ls(&heads, &count, remote));
  for (const auto* head : std::span(heads, count))
    state_->heads.push_back({head->name, id_of(head->oid)});
}

GitConnection::~GitConnection() = default;

GitHash GitConnection::hash() const noexcept {
  return state_->hash;
}

const std::vector<GitHead>& GitConnection::heads() const noexcept {
  return state_->heads;
}

void GitConnection::fetch(const std::vector<std::string>& names, GitDepth depth) {
  int code = state_->download(names, depth);
  if (code < 0 && !state_->failure && depth == GitDepth::tip && has_no_shallow_fetch())
    code = state_->download(names, GitDepth::everything);
  state_->require(code);
}

bool GitConnection::fetch_commit(const GitId& id) {
  const int code = state_->download({id.hex()}, GitDepth::tip);
  if (code < 0 && !state_->failure && is_refusal())
    return false;
  state_->require(code);
  return true;
}

} // namespace cairn
