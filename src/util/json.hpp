#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn {

/// A JSON value (RFC 8259). Objects keep the order of their members, so that what was read can be
/// written again. Reading is lenient about presence and strict about type: a member that is absent
/// or null gives nothing, one of another type is an Error.
class Json {
public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                                     ///< null
  Json(bool value) : value_(value) {}                   // NOLINT(google-explicit-constructor)
  Json(std::int64_t value) : value_(value) {}           // NOLINT(google-explicit-constructor)
  Json(int value) : value_(std::int64_t{value}) {}      // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                 // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {} // NOLINT(google-explicit-constructor)
  Json(std::string_view value)
      : value_(std::string(value)) {}                     // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {} // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  static Json object() { return Json(Object{}); }
  static Json object(Object members) { return Json(std::move(members)); }
  static Json array() { return Json(Array{}); }
  static Json strings(const std::vector<std::string>& texts);

  /// @throws Error "line:column"-free message with the byte offset; on nesting deeper than 64; on
  /// text after the value.
  static Json parse(std::string_view text);
  /// Without any blanks.
  std::string compact() const;
  /// Indented by two blanks.
  std::string pretty() const;

  enum class Kind { null, boolean, integer, real, text, array, object };
  Kind kind() const noexcept { return static_cast<Kind>(value_.index()); }
  bool is_null() const noexcept { return kind() == Kind::null; }
  bool is_object() const noexcept { return kind() == Kind::object; }
  bool is_array() const noexcept { return kind() == Kind::array; }
  bool is_string() const noexcept { return kind() == Kind::text; }

  // The value as that type. @throws Error naming the type found
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
  /// An array of strings; null gives an empty one.
  std::vector<std::string> as_strings() const;

  /// The member called `key`; nothing when absent or null. @throws Error when this is no object
  const Json* find(std::string_view key) const;
  std::string string_or(std::string_view key, std::string_view otherwise) const;
  std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
  bool bool_or(std::string_view key, bool otherwise) const;

  /// Sets a member, in place when it is there. Makes null an object. Returns *this.
  Json& set(std::string_view key, Json value);
  void erase(std::string_view key);
  /// Adds a member without looking for one of the same name; find() sees the last one.
  void add_member(std::string key, Json value);
  /// Appends an element. Makes null an array.
  void push(Json value);

  bool operator==(const Json&) const = default;

private:
  explicit Json(Object value) : value_(std::move(value)) {}

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

} // namespace cairn
