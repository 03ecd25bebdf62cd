#include "dockerfile/syntax/arguments.hpp"

#include "dockerfile/syntax/unicode.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

// The blanks that part arguments; a line feed cannot occur and other spaces are data.
constexpr std::string_view blanks = "\t\v\f\r ";

std::vector<std::string> split_at_blanks(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find_first_of(blanks);
    parts.emplace_back(text.substr(0, end));
    const auto next = end == std::string_view::npos ? end : text.find_first_not_of(blanks, end);
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(std::min(next, text.size()));
  }
}

/// The first word and what follows the blanks behind it, if there are blanks.
std::pair<std::string_view, std::optional<std::string_view>> split_first(std::string_view text) {
  const auto end = text.find_first_of(blanks);
  if (end == std::string_view::npos)
    return {text, std::nullopt};
  const auto next = std::min(text.find_first_not_of(blanks, end), text.size());
  return {text.substr(0, end), text.substr(next)};
}

/// One flag from the front of `text`: quotes and escapes have their meaning and vanish.
std::string take_flag(std::string_view& text, char escape) {
  std::string flag;
  char quote = '\0';
  while (!text.empty() && (quote != '\0' || trim_left(text.substr(0, 1)).size() == 1)) {
    char c = text[0];
    text.remove_prefix(1);
    if (c == quote) {
      quote = '\0';
      continue;
    }
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
      continue;
    }
    if (c == escape) {
      if (text.empty())
        break;
      c = text[0];
      text.remove_prefix(1);
    }
    flag += c;
  }
  return flag;
}

/// Splits at white space outside quotes. Quotes and escapes stay for the expansion.
class WordSplitter {
public:
  WordSplitter(std::string_view text, char escape) : rest_(text), escape_(escape) {}

  std::vector<std::string> run() {
    std::vector<std::string> words;
    for (rest_ = trim_space_left(rest_); !rest_.empty(); rest_ = trim_space_left(rest_))
      if (auto word = read_word(); !word.empty())
        words.push_back(std::move(word));
    return words;
  }

private:
  std::string read_word() {
    std::string word;
    while (!rest_.empty() && !is_space(decode_utf8(rest_).value)) {
      const char c = rest_[0];
      if (c == escape_)
        take_escaped(word);
      else if (c == '\'' || c == '"')
        take_quoted(word);
      else
        take(word);
    }
    return word;
  }

  void take(std::string& word) {
    const auto size = decode_utf8(rest_).size;
    word += rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  // An escape character at the very end vanishes.
  void take_escaped(std::string& word) {
    if (rest_.size() > 1)
      word += rest_[0];
    rest_.remove_prefix(1);
    if (!rest_.empty())
      take(word);
  }

  void take_quoted(std::string& word) {
    const char quote = rest_[0];
    take(word);
    while (!rest_.empty() && rest_[0] != quote) {
      if (rest_[0] == escape_ && quote == '"')
        take_escaped(word);
      else
        take(word);
    }
    if (!rest_.empty())
      take(word);
  }

  std::string_view rest_;
  char escape_;
};

std::vector<std::string> split_pairs(std::string_view rest, char escape) {
  const auto words = WordSplitter(rest, escape).run();
  if (words.empty())
    return {};
  if (words[0].find('=') == std::string::npos) {
    const auto [name, value] = split_first(rest);
    if (!value)
      throw with_hint(Error("'{}' has no value", printable(name)),
                      fmt::format("write {}=value", printable(name)));
    return {std::string(name), std::string(*value), ""};
  }
  std::vector<std::string> pairs;
  for (const auto& word : words) {
    const auto parts = cut(word, '=');
    if (!parts)
      throw with_hint(Error("'{}' is not of the form name=value", printable(word)),
                      "a value with blanks needs quotes");
    pairs.emplace_back(parts->first);
    pairs.emplace_back(parts->second);
    pairs.emplace_back("=");
  }
  return pairs;
}

/// Nothing when the text is no JSON array, which is how most shell commands look.
std::optional<std::vector<std::string>> parse_json_words(std::string_view text) {
  text = trim_space_left(text);
  if (!text.starts_with('['))
    return std::nullopt;
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Error&) {
    // "[ -f x ] && y" is a command: text that is not JSON is no mistake here.
    return std::nullopt;
  }
  std::vector<std::string> words;
  for (const auto& element : json.as_array()) {
    if (!element.is_string())
      throw Error("a JSON array of words may hold nothing but strings");
    words.push_back(element.as_string());
  }
  return words;
}

InstructionArguments split_command_form(std::string_view rest) {
  if (rest.empty())
    return {};
  if (auto words = parse_json_words(rest))
    return {std::move(*words), true};
  return {{std::string(rest)}, false};
}

InstructionArguments split_typed_command(std::string_view rest) {
  if (rest.empty())
    return {};
  const auto type = rest.substr(0, rest.find_first_of("\t\n\v\f\r "));
  auto arguments = split_command_form(trim_left(rest.substr(type.size())));
  arguments.values.insert(arguments.values.begin(), std::string(type));
  return arguments;
}

} // namespace

InstructionLine split_command(std::string_view line, char escape) {
  InstructionLine result;
  const auto [command, rest] = split_first(trim_space(line));
  result.command = command;
  auto text = trim_left(rest.value_or(""));
  while (text.starts_with("--")) {
    auto flag = take_flag(text, escape);
    text = trim_left(text);
    if (flag == "--")
      break;
    result.flags.push_back(std::move(flag));
  }
  result.rest = trim_space(text);
  return result;
}

InstructionArguments split_arguments(std::string_view rest, ArgumentStyle style, char escape) {
  switch (style) {
  case ArgumentStyle::none:
    return {{""}, false};
  case ArgumentStyle::text:
    return rest.empty() ? InstructionArguments() : InstructionArguments{{std::string(rest)}, false};
  case ArgumentStyle::blanks:
    return rest.empty() ? InstructionArguments()
                        : InstructionArguments{split_at_blanks(rest), false};
  case ArgumentStyle::words:
    return {WordSplitter(rest, escape).run(), false};
  case ArgumentStyle::pairs:
    return {split_pairs(rest, escape), false};
  case ArgumentStyle::command:
    return split_command_form(rest);
  case ArgumentStyle::list:
    if (auto words = parse_json_words(rest))
      return {std::move(*words), true};
    return split_arguments(rest, ArgumentStyle::blanks, escape);
  case ArgumentStyle::typed_command:
    return split_typed_command(rest);
  case ArgumentStyle::sub_instruction:
    break;
  }
  return {};
}

} // namespace cairn
