#include "apps/executor/image_command.hpp"

#include "apps/shared/common_flags.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/output_flags.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

constexpr std::string_view place_group = "Execution";

/// A command as its flags alone describe it.
template<class Command>
struct ParsedImageFlags {
  Command command;
  bool help = false;
};

template<class Command>
Flags<ParsedImageFlags<Command>> common_flags() {
  using Parsed = ParsedImageFlags<Command>;
  return together<Parsed>(
      {lift<Parsed>(
           destination_flags(),
           +[](Parsed& d) -> std::vector<ImageRef>& { return d.command.settings.destinations; }),
       lift<Parsed>(
           report_flags(), +[](Parsed& d) -> ReportOptions& { return d.command.settings.reports; }),
       lift<Parsed>(
           registry_flags(RegistryAccess::pull_and_push),
           +[](Parsed& d) -> RegistryUse& { return d.command.settings.registry; }),
       lift<Parsed>(
           logging_flags(), +[](Parsed& d) -> LogOptions& { return d.command.settings.log; }),
       extra_args_flag<Parsed>(), help_flag<Parsed>(+[](Parsed& d) -> bool& { return d.help; })});
}

Flags<ParsedImageFlags<PushCommand>> push_flags() {
  using Parsed = ParsedImageFlags<PushCommand>;
  return together<Parsed>(
      {common_flags<PushCommand>(),
       {{{.name = "kaniko-dir",
          .group = place_group,
          .preset = "/kaniko",
          .help = "Where what an archive holds is put for the time being"},
         [](Parsed& d, const FlagValue& v) { d.command.work_directory = v.text(); }},
        {{.name = "max-unpacked-size",
          .group = place_group,
          .preset = "16G",
          .help = "How much an archive may hold beyond a hundred times its own size; 0 for no "
                  "limit"},
         [](Parsed& d, const FlagValue& v) { d.command.unpacked = expansion_limit(v); }}}});
}

Flags<ParsedImageFlags<IndexCommand>> index_flags() {
  using Parsed = ParsedImageFlags<IndexCommand>;
  return together<Parsed>(
      {common_flags<IndexCommand>(),
       lift<Parsed>(
           annotation_flags(), +[](Parsed& d) -> Annotations& { return d.command.annotations; })});
}

void resolve_options(PushSettings& settings, const ProcessEnvironment& environment) {
  if (settings.destinations.empty())
    throw Error("you must provide --destination");
  resolve_registry(settings.registry, environment);
  settings.reports.builder_output = environment.text("BUILDER_OUTPUT");
}

} // namespace

std::variant<PushCommand, HelpCommand> parse_push(const std::vector<std::string>& arguments,
                                                  const ProcessEnvironment& environment) {
  const auto flags = push_flags();
  ParsedImageFlags<PushCommand> given;
  const auto parsed = read_flags(flags, arguments, given);
  if (given.help)
    return HelpCommand{"Pushes an image that lies in a file or a directory.\n\nUsage:\n"
                       "  executor push PATH --destination REGISTRY/REPOSITORY:TAG [flags]\n" +
                       flag_help(specs_of(flags))};
  if (parsed.words.size() != 1)
    throw with_hint(Error("push: name one archive of docker save, or one OCI image layout"),
                    "executor push PATH --destination REGISTRY/REPOSITORY:TAG");
  given.command.path = parsed.words.front();
  resolve_options(given.command.settings, environment);
  return std::move(given.command);
}

std::variant<IndexCommand, HelpCommand> parse_index(const std::vector<std::string>& arguments,
                                                    const ProcessEnvironment& environment) {
  const auto flags = index_flags();
  ParsedImageFlags<IndexCommand> given;
  const auto parsed = read_flags(flags, arguments, given);
  if (given.help)
    return HelpCommand{"Makes one image for several platforms of images that were pushed.\n\n"
                       "Usage:\n"
                       "  executor index IMAGE... --destination REGISTRY/REPOSITORY:TAG [flags]\n" +
                       flag_help(specs_of(flags))};
  for (const auto& word : parsed.words)
    given.command.images.push_back(ImageRef::parse(word));
  if (given.command.images.empty())
    throw with_hint(Error("index: name the images that it is to hold"),
                    "executor index REPOSITORY@DIGEST... --destination REPOSITORY:TAG");
  resolve_options(given.command.settings, environment);
  return std::move(given.command);
}

std::vector<FlagSpec> push_flag_specs() {
  return specs_of(push_flags());
}

std::vector<FlagSpec> index_flag_specs() {
  return specs_of(index_flags());
}

} // namespace cairn
