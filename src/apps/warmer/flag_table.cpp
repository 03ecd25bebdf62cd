#include "apps/warmer/flag_table.hpp"

#include "apps/shared/common_flags.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

using enum FlagType;

constexpr std::string_view what_group = "What is fetched";
constexpr std::string_view cache_group = "Cache";
constexpr std::string_view end_group = "Report and exit status";
constexpr std::string_view old_group = "Old names";

using Draft = WarmerDraft;
using Value = FlagValue;

void add_targets(WarmerDraft& draft, const FlagValue& value) {
  for (const auto& target : value.words())
    draft.command.request.targets.push_back(target);
}

void add_platform(WarmerDraft& draft, const FlagValue& value) {
  for (const auto& platform : value.words())
    draft.command.request.platforms.push_back(Platform::parse(platform));
}

// clang-format would give every member of a row its own line.
// clang-format off
Flags<WarmerDraft> what_flags() {
  return {
    {{.name = "image", .shorthand = "i", .type = list, .group = what_group,
      .help = "An image to put into the cache"},
     [](Draft& d, const Value& v) { d.command.request.images.push_back(ImageRef::parse(v.text())); }},
    {{.name = "dockerfile", .shorthand = "d", .type = list, .group = what_group,
      .help = "A Dockerfile, or https://URL of one: every image that it names, in FROM, COPY --from, RUN --mount and ONBUILD"},
     [](Draft& d, const Value& v) { if (!v.empty()) d.command.request.dockerfiles.push_back(v.text()); }},
    {{.name = "list", .group = what_group,
      .help = "A file with an image a line, # for comments; - for stdin"},
     [](Draft& d, const Value& v) { d.command.list = v.text(); }},
    {{.name = "build-arg", .type = list, .group = what_group,
      .help = "NAME=value for an ARG of the Dockerfiles; NAME alone takes the value of the environment"},
     [](Draft& d, const Value& v) { d.build_args.push_back(parse_build_arg(v.text())); }},
    {{.name = "target", .type = list, .group = what_group, .preset = "all stages",
      .help = "The stages of the Dockerfiles that count, with those they need"},
     add_targets},
    {{.name = "custom-platform", .type = list, .group = what_group, .preset = "this machine's",
      .help = "os/arch[/variant] of the images; several are fetched for each image"},
     add_platform},
    {{.name = "cache-repo", .group = what_group,
      .help = "The repository, or oci:PATH, with cached steps: those of the Dockerfiles are fetched too; takes --context"},
     [](Draft& d, const Value& v) {
       if (!v.empty())
         d.command.request.steps_from = CacheLocation::parse(v.text());
     }},
    {{.name = "context", .group = what_group,
      .help = "The build context of the Dockerfiles: a directory, dir://PATH, tar://PATH or tar://stdin"},
     [](Draft& d, const Value& v) {
       if (!v.empty())
         d.command.request.context = v.text();
     }},
    {{.name = "context-sub-path", .group = what_group,
      .help = "The directory of the context that counts as its root"},
     [](Draft& d, const Value& v) { d.command.request.context_sub_path = v.text(); }},
  };
}

Flags<WarmerDraft> cache_flags() {
  return {
    {{.name = "cache-dir", .shorthand = "c", .group = cache_group, .preset = "/cache",
      .help = "The directory that is filled; made when it is missing"},
     [](Draft& d, const Value& v) { d.command.request.directory = v.text(); }},
    {{.name = "cache-ttl", .type = duration, .group = cache_group, .preset = "336h",
      .help = "How long what kaniko's warmer left counts, and steps of --cache-repo"},
     [](Draft& d, const Value& v) { d.command.request.time_to_live = v.duration(); }},
    {{.name = "force", .shorthand = "f", .type = boolean, .group = cache_group, .preset = "false",
      .help = "Fetch everything again, whatever is there"},
     [](Draft& d, const Value& v) {
       d.command.request.refetch = v.boolean() ? Refetch::yes : Refetch::no;
     }},
    {{.name = "max-size", .group = cache_group, .preset = "0",
      .help = "How large the directory may be, as 20G: what was not used for the longest time is removed; 0 for no limit"},
     [](Draft& d, const Value& v) { d.command.request.max_size = v.bytes(); }},
    {{.name = "max-unpacked-size", .group = cache_group, .preset = "16G",
      .help = "How much an archive or a layer may hold beyond a hundred times its own size; 0 for no limit"},
     [](Draft& d, const Value& v) { d.command.request.unpacked = expansion_limit(v); }},
    {{.name = "unpack", .type = boolean, .group = cache_group, .preset = "false",
      .help = "Also unpack the layers, for commands to run on at once; takes root"},
     [](Draft& d, const Value& v) {
       d.command.request.unpack = v.boolean() ? UnpackLayers::yes : UnpackLayers::no;
     }},
  };
}

Flags<WarmerDraft> end_flags() {
  return {
    {{.name = "report", .group = end_group,
      .help = "A file for a report in JSON: images, digests, platforms, bytes, failures"},
     [](Draft& d, const Value& v) { d.command.report = v.text(); }},
    {{.name = "allow-failures", .type = boolean, .group = end_group, .preset = "false",
      .help = "Exit with status 0 although something could not be fetched"},
     [](Draft& d, const Value& v) {
       d.command.failures = v.boolean() ? WarmFailures::allow : WarmFailures::fail;
     }},
  };
}

Flags<WarmerDraft> old_names() {
  return {
    {{.name = "customPlatform", .group = old_group, .visibility = Visibility::hidden,
      .alias_of = "custom-platform"}, nullptr},
  };
}
// clang-format on

} // namespace

Flags<WarmerDraft> warmer_flags() {
  return together<WarmerDraft>(
      {what_flags(), cache_flags(), end_flags(),
       lift(
           registry_flags(RegistryAccess::pull),
           +[](WarmerDraft& d) -> RegistryUse& { return d.command.registry; }),
       lift(
           logging_flags(), +[](WarmerDraft& d) -> LogOptions& { return d.command.log; }),
       extra_args_flag<WarmerDraft>(), help_flag(+[](WarmerDraft& d) -> bool& { return d.help; }),
       old_names()});
}

} // namespace cairn
