#include "oci/reference.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr std::string_view hub = "docker.io";
constexpr std::size_t max_name = 255;
constexpr std::size_t max_tag = 128;

constexpr std::string_view digits = "0123456789";
constexpr std::string_view lower_alnum = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool made_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

/// Alphanumeric runs joined by ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
  while (!text.empty()) {
    const auto word = std::min(text.find_first_not_of(lower_alnum), text.size());
    if (word == 0)
      return false;
    text.remove_prefix(word);
    if (text.empty())
      return true;
    const auto separator = text.substr(0, text.find_first_of(lower_alnum));
    if (separator != "." && separator != "_" && separator != "__" && !made_of(separator, "-"))
      return false;
    text.remove_prefix(separator.size());
  }
  return false;
}

bool is_host_label(std::string_view text) {
  return !text.empty() && made_of(text, std::string(alnum) + "-") && text.front() != '-' &&
         text.back() != '-';
}

bool is_registry(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end == 1 ||
        !made_of(text.substr(1, end - 1), "0123456789abcdefABCDEF:"))
      return false;
    const auto port = text.substr(end + 1);
    return port.empty() || (port.size() > 1 && port[0] == ':' && made_of(port.substr(1), digits));
  }
  if (const auto parts = cut(text, ':')) {
    if (parts->second.empty() || !made_of(parts->second, digits))
      return false;
    text = parts->first;
  }
  const auto labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_host_label);
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= max_tag && text[0] != '.' && text[0] != '-' &&
         made_of(text, std::string(alnum) + "_.-");
}

/// The part before the first slash is a registry when it cannot be a path component.
bool names_registry(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
         to_lower(first) != first;
}

} // namespace

ImageRef ImageRef::parse(std::string_view text) {
  const auto fail = [&](std::string_view why) {
    return Error("image reference '{}': {}", printable(text.substr(0, 300)), why);
  };
  ImageRef ref;
  std::string_view rest = text;
  if (rest.size() == 64 && made_of(rest, "0123456789abcdef"))
    throw fail("64 hex digits are an identifier, not a name");
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    ref.digest_ = Digest::try_parse(rest.substr(at + 1));
    if (!ref.digest_)
      throw fail("the text after '@' is not 'sha256:' and 64 lowercase hex digits");
    rest = rest.substr(0, at);
  }
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && names_registry(rest.substr(0, slash))) {
    ref.registry_ = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
  } else {
    ref.registry_ = hub;
  }
  if (const auto colon = rest.rfind(':');
      colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    if (!is_tag(rest.substr(colon + 1)))
      throw fail("the tag after ':' is not valid");
    ref.tag_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (ref.registry_ == "index.docker.io" || ref.registry_ == "registry-1.docker.io")
    ref.registry_ = hub;
  if (!is_registry(ref.registry_))
    throw fail("'" + printable(ref.registry_) + "' is not a registry's host and port");
  ref.repository_ = rest;
  if (ref.registry_ == hub && rest.find('/') == std::string_view::npos)
    ref.repository_ = "library/" + ref.repository_;
  if (to_lower(rest) != rest)
    throw fail("the repository name must be lowercase");
  const auto components = split(rest, '/');
  if (!std::all_of(components.begin(), components.end(), is_path_component))
    throw fail("the repository name is not valid");
  if (ref.repository_.size() > max_name)
    throw fail("the repository name is longer than 255 characters");
  return ref;
}

std::string ImageRef::endpoint() const {
  return registry_ == hub ? "registry-1.docker.io" : registry_;
}

std::string ImageRef::identifier() const {
  return digest_ ? digest_->str() : tag_.value_or("latest");
}

std::string ImageRef::name() const {
  return (registry_ == hub ? "index.docker.io" : registry_) + "/" + repository_;
}

std::string ImageRef::str() const {
  auto text = name();
  if (tag_ || !digest_)
    text += ":" + tag_.value_or("latest");
  if (digest_)
    text += "@" + digest_->str();
  return text;
}

ImageRef ImageRef::with_tag(std::string tag) const {
  ImageRef copy = *this;
  copy.tag_ = std::move(tag);
  copy.digest_.reset();
  return copy;
}

ImageRef ImageRef::with_digest(Digest digest) const {
  ImageRef copy = *this;
  copy.digest_ = std::move(digest);
  return copy;
}

ImageRef ImageRef::with_repository(std::string repository) const {
  ImageRef copy = *this;
  copy.repository_ = std::move(repository);
  return copy;
}

} // namespace cairn
