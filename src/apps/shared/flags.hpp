#pragma once

#include "apps/shared/flag_value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class FlagType {
  boolean,  ///< --name, --name=false; never takes the next word.
  text,     ///< The last occurrence counts, as for all but `list`.
  integer,  //
  duration, ///< Go's: 6h30m.
  list,     ///< Every occurrence is one value; commas mean nothing.
  lines     ///< Stands for what value_list() finds in its value, each a word of the command line.
};

/// What a flag does in this program.
enum class Support {
  works,
  no_effect, ///< Taken and checked; what it asks for is always so, or means nothing here.
  later      ///< Taken; a value that asks for work is an error.
};

enum class Visibility { listed, hidden };

/// One flag of a program. All text outlives every use: the tables are constants.
struct FlagSpec {
  std::string_view name;
  std::string_view shorthand = {}; ///< One letter, or none.
  FlagType type = FlagType::text;
  Support support = Support::works;
  std::string_view group = {};  ///< Its heading in the help.
  std::string_view preset = {}; ///< The default, as the help shows it.
  std::string_view help = {};   ///< One sentence without a full stop.
  Visibility visibility = Visibility::listed;
  /// The flag that this one is an old name of; it takes over everything but the name.
  std::string_view alias_of = {};
};

/// One occurrence of a flag, by its proper name.
struct FlagUse {
  std::string_view name; ///< Of the FlagSpec.
  FlagValue value;
};

/// A command line taken apart.
struct ParsedFlags {
  std::vector<FlagUse> uses;           ///< In order; all but lists once, with the last value.
  std::vector<std::string> words;      ///< What is neither a flag nor a flag's value.
  std::vector<std::string> deprecated; ///< A line for each old name that was used.
};

/// Reads `arguments` (without the program's name) by the rules of Go's pflag: "--name value",
/// "--name=value", "-nvalue", "-n=value", "-n value"; "--" ends the flags. Values are checked
/// against their type, also those that a later occurrence replaces.
/// For pipelines, whose parameters are lists or text, a list has a plural: "--names a b" takes the
/// words up to the next flag, and each value_list() finds in them is one "--name". So does
/// "--names=TEXT". A list that is neither flag nor value is as many words.
/// @throws Error naming the flag; an unknown one with the name that was probably meant
ParsedFlags parse_flags(std::span<const FlagSpec> specs, const std::vector<std::string>& arguments);

} // namespace cairn
