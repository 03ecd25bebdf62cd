#include "apps/argo/plugin_protocol.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::string_view requeue = "5s";
constexpr std::size_t max_images = 1000;

void check_members(const Json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object.as_object())
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error("\"{}\" is not known here{}", printable(name),
                  did_you_mean(name, {known.begin(), known.end()}));
}

std::string text_of(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  auto text = value != nullptr ? std::string(trim(value->as_string())) : std::string();
  if (text.empty())
    throw Error("\"{}\" is missing", name);
  return text;
}

/// A list, or text that has one in each line, as parameters of a workflow are text.
std::vector<std::string> texts_of(const Json* value) {
  if (value == nullptr)
    return {};
  if (!value->is_string())
    return value->as_strings();
  std::vector<std::string> texts;
  for (const auto& line : split(value->as_string(), '\n'))
    if (!trim(line).empty())
      texts.emplace_back(trim(line));
  return texts;
}

/// A boolean, or the word for it.
bool flag_of(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is_string())
    return object.bool_or(name, false);
  const auto& text = value->as_string();
  if (text != "true" && text != "false" && !text.empty())
    throw Error("\"{}\": '{}' is neither true nor false", name, printable(text));
  return text == "true";
}

std::vector<ImageRef> images_of(const Json& object) {
  std::vector<ImageRef> images;
  for (const auto& text : texts_of(object.find("images")))
    images.push_back(ImageRef::parse(text));
  if (images.empty() || images.size() > max_images)
    throw Error("\"images\" names {} images, not between 1 and {}", images.size(), max_images);
  return images;
}

ResolveTask read_resolve(const Json& object) {
  check_members(object, {"image", "platform"});
  const auto platform = object.string_or("platform", "");
  return {ImageRef::parse(text_of(object, "image")),
          platform.empty() ? std::nullopt : std::optional(Platform::parse(platform))};
}

CheckTask read_check(const Json& object) {
  check_members(object, {"images", "push"});
  return {images_of(object), flag_of(object, "push") ? CheckDepth::push : CheckDepth::login};
}

WarmTask read_warm(const Json& object) {
  check_members(object, {"images", "to", "platforms"});
  WarmTask task{images_of(object), text_of(object, "to"), {}};
  while (task.target.ends_with('/'))
    task.target.pop_back();
  for (const auto& text : texts_of(object.find("platforms")))
    task.platforms.push_back(Platform::parse(text));
  return task;
}

PluginTask read_task(const Json& ours) {
  constexpr std::string_view known = "resolve, check and warm";
  const auto& members = ours.as_object();
  if (members.size() != 1)
    throw Error("{} members: exactly one of {} is wanted", members.size(), known);
  const auto& [name, value] = members.front();
  if (name == "resolve")
    return within([&value = value] { return read_resolve(value); }, "resolve");
  if (name == "check")
    return within([&value = value] { return read_check(value); }, "check");
  if (name == "warm")
    return within([&value = value] { return read_warm(value); }, "warm");
  throw Error("\"{}\" is none of {}", printable(name), known);
}

std::string_view phase_name(NodePhase phase) {
  switch (phase) {
  case NodePhase::running:
    return "Running";
  case NodePhase::succeeded:
    return "Succeeded";
  case NodePhase::failed:
    return "Failed";
  case NodePhase::error:
    break;
  }
  return "Error";
}

/// A member of a member, if both are there.
const Json* find(const Json* object, std::string_view name) {
  return object == nullptr ? nullptr : object->find(name);
}

} // namespace

PluginRequest parse_plugin_request(std::string_view body) {
  const auto document = Json::parse(body);
  const auto* metadata = find(document.find("workflow"), "metadata");
  const auto* content = document.find("template");
  const auto* ours = find(find(content, "plugin"), "cairn");
  if (ours == nullptr)
    return {};
  const auto workflow = metadata != nullptr ? metadata->string_or("uid", "") : "";
  return {sha256_hex(workflow + "\n" + content->compact()),
          within([&] { return read_task(*ours); }, "plugin cairn")};
}

std::string plugin_reply(const NodeResult& result) {
  auto node = Json::object();
  node.set("phase", phase_name(result.phase));
  if (!result.message.empty())
    node.set("message", result.message);
  if (!result.outputs.empty()) {
    auto parameters = Json::array();
    for (const auto& [name, value] : result.outputs) {
      auto parameter = Json::object();
      parameters.push(parameter.set("name", name).set("value", value));
    }
    auto outputs = Json::object();
    node.set("outputs", outputs.set("parameters", std::move(parameters)));
  }
  auto reply = Json::object();
  reply.set("node", std::move(node));
  if (result.phase == NodePhase::running)
    reply.set("requeue", requeue);
  return reply.compact();
}

std::string not_ours() {
  return "{}";
}

} // namespace cairn
