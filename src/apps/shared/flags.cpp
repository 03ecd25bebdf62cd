#include "apps/shared/flags.hpp"

#include "apps/shared/value_list.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

// Its regular expressions match no newline in a value and use the stack for every character.
#define CXXOPTS_NO_REGEX
#include <cxxopts.hpp>

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

const FlagSpec* find_flag(std::span<const FlagSpec> specs, std::string_view name) {
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&](const FlagSpec& spec) { return spec.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

const FlagSpec* find_shorthand(std::span<const FlagSpec> specs, char letter) {
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const FlagSpec& spec) {
    return spec.shorthand == std::string_view(&letter, 1);
  });
  return found == specs.end() ? nullptr : &*found;
}

/// The list that "names" is the plural of.
const FlagSpec* find_plural(std::span<const FlagSpec> specs, std::string_view name) {
  if (!name.ends_with('s'))
    return nullptr;
  const auto* spec = find_flag(specs, name.substr(0, name.size() - 1));
  return spec != nullptr && spec->type == FlagType::list ? spec : nullptr;
}

/// Old names share everything with the flag that they stand for.
const FlagSpec& proper(std::span<const FlagSpec> specs, const FlagSpec& spec) {
  return spec.alias_of.empty() ? spec : *find_flag(specs, spec.alias_of);
}

[[noreturn]] void refuse_unknown(std::span<const FlagSpec> specs, std::string_view word) {
  if (!word.starts_with("--"))
    throw Error("unknown shorthand flag: '{}' in {}", word.substr(1, 1), word);
  std::vector<std::string> known;
  for (const auto& spec : specs)
    if (spec.visibility == Visibility::listed)
      known.push_back("--" + std::string(spec.name));
  const auto name = word.substr(0, word.find('='));
  throw Error("unknown flag: {}{}", name, did_you_mean(name, known));
}

/// Writes shorthands as the long flags they mean and every value behind "=", the form in which no
/// value can be taken for a flag. Goes as far as "--".
class LongForm {
public:
  LongForm(std::span<const FlagSpec> specs, std::vector<std::string> words)
      : specs_(specs), words_(std::move(words)) {}

  std::vector<std::string> make() {
    while (next_ < words_.size()) {
      const auto word = words_[next_++];
      if (word == "--")
        break;
      if (word.starts_with("--"))
        take_long(word);
      else if (word.size() > 1 && word[0] == '-')
        take_short(word);
      else
        take_words(word);
    }
    return std::move(out_);
  }

  /// What follows "--".
  std::span<const std::string> rest() const { return std::span(words_).subspan(next_); }

private:
  void take_long(const std::string& word) {
    const auto equals = word.find('=');
    const bool has_value = equals != std::string::npos;
    const auto name = std::string_view(word).substr(2, has_value ? equals - 2 : word.npos);
    const auto* spec = find_flag(specs_, name);
    if (spec == nullptr) {
      if (const auto* list = find_plural(specs_, name))
        take_plural(*list, has_value ? std::optional(word.substr(equals + 1)) : std::nullopt);
      else
        out_.push_back(word);
      return;
    }
    if (proper(specs_, *spec).type == FlagType::lines)
      take_listed(has_value ? word.substr(equals + 1) : std::string(next_value(word)));
    else if (has_value || proper(specs_, *spec).type == FlagType::boolean)
      out_.push_back(word);
    else
      out_.push_back(fmt::format("{}={}", word, next_value(word)));
  }

  void take_words(const std::string& word) {
    if (!is_value_list(word))
      out_.push_back(word);
    else
      for (auto& value : value_list(word))
        out_.push_back(std::move(value));
  }

  void take_plural(const FlagSpec& list, const std::optional<std::string>& value) {
    const auto add = [&](std::string_view text) {
      for (const auto& one : value_list(text))
        out_.push_back(fmt::format("--{}={}", list.name, one));
    };
    if (value) {
      add(*value);
      return;
    }
    while (next_ < words_.size() && !words_[next_].starts_with('-'))
      add(words_[next_++]);
  }

  /// They take the flag's place, so that one of them may be the value of the one before.
  void take_listed(const std::string& text) {
    const auto lines = value_list(text);
    words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(next_), lines.begin(), lines.end());
  }

  void take_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto* spec = find_shorthand(specs_, word[i]);
      if (spec == nullptr)
        refuse_unknown(specs_, "-" + word.substr(i));
      const auto flag = "--" + std::string(spec->name);
      auto rest = std::string_view(word).substr(i + 1);
      const bool has_equals = rest.starts_with('=');
      if (spec->type == FlagType::boolean && !has_equals) {
        out_.push_back(flag);
        continue;
      }
      if (has_equals)
        rest.remove_prefix(1);
      out_.push_back(
          fmt::format("{}={}", flag, rest.empty() && !has_equals ? next_value(word) : rest));
      return;
    }
  }

  std::string_view next_value(const std::string& flag) {
    if (next_ == words_.size())
      throw Error("flag needs an argument: {}", flag);
    return words_[next_++];
  }

  std::span<const FlagSpec> specs_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
  std::vector<std::string> out_;
};

void check_type(FlagType type, const FlagValue& value) {
  switch (type) {
  case FlagType::boolean:
    value.boolean();
    return;
  case FlagType::integer:
    value.integer();
    return;
  case FlagType::duration:
    value.duration();
    return;
  case FlagType::text:
  case FlagType::list:
  case FlagType::lines:
    return;
  }
}

cxxopts::Options describe(std::span<const FlagSpec> specs) {
  cxxopts::Options options("");
  options.allow_unrecognised_options();
  for (const auto& spec : specs) {
    auto value = cxxopts::value<std::string>();
    if (proper(specs, spec).type == FlagType::boolean)
      value->implicit_value("true");
    options.add_options()(std::string(spec.name), "", value);
  }
  return options;
}

void add_use(ParsedFlags& parsed, const FlagSpec& spec, FlagValue value) {
  const auto earlier = std::find_if(parsed.uses.begin(), parsed.uses.end(),
                                    [&](const FlagUse& use) { return use.name == spec.name; });
  if (spec.type != FlagType::list && earlier != parsed.uses.end())
    earlier->value = std::move(value);
  else
    parsed.uses.push_back({spec.name, std::move(value)});
}

} // namespace

ParsedFlags parse_flags(std::span<const FlagSpec> specs,
                        const std::vector<std::string>& arguments) {
  LongForm form(specs, arguments);
  const auto words = form.make();
  std::vector<const char*> argv = {""};
  for (const auto& word : words)
    argv.push_back(word.c_str());
  const auto result = describe(specs).parse(static_cast<int>(argv.size()), argv.data());

  ParsedFlags parsed;
  parsed.words = result.unmatched();
  for (const auto& word : parsed.words)
    if (word.size() > 1 && word[0] == '-')
      refuse_unknown(specs, word);
  parsed.words.insert(parsed.words.end(), form.rest().begin(), form.rest().end());
  for (const auto& use : result.arguments()) {
    const auto& written = *find_flag(specs, use.key());
    const auto& spec = proper(specs, written);
    FlagValue value(use.value());
    within([&] { check_type(spec.type, value); }, "--{}", written.name);
    if (!written.alias_of.empty())
      parsed.deprecated.push_back(
          fmt::format("--{} is an old name of --{}", written.name, spec.name));
    add_use(parsed, spec, std::move(value));
  }
  return parsed;
}

} // namespace cairn
