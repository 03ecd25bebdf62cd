#include "context/git/git_context.hpp"

#include "context/git/git_source.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

namespace cairn {

namespace {

constexpr std::string_view kaniko_scheme = "git://";

/// git://HOST/PATH[#REF[:DIRECTORY][#COMMIT]]
GitReference parse_kaniko(std::string_view text, const GitContextOptions& options) {
  text.remove_prefix(kaniko_scheme.size());
  const auto parts = split(text, '#');
  constexpr std::size_t most_parts = 3;
  if (parts.size() > most_parts)
    throw Error("more than one commit is named");
  GitReference reference;
  reference.remote = options.pull_method + "://" + parts[0];
  reference.unencrypted = options.pull_method != "https";
  reference.submodules = options.submodules.value_or(false);
  if (parts.size() > 1) {
    const auto fragment = cut(parts[1], ':');
    reference.ref = fragment ? fragment->first : std::string_view(parts[1]);
    reference.subdirectory = fragment ? fragment->second : "";
  }
  if (parts.size() == most_parts && !parts[2].empty()) {
    reference.checksum = parts[2];
    reference.fetch_by_commit = true;
    check_git_checksum(reference.checksum);
  }
  static_cast<void>(GitAddress::parse(reference.remote));
  return reference;
}

bool is_directory(std::string_view path) {
  return try_open_at(current_directory(), std::string(path), O_PATH | O_DIRECTORY).has_value();
}

} // namespace

std::optional<GitContextSource> parse_git_context(std::string_view context,
                                                  const GitContextOptions& options) {
  const bool is_kaniko = context.starts_with(kaniko_scheme);
  std::optional<GitReference> reference;
  within(
      [&] {
        reference = is_kaniko ? parse_kaniko(context, options) : parse_git_reference(context);
      },
      "build context '{}'", redact_git_reference(context));
  if (!reference || (reference->looks_local && is_directory(context)))
    return std::nullopt;
  if (reference->ref.empty() && !reference->fetch_by_commit)
    reference->ref = options.branch;
  if (options.submodules)
    reference->submodules = options.submodules;
  return GitContextSource{*std::move(reference), is_kaniko};
}

GitContext open_git_context(const GitReference& reference, const GitContextOptions& options,
                            const std::string& sub_path, GitServices services) {
  if (!options.username.empty())
    services.credentials.add_login(GitAddress::parse(reference.url()), options.username,
                                   options.password, options.login_source);
  if (options.verify == TlsVerify::none) {
    TlsOptions tls;
    tls.verify = TlsVerify::none;
    services.tls = std::make_shared<const TlsOptions>(std::move(tls));
  }
  auto checkout = check_out_git(reference, std::nullopt, services);
  LocalContext context{std::move(checkout.path), std::move(checkout.files),
                       std::move(checkout.directory)};
  enter_sub_path(context, sub_path);
  return {std::move(context), checkout.commit.time};
}

} // namespace cairn
