#include "fake_registry.hpp"

#include "net/url.hpp"
#include "oci/manifest.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace cairn::test {

namespace {

constexpr std::uint64_t largest_body = std::uint64_t{64} << 20;

std::string body_of(const Request& request) {
  if (const auto* text = std::get_if<std::string>(&request.body))
    return *text;
  if (const auto* stream = std::get_if<StreamBody>(&request.body))
    return read_all(*stream->open(), largest_body);
  return {};
}

/// The value of a parameter, of which the colon of a digest is all that is ever escaped.
std::string parameter(const std::string& query, std::string_view name) {
  for (const auto& field : split(query, '&')) {
    const auto equals = field.find('=');
    if (field.substr(0, equals) != name || equals == std::string_view::npos)
      continue;
    std::string value(field.substr(equals + 1));
    if (const auto colon = value.find("%3A"); colon != std::string::npos)
      value.replace(colon, 3, ":");
    if (const auto slash = value.find("%2F"); slash != std::string::npos)
      value.replace(slash, 3, "/");
    return value;
  }
  return {};
}

Response unknown(std::string_view code) {
  return {404, {}, fmt::format(R"({{"errors":[{{"code":"{}"}}]}})", code)};
}

} // namespace

FakeRegistry::Call FakeRegistry::read(const Request& request) {
  const auto start = request.url.find("/v2/");
  auto path = start == std::string::npos ? std::string() : request.url.substr(start + 4);
  Call call{request.method, {}, {}, {}, {}};
  if (const auto mark = path.find('?'); mark != std::string::npos) {
    call.query = path.substr(mark + 1);
    path.resize(mark);
  }
  for (const std::string kind : {"/blobs/uploads/", "/manifests/", "/blobs/"})
    if (const auto at = path.find(kind); at != std::string::npos) {
      call.repository = path.substr(0, at);
      call.kind = kind == "/blobs/uploads/" ? "uploads" : kind.substr(1, kind.size() - 2);
      call.identifier = path.substr(at + kind.size());
      break;
    }
  return call;
}

Response FakeRegistry::answer(const Request& request) {
  const auto call = read(request);
  if (call.kind.empty())
    return {200};
  auto line = call.method + " " + call.repository + "/" + call.kind;
  const auto digest = parameter(call.query, "digest");
  if (!digest.empty())
    line += "/" + digest;
  else if (!call.identifier.empty())
    line += "/" + call.identifier;
  auto response = refusal_of(call.method, line);
  if (!response)
    response = call.kind == "manifests" ? manifest(call, request)
               : call.kind == "blobs"   ? blob(call)
                                        : upload(call, request);
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  return *response;
}

std::optional<Response> FakeRegistry::refusal_of(const std::string& method,
                                                 const std::string& line) const {
  const std::lock_guard lock(mutex_);
  for (const auto& refusal : refusals_)
    if (refusal.method == method && line.find(refusal.part) != std::string::npos)
      return Response{refusal.status};
  return std::nullopt;
}

Response FakeRegistry::manifest(const Call& call, const Request& request) {
  const auto sent = body_of(request);
  const std::lock_guard lock(mutex_);
  auto& documents = documents_[call.repository];
  if (call.method == "PUT") {
    const auto* type = request.headers.find("Content-Type");
    const auto manifest = Manifest::parse(sent, type != nullptr ? *type : "");
    auto named = manifest.layers;
    named.push_back(manifest.config);
    for (const auto& blob : named)
      if (!blobs_[call.repository].contains(blob.digest.str()))
        return {400, {}, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]})"};
    documents[call.identifier] = {sent, manifest.media_type};
    documents[Digest::of(sent).str()] = {sent, manifest.media_type};
    return {201, {{"Docker-Content-Digest", Digest::of(sent).str()}}};
  }
  const auto found = documents.find(call.identifier);
  if (found == documents.end())
    return unknown("MANIFEST_UNKNOWN");
  const auto& [raw, type] = found->second;
  Headers headers{{"Content-Type", type},
                  {"Content-Length", std::to_string(raw.size())},
                  {"Docker-Content-Digest", Digest::of(raw).str()}};
  return {200, std::move(headers), call.method == "HEAD" ? std::string() : raw};
}

Response FakeRegistry::blob(const Call& call) const {
  const std::lock_guard lock(mutex_);
  const auto repository = blobs_.find(call.repository);
  if (repository == blobs_.end())
    return unknown("NAME_UNKNOWN");
  const auto found = repository->second.find(call.identifier);
  if (found == repository->second.end())
    return unknown("BLOB_UNKNOWN");
  auto bytes = found->second;
  Headers headers{{"Content-Length", std::to_string(bytes.size())}};
  if (call.method == "HEAD")
    return {200, std::move(headers)};
  if (lost_.contains(call.identifier))
    return unknown("BLOB_UNKNOWN");
  if (damaged_.contains(call.identifier))
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return {200, std::move(headers), std::move(bytes)};
}

Response FakeRegistry::upload(const Call& call, const Request& request) {
  if (call.method == "DELETE")
    return {204};
  if (call.method == "POST") {
    if (auto mounted = mount(call); mounted.ok())
      return mounted;
    return {202, {{"Location", "/v2/" + call.repository + "/blobs/uploads/1"}}};
  }
  auto bytes = body_of(request);
  const auto named = parameter(call.query, "digest");
  if (Digest::of(bytes).str() != named)
    return {400, {}, R"({"errors":[{"code":"DIGEST_INVALID"}]})"};
  const std::lock_guard lock(mutex_);
  blobs_[call.repository][named] = std::move(bytes);
  return {201};
}

Response FakeRegistry::mount(const Call& call) {
  const auto digest = parameter(call.query, "mount");
  const std::lock_guard lock(mutex_);
  const auto& from = blobs_[parameter(call.query, "from")];
  const auto found = from.find(digest);
  if (found == from.end())
    return {404};
  blobs_[call.repository][digest] = found->second;
  return {201};
}

void FakeRegistry::put_blob(const std::string& repository, std::string bytes) {
  const std::lock_guard lock(mutex_);
  auto digest = Digest::of(bytes).str();
  blobs_[repository][std::move(digest)] = std::move(bytes);
}

void FakeRegistry::put_document(const std::string& repository, const std::string& tag,
                                StoredDocument document) {
  const std::lock_guard lock(mutex_);
  documents_[repository][Digest::of(document.raw).str()] = document;
  documents_[repository][tag] = std::move(document);
}

bool FakeRegistry::has_tag(const std::string& repository, const std::string& tag) const {
  const std::lock_guard lock(mutex_);
  const auto found = documents_.find(repository);
  return found != documents_.end() && found->second.contains(tag);
}

StoredDocument FakeRegistry::document(const std::string& repository,
                                      const std::string& identifier) const {
  const std::lock_guard lock(mutex_);
  return documents_.at(repository).at(identifier);
}

std::string FakeRegistry::blob(const std::string& repository, const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return blobs_.at(repository).at(digest.str());
}

void FakeRegistry::damage(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  damaged_.insert(digest.str());
}

void FakeRegistry::lose(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  lost_.insert(digest.str());
}

void FakeRegistry::refuse(const std::string& method, const std::string& part, int status) {
  const std::lock_guard lock(mutex_);
  refusals_.push_back({method, part, status});
}

void FakeRegistry::heal() {
  const std::lock_guard lock(mutex_);
  damaged_.clear();
  lost_.clear();
  refusals_.clear();
}

std::vector<std::string> FakeRegistry::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::size_t FakeRegistry::count(const std::string& method, std::string_view part) const {
  const auto all = lines();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& line) {
    return line.starts_with(method + " ") && line.find(part) != std::string::npos;
  }));
}

void FakeRegistry::forget_lines() {
  const std::lock_guard lock(mutex_);
  lines_.clear();
}

} // namespace cairn::test
