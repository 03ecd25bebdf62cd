#include "fs/copy/users.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace cairn {

namespace {

// What the Linux tools and BuildKit take for an id.
constexpr std::uint64_t max_id = 0x7FFFFFFF;

struct UserRow {
  std::string_view name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string_view home;
};

struct GroupRow {
  std::string_view name;
  std::uint32_t gid = 0;
  std::string_view members;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto number = parse_unsigned(text);
  if (!number || *number > max_id)
    return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

bool is_number(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A number as --chown and USER write it; nothing for a name.
std::optional<std::uint32_t> spec_number(std::string_view text) {
  return is_number(text) ? parse_id(text) : std::nullopt;
}

// Calls `visit` with the fields of each line until it returns true.
void find_row(const std::string& text,
              const std::function<bool(const std::vector<std::string_view>&)>& visit) {
  std::string_view rest = text;
  std::vector<std::string_view> fields;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    fields.clear();
    for (auto parts = cut(line, ':'); parts; parts = cut(line, ':')) {
      fields.push_back(parts->first);
      line = parts->second;
    }
    fields.push_back(line);
    if (visit(fields))
      return;
  }
}

std::optional<UserRow> find_user(const UserFiles& files,
                                 const std::function<bool(const UserRow&)>& fits) {
  std::optional<UserRow> found;
  if (!files.passwd)
    return found;
  find_row(*files.passwd, [&](const auto& fields) {
    const auto uid = fields.size() >= 4 ? parse_id(fields[2]) : std::nullopt;
    const auto gid = fields.size() >= 4 ? parse_id(fields[3]) : std::nullopt;
    if (!uid || !gid)
      return false;
    const UserRow row{fields[0], *uid, *gid, fields.size() > 5 ? fields[5] : std::string_view()};
    if (fits(row))
      found = row;
    return found.has_value();
  });
  return found;
}

// Visits rows of the group file until `visit` returns true.
void each_group(const UserFiles& files, const std::function<bool(const GroupRow&)>& visit) {
  if (!files.group)
    return;
  find_row(*files.group, [&](const auto& fields) {
    const auto gid = fields.size() >= 3 ? parse_id(fields[2]) : std::nullopt;
    if (!gid)
      return false;
    return visit({fields[0], *gid, fields.size() > 3 ? fields[3] : std::string_view()});
  });
}

std::optional<GroupRow> find_group(const UserFiles& files, std::string_view name) {
  std::optional<GroupRow> found;
  each_group(files, [&](const GroupRow& row) {
    if (row.name == name)
      found = row;
    return found.has_value();
  });
  return found;
}

// "/etc/passwd of the image has no such row"
std::string lack(const char* path, const std::optional<std::string>& file) {
  return std::string(path) + (file ? " of the image has no such row" : " of the image is missing");
}

UnknownOwner unknown(const char* what, std::string_view name, const std::string& why) {
  if (is_number(name))
    return {fmt::format("{} id {} is out of range: the largest is {}", what, name, max_id), false};
  return {fmt::format("unknown {} '{}': {}", what, name, why), true};
}

UnknownOwner unknown_user(std::string_view name, const UserFiles& files) {
  return unknown("user", name, lack("/etc/passwd", files.passwd));
}

UnknownOwner unknown_group(std::string_view name, const UserFiles& files) {
  return unknown("group", name, lack("/etc/group", files.group));
}

std::optional<UserRow> find_user_called(const UserFiles& files, std::string_view name) {
  return find_user(files, [&](const UserRow& row) { return row.name == name; });
}

std::optional<std::uint32_t> group_of(std::string_view text, const UserFiles& files) {
  if (const auto number = spec_number(text))
    return number;
  const auto row = find_group(files, text);
  return row ? std::optional(row->gid) : std::nullopt;
}

struct Spec {
  std::string_view user;
  std::string_view group;
  bool has_group = false;
};

Spec split_spec(std::string_view text) {
  const auto parts = cut(text, ':');
  return parts ? Spec{parts->first, parts->second, true} : Spec{text, {}, false};
}

bool is_member(const GroupRow& row, std::string_view name) {
  auto rest = row.members;
  for (auto parts = cut(rest, ','); parts; parts = cut(rest, ',')) {
    if (parts->first == name)
      return true;
    rest = parts->second;
  }
  return rest == name;
}

std::string home_of(std::uint32_t uid, const UserFiles& files) {
  const auto row = find_user(files, [&](const UserRow& r) { return r.uid == uid; });
  return row ? std::string(row->home) : "/";
}

} // namespace

bool is_numeric_owner(std::string_view spec) {
  const auto [user, group, has_group] = split_spec(spec);
  const auto needs_no_file = [](std::string_view text) {
    return text.empty() || text == "root" || spec_number(text).has_value();
  };
  return needs_no_file(user) && needs_no_file(group);
}

FoundOwner resolve_owner(std::string_view spec, const UserFiles& files) {
  const auto [user, group, has_group] = split_spec(spec);
  FoundOwner found;
  if (const auto number = spec_number(user)) {
    found.owner = {*number, *number};
  } else if (!user.empty() && user != "root") {
    if (const auto row = find_user_called(files, user))
      found.owner = {row->uid, row->gid};
    else
      found.unknown.push_back(unknown_user(user, files));
  }
  if (group.empty()) {
    if (has_group)
      found.owner.gid = 0;
    return found;
  }
  if (const auto gid = group == "root" ? std::optional<std::uint32_t>(0) : group_of(group, files))
    found.owner.gid = *gid;
  else
    found.unknown.push_back(unknown_group(group, files));
  return found;
}

Identity resolve_user(std::string_view spec, const UserFiles& files) {
  const auto [user, rest, has_group] = split_spec(spec);
  const auto group = rest.substr(0, rest.find(':'));
  const auto number = user.empty() ? std::optional<std::uint32_t>(0) : spec_number(user);
  const auto row = number ? find_user(files, [&](const UserRow& r) { return r.uid == *number; })
                          : find_user_called(files, user);
  if (!row && !number)
    throw Error("{}", unknown_user(user, files).why);
  Identity who;
  who.owner = row ? Owner{row->uid, row->gid} : Owner{*number, 0};
  who.home = home_of(who.owner.uid, files);
  if (!group.empty()) {
    const auto gid = group_of(group, files);
    if (!gid)
      throw Error("{}", unknown_group(group, files).why);
    who.owner.gid = *gid;
  } else if (row) {
    each_group(files, [&](const GroupRow& each) {
      if (is_member(each, row->name))
        who.groups.push_back(each.gid);
      return false;
    });
  }
  return who;
}

} // namespace cairn
