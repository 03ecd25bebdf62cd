#include "creds/cloud/aws_credentials.hpp"

#include "creds/cloud/aws_metadata.hpp"
#include "creds/cloud/aws_profile.hpp"
#include "creds/cloud/aws_sts.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

namespace cairn {

namespace {

constexpr std::uint64_t max_file = std::uint64_t{1} << 20;
constexpr unsigned longest_profile_chain = 5;

using Profiles = std::map<std::string, AwsProfile>;

std::string setting(const AwsProfile& profile, std::string_view name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

Profiles read_profiles(const std::string& path, AwsFileKind kind) {
  if (path.empty())
    return {};
  const auto file = try_open_at(current_directory(), path, O_RDONLY);
  if (!file)
    return {};
  return parse_aws_profiles(within([&] { return read_file(*file, max_file); }, "{}", path), kind,
                            path);
}

std::string file_path(const Variables& environment, std::string_view variable,
                      std::string_view name) {
  auto path = environment.text(variable);
  const auto home = environment.text("HOME");
  if (path.empty() && !home.empty())
    path = home + "/.aws/" + std::string(name);
  return path;
}

/// Both files in one; what the credentials file says counts.
Profiles load_profiles(const Variables& environment) {
  auto profiles =
      read_profiles(file_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                    AwsFileKind::credentials);
  for (auto& [name, profile] :
       read_profiles(file_path(environment, "AWS_CONFIG_FILE", "config"), AwsFileKind::config))
    profiles[name].insert(profile.begin(), profile.end());
  return profiles;
}

std::string profile_name(const Variables& environment) {
  const auto name = environment.either("AWS_PROFILE", "AWS_DEFAULT_PROFILE");
  return name.empty() ? "default" : name;
}

std::optional<AwsKeys> environment_keys(const Variables& environment) {
  AwsKeys keys{.id = environment.text("AWS_ACCESS_KEY_ID"),
               .secret = environment.text("AWS_SECRET_ACCESS_KEY"),
               .session = environment.text("AWS_SESSION_TOKEN"),
               .source = "AWS_ACCESS_KEY_ID"};
  if (keys.id.empty() || keys.secret.empty())
    return std::nullopt;
  return keys;
}

std::optional<AwsKeys> web_identity_keys(const CloudServices& services, const std::string& region) {
  const auto& environment = services.environment;
  const auto file = environment.text("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto arn = environment.text("AWS_ROLE_ARN");
  if (file.empty() || arn.empty())
    return std::nullopt;
  const AwsRole role{.arn = arn, .session_name = environment.text("AWS_ROLE_SESSION_NAME")};
  return within(
      [&] { return assume_role_with_token(services, region, role, read_token_file(file)); },
      "AWS_WEB_IDENTITY_TOKEN_FILE");
}

/// What one profile leads to, through the profiles that it names.
class ProfileReader {
public:
  ProfileReader(const CloudServices& services, const Profiles& profiles, std::string region)
      : services_(services), profiles_(profiles), region_(std::move(region)) {}

  std::optional<AwsKeys> keys(const std::string& name, unsigned depth = 0) const {
    const auto found = profiles_.find(name);
    if (found == profiles_.end())
      return std::nullopt;
    return within([&] { return keys_of(name, found->second, depth); }, "AWS profile \"{}\"",
                  printable(name));
  }

private:
  std::optional<AwsKeys> keys_of(const std::string& name, const AwsProfile& profile,
                                 unsigned depth) const {
    if (depth == longest_profile_chain)
      throw Error("source_profile leads on and on");
    const auto arn = setting(profile, "role_arn");
    const auto source = setting(profile, "source_profile");
    const bool is_own_source = source == name;
    if (!arn.empty() && (!source.empty() || !setting(profile, "credential_source").empty()))
      return assume_role_with_keys(services_, region_, role_of(profile, arn),
                                   is_own_source ? require(own_keys(name, profile), name)
                                                 : source_keys(profile, depth));
    if (auto keys = own_keys(name, profile))
      return keys;
    const auto token = setting(profile, "web_identity_token_file");
    if (!arn.empty() && !token.empty())
      return assume_role_with_token(services_, region_, role_of(profile, arn),
                                    read_token_file(token));
    for (const auto* other : {"credential_process", "sso_session", "sso_start_url"})
      if (!setting(profile, other).empty())
        throw with_hint(Error("{} is not supported", other),
                        "a pod has a role of its own (IRSA, Pod Identity), or keys in variables");
    return std::nullopt;
  }

  static AwsRole role_of(const AwsProfile& profile, const std::string& arn) {
    return {arn, setting(profile, "role_session_name"), setting(profile, "external_id")};
  }

  static std::optional<AwsKeys> own_keys(const std::string& name, const AwsProfile& profile) {
    AwsKeys keys{.id = setting(profile, "aws_access_key_id"),
                 .secret = setting(profile, "aws_secret_access_key"),
                 .session = setting(profile, "aws_session_token"),
                 .source = "AWS profile \"" + printable(name) + "\""};
    if (keys.id.empty() || keys.secret.empty())
      return std::nullopt;
    return keys;
  }

  static AwsKeys require(std::optional<AwsKeys> keys, const std::string& place) {
    if (!keys)
      throw Error("{} has no keys", printable(place));
    return *std::move(keys);
  }

  AwsKeys source_keys(const AwsProfile& profile, unsigned depth) const {
    if (const auto source = setting(profile, "source_profile"); !source.empty())
      return require(keys(source, depth + 1), "source_profile " + source);
    const auto source = setting(profile, "credential_source");
    if (source == "Environment")
      return require(environment_keys(services_.environment), "the environment");
    if (source == "EcsContainer")
      return require(container_aws_keys(services_), "the container");
    if (source == "Ec2InstanceMetadata")
      return require(instance_aws_keys(services_), "the instance");
    throw Error("credential_source: unknown source '{}'", printable(source));
  }

  const CloudServices& services_;
  const Profiles& profiles_;
  std::string region_;
};

} // namespace

std::optional<AwsKeys> find_aws_keys(const CloudServices& services, const std::string& region) {
  const auto& environment = services.environment;
  if (auto keys = environment_keys(environment))
    return keys;
  auto own_region = environment.either("AWS_REGION", "AWS_DEFAULT_REGION");
  if (auto keys = web_identity_keys(services, own_region.empty() ? region : own_region))
    return keys;
  const auto profiles = load_profiles(environment);
  const auto name = profile_name(environment);
  if (const auto profile = profiles.find(name); own_region.empty() && profile != profiles.end())
    own_region = setting(profile->second, "region");
  const ProfileReader reader(services, profiles, own_region.empty() ? region : own_region);
  if (auto keys = reader.keys(name))
    return keys;
  if (auto keys = container_aws_keys(services))
    return keys;
  return instance_aws_keys(services);
}

} // namespace cairn
