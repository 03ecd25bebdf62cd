#include "util/json.hpp"

#include "util/error.hpp"
#include "util/json_events.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wambiguous-reversed-operator"
#endif
#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace cairn {

namespace {

constexpr std::size_t max_depth = 64;
/// A document of a few megabytes can hold values for hundreds.
constexpr std::size_t max_values = 1'000'000;

// Numbers come as text: the reader's own conversion is either inexact or reads outside its tables.
constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;

/// Builds a Json from the reader's events. Returning false stops the reader.
class Builder {
public:
  // NOLINTBEGIN(readability-identifier-naming): the reader calls these names.
  bool Null() { return add(Json()); }
  bool Bool(bool value) { return add(value); }
  // Never called, see RawNumber().
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    if (const auto number = parse_signed({text, size}))
      return add(*number);
    double value = 0;
    const auto [end, error] = std::from_chars(text, text + size, value);
    if (error != std::errc{} || end != text + size)
      return refuse("a number is out of range");
    return add(value);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add(std::string(text, size));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    keys_.back().assign(text, size);
    return true;
  }
  bool StartObject() { return open(Json::object()); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Json::array()); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  // NOLINTEND(readability-identifier-naming)

  Json take() { return std::move(result_); }
  /// Why the reader was stopped.
  const std::string& refusal() const noexcept { return refusal_; }

private:
  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  bool open(Json container) {
    if (stack_.size() == max_depth)
      return refuse(fmt::format("nested deeper than {} levels", max_depth));
    stack_.push_back(std::move(container));
    keys_.emplace_back();
    return true;
  }

  bool close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    keys_.pop_back();
    return add(std::move(done));
  }

  bool add(Json value) {
    if (++values_ > max_values)
      return refuse(fmt::format("more than {} values", max_values));
    if (stack_.empty())
      result_ = std::move(value);
    else if (stack_.back().is_array())
      stack_.back().push(std::move(value));
    else
      stack_.back().add_member(keys_.back(), std::move(value));
    return true;
  }

  std::vector<Json> stack_;
  std::vector<std::string> keys_;
  std::size_t values_ = 0;
  std::string refusal_;
  Json result_;
};

/// A Source as the reader wants it, one byte after the other; NUL is the end.
class InputStream {
public:
  using Ch = char;

  InputStream(Source& from, std::uint64_t patience)
      : from_(from), patient_with_(patience), buffer_(stream_block) {}

  /// The next token may take as many bytes as any.
  void be_patient() noexcept { patience_ = patient_with_; }
  bool at_end() { return at_ == end_ && !fill(); }

  // NOLINTBEGIN(readability-identifier-naming): the reader calls these names.
  char Peek() {
    if (at_ == end_ && !fill())
      return '\0';
    return static_cast<char>(buffer_[at_]);
  }
  char Take() {
    const char next = Peek();
    if (at_ != end_)
      ++at_;
    return next;
  }
  std::size_t Tell() const { return static_cast<std::size_t>(before_ + at_); }
  // Only streams that are written to have these.
  char* PutBegin() { return nullptr; }
  void Put(char) {}
  void Flush() {}
  std::size_t PutEnd(char*) { return 0; }
  // NOLINTEND(readability-identifier-naming)

private:
  bool fill() {
    if (end_ > patience_)
      throw Error("JSON: a value takes more than {} bytes (at byte {})", patient_with_, Tell());
    patience_ -= end_;
    before_ += end_;
    at_ = 0;
    end_ = from_.read(buffer_);
    return end_ != 0;
  }

  Source& from_;
  std::uint64_t patient_with_;
  std::uint64_t patience_ = patient_with_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t before_ = 0; ///< Bytes before those in the buffer.
};

/// Passes the reader's events on.
class Forwarder {
public:
  Forwarder(InputStream& input, JsonEvents& to, std::size_t depth)
      : input_(input), to_(to), most_(depth) {}

  // NOLINTBEGIN(readability-identifier-naming): the reader calls these names.
  bool Null() {
    return told([&] { to_.other(); });
  }
  bool Bool(bool) {
    return told([&] { to_.other(); });
  }
  // Never called, see RawNumber().
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return told([&] {
      if (const auto number = parse_signed({text, size}))
        to_.integer(*number);
      else
        to_.other();
    });
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return told([&] { to_.text({text, size}); });
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    return told([&] { to_.key({text, size}); });
  }
  bool StartObject() {
    return open([&] { to_.begin_object(); });
  }
  bool EndObject(rapidjson::SizeType) {
    return close([&] { to_.end_object(); });
  }
  bool StartArray() {
    return open([&] { to_.begin_array(); });
  }
  bool EndArray(rapidjson::SizeType) {
    return close([&] { to_.end_array(); });
  }
  // NOLINTEND(readability-identifier-naming)

private:
  template<class Tell>
  bool told(const Tell& tell) {
    input_.be_patient();
    tell();
    return true;
  }
  template<class Tell>
  bool open(const Tell& tell) {
    if (depth_++ == most_)
      throw Error("JSON: nested deeper than {} levels (at byte {})", most_, input_.Tell());
    return told(tell);
  }
  template<class Tell>
  bool close(const Tell& tell) {
    --depth_;
    return told(tell);
  }

  InputStream& input_;
  JsonEvents& to_;
  std::size_t most_;
  std::size_t depth_ = 0;
};

template<class Writer>
void write_json(Writer& writer, const Json& json) {
  switch (json.kind()) {
  case Json::Kind::null:
    writer.Null();
    break;
  case Json::Kind::boolean:
    writer.Bool(json.as_bool());
    break;
  case Json::Kind::integer:
    writer.Int64(json.as_int());
    break;
  case Json::Kind::real:
    writer.Double(json.as_double());
    break;
  case Json::Kind::text:
    writer.String(json.as_string().data(),
                  static_cast<rapidjson::SizeType>(json.as_string().size()));
    break;
  case Json::Kind::array:
    writer.StartArray();
    for (const auto& value : json.as_array())
      write_json(writer, value);
    writer.EndArray();
    break;
  case Json::Kind::object:
    writer.StartObject();
    for (const auto& [key, value] : json.as_object()) {
      writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
      write_json(writer, value);
    }
    writer.EndObject();
    break;
  }
}

const char* kind_name(Json::Kind kind) {
  switch (kind) {
  case Json::Kind::null:
    return "null";
  case Json::Kind::boolean:
    return "a boolean";
  case Json::Kind::integer:
  case Json::Kind::real:
    return "a number";
  case Json::Kind::text:
    return "a string";
  case Json::Kind::array:
    return "an array";
  case Json::Kind::object:
    return "an object";
  }
  return "unknown";
}

template<class Value, class Variant>
const Value& expect(const Variant& value, Json::Kind kind, const char* wanted) {
  if (const auto* found = std::get_if<Value>(&value))
    return *found;
  throw Error("JSON: {} where {} should be", kind_name(kind), wanted);
}

} // namespace

Json Json::strings(const std::vector<std::string>& texts) {
  return Json(Array(texts.begin(), texts.end()));
}

Json Json::parse(std::string_view text) {
  Builder builder;
  rapidjson::MemoryStream memory(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> input(memory);
  rapidjson::Reader reader;
  const auto result = reader.Parse<parse_flags>(input, builder);
  if (result.Code() == rapidjson::kParseErrorTermination)
    throw Error("JSON: {} at byte {}", builder.refusal(), result.Offset());
  if (result.IsError())
    throw Error("JSON: {} (at byte {})", rapidjson::GetParseError_En(result.Code()),
                result.Offset());
  return builder.take();
}

void read_json(Source& from, JsonEvents& to, JsonLimits limits) {
  InputStream input(from, limits.token_bytes);
  Forwarder forwarder(input, to, limits.depth);
  rapidjson::Reader reader;
  const auto result = reader.Parse<parse_flags>(input, forwarder);
  if (result.IsError())
    throw Error("JSON: {} (at byte {})", rapidjson::GetParseError_En(result.Code()),
                result.Offset());
  // To the reader a NUL is the end.
  if (!input.at_end())
    throw Error("JSON: something follows the value (at byte {})", input.Tell());
}

std::string Json::compact() const {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_json(writer, *this);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string Json::pretty() const {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  write_json(writer, *this);
  return {buffer.GetString(), buffer.GetSize()};
}

bool Json::as_bool() const {
  return expect<bool>(value_, kind(), "a boolean");
}
std::int64_t Json::as_int() const {
  return expect<std::int64_t>(value_, kind(), "an integer");
}

double Json::as_double() const {
  return kind() == Kind::integer ? static_cast<double>(as_int())
                                 : expect<double>(value_, kind(), "a number");
}

const std::string& Json::as_string() const {
  return expect<std::string>(value_, kind(), "a string");
}

const Json::Array& Json::as_array() const {
  return expect<Array>(value_, kind(), "an array");
}
const Json::Object& Json::as_object() const {
  return expect<Object>(value_, kind(), "an object");
}

std::vector<std::string> Json::as_strings() const {
  std::vector<std::string> texts;
  if (!is_null())
    for (const auto& value : as_array())
      texts.push_back(value.as_string());
  return texts;
}

const Json* Json::find(std::string_view key) const {
  const auto& members = as_object();
  const auto found = std::find_if(members.rbegin(), members.rend(),
                                  [&](const Member& member) { return member.first == key; });
  return found == members.rend() || found->second.is_null() ? nullptr : &found->second;
}

std::string Json::string_or(std::string_view key, std::string_view otherwise) const {
  const auto* value = find(key);
  return value != nullptr ? value->as_string() : std::string(otherwise);
}

std::int64_t Json::int_or(std::string_view key, std::int64_t otherwise) const {
  const auto* value = find(key);
  return value != nullptr ? value->as_int() : otherwise;
}

bool Json::bool_or(std::string_view key, bool otherwise) const {
  const auto* value = find(key);
  return value != nullptr ? value->as_bool() : otherwise;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null())
    value_ = Object{};
  auto& members = std::get<Object>(value_);
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.first == key; });
  if (found != members.end())
    found->second = std::move(value);
  else
    members.emplace_back(std::string(key), std::move(value));
  return *this;
}

void Json::add_member(std::string key, Json value) {
  std::get<Object>(value_).emplace_back(std::move(key), std::move(value));
}

void Json::erase(std::string_view key) {
  if (auto* members = std::get_if<Object>(&value_))
    std::erase_if(*members, [&](const Member& member) { return member.first == key; });
}

void Json::push(Json value) {
  if (is_null())
    value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
}

} // namespace cairn
