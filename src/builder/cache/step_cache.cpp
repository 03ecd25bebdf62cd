#include "builder/cache/step_cache.hpp"

#include "oci/media_type.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

constexpr const char* created_key = "org.opencontainers.image.created";
constexpr const char* diff_id_key = "dev.cairn.step.diff-id";
constexpr const char* step_key = "dev.cairn.step.key";
constexpr const char* epoch_key = "dev.cairn.step.epoch";

const std::string& annotation(const Manifest& manifest, const char* key) {
  const auto found = manifest.annotations.find(key);
  if (found == manifest.annotations.end())
    throw Error("its manifest has no annotation {}", key);
  return found->second;
}

/// Whether an entry is that of the step: names in a cache can be changed by whoever writes to it.
bool is_of(const Manifest& manifest, const StepKey& key) {
  const auto found = manifest.annotations.find(step_key);
  return found != manifest.annotations.end() && found->second == key.hex;
}

/// Whether the files of a layer that was made with this epoch are old enough for another one.
bool is_old_enough(const Manifest& manifest, const EntryRule& rule) {
  if (!rule.epoch || rule.reproducible)
    return true;
  const auto found = manifest.annotations.find(epoch_key);
  const auto epoch =
      found == manifest.annotations.end() ? std::nullopt : parse_signed(found->second);
  return epoch && *epoch <= unix_seconds(*rule.epoch);
}

} // namespace

BuiltImage make_entry(const StepKey& key, std::shared_ptr<const StageLayer> layer,
                      const std::string& created_by, const EntryRule& rule) {
  ImageConfig config;
  config.platform = Platform::host();
  config.created = rule.now;
  config.diff_ids = {layer->diff_id()};
  HistoryEntry history;
  history.created = rule.now;
  history.created_by = created_by;
  history.author = "cairn";
  config.history = {std::move(history)};
  auto text = config.serialise();
  Annotations annotations = {
      {created_key, rfc3339(rule.now)}, {step_key, key.hex}, {diff_id_key, layer->diff_id().str()}};
  if (rule.epoch)
    annotations[epoch_key] = std::to_string(unix_seconds(*rule.epoch));
  const auto format = ImageFormat::oci;
  Descriptor config_blob{std::string(config_type(format)), Digest::of(text), text.size()};
  auto manifest = Manifest::make(format, std::move(config_blob), {layer->descriptor(format)},
                                 std::move(annotations));
  return {std::move(manifest), std::move(text), {std::move(layer)}};
}

std::shared_ptr<const BaseImage> read_entry(const StepKey& key, Manifest manifest,
                                            const EntryRule& rule, StepCache& cache) {
  if (manifest.layers.size() != 1)
    throw Error("it has {} layers, not one", manifest.layers.size());
  const auto created = parse_rfc3339(annotation(manifest, created_key));
  if (!created)
    throw Error("'{}' is not a time", printable(annotation(manifest, created_key)));
  if (!is_of(manifest, key) || elapsed(*created, rule.now) >= rule.time_to_live ||
      !is_old_enough(manifest, rule))
    return nullptr;
  ImageSource source;
  source.name = cache.name() + ":" + key.hex;
  ImageConfig config;
  config.diff_ids = {Digest::parse(annotation(manifest, diff_id_key))};
  auto open = [&cache, key](const Descriptor& blob) { return cache.open(key, blob); };
  return std::make_shared<const BaseImage>(BaseImage{std::move(source), std::move(manifest),
                                                     std::move(config), cache.repository(),
                                                     std::move(open)});
}

} // namespace cairn
