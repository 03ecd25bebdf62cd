#include "builder/warm/warm_report.hpp"

#include "util/json.hpp"

#include <fmt/core.h>

namespace cairn {

namespace {

Json bytes(std::uint64_t count) {
  return {static_cast<std::int64_t>(count)};
}

void add_failure(Json& json, const std::optional<WarmFailure>& failure) {
  if (!failure)
    return;
  json.set("error", failure->text)
      .set("temporary", failure->exit_status == TemporaryError("").exit_status());
}

Json to_json(const WarmedImage& image) {
  auto json = Json::object();
  json.set("image", image.name).set("platform", image.platform.str());
  if (image.digest)
    json.set("digest", image.digest->str());
  if (image.index)
    json.set("index", image.index->str());
  json.set("fetchedBytes", bytes(image.fetched)).set("reusedBytes", bytes(image.reused));
  add_failure(json, image.failure);
  return json;
}

Json to_json(const WarmedDockerfile& file) {
  auto json = Json::object();
  json.set("dockerfile", file.name)
      .set("platform", file.platform.str())
      .set("steps", bytes(file.steps))
      .set("foundSteps", bytes(file.found))
      .set("fetchedBytes", bytes(file.fetched))
      .set("reusedBytes", bytes(file.reused));
  add_failure(json, file.failure);
  return json;
}

} // namespace

std::vector<WarmFailure> WarmReport::failures() const {
  std::vector<WarmFailure> all;
  for (const auto& image : images)
    if (image.failure)
      all.push_back(*image.failure);
  for (const auto& file : dockerfiles)
    if (file.failure)
      all.push_back(*file.failure);
  return all;
}

int WarmReport::exit_status() const {
  int status = 0;
  for (const auto& failure : failures())
    if (status == 0 || failure.exit_status != TemporaryError("").exit_status())
      status = failure.exit_status;
  return status;
}

std::string WarmReport::json() const {
  auto all_images = Json::array();
  auto all_files = Json::array();
  std::uint64_t fetched = 0;
  std::uint64_t reused = 0;
  for (const auto& image : images) {
    all_images.push(to_json(image));
    fetched += image.fetched;
    reused += image.reused;
  }
  for (const auto& file : dockerfiles) {
    all_files.push(to_json(file));
    fetched += file.fetched;
    reused += file.reused;
  }
  auto json = Json::object();
  json.set("images", std::move(all_images))
      .set("dockerfiles", std::move(all_files))
      .set("fetchedBytes", bytes(fetched))
      .set("reusedBytes", bytes(reused))
      .set("failures", bytes(failures().size()));
  return json.pretty() + "\n";
}

} // namespace cairn
