#include "apps/executor/image_command.hpp"

#include "apps/shared/common_flags.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/output_flags.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

constexpr std::string_view execution_group = "Execution";

/// A command as its flags alone describe it.
template<class Command>
struct ImageDraft {
  Command command;
  bool help = false;
};

template<class Command>
Flags<ImageDraft<Command>> common_flags() {
  using Draft = ImageDraft<Command>;
  return together<Draft>(
      {lift<Draft>(
           destination_flags(),
           +[](Draft& d) -> std::vector<ImageRef>& { return d.command.settings.destinations; }),
       lift<Draft>(
           report_flags(), +[](Draft& d) -> ReportOptions& { return d.command.settings.reports; }),
       lift<Draft>(
           registry_flags(RegistryAccess::pull_and_push),
           +[](Draft& d) -> RegistryUse& { return d.command.settings.registry; }),
       lift<Draft>(
           logging_flags(), +[](Draft& d) -> LogOptions& { return d.command.settings.log; }),
       extra_args_flag<Draft>(), help_flag<Draft>(+[](Draft& d) -> bool& { return d.help; })});
}

Flags<ImageDraft<PushCommand>> push_flags() {
  using Draft = ImageDraft<PushCommand>;
  return together<Draft>(
      {common_flags<PushCommand>(),
       {{{.name = "kaniko-dir",
          .group = execution_group,
          .preset = "/kaniko",
          .help = "Where what an archive holds is put for the time being"},
         [](Draft& d, const FlagValue& v) { d.command.work_directory = v.text(); }},
        {{.name = "max-unpacked-size",
          .group = execution_group,
          .preset = "16G",
          .help = "How much an archive may hold beyond a hundred times its own size; 0 for no "
                  "limit"},
         [](Draft& d, const FlagValue& v) { d.command.unpacked = expansion_limit(v); }}}});
}

Flags<ImageDraft<IndexCommand>> index_flags() {
  using Draft = ImageDraft<IndexCommand>;
  return together<Draft>(
      {common_flags<IndexCommand>(),
       lift<Draft>(
           annotation_flags(), +[](Draft& d) -> Annotations& { return d.command.annotations; })});
}

void settle(PushSettings& settings, const ProcessEnvironment& environment) {
  if (settings.destinations.empty())
    throw Error("you must provide --destination");
  settle_registry(settings.registry, environment);
  settings.reports.builder_output = environment.text("BUILDER_OUTPUT");
}

} // namespace

std::variant<PushCommand, HelpCommand> parse_push(const std::vector<std::string>& arguments,
                                                  const ProcessEnvironment& environment) {
  const auto flags = push_flags();
  ImageDraft<PushCommand> draft;
  const auto parsed = read_flags(flags, arguments, draft);
  if (draft.help)
    return HelpCommand{"Pushes an image that lies in a file or a directory.\n\nUsage:\n"
                       "  executor push PATH --destination REGISTRY/REPOSITORY:TAG [flags]\n" +
                       flag_help(specs_of(flags))};
  if (parsed.words.size() != 1)
    throw with_hint(Error("push: name one archive of docker save, or one OCI image layout"),
                    "executor push PATH --destination REGISTRY/REPOSITORY:TAG");
  draft.command.path = parsed.words.front();
  settle(draft.command.settings, environment);
  return std::move(draft.command);
}

std::variant<IndexCommand, HelpCommand> parse_index(const std::vector<std::string>& arguments,
                                                    const ProcessEnvironment& environment) {
  const auto flags = index_flags();
  ImageDraft<IndexCommand> draft;
  const auto parsed = read_flags(flags, arguments, draft);
  if (draft.help)
    return HelpCommand{"Makes one image for several platforms of images that were pushed.\n\n"
                       "Usage:\n"
                       "  executor index IMAGE... --destination REGISTRY/REPOSITORY:TAG [flags]\n" +
                       flag_help(specs_of(flags))};
  for (const auto& word : parsed.words)
    draft.command.images.push_back(ImageRef::parse(word));
  if (draft.command.images.empty())
    throw with_hint(Error("index: name the images that it is to hold"),
                    "executor index REPOSITORY@DIGEST... --destination REPOSITORY:TAG");
  settle(draft.command.settings, environment);
  return std::move(draft.command);
}

std::vector<FlagSpec> push_flag_specs() {
  return specs_of(push_flags());
}

std::vector<FlagSpec> index_flag_specs() {
  return specs_of(index_flags());
}

} // namespace cairn
