#include "fs/chunked/toc_json.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/json_events.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace cairn {

namespace {

struct TextMember {
  std::string_view key;
  std::string TocEntry::*value;
};

constexpr std::array<TextMember, 6> text_members = {{
    {"type", &TocEntry::type},
    {"name", &TocEntry::name},
    {"linkName", &TocEntry::link_name},
    {"modtime", &TocEntry::modtime},
    {"digest", &TocEntry::digest},
    {"chunkDigest", &TocEntry::chunk_digest},
}};

struct NumberMember {
  std::string_view key;
  std::int64_t TocEntry::*value;
};

constexpr std::array<NumberMember, 11> number_members = {{
    {"mode", &TocEntry::mode},
    {"size", &TocEntry::size},
    {"uid", &TocEntry::uid},
    {"gid", &TocEntry::gid},
    {"devMajor", &TocEntry::dev_major},
    {"devMinor", &TocEntry::dev_minor},
    {"offset", &TocEntry::offset},
    {"endOffset", &TocEntry::end_offset},
    {"innerOffset", &TocEntry::inner_offset},
    {"chunkOffset", &TocEntry::chunk_offset},
    {"chunkSize", &TocEntry::chunk_size},
}};

constexpr std::string_view xattrs_member = "xattrs";
constexpr std::size_t most_members = 64; ///< Of an entry; both formats have fewer than 25.
constexpr std::size_t most_xattrs = 4096;

/// Follows the document: {"version": 1, "entries": [{...}]}. All else in it is passed over.
class TocEvents final : public JsonEvents {
public:
  explicit TocEvents(const std::function<void(TocEntry&&)>& visit) : visit_(visit) {}

  void begin_object() override {
    if (passed_over_ > 0)
      return pass_over();
    switch (place_) {
    case Place::start:
      return enter(Place::document);
    case Place::entries:
      entry_ = {};
      seen_.clear();
      return enter(Place::entry);
    case Place::entry:
      if (key_ == xattrs_member)
        return enter(Place::xattrs);
      refuse_if_known();
      return pass_over();
    default:
      return pass_over();
    }
  }

  void end_object() override {
    if (is_passed_over())
      return;
    if (place_ == Place::entry)
      visit_(std::move(entry_));
    leave();
  }

  void begin_array() override {
    if (passed_over_ > 0)
      return pass_over();
    if (place_ == Place::document && key_ == "entries")
      return enter(Place::entries);
    if (place_ == Place::entry)
      refuse_if_known();
    pass_over();
  }

  void end_array() override {
    if (!is_passed_over())
      leave();
  }

  void key(std::string_view name) override {
    if (passed_over_ > 0)
      return;
    key_ = name;
    if (place_ == Place::document) {
      note_once(document_seen_, name);
    } else if (place_ == Place::entry) {
      note_once(seen_, name);
    } else if (place_ == Place::xattrs) {
      const auto& all = entry_.xattrs;
      if (all.size() == most_xattrs)
        throw Error("a file has more than {} extended attributes", most_xattrs);
      if (std::any_of(all.begin(), all.end(), [&](const Xattr& one) { return one.name == name; }))
        throw Error("an extended attribute is there twice");
    }
  }

  void text(std::string_view value) override {
    if (passed_over_ > 0)
      return;
    if (place_ == Place::xattrs)
      return add_xattr(value);
    if (place_ != Place::entry)
      return other();
    for (const auto& member : text_members)
      if (member.key == key_) {
        entry_.*member.value = value;
        return;
      }
    refuse_if_known();
  }

  void integer(std::int64_t value) override {
    if (passed_over_ > 0)
      return;
    if (place_ == Place::document && key_ == "version") {
      if (value != 1)
        throw Error("the table is of version {}, not 1", value);
      has_version_ = true;
      return;
    }
    if (place_ != Place::entry)
      return other();
    for (const auto& member : number_members)
      if (member.key == key_) {
        entry_.*member.value = value;
        return;
      }
    refuse_if_known();
  }

  void other() override {
    if (passed_over_ > 0)
      return;
    const bool is_expected = place_ == Place::document && key_ != "version" && key_ != "entries";
    if (place_ == Place::entry)
      refuse_if_known();
    else if (!is_expected)
      throw Error("the table has another form");
  }

  void finish() const {
    if (!has_version_)
      throw Error("the table has no version");
  }

private:
  enum class Place { start, document, entries, entry, xattrs };

  void enter(Place place) {
    above_.push_back(std::exchange(place_, place));
    key_.clear();
  }
  void leave() {
    place_ = above_.back();
    above_.pop_back();
    key_.clear();
  }

  /// An object or array that says nothing of use.
  void pass_over() {
    const bool is_member = place_ == Place::document || place_ == Place::entry;
    if (passed_over_ == 0 && (!is_member || key_ == "version" || key_ == "entries"))
      throw Error("the table has another form");
    ++passed_over_;
  }
  bool is_passed_over() noexcept {
    if (passed_over_ == 0)
      return false;
    --passed_over_;
    return true;
  }

  /// A member that is known has another type than it should.
  void refuse_if_known() const {
    const auto is_key = [&](const auto& member) { return member.key == key_; };
    if (key_ == xattrs_member || std::any_of(text_members.begin(), text_members.end(), is_key) ||
        std::any_of(number_members.begin(), number_members.end(), is_key))
      throw Error("'{}' of an entry is of another type", key_);
  }

  static void note_once(std::vector<std::string>& seen, std::string_view name) {
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw Error("a member is there twice");
    if (seen.size() == most_members)
      throw Error("an object has more than {} members", most_members);
    seen.emplace_back(name);
  }

  void add_xattr(std::string_view value) {
    auto bytes = base64_decode(value);
    if (!bytes)
      throw Error("an extended attribute is not base64");
    entry_.xattrs.push_back({key_, *std::move(bytes)});
  }

  const std::function<void(TocEntry&&)>& visit_;
  Place place_ = Place::start;
  std::vector<Place> above_;
  std::size_t passed_over_ = 0; ///< How many objects and arrays are passed over, in each other.
  std::string key_;
  std::vector<std::string> document_seen_;
  std::vector<std::string> seen_; ///< Members of the entry.
  bool has_version_ = false;
  TocEntry entry_;
};

} // namespace

void read_toc_json(Source& json, const std::function<void(TocEntry&&)>& visit) {
  TocEvents events(visit);
  read_json(json, events);
  events.finish();
}

} // namespace cairn
