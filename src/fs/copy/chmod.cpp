#include "fs/copy/chmod.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <string>

namespace cairn {

namespace {

constexpr std::uint32_t everyone = 06777; // sticky belongs to nobody
constexpr std::uint32_t others = 0007;
constexpr std::uint32_t sticky = 01000;

std::uint32_t who_of(char letter) noexcept {
  switch (letter) {
  case 'u':
    return 04700;
  case 'g':
    return 02070;
  case 'o':
    return others;
  case 'a':
    return everyone;
  default:
    return 0;
  }
}

// The permissions of the chosen classes, given to all three.
std::uint32_t spread(std::uint32_t mode, std::uint32_t classes) noexcept {
  const std::uint32_t chosen = mode & classes;
  const std::uint32_t bits = ((chosen >> 6U) | (chosen >> 3U) | chosen) & 07U;
  return bits * 0111U;
}

} // namespace

class ModeChange::Parser {
public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool run(std::vector<Clause>& to) {
    for (;;) {
      if (!clause(to))
        return false;
      if (rest_.empty())
        return true;
      rest_.remove_prefix(1); // the comma
    }
  }

private:
  bool clause(std::vector<Clause>& to) {
    std::uint32_t who = 0;
    while (!rest_.empty() && who_of(rest_.front()) != 0) {
      who |= who_of(rest_.front());
      rest_.remove_prefix(1);
    }
    do {
      Clause out;
      if (!take_operator(out))
        return false;
      // Set-id and sticky bits mean nothing for others alone.
      const bool special = who == 0 || (who & ~others) != 0;
      out.who = who == 0 ? everyone : who;
      while (!rest_.empty() && take_permission(out, special))
        continue;
      to.push_back(out);
    } while (!rest_.empty() && rest_.front() != ',');
    return true;
  }

  bool take_operator(Clause& out) {
    const auto which =
        rest_.empty() ? std::string_view::npos : std::string_view("=+-").find(rest_.front());
    if (which == std::string_view::npos)
      return false;
    rest_.remove_prefix(1);
    out.how = static_cast<Clause::Operator>(which);
    return true;
  }

  bool take_permission(Clause& out, bool special) {
    switch (rest_.front()) {
    case 'r':
      out.bits |= 0444;
      break;
    case 'w':
      out.bits |= 0222;
      break;
    case 'x':
      out.bits |= 0111;
      break;
    case 'X':
      out.search = true;
      break;
    case 's':
      out.bits |= special ? 06000 : 0;
      break;
    case 't':
      out.bits |= special ? sticky : 0;
      out.who |= special ? sticky : 0;
      break;
    case 'u':
    case 'g':
    case 'o':
      out.copied |= who_of(rest_.front()) & 0777;
      break;
    default:
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

ModeChange ModeChange::parse(std::string_view text) {
  ModeChange change;
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    change.octal_ = parse_octal(text);
    if (!change.octal_ || *change.octal_ > 07777)
      throw Error(
          "invalid chmod parameter: '{}'. it should be octal string and between 0 and 07777", text);
    return change;
  }
  if (!Parser(text).run(change.clauses_))
    throw Error("invalid chmod parameter: '{}'. it should be an octal number up to 07777 or a list "
                "like u=rwX,go=rX",
                text);
  return change;
}

std::uint32_t ModeChange::apply(std::uint32_t mode, FileType type) const {
  if (type == FileType::symlink)
    return mode;
  if (octal_)
    return *octal_;
  const bool searchable = type == FileType::directory || (mode & 0111U) != 0;
  for (const auto& clause : clauses_) {
    std::uint32_t bits = clause.bits | spread(mode, clause.copied);
    if (clause.search && searchable)
      bits |= 0111;
    // Copied permissions replace permissions only, no set-id bits.
    const std::uint32_t cleared = clause.copied != 0 ? clause.who & 0777U : clause.who;
    if (clause.how == Clause::Operator::set)
      mode &= ~cleared;
    if (clause.how == Clause::Operator::remove)
      mode &= ~(bits & clause.who);
    else
      mode |= bits & clause.who;
  }
  return mode;
}

} // namespace cairn
