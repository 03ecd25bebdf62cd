#include "dockerfile/syntax/heredoc.hpp"

#include "dockerfile/syntax/words.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// Nothing for text that a Dockerfile's rules cannot read: then it is the shell's own, such as
/// ${a[1]}, and no heredoc is seen in it.
std::vector<std::string> split_words(std::string_view text, Quotes quotes, Escapes escapes) {
  WordRules rules;
  rules.quotes = quotes;
  rules.escapes = escapes;
  rules.unset = UnsetVariables::keep;
  const auto nothing_set = [](std::string_view) { return std::optional<std::string>(); };
  try {
    return expand(text, nothing_set, rules).words;
  } catch (const Error&) {
    return {};
  }
}

auto count_quotes(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '\'' || c == '"'; });
}

} // namespace

std::optional<Heredoc> parse_heredoc_word(std::string_view word) {
  Heredoc heredoc;
  const auto digits = std::min(word.find_first_not_of("0123456789"), word.size());
  heredoc.file_descriptor =
      static_cast<unsigned>(parse_unsigned(word.substr(0, digits)).value_or(0));
  word.remove_prefix(digits);
  if (!word.starts_with("<<"))
    return std::nullopt;
  word.remove_prefix(2);
  heredoc.chomp = word.starts_with('-');
  if (heredoc.chomp)
    word.remove_prefix(1);
  word.remove_prefix(std::min(word.find_first_not_of("\t\n\f\r "), word.size()));
  if (word.empty() || word.find('<') != std::string_view::npos)
    return std::nullopt;
  const auto bare = split_words(word, Quotes::remove, Escapes::remove);
  const auto quoted = split_words(word, Quotes::keep, Escapes::remove);
  if (bare.size() != 1 || quoted.size() != 1)
    return std::nullopt;
  heredoc.name = bare[0];
  heredoc.expand = count_quotes(bare[0]) == count_quotes(quoted[0]);
  return heredoc;
}

std::vector<Heredoc> find_heredocs(std::string_view line) {
  std::vector<Heredoc> found;
  if (line.find("<<") == std::string_view::npos)
    return found;
  for (const auto& word : split_words(line, Quotes::keep, Escapes::keep))
    if (auto heredoc = parse_heredoc_word(word))
      found.push_back(std::move(*heredoc));
  return found;
}

std::string without_leading_tabs(std::string_view content) {
  std::string out;
  bool at_start = true;
  for (const char c : content) {
    if (at_start && c == '\t')
      continue;
    out += c;
    at_start = c == '\n';
  }
  return out;
}

std::string heredoc_body(const Heredoc& heredoc) {
  return heredoc.chomp ? without_leading_tabs(heredoc.content) : heredoc.content;
}

} // namespace cairn
