#include "oci/image_config.hpp"

#include "oci/manifest.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

using std::chrono::nanoseconds;

constexpr std::array config_keys = {"User",    "ExposedPorts", "Env",        "Entrypoint", "Cmd",
                                    "Volumes", "WorkingDir",   "Labels",     "StopSignal", "Shell",
                                    "OnBuild", "Healthcheck",  "ArgsEscaped"};
constexpr std::array document_keys = {"architecture", "os",     "os.version", "variant", "created",
                                      "author",       "config", "rootfs",     "history"};

template<class Keys>
Json without(const Json& json, const Keys& keys) {
  Json rest = Json::object();
  for (const auto& [key, value] : json.as_object())
    if (std::find(keys.begin(), keys.end(), std::string_view(key)) == keys.end())
      rest.add_member(key, value);
  return rest;
}

std::optional<Time> time_of(const Json& json, std::string_view key) {
  const auto* value = json.find(key);
  return value != nullptr ? parse_rfc3339(value->as_string()) : std::nullopt;
}

std::set<std::string> key_set(const Json* json) {
  std::set<std::string> keys;
  if (json != nullptr)
    for (const auto& member : json->as_object())
      keys.insert(member.first);
  return keys;
}

std::vector<std::string> strings_of(const Json& json, std::string_view key) {
  const auto* value = json.find(key);
  return value != nullptr ? value->as_strings() : std::vector<std::string>();
}

std::optional<std::vector<std::string>> optional_strings(const Json& json, std::string_view key) {
  const auto* value = json.find(key);
  return value != nullptr ? std::optional(value->as_strings()) : std::nullopt;
}

Healthcheck healthcheck_of(const Json& json) {
  const auto duration = [&](std::string_view key) { return nanoseconds(json.int_or(key, 0)); };
  return {strings_of(json, "Test"), duration("Interval"),      duration("Timeout"),
          duration("StartPeriod"),  duration("StartInterval"), json.int_or("Retries", 0)};
}

RunConfig run_config_of(const Json& json) {
  RunConfig config;
  config.user = json.string_or("User", "");
  config.exposed_ports = key_set(json.find("ExposedPorts"));
  config.env = Environment(strings_of(json, "Env"));
  config.entrypoint = optional_strings(json, "Entrypoint");
  config.cmd = optional_strings(json, "Cmd");
  config.volumes = key_set(json.find("Volumes"));
  config.working_dir = json.string_or("WorkingDir", "");
  if (const auto* labels = json.find("Labels"))
    for (const auto& [key, value] : labels->as_object())
      config.labels[key] = value.as_string();
  config.stop_signal = json.string_or("StopSignal", "");
  config.shell = strings_of(json, "Shell");
  config.on_build = strings_of(json, "OnBuild");
  if (const auto* check = json.find("Healthcheck"))
    config.healthcheck = healthcheck_of(*check);
  config.args_escaped = json.bool_or("ArgsEscaped", false);
  return config;
}

HistoryEntry history_of(const Json& json) {
  return {time_of(json, "created"), json.string_or("created_by", ""), json.string_or("author", ""),
          json.string_or("comment", ""), json.bool_or("empty_layer", false)};
}

void set_text(Json& json, std::string_view key, const std::string& text) {
  if (!text.empty())
    json.set(key, text);
}

void set_strings(Json& json, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty())
    json.set(key, Json::strings(texts));
}

void set_keys(Json& json, std::string_view key, const std::set<std::string>& keys) {
  if (keys.empty())
    return;
  Json object = Json::object();
  for (const auto& name : keys)
    object.add_member(name, Json::object());
  json.set(key, object);
}

Json healthcheck_to_json(const Healthcheck& check) {
  Json json = Json::object();
  set_strings(json, "Test", check.test);
  const auto set_number = [&](std::string_view key, std::int64_t number) {
    if (number != 0)
      json.set(key, number);
  };
  set_number("Interval", check.interval.count());
  set_number("Timeout", check.timeout.count());
  set_number("StartPeriod", check.start_period.count());
  set_number("StartInterval", check.start_interval.count());
  set_number("Retries", check.retries);
  return json;
}

Json run_config_to_json(const RunConfig& config, const Json& other) {
  Json json = Json::object();
  set_text(json, "User", config.user);
  set_keys(json, "ExposedPorts", config.exposed_ports);
  set_strings(json, "Env", config.env.entries());
  if (config.entrypoint && !config.entrypoint->empty())
    json.set("Entrypoint", Json::strings(*config.entrypoint));
  if (config.cmd && !config.cmd->empty())
    json.set("Cmd", Json::strings(*config.cmd));
  if (config.healthcheck)
    json.set("Healthcheck", healthcheck_to_json(*config.healthcheck));
  if (config.args_escaped)
    json.set("ArgsEscaped", true);
  set_keys(json, "Volumes", config.volumes);
  set_text(json, "WorkingDir", config.working_dir);
  set_strings(json, "OnBuild", config.on_build);
  if (!config.labels.empty())
    json.set("Labels", annotations_to_json(config.labels));
  set_text(json, "StopSignal", config.stop_signal);
  set_strings(json, "Shell", config.shell);
  for (const auto& [key, value] : other.as_object())
    json.add_member(key, value);
  return json;
}

Json history_to_json(const HistoryEntry& entry) {
  Json json = Json::object();
  if (entry.created)
    json.set("created", rfc3339(*entry.created));
  set_text(json, "author", entry.author);
  set_text(json, "created_by", entry.created_by);
  set_text(json, "comment", entry.comment);
  if (entry.empty_layer)
    json.set("empty_layer", true);
  return json;
}

} // namespace

ImageConfig ImageConfig::parse(std::string_view raw) {
  return within(
      [&] {
        const auto json = Json::parse(raw);
        ImageConfig image;
        image.platform = Platform::from_json(json);
        image.created = time_of(json, "created");
        image.author = json.string_or("author", "");
        if (const auto* run = json.find("config")) {
          image.config = run_config_of(*run);
          image.other_config = without(*run, config_keys);
        }
        if (const auto* rootfs = json.find("rootfs"))
          for (const auto& id : strings_of(*rootfs, "diff_ids"))
            image.diff_ids.push_back(Digest::parse(id));
        if (const auto* entries = json.find("history"))
          for (const auto& entry : entries->as_array())
            image.history.push_back(history_of(entry));
        image.other = without(json, document_keys);
        return image;
      },
      "image config");
}

std::string ImageConfig::serialise() const {
  Json json = platform.to_json();
  if (created)
    json.set("created", rfc3339(*created));
  set_text(json, "author", author);
  json.set("config", run_config_to_json(config, other_config));
  Json ids = Json::array();
  for (const auto& id : diff_ids)
    ids.push(id.str());
  json.set("rootfs", Json::object().set("type", "layers").set("diff_ids", ids));
  Json entries = Json::array();
  for (const auto& entry : history)
    entries.push(history_to_json(entry));
  json.set("history", entries);
  for (const auto& [key, value] : other.as_object())
    json.add_member(key, value);
  return json.compact();
}

} // namespace cairn
