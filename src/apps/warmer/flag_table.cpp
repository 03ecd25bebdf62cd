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

using Parsed = ParsedWarmerFlags;
using Value = FlagValue;

void add_targets(ParsedWarmerFlags& given, const FlagValue& value) {
  for (const auto& target : value.words())
    given.command.request.targets.push_back(target);
}

void add_platform(ParsedWarmerFlags& given, const FlagValue& value) {
  for (const auto& platform : value.words())
    given.command.request.platforms.push_back(Platform::parse(platform));
}

// clang-format would give every member of a row its own line.
// clang-format off
Flags<ParsedWarmerFlags> what_flags() {
  return {
    {{.name = "image", .shorthand = "i", .type = list, .group = what_group,
      .help = "An image to put into the cache"},
     [](Parsed& d, const Value& v) { d.command.request.images.push_back(ImageRef::parse(v.text())); }},
    {{.name = "dockerfile", .shorthand = "d", .type = list, .group = what_group,
      .help = "A Dockerfile, or https://URL of one: every image that it names, in FROM, COPY --from, RUN --mount and ONBUILD"},
     [](Parsed& d, const Value& v) { if (!v.empty()) d.command.request.dockerfiles.push_back(v.text()); }},
    {{.name = "list", .group = what_group,
      .help = "A file with an image a line, # for comments; - for stdin"},
     [](Parsed& d, const Value& v) { d.command.list = v.text(); }},
    {{.name = "build-arg", .type = list, .group = what_group,
      .help = "NAME=value for an ARG of the Dockerfiles; NAME alone takes the value of the environment"},
     [](Parsed& d, const Value& v) { d.build_args.push_back(parse_build_arg(v.text())); }},
    {{.name = "target", .type = list, .group = what_group, .preset = "all stages",
      .help = "The stages of the Dockerfiles that count, with those they need"},
     add_targets},
    {{.name = "custom-platform", .type = list, .group = what_group, .preset = "this machine's",
      .help = "os/arch[/variant] of the images; several are fetched for each image"},
     add_platform},
    {{.name = "cache-repo", .group = what_group,
      .help = "The repository, or oci:PATH, with cached steps: those of the Dockerfiles are fetched too; takes --context"},
     [](Parsed& d, const Value& v) {
       if (!v.empty())
         d.command.request.steps_from = CacheLocation::parse(v.text());
     }},
    {{.name = "context", .group = what_group,
      .help = "The build context of the Dockerfiles: a directory, dir://PATH, tar://PATH or tar://stdin"},
     [](Parsed& d, const Value& v) {
       if (!v.empty())
         d.command.request.context = v.text();
     }},
    {{.name = "context-sub-path", .group = what_group,
      .help = "The directory of the context that counts as its root"},
     [](Parsed& d, const Value& v) { d.command.request.context_sub_path = v.text(); }},
  };
}

Flags<ParsedWarmerFlags> cache_flags() {
  return {
    {{.name = "cache-dir", .shorthand = "c", .group = cache_group, .preset = "/cache",
      .help = "The directory that is filled; made when it is missing"},
     [](Parsed& d, const Value& v) { d.command.request.directory = v.text(); }},
    {{.name = "cache-ttl", .type = duration, .group = cache_group, .preset = "336h",
      .help = "How long what kaniko's warmer left counts, and steps of --cache-repo"},
     [](Parsed& d, const Value& v) { d.command.request.time_to_live = v.duration(); }},
    {{.name = "force", .shorthand = "f", .type = boolean, .group = cache_group, .preset = "false",
      .help = "Fetch everything again, whatever is there"},
     [](Parsed& d, const Value& v) {
       d.command.request.refetch = v.boolean() ? Refetch::yes : Refetch::no;
     }},
    {{.name = "max-size", .group = cache_group, .preset = "0",
      .help = "How large the directory may be, as 20G: what was not used for the longest time is removed; 0 for no limit"},
     [](Parsed& d, const Value& v) { d.command.request.max_size = v.bytes(); }},
    {{.name = "max-unpacked-size", .group = cache_group, .preset = "16G",
      .help = "How much an archive or a layer may hold beyond a hundred times its own size; 0 for no limit"},
     [](Parsed& d, const Value& v) { d.command.request.unpacked = expansion_limit(v); }},
    {{.name = "unpack", .type = boolean, .group = cache_group, .preset = "false",
      .help = "Also unpack the layers, for commands to run on at once; takes root"},
     [](Parsed& d, const Value& v) {
       d.command.request.unpack = v.boolean() ? UnpackLayers::yes : UnpackLayers::no;
     }},
  };
}

Flags<ParsedWarmerFlags> end_flags() {
  return {
    {{.name = "report", .group = end_group,
      .help = "A file for a report in JSON: images, digests, platforms, bytes, failures"},
     [](Parsed& d, const Value& v) { d.command.report = v.text(); }},
    {{.name = "allow-failures", .type = boolean, .group = end_group, .preset = "false",
      .help = "Exit with status 0 although something could not be fetched"},
     [](Parsed& d, const Value& v) {
       d.command.failures = v.boolean() ? WarmFailures::allow : WarmFailures::fail;
     }},
  };
}

Flags<ParsedWarmerFlags> old_names() {
  return {
    {{.name = "customPlatform", .group = old_group, .visibility = Visibility::hidden,
      .alias_of = "custom-platform"}, nullptr},
  };
}
// clang-format on

} // namespace

Flags<ParsedWarmerFlags> warmer_flags() {
  return together<ParsedWarmerFlags>(
      {what_flags(), cache_flags(), end_flags(),
       lift(
           registry_flags(RegistryAccess::pull),
           +[](ParsedWarmerFlags& d) -> RegistryUse& { return d.command.registry; }),
       lift(
           logging_flags(), +[](ParsedWarmerFlags& d) -> LogOptions& { return d.command.log; }),
       extra_args_flag<ParsedWarmerFlags>(),
       help_flag(+[](ParsedWarmerFlags& d) -> bool& { return d.help; }), old_names()});
}

} // namespace cairn
