#include "archives.hpp"
#include "errors.hpp"
#include "fs/archive/archive_file.hpp"
#include "fs/archive/tar.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/process.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <fcntl.h>

#include <clocale>
#include <string>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/tar");

namespace {

/// What comes out of a reader when `member` has been written.
Member round_trip(const Member& member) {
  const auto members = read_members(tar_of({member}));
  REQUIRE(members.size() == 1);
  return members.front();
}

std::string error_reading(std::string_view tar, TarLimits limits = {}) {
  return error_of([&] {
    TextSource source(tar);
    TarReader reader(source, limits);
    reader.drain();
  });
}

std::vector<std::string> names_in(std::string_view tar) {
  std::vector<std::string> names;
  for (const auto& member : read_members(tar))
    names.push_back(member.entry.path.str());
  return names;
}

const std::string tar_end(1024, '\0');

} // namespace

TEST_CASE("what is written is read again") {
  auto everything = file("a/file", "content", 04755);
  everything.entry.meta.uid = 1000;
  everything.entry.meta.gid = 2000;
  auto fine_time = file("fine-time", "x");
  fine_time.entry.meta.mtime = from_unix(1'700'000'000, 123'456'789);
  auto before_1970 = file("old", "");
  before_1970.entry.meta.mtime = from_unix(-5);
  auto far = file("far", "");
  far.entry.meta.mtime = from_unix(9'000'000'000);
  auto owner = file("owner", "");
  owner.entry.meta.uid = 4'000'000'000;
  owner.entry.meta.gid = 3'000'000'000;
  auto attributes = file("attributes", "");
  attributes.entry.meta.xattrs = {{"security.capability", std::string("\1\0\0\2\0\n", 6)},
                                  {"user.empty", ""},
                                  {"user.note", "line\nline=x"}};
  const auto fifo = device("fifo", FileType::fifo, 0, 0);

  struct Row {
    Member member;
    std::string why;
  };
  const Row rows[] = {
      {everything, "setuid bit, owner, content"},
      {fine_time, "nanoseconds"},
      {before_1970, "time before 1970"},
      {far, "time beyond 33 bits"},
      {owner, "owners beyond 21 bits"},
      {attributes, "attributes with NUL, newline and '='"},
      {directory("d", 01777), "sticky directory"},
      {symbolic_link("s", "../else where"), "symbolic link"},
      {symbolic_link("s", std::string(300, 't')), "long target"},
      {hard_link("h", std::string(200, 'n')), "hard link to a long name"},
      {device("c", FileType::char_device, 5, 1), "character device"},
      {device("b", FileType::block_device, 259, 1'048'575), "block device"},
      {fifo, "fifo"},
      {file(std::string(150, 'd') + "/" + std::string(99, 'f'), "x"), "name split in two"},
      {file(std::string(250, 'f'), "x"), "long name without a slash"},
      {file(std::string(2000, 'd') + "/x", "x"), "very long name"},
      {directory(std::string(100, 'd')), "the closing slash of a directory counts"},
      {directory(std::string(99, 'a') + "/" + std::string(99, 'b')), "also when split"},
      {file("caf\xc3\xa9/\xe6\x97\xa5", "x"), "UTF-8 in a short name"},
      {file("caf\xe9/\xff\xfe", "x"), "a short name that is no UTF-8"},
      {file(std::string(150, 'x') + "\xe9\xff\xc3\xa9", "x"), "a long one in a pax record"},
      {symbolic_link("s", std::string(150, 'x') + "\xe9\xff"), "a target in a pax record"},
      {file("size", std::string(1'000'001, 'z')), "content over many blocks"},
      {file("new\nline = 7", "x"), "a name that looks like a record"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto found = round_trip(row.member);
    CHECK(found.entry.path.str() == row.member.entry.path.str());
    CHECK(found.entry.hard_link == row.member.entry.hard_link);
    CHECK(found.content == row.member.content);
    CHECK(found.entry.meta == row.member.entry.meta);
  }
}

TEST_CASE("the bytes of an archive are settled") {
  auto plain = file("dir/name", "hello");
  plain.entry.meta.mtime = from_unix(1);
  const auto tar = tar_of({plain});
  CHECK(tar.size() == 512 + 512 + 1024);
  CHECK(tar.substr(0, 9) == std::string("dir/name\0", 9));
  CHECK(tar.substr(100, 8) == std::string("0000644\0", 8));
  CHECK(tar.substr(124, 12) == std::string("00000000005\0", 12));
  CHECK(tar.substr(136, 12) == std::string("00000000001\0", 12));
  CHECK(tar.substr(257, 8) == std::string("ustar\00000", 8));
  CHECK(tar.substr(265, 64) == std::string(64, '\0'));
  CHECK(tar_of({plain}) == tar);

  plain.entry.meta.mtime = from_unix(1, 500'000'000);
  CHECK(tar_of({plain}).find("13 mtime=1.5\n") != std::string::npos);
}

TEST_CASE("names are written without a leading slash") {
  CHECK(tar_of({directory("/usr/bin")}).starts_with(std::string("usr/bin/\0", 9)));
  CHECK(tar_of({directory("/")}).starts_with(std::string("./\0", 3)));
  const auto link = tar_of({hard_link("/a", "/usr/b")});
  CHECK(link.substr(157, 6) == std::string("usr/b\0", 6));
}

TEST_CASE("the root may have an entry") {
  const auto found = round_trip(directory("/", 0700));
  CHECK(found.entry.path.is_root());
  CHECK(found.entry.meta.mode == 0700);
}

TEST_CASE("names are taken relative to the root of the archive") {
  CHECK(names_in(raw_member("/abs/./x//y", '0') + raw_member("./", '5') + raw_member("./a/", '5') +
                 tar_end) == std::vector<std::string>{"/abs/x/y", "/", "/a"});
}

TEST_CASE("names in an archive that ADD unpacks stop at its root") {
  const auto tar = raw_member("../../up", '0') + raw_member("a/../../b/./c", '0') +
                   raw_member("", '0') + raw_member("/..", '5') +
                   raw_member("h", '1', "", "../up") + tar_end;
  std::vector<std::string> names;
  const auto is_archive = read_archive([&] { return std::make_unique<TextSource>(tar); },
                                       [&](const LayerEntry& entry, TarReader&) {
                                         names.push_back(entry.path.str());
                                         if (entry.hard_link)
                                           names.push_back("-> " + entry.hard_link->str());
                                       });
  CHECK(is_archive);
  CHECK(names == std::vector<std::string>{"/up", "/b/c", "/", "/", "/h", "-> /up"});
}

TEST_CASE("hostile and damaged archives are refused") {
  struct Row {
    std::string tar;
    std::string message;
  };
  const auto good = tar_of({file("a", "hello")});
  auto bad_sum = good;
  bad_sum[0] = 'b';
  const Row rows[] = {
      {raw_member("../x", '0') + tar_end, "entry '../x': name '../x' holds '..'"},
      {raw_member("a/../x", '0') + tar_end, "entry 'a/../x': name 'a/../x' holds '..'"},
      {raw_member("a", '1', "", "../x") + tar_end, "entry 'a': name '../x' holds '..'"},
      {raw_member("", '0') + tar_end, "entry '': entry has no name"},
      {raw_member("s", '2') + tar_end, "entry 's': symbolic link has no target"},
      {bad_sum, "archive is damaged: Unrecognized archive format"},
      {good.substr(0, 700),
       "archive is damaged: Truncated input file (needed 512 bytes, only 188 available)"},
      {pax_member({{"path", "a/../../x"}}) + raw_member("y", '0') + tar_end,
       "entry 'a/../../x': name 'a/../../x' holds '..'"},
      {pax_member({{"uid", "-1"}}) + raw_member("y", '0') + tar_end,
       "entry 'y': owner -1 is out of range"},
      {raw_member("pax", 'x', "7 path") + raw_member("y", '0') + tar_end,
       "archive is damaged: Ignoring malformed pax extended attribute"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.message);
    CHECK(error_reading(row.tar) == row.message);
  }
}

TEST_CASE("the locale of the program does not change names") {
  const auto tar =
      tar_of({file("caf\xc3\xa9/\xff\xfe", "x"), file(std::string(150, 'x') + "\xe9\xff", ""),
              file(std::string(150, 'x') + "\xc3\xa9", "")});
  const auto expected = names_in(tar);
  CHECK(expected.at(1) == "/" + std::string(150, 'x') + "\xe9\xff");
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* locale : {"C", "C.UTF-8", "en_US.UTF-8"}) {
    if (std::setlocale(LC_ALL, locale) == nullptr)
      continue;
    CHECK(names_in(tar) == expected);
  }
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("limits end what has no end") {
  TarLimits limits;
  limits.entries = 2;
  const auto three = tar_of({file("a", ""), file("b", ""), file("c", "")});
  CHECK(error_reading(three, limits) == "archive has more than 2 entries");

  limits = {};
  limits.bytes = 100'000;
  CHECK(error_reading(
            tar_of({file("a", std::string(60'000, 'x')), file("b", std::string(60'000, 'x'))}),
            limits) == "entry 'b': contents of the archive are larger than 100000 bytes");
  std::string endless = tar_of({});
  endless.resize(endless.size() + 20'000'000);
  CHECK(error_reading(endless, limits) == "archive is larger than 16977216 bytes");
  // A sparse file of a terabyte takes no room in the archive.
  CHECK(
      error_reading(pax_member({{"GNU.sparse.map", "0,2"}, {"GNU.sparse.size", "1099511627776"}}) +
                        raw_member("s", '0', "0\n") + tar_end,
                    limits) == "entry 's': contents of the archive are larger than 100000 bytes");

  limits = {};
  limits.path_length = 300;
  CHECK(error_reading(tar_of({file(std::string(301, 'x'), "")}), limits)
            .find("name is longer than 300 bytes") != std::string::npos);
  limits.xattr_bytes = 1000;
  auto fat = file("fat", "");
  fat.entry.meta.xattrs = {{"user.x", std::string(2000, 'v')}};
  CHECK(error_reading(tar_of({fat}), limits) ==
        "entry 'fat': extended attributes are larger than 1000 bytes");
}

TEST_CASE("an archive of nothing has no entries") {
  CHECK(names_in("").empty());
  CHECK(names_in(tar_of({})).empty());
}

TEST_CASE("global headers are passed over, and so is what follows the end") {
  auto global = pax_member({{"comment", "made by git"}});
  global = raw_member("pax_global_header", 'g', global.substr(512));
  CHECK(names_in(global + raw_member("a", '0') + tar_end + "garbage") ==
        std::vector<std::string>{"/a"});
}

TEST_CASE("attributes of the machine where the archive was made are dropped") {
  auto entry = file("f", "");
  entry.entry.meta.xattrs = {{"security.capability", "c"},
                             {"security.selinux", "label"},
                             {"system.posix_acl_access", "acl"},
                             {"trusted.overlay.redirect", "/etc"},
                             {"user.note", "n"},
                             {"user.overlay.opaque", "y"}};
  const std::vector<Xattr> kept{{"security.capability", "c"}, {"user.note", "n"}};
  CHECK(round_trip(entry).entry.meta.xattrs == kept);
}

TEST_CASE("an attribute that stands in two forms is one") {
  const auto tar =
      pax_member({{"LIBARCHIVE.xattr.user.note", "bm90ZQ"}, {"SCHILY.xattr.user.note", "note"}}) +
      raw_member("f", '0') + tar_end;
  const std::vector<Xattr> once{{"user.note", "note"}};
  CHECK(read_members(tar).at(0).entry.meta.xattrs == once);
}

TEST_CASE("content that is shorter than its header is an error") {
  auto liar = file("liar", "abc");
  liar.entry.meta.size = 5;
  CHECK(error_of([&] { tar_of({liar}); }) == "read '/liar': the file has 3 bytes instead of 5");
}

TEST_CASE("what GNU tar writes is read, sparse files and long names included") {
  const TempDir work("/tmp");
  const std::string longest(120, 'n');
  const std::string script = "cd " + work.path() + " && mkdir in && cd in && printf x >" + longest +
                             " && ln " + longest +
                             " hard && truncate -s 1M sparse && printf end >>sparse && "
                             "printf '\\351' >\"$(printf 'b\\351d')\" && mkdir d";
  for (const std::string format : {"gnu", "pax", "ustar", "v7"}) {
    CAPTURE(format);
    ProcessSpec spec;
    spec.argv = {"sh", "-c",
                 fmt::format("cd {}; rm -rf in; ({}) && cd in && tar --format={} --sparse "
                             "-cf ../out.tar . 2>&1",
                             work.path(), script, format)};
    ProcessResult result;
    try {
      result = run_process(spec);
    } catch (const Error&) {
      result.exit_status = 127;
    }
    if (result.exit_status != 0 && (format == "ustar" || format == "v7"))
      continue; // which cannot hold that name
    if (result.exit_status != 0) {
      MESSAGE("skipped: no GNU tar here: ", result.output);
      return;
    }
    const auto members =
        read_members(read_file(current_directory(), work.path() + "/out.tar", 1 << 24));
    std::size_t seen = 0;
    for (const auto& [entry, content] : members) {
      if (entry.path.str() == "/sparse") {
        CHECK(entry.meta.size == (1 << 20) + 3);
        CHECK(content == std::string(1 << 20, '\0') + "end");
        ++seen;
      }
      if (entry.path.str() == "/b\xe9"
                              "d" ||
          entry.path.str() == "/d" || entry.path.is_root())
        ++seen;
      if (entry.path.str() == "/hard" || entry.path.str() == "/" + longest)
        ++seen;
    }
    CHECK(seen == 6);
  }
}
