#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A line of a .dockerignore file that means something.
struct IgnoreLine {
  std::string pattern;    ///< Cleaned, without leading slash; "!" first when it takes back.
  std::size_t number = 0; ///< Of the line, from 1; 0 when it is not from a file.
};

/// Reads an ignore file: byte order mark, comments, blanks around lines, "!" lines.
std::vector<IgnoreLine> parse_ignore_file(std::string_view text);

/// Patterns against paths, by the rules of moby's pattern matcher: the last line that fits the path
/// or a directory that it is in decides; `**` stands for any number of directories.
/// Compiled once; const member functions may be called by several threads.
class IgnoreRules {
public:
  /// Ignores nothing.
  IgnoreRules();
  /// @throws Error "line 3: pattern 'a[': syntax error in pattern"
  explicit IgnoreRules(std::vector<IgnoreLine> lines);
  /// Patterns of --exclude.
  static IgnoreRules of(const std::vector<std::string>& patterns);
  IgnoreRules(IgnoreRules&&) noexcept;
  IgnoreRules& operator=(IgnoreRules&&) noexcept;
  ~IgnoreRules();

  bool empty() const noexcept;

  enum class Verdict { keep, ignore };
  struct Answer {
    Verdict verdict = Verdict::keep;
    const IgnoreLine* line = nullptr; ///< The one that decided, owned by the rules; or none did.
    bool ignored() const noexcept { return verdict == Verdict::ignore; }
  };

  /// Paths are relative and clean: "a/b". Tries every line on the path and all directories above.
  Answer judge(std::string_view path) const;

  /// What is known of a directory, for the paths in it. The default is that of the root.
  class Scope {
    friend class IgnoreRules;
    std::vector<bool> fits_;    // lines that decided about the directory or one above it
    std::vector<bool> touches_; // lines that fit it or one above it, whether they decided or not
  };

  /// The way to walk a tree: looks at the path alone, and at what is known of its directory. A line
  /// that changed nothing for a directory does not count for what is in it, as in BuildKit's walk:
  /// after "a/x", "!a" does not take back a/x, as a itself was never ignored.
  Answer judge(std::string_view path, const Scope& parent, Scope& own) const;

  /// For a file of a build context: ignored when either way says so. BuildKit, which lists a
  /// context the second way and opens files the first way, sends such files without their content.
  Answer judge_file(std::string_view path, const Scope& parent) const;

  /// Whether something below an ignored directory may be kept; false means a walk can skip it.
  bool may_keep_below(std::string_view directory) const;
  /// Whether something below a directory that is kept may be ignored.
  bool may_ignore_below(std::string_view directory) const;

private:
  struct State;
  std::unique_ptr<const State> state_;
};

} // namespace cairn
