#pragma once

#include "util/json.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::test {

/// One recorded result of BuildKit.
struct Row {
  std::string name; ///< Within its part: what the row calls itself, or the number of its line.
  Json value;
};

/// Whether Cairn does what a row says.
struct Verdict {
  enum class Kind { same, differs, skipped };
  Kind kind = Kind::same;
  std::string detail; ///< What differs, or why the row was not looked at.

  static Verdict differs(std::string what) { return {Kind::differs, std::move(what)}; }
  static Verdict skipped(std::string why) { return {Kind::skipped, std::move(why)}; }
};

/// A file or a folder of the data, with what it takes to check its rows.
struct Part {
  std::string path; ///< Below the data's root: "tables/env.jsonl".
  std::vector<Row> (*read)(const std::string& path);
  Verdict (*check)(const Json& row);
};

/// Where the data is: CAIRN_CONFORMANCE, or ../shared/conformance beside the source root.
std::string conformance_root();

bool is_there(const std::string& root, const Part& part);

/// A JSON value per line. @throws Error
std::vector<Row> read_lines(const std::string& path);
/// A row {dockerfile, result} for each folder in `path`, as BuildKit keeps its parser's tests.
std::vector<Row> read_folders(const std::string& path);
/// A row {dockerfile} for a file.
std::vector<Row> read_dockerfile(const std::string& path);

/// The check of a row; what it throws is a difference.
Verdict check_row(const Part& part, const Row& row);

/// The message of the Error that `body` throws; "" when it throws none.
std::string message_of(const std::function<void()>& body);

/// Whether the row's "error" says that there was one: true, or its text.
bool expects_error(const Json& row);

/// A list of strings, also where the row has null or nothing.
std::vector<std::string> strings_of(const Json& row, std::string_view key);

/// Collects what differs between two results.
class Comparison {
public:
  void expect(std::string_view what, std::string_view found, std::string_view wanted);
  void expect(std::string_view what, const std::vector<std::string>& found,
              const std::vector<std::string>& wanted);
  void expect_bool(std::string_view what, bool found, bool wanted);
  Verdict verdict() const;

private:
  std::string text_;
};

} // namespace cairn::test
