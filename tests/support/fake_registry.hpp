#pragma once

#include "net/http.hpp"
#include "oci/digest.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::test {

/// A document of a registry.
struct StoredDocument {
  std::string raw;
  std::string media_type;
};

/// A registry in memory: the part of the distribution protocol that pulls and pushes take. It
/// counts requests, keeps the rules that real ones keep, and can be made to fail. Thread-safe.
class FakeRegistry {
public:
  /// For FakeHttp.
  Response answer(const Request& request);

  /// What it holds, by repository ("base") and tag or digest.
  void put_blob(const std::string& repository, std::string bytes);
  void put_document(const std::string& repository, const std::string& tag, StoredDocument document);
  bool has_tag(const std::string& repository, const std::string& tag) const;
  StoredDocument document(const std::string& repository, const std::string& identifier) const;
  std::string blob(const std::string& repository, const Digest& digest) const;

  /// A blob whose bytes are not what its digest says.
  void damage(const Digest& digest);
  /// A blob that HEAD still finds and GET does not.
  void lose(const Digest& digest);
  /// Requests of `method` whose path has `part` in it get this status from now on.
  void refuse(const std::string& method, const std::string& part, int status);
  /// Ends all faults.
  void heal();

  /// "METHOD REPOSITORY/PATH" of every request in the order of their ends: uploads are there when
  /// the blob is.
  std::vector<std::string> lines() const;
  /// How many requests of `method` had `part` in their path.
  std::size_t count(const std::string& method, std::string_view part) const;
  void forget_lines();

private:
  struct Call {
    std::string method;
    std::string repository;
    std::string kind; ///< "manifests", "blobs" or "uploads"
    std::string identifier;
    std::string query;
  };
  struct Refusal {
    std::string method;
    std::string part;
    int status;
  };

  static Call read(const Request& request);
  std::optional<Response> refusal_of(const std::string& method, const std::string& line) const;
  Response manifest(const Call& call, const Request& request);
  Response blob(const Call& call) const;
  Response upload(const Call& call, const Request& request);
  Response mount(const Call& call);

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, StoredDocument>> documents_;
  std::map<std::string, std::map<std::string, std::string>> blobs_;
  std::set<std::string> damaged_;
  std::set<std::string> lost_;
  std::vector<Refusal> refusals_;
  std::vector<std::string> lines_;
};

} // namespace cairn::test
