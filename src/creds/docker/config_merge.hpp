#pragma once

#include "creds/docker/docker_config.hpp"
#include "util/progress.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What a merged configuration holds for one registry or path, without its secrets.
struct MergedEntry {
  std::string key;
  std::string source;
  std::string who; ///< 'user "me"', "an identity token", "docker-credential-cairn".
};

/// One config.json out of many. What is added later counts, for each key by itself, and whenever
/// something else had been there before, it is told which source gave way.
class ConfigMerge {
public:
  /// `progress` is borrowed.
  explicit ConfigMerge(Progress& progress) : progress_(progress) {}

  /// Everything in `config`: its entries, its helpers, and what is no matter of credentials.
  /// @throws Error when an entry is not valid
  void add(const DockerConfig& config);
  /// User and password, or a token, for `login.key`.
  void add(const Credential& login);
  /// Leaves a registry to docker-credential-<helper>.
  void add_helper(std::string_view registry, const std::string& helper, const std::string& source);

  /// The keys of all entries, and who would use them.
  std::vector<MergedEntry> entries() const;
  /// The configuration. Entries have "auth", the only form that every client reads. Keys are
  /// sorted.
  Json document() const;

private:
  struct Entry {
    Json value; ///< The object of "auths", or the helper's name.
    std::string source;
    std::string who;
    bool has_secret = false;
    bool is_helper() const { return value.is_string(); }
  };

  void add_auth(const std::string& key, const Json& value, const std::string& source);
  void add_member(const std::string& name, const Json& value, const std::string& source);
  void put(const std::string& key, Entry entry);

  struct Member {
    Json value;
    std::string source;
  };

  Progress& progress_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Member> members_; ///< All that is neither "auths" nor "credHelpers".
};

} // namespace cairn
