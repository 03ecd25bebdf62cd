#include "context/git/git_ssh.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <libssh2.h>

#include <algorithm>
#include <array>
#include <set>

namespace cairn {

namespace {

constexpr std::string_view ssh_port = "22";
constexpr int most_keys = 64;
constexpr std::size_t longest_complaint = 4096;

/// Ends a connection before what the library holds is freed: as long as it could wait for the other
/// side, it would free nothing.
class HangUp {
public:
  explicit HangUp(TcpConnection& connection) : connection_(connection) {}
  HangUp(const HangUp&) = delete;
  HangUp& operator=(const HangUp&) = delete;
  ~HangUp() { connection_.shut_down(); }

private:
  TcpConnection& connection_;
};

struct SessionCloser {
  void operator()(LIBSSH2_SESSION* session) const noexcept { libssh2_session_free(session); }
};
struct ChannelCloser {
  void operator()(LIBSSH2_CHANNEL* channel) const noexcept { libssh2_channel_free(channel); }
};
struct AgentCloser {
  void operator()(LIBSSH2_AGENT* agent) const noexcept {
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
  }
};
struct KnownHostsCloser {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const noexcept { libssh2_knownhost_free(hosts); }
};

void start_library() {
  static const int started = libssh2_init(0);
  if (started != 0)
    throw Error("libssh2 does not start");
}

/// For the shell at the other end, which may be a program that only looks like one.
std::string quoted(std::string_view path) {
  std::string text = "'";
  for (const char c : path)
    if (c == '\'' || c == '!')
      text += std::string("'\\") + c + "'";
    else
      text += c;
  return text + "'";
}

/// The kinds of host keys that lines of known_hosts about `machine` name, as the protocol calls
/// them. Hashed names may be about any.
std::string key_kinds(const std::string& known_hosts, const std::string& machine) {
  std::set<std::string> kinds;
  for (const auto& line : split(known_hosts, '\n')) {
    if (line.find(machine) == std::string::npos && !line.starts_with("|1|"))
      continue;
    for (const auto& word : split(line, ' '))
      if (word == "ssh-rsa")
        kinds.insert({"rsa-sha2-512", "rsa-sha2-256"});
      else if (word == "ssh-ed25519" || word.starts_with("ecdsa-sha2-nistp"))
        kinds.insert(word);
  }
  return join({kinds.begin(), kinds.end()}, ",");
}

class SshStream final : public GitStream {
public:
  SshStream(const GitAddress& address, const SshAccess& access, const TcpOptions& options,
            Progress& progress)
      : name_(address.authority()),
        connection_(address.machine(), address.port.empty() ? std::string(ssh_port) : address.port,
                    options) {
    start_library();
    session_.reset(libssh2_session_init_ex(nullptr, nullptr, nullptr, nullptr));
    if (!session_)
      throw Error("{}: out of memory", name_);
    libssh2_session_set_blocking(session_.get(), 0);
    // A server has several keys; it should show one that can be compared.
    if (const auto kinds = key_kinds(access.known_hosts, address.machine()); !kinds.empty())
      libssh2_session_method_pref(session_.get(), LIBSSH2_METHOD_HOSTKEY, kinds.c_str());
    require(patiently([&] { return libssh2_session_handshake(session_.get(), socket()); }),
            "ssh handshake");
    check_host(address, access, progress);
    log_in(address.user.empty() ? "git" : address.user, access);
    run("git-upload-pack " + quoted(address.path));
  }

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = patiently([&] {
      drain_complaint();
      return libssh2_channel_read(channel_.get(), reinterpret_cast<char*>(buffer.data()),
                                  buffer.size());
    });
    require(count, "read");
    if (count == 0 && !has_read_)
      throw_complaint();
    has_read_ = true;
    return static_cast<std::size_t>(count);
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto count = patiently([&] {
        return libssh2_channel_write(channel_.get(), reinterpret_cast<const char*>(bytes.data()),
                                     bytes.size());
      });
      require(count, "write");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

private:
  int socket() const noexcept { return connection_.fd().get(); }

  /// Waits until the library can go on, without missing that the build was told to end.
  void wait() {
    const int directions = libssh2_session_block_directions(session_.get());
    const bool writes = (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
    const bool reads = (directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0 || !writes;
    connection_.wait(reads && writes ? TcpConnection::Ready::either
                     : writes        ? TcpConnection::Ready::write
                                     : TcpConnection::Ready::read);
  }

  template<class Call>
  ssize_t patiently(const Call& call) {
    for (;;) {
      const ssize_t code = call();
      if (code != LIBSSH2_ERROR_EAGAIN)
        return code;
      wait();
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    char* said = nullptr;
    const int code = libssh2_session_last_error(session_.get(), &said, nullptr, 0);
    const auto text =
        fmt::format("{}: {}: {}", name_, what, printable(said != nullptr ? said : "no reason"));
    for (const int broken : {LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
                             LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT})
      if (code == broken)
        throw TemporaryError("{}", text);
    throw Error("{}", text);
  }

  void require(ssize_t code, std::string_view what) const {
    if (code < 0)
      fail(what);
  }

  /// "SHA256:…", as ssh shows a host key.
  std::string fingerprint() const {
    const auto* hash = libssh2_hostkey_hash(session_.get(), LIBSSH2_HOSTKEY_HASH_SHA256);
    constexpr std::size_t size = 32;
    auto text = hash != nullptr ? base64_encode({hash, size}) : std::string();
    while (text.ends_with('='))
      text.pop_back();
    return "SHA256:" + text;
  }

  void check_host(const GitAddress& address, const SshAccess& access, Progress& progress) const {
    const std::unique_ptr<LIBSSH2_KNOWNHOSTS, KnownHostsCloser> hosts(
        libssh2_knownhost_init(session_.get()));
    if (!hosts)
      throw Error("{}: out of memory", name_);
    for (const auto& line : split(access.known_hosts, '\n'))
      // Lines that the library does not know, such as those of authorities, say nothing.
      libssh2_knownhost_readline(hosts.get(), line.data(), line.size(),
                                 LIBSSH2_KNOWNHOST_FILE_OPENSSH);
    std::size_t size = 0;
    int kind = 0;
    const auto* key = libssh2_session_hostkey(session_.get(), &size, &kind);
    const int port = address.port.empty() ? -1 : static_cast<int>(*parse_unsigned(address.port));
    libssh2_knownhost* found = nullptr;
    const int result = libssh2_knownhost_checkp(
        hosts.get(), address.machine().c_str(), port, key, size,
        LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW, &found);
    if (result == LIBSSH2_KNOWNHOST_CHECK_MATCH)
      return;
    if (result == LIBSSH2_KNOWNHOST_CHECK_MISMATCH)
      throw Error("{}: its host key {} is not the one in known_hosts: it may not be what it says",
                  name_, fingerprint());
    if (access.unknown_hosts == SshAccess::UnknownHosts::refuse)
      throw Error("{}: its host key {} is not in known_hosts", name_, fingerprint());
    progress.warn("{}: its host key {} is taken as it is: no known_hosts says which it has", name_,
                  fingerprint());
  }

  void log_in(const std::string& user, const SshAccess& access) {
    if (access.agent.empty())
      throw with_hint(Error("{}: there is no ssh agent to log in with", name_),
                      "give one with --ssh=default=SOCKET");
    const std::unique_ptr<LIBSSH2_AGENT, AgentCloser> agent(libssh2_agent_init(session_.get()));
    if (!agent)
      throw Error("{}: out of memory", name_);
    libssh2_agent_set_identity_path(agent.get(), access.agent.c_str());
    require(libssh2_agent_connect(agent.get()), "--ssh=default");
    require(libssh2_agent_list_identities(agent.get()), "--ssh=default");
    libssh2_agent_publickey* key = nullptr;
    int tried = 0;
    while (tried < most_keys && libssh2_agent_get_identity(agent.get(), &key, key) == 0) {
      ++tried;
      const auto code =
          patiently([&] { return libssh2_agent_userauth(agent.get(), user.c_str(), key); });
      if (code == 0)
        return;
      if (code == LIBSSH2_ERROR_SOCKET_DISCONNECT || code == LIBSSH2_ERROR_SOCKET_RECV)
        break;
    }
    throw with_hint(Error("{}: none of the {} keys of the ssh agent opens it for user {}", name_,
                          tried, printable(user)),
                    "add a key that does to the agent of --ssh=default");
  }

  void run(const std::string& command) {
    for (;;) {
      channel_.reset(libssh2_channel_open_session(session_.get()));
      if (channel_)
        break;
      if (libssh2_session_last_errno(session_.get()) != LIBSSH2_ERROR_EAGAIN)
        fail("open a channel");
      wait();
    }
    require(patiently([&] { return libssh2_channel_exec(channel_.get(), command.c_str()); }),
            "run git-upload-pack");
  }

  /// What the other side says to people must be read, or it stops.
  void drain_complaint() {
    std::array<char, 1024> buffer{};
    for (;;) {
      const auto count = libssh2_channel_read_stderr(channel_.get(), buffer.data(), buffer.size());
      if (count <= 0)
        return;
      const std::string_view said(buffer.data(), static_cast<std::size_t>(count));
      complaint_ += said.substr(0, longest_complaint - complaint_.size());
    }
  }

  [[noreturn]] void throw_complaint() {
    drain_complaint();
    const auto said = trim(complaint_);
    throw Error("{}: {}", name_,
                said.empty() ? "git-upload-pack ended without a word" : printable(said));
  }

  std::string name_;
  TcpConnection connection_;
  std::unique_ptr<LIBSSH2_SESSION, SessionCloser> session_; ///< Goes before its connection.
  std::unique_ptr<LIBSSH2_CHANNEL, ChannelCloser> channel_; ///< Goes before its session.
  HangUp hang_up_{connection_};                             ///< Goes before both.
  std::string complaint_;
  bool has_read_ = false;
};

class SshWire final : public GitWire {
public:
  SshWire(const GitAddress& address, SshAccess access, const TcpOptions& options,
          Progress& progress)
      : address_(address), access_(std::move(access)), options_(options), progress_(progress) {}

  std::unique_ptr<GitStream> open(Ask) override {
    return std::make_unique<SshStream>(address_, access_, options_, progress_);
  }

  bool is_stateless() const noexcept override { return false; }

private:
  GitAddress address_;
  SshAccess access_;
  TcpOptions options_;
  Progress& progress_;
};

} // namespace

std::unique_ptr<GitWire> make_ssh_wire(const GitAddress& address, const SshAccess& access,
                                       const TcpOptions& options, Progress& progress) {
  return std::make_unique<SshWire>(address, access, options, progress);
}

} // namespace cairn
