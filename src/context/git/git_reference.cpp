#include "context/git/git_reference.hpp"

#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace cairn {

namespace {

constexpr std::string_view tag_prefix = "refs/tags/";
constexpr std::string_view branch_prefix = "refs/heads/";
/// What the short form of a repository on github.com leaves out.
constexpr std::string_view assumed = "https://";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

/// A reference in its parts, the last two as written.
struct Parts {
  std::string scheme; ///< In lower case; empty for user@host:path.
  std::string remote;
  std::string path; ///< Of a URL, decoded.
  std::string query;
  std::string fragment;
};

/// Cuts `text` at the first `separator`; the rest behind it is returned.
std::string take_behind(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos)
    return {};
  std::string rest(text.substr(at + 1));
  text = text.substr(0, at);
  return rest;
}

std::optional<Parts> split_url(std::string_view text) {
  const auto end = text.find("://");
  const auto scheme = text.substr(0, end);
  if (end == std::string_view::npos || !all_of(scheme, ""))
    return std::nullopt;
  Parts parts;
  parts.scheme = to_lower(scheme);
  auto rest = text.substr(end);
  const auto fragment = percent_decode(take_behind(rest, '#'));
  parts.query = take_behind(rest, '?');
  parts.remote = parts.scheme + std::string(rest);
  const auto slash = rest.find('/', std::string_view("://").size());
  const auto path = percent_decode(slash == std::string_view::npos ? "" : rest.substr(slash));
  const auto host = rest.substr(3, slash == std::string_view::npos ? slash : slash - 3);
  if (!fragment || !path || host.empty())
    return std::nullopt;
  parts.fragment = *fragment;
  parts.path = *path;
  return parts;
}

/// user@host:path, as ssh has it.
std::optional<Parts> split_scp(std::string_view text) {
  Parts parts;
  auto rest = text;
  parts.fragment = take_behind(rest, '#');
  parts.query = take_behind(rest, '?');
  const auto user = cut(rest, '@');
  const auto host = user ? cut(user->second, ':') : std::nullopt;
  if (!host || !all_of(user->first, "-_") || !all_of(host->first, "-."))
    return std::nullopt;
  parts.remote = rest;
  return parts;
}

std::optional<Parts> split_reference(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    auto parts = split_url(text);
    if (!parts)
      return std::nullopt;
    const auto is_web = parts->scheme == "https" || parts->scheme == "http";
    const auto is_known = is_web || parts->scheme == "ssh" || parts->scheme == "git";
    if (!is_known || (is_web && !parts->path.ends_with(".git")))
      return std::nullopt;
    return parts;
  }
  return split_scp(text);
}

using Query = std::map<std::string, std::string>;

std::string decode_query(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  auto decoded = percent_decode(plain);
  if (!decoded)
    throw Error("invalid query \"{}\"", text);
  return *std::move(decoded);
}

/// Flags may stand without a value; it is then "true".
Query parse_query(std::string_view text) {
  constexpr std::array flags = {"submodules", "keep-git-dir", "fetch-by-commit"};
  Query query;
  for (const auto& field : split(text, '&')) {
    if (field.empty())
      continue;
    const auto parts = cut(field, '=');
    const auto name = decode_query(parts ? parts->first : field);
    auto value = decode_query(parts ? parts->second : "");
    const bool is_flag = std::find(flags.begin(), flags.end(), name) != flags.end();
    if (value.empty() && !is_flag)
      throw Error("query \"{}\" has no value", name);
    if (value.empty())
      value = "true";
    if (!query.emplace(name, std::move(value)).second)
      throw Error("query \"{}\" has multiple values", name);
  }
  return query;
}

bool parse_flag(const std::string& name, const std::string& value) {
  const auto flag = parse_go_flag(value);
  if (!flag)
    throw Error("invalid {} value: \"{}\"", name, value);
  return *flag;
}

GitTimes parse_times(const std::string& value) {
  if (value == "commit")
    return GitTimes::commit;
  if (value == "checkout")
    return GitTimes::checkout;
  throw Error("invalid mtime value: \"{}\" (must be \"checkout\" or \"commit\")", value);
}

/// `known` may be empty, or the same.
void agree(std::string_view what, std::string& known, std::string value) {
  if (!known.empty() && known != value)
    throw Error("{} conflicts: \"{}\" vs \"{}\"", what, known, value);
  known = std::move(value);
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

void take_value(GitReference& to, const std::string& name, const std::string& value) {
  if (name == "ref")
    agree("ref", to.ref, value);
  else if (name == "subdir")
    agree("subdir", to.subdirectory, value);
  else if (name == "checksum" || name == "commit")
    agree("checksum", to.checksum, value);
  else if (name == "keep-git-dir")
    to.keep_git_dir = parse_flag(name, value);
  else if (name == "submodules")
    to.submodules = parse_flag(name, value);
  else if (name == "fetch-by-commit")
    to.fetch_by_commit = parse_flag(name, value);
  else if (name == "mtime")
    to.times = parse_times(value);
  else if (name != "tag" && name != "branch")
    throw Error("unexpected query \"{}\"", name);
}

void take_query(GitReference& to, const Query& query) {
  for (const auto& [name, value] : query)
    take_value(to, name, value);
  const auto tag = query.find("tag");
  const auto branch = query.find("branch");
  if (tag != query.end() && branch != query.end())
    throw Error("branch conflicts with tag");
  if (tag != query.end())
    agree("ref", to.ref, with_prefix(tag_prefix, tag->second));
  if (branch != query.end())
    agree("ref", to.ref, with_prefix(branch_prefix, branch->second));
  if (to.fetch_by_commit && to.checksum.empty())
    throw Error("fetch-by-commit needs a checksum: the commit to fetch");
}

} // namespace

std::string GitReference::url() const {
  return looks_local ? std::string(assumed) + remote : remote;
}

void check_git_checksum(const std::string& checksum) {
  constexpr std::size_t longest = 64;
  if (checksum.size() > longest ||
      checksum.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    throw Error("invalid checksum \"{}\", expected hex commit hash", checksum);
}

std::optional<bool> parse_go_flag(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == word)
      return true;
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == word)
      return false;
  return std::nullopt;
}

std::string redact_git_reference(std::string_view text) {
  const auto begin = text.find("://");
  const auto slash = text.find('/', begin == std::string_view::npos ? begin : begin + 3);
  const auto at = text.substr(0, slash).rfind('@');
  if (begin == std::string_view::npos || at == std::string_view::npos)
    return printable(text);
  const auto user = text.substr(begin + 3, at - begin - 3);
  // A user name alone may be a token, but "git@" is everybody's.
  const bool is_secret = user.find(':') != std::string_view::npos || !text.starts_with("ssh://");
  return printable(text.substr(0, begin + 3)) + (is_secret ? "***" : printable(user)) +
         printable(text.substr(at));
}

std::optional<GitReference> parse_git_reference(std::string_view text) {
  if (text.starts_with("./") || text.starts_with("../") || has_control_characters(text))
    return std::nullopt;
  GitReference reference;
  reference.looks_local = text.starts_with("github.com/");
  auto parts = reference.looks_local ? split_url(std::string(assumed) + std::string(text))
                                     : split_reference(text);
  if (!parts)
    return std::nullopt;
  reference.unencrypted = parts->scheme == "http" || parts->scheme == "git";
  reference.remote =
      reference.looks_local ? parts->remote.substr(assumed.size()) : std::move(parts->remote);
  reference.short_name = reference.remote.substr(reference.remote.rfind('/') + 1);
  if (reference.short_name.ends_with(".git"))
    reference.short_name.resize(reference.short_name.size() - std::string_view(".git").size());
  if (const auto fragment = cut(parts->fragment, ':')) {
    reference.ref = fragment->first;
    reference.subdirectory = fragment->second;
  } else {
    reference.ref = std::move(parts->fragment);
  }
  take_query(reference, parse_query(parts->query));
  return reference;
}

} // namespace cairn
