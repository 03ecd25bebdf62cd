#include "apps/executor/image_actions.hpp"

#include "apps/shared/network.hpp"
#include "builder/outputs/image_index.hpp"
#include "builder/outputs/outputs.hpp"
#include "builder/outputs/reports.hpp"
#include "builder/outputs/saved_image.hpp"

namespace cairn {

namespace {

/// The way of documents and blobs to where they go.
class Sender {
public:
  Sender(const PushSettings& settings, const ActionServices& services)
      : settings_(settings), services_(services),
        network_(settings.registry, services.environment, services.progress, services.cancel) {
    if (settings.registry.push_check == PushCheck::before_work)
      check_destinations(network_.registry(), settings.destinations);
  }

  RegistryClient& registry() { return network_.registry(); }

  /// `push` without what the settings say.
  void send(Push push) {
    push.destinations = settings_.destinations;
    push.immutable_tags = settings_.registry.immutable_tags;
    push_image(network_.publisher(), push, services_.progress);
    const auto digest = Digest::of(push.documents.back().raw);
    tell_pushed(settings_.destinations, digest, services_.progress);
    write_reports({digest, settings_.destinations, {}, PushImage::yes}, settings_.reports,
                  {network_.http(), network_.retry(), services_.progress, services_.cancel});
  }

private:
  const PushSettings& settings_;
  const ActionServices& services_;
  Network network_;
};

} // namespace

void push_saved_image(const PushCommand& command, const ActionServices& services) {
  Sender sender(command.settings, services);
  Workspace workspace({command.work_directory + "/work", "/tmp", "/dev/shm"});
  auto image = open_saved_image(command.path, workspace, command.unpacked);
  sender.send({.destinations = {}, .documents = std::move(image.documents), .open = image.open});
}

void push_index(const IndexCommand& command, const ActionServices& services) {
  Sender sender(command.settings, services);
  auto joined = join_images(sender.registry(), command.images, command.annotations);
  const auto& made = joined.documents.back();
  for (const auto& member : Index::parse(made.raw, made.media_type).manifests)
    services.progress.info("{} {}", member.digest.str(),
                           member.platform ? member.platform->str() : "");
  sender.send(
      {.destinations = {},
       .documents = std::move(joined.documents),
       .open =
           [&](const Descriptor& blob) {
             return sender.registry().read_blob(joined.origins.at(blob.digest), blob);
           },
       .known_in = [&](const Digest& blob) { return std::vector{joined.origins.at(blob)}; }});
}

} // namespace cairn
